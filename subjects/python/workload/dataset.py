"""The shop's log as columns. The file is a header of 32 bytes (magic, rows, users, seed), then the
columns, the wide ones first."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from typing import NamedTuple

from spec import Spec
from workload.draws import draws

DAYS = 90
PRODUCTS = 512
ENDPOINTS = 12

MAGIC = b"fbshop01"
HEADER = struct.Struct("<8sIIQQ")


class Dataset(NamedTuple):
    users: int
    user: array[int]
    amount_cents: array[int]
    latency_us: array[int]
    day: array[int]
    product: array[int]
    endpoint: array[int]
    error: array[int]

    def rows_of_days(self, first: int, end: int) -> tuple[int, int]:
        """The rows of these days, the second one past the last."""
        return bisect_left(self.day, first), bisect_left(self.day, end)


def load(spec: Spec) -> Dataset:
    rows = spec.pick(10_000, 100_000, 1_000_000)
    path = spec.options["input"]
    return _read(path, rows, spec.seed) if path else _generate(rows, spec.seed)


def _read(path: str, rows: int, seed: int) -> Dataset:
    with open(path, "rb") as file:
        header = file.read(HEADER.size)
        # Arrays of the machine's own byte order, which is the file's on every Linux that matters.
        columns = [array(code) for code in "IIIHHBB"]
        try:
            magic, has_rows, users, has_seed, _ = HEADER.unpack(header)
            if (magic, has_rows, has_seed) != (MAGIC, rows, seed):
                raise EOFError
            for column in columns:
                column.fromfile(file, rows)
        except (EOFError, struct.error):
            what = f"the dataset {path} is not the one of {rows} rows and seed {seed}"
            raise ValueError(what) from None
    return Dataset(users, *columns)


def _generate(rows: int, seed: int) -> Dataset:
    users = max(1, rows // 10)
    data = Dataset(users, *(array(code) for code in "IIIHHBB"))
    draw = draws(seed).__next__
    for row in range(rows):
        reach = 1 + draw() % users
        data.user.append(draw() % reach)
        reach = 1 + draw() % PRODUCTS
        product = draw() % reach
        data.product.append(product)
        data.amount_cents.append((1 + draw() % 4) * (199 + product * 7919 % 49_801))
        endpoint = draw() % ENDPOINTS
        data.endpoint.append(endpoint)
        tail, last = draw(), draw()
        data.latency_us.append(150 * (1 + endpoint) + (tail >> (12 + last % 16)))
        data.error.append((last >> 8) % 100 < 1 + endpoint % 3)
        data.day.append(row * DAYS // rows)
    return data
