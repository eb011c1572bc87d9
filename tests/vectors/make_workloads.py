#!/usr/bin/env python3
"""Known answers of the workloads, computed apart from the Rust code.

Writes workloads.json beside itself; needs nothing but the standard library and half a minute.
It shares no code with the project, so an error would have to be made twice; and it is the
reference for whoever implements the workloads in another runtime: every operation is on whole
numbers of at most 32 bits, except the money totals (below 2^53), the 64-bit fold, and the one
float sum of random-sum.

Numbers of 64 bits are written as text, because JavaScript would round them.
"""

import datetime
import json
import pathlib
import struct

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF


def fnv(data):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value


def fold(numbers):
    """Of unsigned 64-bit numbers, as little-endian bytes; one number alone stays itself."""
    if len(numbers) == 1:
        return numbers[0]
    return fnv(b"".join(struct.pack("<Q", n) for n in numbers))


def draws(seed):
    """A function that returns the next 32-bit number of xoshiro128++.

    The four words of the state are two outputs of SplitMix64, low word first.
    """
    words = []
    state = seed
    for _ in range(2):
        state = (state + 0x9E3779B97F4A7C15) & MASK64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
        z ^= z >> 31
        words += [z & MASK32, z >> 32]
    s0, s1, s2, s3 = words

    def draw():
        nonlocal s0, s1, s2, s3
        total = (s0 + s3) & MASK32
        result = ((((total << 7) | (total >> 25)) & MASK32) + s0) & MASK32
        shifted = (s1 << 9) & MASK32
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = ((s3 << 11) | (s3 >> 21)) & MASK32
        return result

    return draw


# --- random-sum ---------------------------------------------------------------------------------


def random_sum(seed, size):
    draw = draws(seed)
    total = 0.0
    for _ in range({"s": 10**4, "m": 10**6, "l": 10**7}[size]):
        total += draw() / 4294967296.0
    (bits,) = struct.unpack("<Q", struct.pack("<d", total))
    return [bits]


# --- primes -------------------------------------------------------------------------------------


