#!/usr/bin/env python3
"""Holds the CSV files of a run against its datapackage.json, from the specification alone.

    check_datapackage.py DIR                  with the standard library
    check_datapackage.py DIR --venv VENV      also with the `frictionless` package, installed into
                                              VENV if it is not there; says `skipped` if it cannot be

Knows nothing of forkbench: paths, fields, types, constraints, keys and missing values are read from
the descriptor. Exit code 1 and one line per fault if the files are not what it says.
"""

import csv
import json
import math
import subprocess
import sys
from datetime import datetime
from pathlib import Path

FAULTS_MAX = 20


def is_datetime(text):
    datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_number(text):
    if not math.isfinite(float(text)):
        raise ValueError(text)


CASTS = {"string": str, "integer": int, "number": is_number, "datetime": is_datetime}


def cell_faults(field, cell, missing):
    constraints = field.get("constraints", {})
    if cell in missing:
        if constraints.get("required"):
            yield "is missing"
        return
    try:
        CASTS[field["type"]](cell)
    except ValueError:
        yield f"`{cell}` is no {field['type']}"
        return
    if "enum" in constraints and cell not in constraints["enum"]:
        yield f"`{cell}` is none of {constraints['enum']}"
    if "minimum" in constraints and float(cell) < constraints["minimum"]:
        yield f"`{cell}` is below {constraints['minimum']}"


def resource_faults(run, resource):
    schema = resource["schema"]
    fields = schema["fields"]
    missing = schema.get("missingValues", [""])
    key = schema.get("primaryKey", [])
    path = run / resource["path"]
    if not path.is_file():
        yield f"{path}: is not there"
        return
    with path.open(encoding=resource["encoding"], newline="") as file:
        rows = csv.reader(file, strict=True)
        header = next(rows)
        names = [field["name"] for field in fields]
        if header != names:
            yield f"{path}: columns {header}, described are {names}"
            return
        seen = set()
        for row in rows:
            where = f"{path}:{rows.line_num}"
            if len(row) != len(fields):
                yield f"{where}: {len(row)} cells, the header has {len(fields)}"
                continue
            for field, cell in zip(fields, row):
                for fault in cell_faults(field, cell, missing):
                    yield f"{where}: {field['name']}: {fault}"
            values = tuple(row[names.index(name)] for name in key)
            if key and values in seen:
                yield f"{where}: the key {values} is there already"
            seen.add(values)


def with_frictionless(run, venv):
    program = venv / "bin" / "frictionless"
    if not program.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", venv], check=True, capture_output=True)
            install = [venv / "bin" / "pip", "install", "--quiet", "frictionless>=5,<6"]
            subprocess.run(install, check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"frictionless: skipped, it cannot be installed: {error}")
            return 0
    done = subprocess.run([program, "validate", "datapackage.json"], cwd=run, text=True, capture_output=True)
    print("frictionless:", "valid" if done.returncode == 0 else done.stdout)
    return done.returncode


def main():
    run = Path(sys.argv[1])
    descriptor = json.loads((run / "datapackage.json").read_text(encoding="utf-8"))
    resources = descriptor["resources"]
    faults = [fault for resource in resources for fault in resource_faults(run, resource)]
    for fault in faults[:FAULTS_MAX]:
        print(fault)
    if faults:
        return 1
    print("valid:", ", ".join(resource["path"] for resource in resources))
    if sys.argv[2:3] == ["--venv"]:
        return with_frictionless(run, Path(sys.argv[3]).absolute())
    return 0


sys.exit(main())
