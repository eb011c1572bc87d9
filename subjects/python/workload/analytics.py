"""`analytics`: three reports over a date range of a shop's log, one task each: sales, users,
performance. Whole numbers throughout, so that the checksums are the same in every runtime."""

from __future__ import annotations

import datetime

from run import TaskError
from spec import Spec
from workload import dataset
from workload.fold import fold
from workload.reports import performance, sales, users

FIRST_DAY = datetime.date(2026, 1, 1)
REPORTS = (sales, users, performance)


def tasks(spec: Spec) -> int:
    return len(REPORTS)


class Shop:
    def __init__(self, data: dataset.Dataset, days: tuple[int, int]) -> None:
        self._data = data
        self._days = days

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        if task >= len(REPORTS):
            raise TaskError(f"analytics has {len(REPORTS)} tasks, not one numbered {task}")
        return fold(REPORTS[task](self._data, *self._days)), b""


def prepare(spec: Spec) -> Shop:
    return Shop(dataset.load(spec), day_range(spec))


def day_range(spec: Spec) -> tuple[int, int]:
    """The days of the data that the options ask for, the second one past the last."""

    def day(name: str) -> int:
        return (datetime.date.fromisoformat(spec.options[name]) - FIRST_DAY).days

    def within(day: int) -> int:
        return min(max(day, 0), dataset.DAYS)

    return within(day("from")), within(day("to") + 1)
