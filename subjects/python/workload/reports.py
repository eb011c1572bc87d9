"""The three reports, each as the list of its numbers: rows in the range first, lists in ascending
order of their key, zeros included, except the top products, which lead by what they sold."""

from __future__ import annotations

from workload.dataset import ENDPOINTS, PRODUCTS, Dataset

# Product p is in category p % CATEGORIES.
CATEGORIES = 8
TOP_PRODUCTS = 10


def sales(data: Dataset, first: int, end: int) -> list[int]:
    """Orders, cents; per day, per category: orders, cents; per top product: number, orders,
    cents."""
    rows = slice(*data.rows_of_days(first, end))
    cell_orders = [0] * ((end - first) * CATEGORIES)
    cell_cents = cell_orders.copy()
    product_orders = [0] * PRODUCTS
    product_cents = [0] * PRODUCTS
    cents = data.amount_cents[rows]
    for day, product, amount in zip(data.day[rows], data.product[rows], cents):
        cell = (day - first) * CATEGORIES + product % CATEGORIES
        cell_orders[cell] += 1
        cell_cents[cell] += amount
        product_orders[product] += 1
        product_cents[product] += amount
    sold = [product for product in range(PRODUCTS) if product_orders[product]]
    sold.sort(key=lambda product: (-product_cents[product], product))
    numbers = [len(cents), sum(cents)]
    for cell in zip(cell_orders, cell_cents):
        numbers += cell
    for product in sold[:TOP_PRODUCTS]:
        numbers += (product, product_orders[product], product_cents[product])
    return numbers


def users(data: Dataset, first: int, end: int) -> list[int]:
    """Rows, distinct, new, returning, repeating; per day of first order: users, orders."""
    start, stop = data.rows_of_days(first, end)
    first_day: dict[int, int] = {}
    # Rows are in the order of time, so the first day seen is the first day.
    for user, day in zip(data.user[:stop], data.day[:stop]):
        if user not in first_day:
            first_day[user] = day
    orders: dict[int, int] = {}
    for user in data.user[start:stop]:
        orders[user] = orders.get(user, 0) + 1
    new = sum(first_day[user] >= first for user in orders)
    repeating = sum(n > 1 for n in orders.values())
    cohorts = [0] * (2 * end)
    for user, n in orders.items():
        day = first_day[user]
        cohorts[2 * day] += 1
        cohorts[2 * day + 1] += n
    return [stop - start, len(orders), new, len(orders) - new, repeating, *cohorts]


def performance(data: Dataset, first: int, end: int) -> list[int]:
    """Rows; per endpoint: requests, errors, errors per million requests rounded down, and the
    latencies p50, p90, p99, max by nearest rank."""
    rows = slice(*data.rows_of_days(first, end))
    latencies: list[list[int]] = [[] for _ in range(ENDPOINTS)]
    errors = [0] * ENDPOINTS
    columns = zip(data.endpoint[rows], data.latency_us[rows], data.error[rows])
    for endpoint, latency, error in columns:
        latencies[endpoint].append(latency)
        errors[endpoint] += error
    numbers = [sum(map(len, latencies))]
    for found, failed in zip(latencies, errors):
        numbers += _endpoint(sorted(found), failed)
    return numbers


def _endpoint(latencies: list[int], errors: int) -> list[int]:
    n = len(latencies)
    if n == 0:
        return [0] * 7
    ranks = (latencies[-(-n * percent // 100) - 1] for percent in (50, 90, 99, 100))
    return [n, errors, errors * 1_000_000 // n, *ranks]