def primes(size, chunks, split):
    """The counts of the chunks; contiguous ones are a..b without a and with b."""
    limit = {"s": 10**4, "m": 10**5, "l": 10**6}[size]
    is_prime = sieve(limit)
    if split == "contiguous":
        length = -(-limit // chunks)
        edges = [min(chunk * length, limit) for chunk in range(chunks + 1)]
        return [sum(is_prime[a + 1 : b + 1]) for a, b in zip(edges, edges[1:])]
    counts = [0] * chunks
    counts[0] = 1  # The number 2; after it every k-th odd number.
    for index, n in enumerate(range(3, limit + 1, 2)):
        counts[index % chunks] += is_prime[n]
    return counts


def sieve(limit):
    """Per number up to the limit, 1 if it is prime."""
    flags = bytearray([1]) * (limit + 1)
    flags[:2] = b"\0\0"
    for n in range(2, int(limit**0.5) + 1):
        if flags[n]:
            flags[n * n :: n] = bytes(len(range(n * n, limit + 1, n)))
    return flags


# --- analytics ----------------------------------------------------------------------------------

DAYS = 90
FIRST_DAY = datetime.date(2026, 1, 1)
LAST_DAY = FIRST_DAY + datetime.timedelta(DAYS - 1)
ROWS = {"s": 10**4, "m": 10**5, "l": 10**6}


def dataset(seed, rows):
    """One tuple per row: day, user, product, amount_cents, endpoint, latency_us, error."""
    draw = draws(seed)
    users = max(1, rows // 10)
    table = []
    for row in range(rows):
        reach = 1 + draw() % users
        user = draw() % reach
        reach = 1 + draw() % 512
        product = draw() % reach
        amount = (1 + draw() % 4) * (199 + product * 7919 % 49801)
        endpoint = draw() % 12
        tail = draw()
        last = draw()
        latency = 150 * (1 + endpoint) + (tail >> (12 + last % 16))
        error = int((last >> 8) % 100 < 1 + endpoint % 3)
        table.append((row * DAYS // rows, user, product, amount, endpoint, latency, error))
    return table


def dataset_file(table, seed):
    """The bytes of the file that every runtime loads."""
    rows = len(table)
    day, user, product, amount, endpoint, latency, error = zip(*table)
    return b"".join(
        [
            b"fbshop01",
            struct.pack("<IIQQ", rows, max(1, rows // 10), seed, 0),
            struct.pack(f"<{rows}I", *user),
            struct.pack(f"<{rows}I", *amount),
            struct.pack(f"<{rows}I", *latency),
            struct.pack(f"<{rows}H", *day),
            struct.pack(f"<{rows}H", *product),
            bytes(endpoint),
            bytes(error),
        ]
    )


def analytics(table, first, last):
    """The three checksums; both dates belong to the range."""
    first = min(max((first - FIRST_DAY).days, 0), DAYS)
    end = min(max((last - FIRST_DAY).days + 1, 0), DAYS)
    chosen = [row for row in table if first <= row[0] < end]
    earlier = [row for row in table if row[0] < end]
    return [
        fold(sales(chosen, first, end)),
        fold(users(chosen, earlier, first, end)),
        fold(performance(chosen)),
    ]


def sales(chosen, first, end):
    cells = {}
    products = {}
    for day, _, product, cents, *_ in chosen:
        for table, key in ((cells, (day, product % 8)), (products, product)):
            orders, total = table.get(key, (0, 0))
            table[key] = (orders + 1, total + cents)
    numbers = [len(chosen), sum(row[3] for row in chosen)]
    for day in range(first, end):
        for category in range(8):
            numbers += cells.get((day, category), (0, 0))
    for product in sorted(products, key=lambda p: (-products[p][1], p))[:10]:
        numbers += [product, *products[product]]
    return numbers


def users(chosen, earlier, first, end):
    first_day = {}
    for day, user, *_ in earlier:
        first_day.setdefault(user, day)
    orders = {}
    for _, user, *_ in chosen:
        orders[user] = orders.get(user, 0) + 1
    new = sum(first_day[user] >= first for user in orders)
    repeating = sum(count > 1 for count in orders.values())
    numbers = [len(chosen), len(orders), new, len(orders) - new, repeating]
    cohorts = [[0, 0] for _ in range(end)]
    for user, count in orders.items():
        cohorts[first_day[user]][0] += 1
        cohorts[first_day[user]][1] += count
    return numbers + sum(cohorts, [])


def performance(chosen):
    numbers = [len(chosen)]
    for endpoint in range(12):
        rows = [row for row in chosen if row[4] == endpoint]
        latencies = sorted(row[5] for row in rows)
        errors = sum(row[6] for row in rows)
        if not rows:
            numbers += [0] * 7
            continue
        numbers += [len(rows), errors, errors * 1_000_000 // len(rows)]
        # Nearest rank: the percent of the count, rounded up.
        numbers += [latencies[-(-len(rows) * p // 100) - 1] for p in (50, 90, 99, 100)]
    return numbers


# --- orders -------------------------------------------------------------------------------------


def orders(seed, size):
    steps = {"s": 625_000, "m": 3_125_000, "l": 12_500_000}[size]
    checksums = []
    for task in range(3):
        state = (seed ^ (seed >> 32)) & MASK32
        state ^= (task + 1) * 0x9E3779B9 & MASK32
        for step in range(steps):
            state = ((state ^ (state >> 15)) * 0x2C1B3C6D + step) & MASK32
        checksums.append(state)
    return checksums


# --- all of them --------------------------------------------------------------------------------

SEEDS = [0, 1, 0xDEADBEEFCAFEF00D]


def answer(workload, size, seed, tasks, options=None, joined=None):
    return {
        "workload": workload,
        "size": size,
        "seed": str(seed),
        "options": options or {},
        "tasks": [str(checksum) for checksum in tasks],
        "checksum": str(fold(tasks) if joined is None else joined),
    }


def answers():
    for seed in SEEDS:
        yield answer("random-sum", "s", seed, random_sum(seed, "s"))
    yield answer("random-sum", "m", 1, random_sum(1, "m"))
    yield answer("random-sum", "l", 1, random_sum(1, "l"))

    for size in "sml":
        for chunks, split in ((1, "contiguous"), (3, "contiguous"), (4, "interleaved")):
            counts = primes(size, chunks, split)
            options = {"chunks": str(chunks), "split": split}
            yield answer("primes", size, 0, counts, options, sum(counts))

    for seed in SEEDS:
        yield answer("orders", "s", seed, orders(seed, "s"))
    yield answer("orders", "m", 1, orders(1, "m"))
    yield answer("orders", "l", 1, orders(1, "l"))

    ranges = [
        (FIRST_DAY, LAST_DAY),
        (datetime.date(2026, 2, 1), datetime.date(2026, 2, 28)),
        (datetime.date(2026, 3, 31), datetime.date(2026, 3, 31)),
        (datetime.date(2000, 1, 1), datetime.date(2026, 1, 2)),
        (datetime.date(2025, 1, 1), datetime.date(2025, 12, 31)),
        (datetime.date(2027, 1, 1), datetime.date(2027, 12, 31)),
    ]
    for size, seeds in (("s", SEEDS), ("m", [1]), ("l", [1])):
        for seed in seeds:
            table = dataset(seed, ROWS[size])
            for first, last in ranges:
                options = {"from": str(first), "to": str(last)}
                checksums = analytics(table, first, last)
                yield answer("analytics", size, seed, checksums, options)


def main():
    vectors = {
        "folds": [
            {"numbers": [str(n) for n in numbers], "checksum": str(fold(numbers))}
            for numbers in ([], [7], [0, 0], [1, 2], [2, 1], [MASK64, 0, 1])
        ],
        "draws": [
            {"seed": str(seed), "numbers": [draw() for _ in range(8)]}
            for seed, draw in ((seed, draws(seed)) for seed in SEEDS)
        ],
        "datasets": [
            {
                "size": size,
                "seed": str(seed),
                "bytes": len(data),
                "checksum": str(fnv(data)),
            }
            for size, seed in (("s", 0), ("s", 1), ("m", 1))
            for data in [dataset_file(dataset(seed, ROWS[size]), seed)]
        ],
        "answers": list(answers()),
    }
    path = pathlib.Path(__file__).with_name("workloads.json")
    path.write_text(json.dumps(vectors, indent=1) + "\n", encoding="utf-8")
    print(f"{path}: {len(vectors['answers'])} answers")


if __name__ == "__main__":
    main()
