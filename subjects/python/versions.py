"""What this runtime is, and what it has used so far."""

from __future__ import annotations

import importlib.metadata
import platform
import resource
import sys


def versions() -> dict[str, str]:
    """Versions and settings by name, as text."""
    # Builds without the global lock say so; all others have it.
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "gil": "enabled" if gil else "disabled",
    }


def package_version(name: str) -> str:
    """The version of an installed package; empty if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def libjpeg_version() -> str:
    """The version of the library that does Pillow's work; empty if there is none."""
    try:
        from PIL import features
    except ImportError:
        return ""
    return features.version("libjpeg_turbo") or ""


def usage(more: list[resource.struct_rusage]) -> dict[str, int]:
    """Resources used so far by this process, its reaped children and `more`."""
    used = [
        resource.getrusage(resource.RUSAGE_SELF),
        resource.getrusage(resource.RUSAGE_CHILDREN),
        *more,
    ]
    return {
        "cpu_user_ns": sum(round(u.ru_utime * 1e9) for u in used),
        "cpu_system_ns": sum(round(u.ru_stime * 1e9) for u in used),
        "faults_minor": sum(u.ru_minflt for u in used),
        "faults_major": sum(u.ru_majflt for u in used),
        "ctx_voluntary": sum(u.ru_nvcsw for u in used),
        "ctx_involuntary": sum(u.ru_nivcsw for u in used),
    }
