"""Writes the vectors that tests/stats_vectors.rs compares the statistics of forkbench with.

    python3 -m venv venv && venv/bin/pip install numpy scipy && venv/bin/python make_vectors.py

Every expected value comes from NumPy or SciPy, or from the definition spelled out by brute force
where they have no such function; none from forkbench. Inputs are seeded, so that a second run
with the same versions writes the same bytes.
"""

import itertools
import json
import math
import pathlib

import numpy as np
import scipy
from scipy import stats

HERE = pathlib.Path(__file__).parent
LEVELS = (95, 98)


def differences(rng):
    """Log ratios as they come: noise, shifts, ties, one wild block."""
    for n in (1, 2, 5, 6, 7, 9, 10, 12, 15, 16, 20, 24):
        yield rng.normal(0.0, 0.05, n)
        yield rng.normal(0.04, 0.05, n)
    yield np.round(rng.normal(0.5, 2.0, 12))
    yield np.round(rng.normal(0.0, 2.0, 16))
    yield np.append(rng.normal(0.02, 0.01, 9), 3.0)
    yield np.full(10, 0.1)


def quantiles(rng):
    """NumPy's inverted_cdf is the nearest rank. NumPy multiplies in floats, so counts are chosen
    whose ranks are exact or far from a boundary."""
    cases = []
    for n in (1, 2, 3, 20, 37, 101, 250, 1001, 1999):
        values = np.sort(rng.integers(1_000, 90_000_000, n))
        expected = [(parts, int(np.quantile(values, parts / 10_000, method="inverted_cdf")))
                    for parts in (1_000, 5_000, 9_000, 9_500, 9_900, 9_990)]
        cases.append({"values": values.tolist(), "expected": expected})
    return cases


def medians(rng):
    samples = [rng.lognormal(15.0, 0.3, n) for n in (1, 2, 9, 10, 20, 21)]
    return [{"values": x.tolist(), "expected": float(np.median(x))} for x in samples]


def median_ranks():
    """The largest rank whose lower binomial tail is within half of what may be missed."""
    cases = []
    for n in [*range(1, 41), 60, 100, 101, 400]:
        for level in LEVELS:
            tail = (1 - level / 100) / 2
            fitting = [k for k in range(1, n // 2 + 1) if stats.binom.cdf(k - 1, n, 0.5) <= tail]
            rank = max(fitting, default=None)
            coverage = None if rank is None else float(1 - 2 * stats.binom.cdf(rank - 1, n, 0.5))
            cases.append({"n": n, "level": level, "rank": rank, "coverage": coverage})
    return cases


def effective_counts(rng):
    """The documented formula on SciPy's midranks."""
    cases = []
    for n in (4, 5, 6, 10, 20, 40):
        for phi in (0.0, 0.6, 0.95):
            x = [rng.normal()]
            while len(x) < n:
                x.append(phi * x[-1] + rng.normal())
            cases.append(x)
    cases.append([1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 1.0])
    return [{"values": [float(v) for v in x], "expected": effective_count(x)} for x in cases]


def effective_count(x):
    n = len(x)
    if n <= 4:
        return float(n)
    ranks = stats.rankdata(x)
    centred = ranks - ranks.mean()
    r = (centred[1:] * centred[:-1]).sum() / (centred**2).sum()
    r = min(max((n * r + 1) / (n - 4), 0.0), 0.9)
    return float(max(n * (1 - r) / (1 + r), 4.0))


def median_intervals(rng):
    """Exact order statistics, stretched as documented, with SciPy's binomial and Student."""
    cases = []
    for n in (6, 10, 20, 33):
        for phi in (0.0, 0.6):
            noise = [rng.normal()]
            while len(noise) < n:
                noise.append(phi * noise[-1] + rng.normal())
            for values in (np.array(noise), np.exp(0.1 * np.array(noise))):
                for level in LEVELS:
                    low, high = median_interval(values, level)
                    cases.append({"values": values.tolist(), "level": level,
                                  "low": low, "high": high})
    return cases


def median_interval(values, level):
    n, tail = len(values), (1 - level / 100) / 2
    fitting = [k for k in range(1, n // 2 + 1) if stats.binom.cdf(k - 1, n, 0.5) <= tail]
    if not fitting:
        return None, None
    x, rank, m = np.sort(values), max(fitting), effective_count(values)
    factor = 1.0
    if m < n:
        factor = math.sqrt(n / m) * stats.t.ppf(1 - tail, m - 1) / stats.t.ppf(1 - tail, n - 1)
    ends, middle = np.array([x[rank - 1], x[n - rank]]), np.median(x)
    if factor <= 1.0:
        return tuple(map(float, ends))
    if x[0] > 0:
        return tuple(map(float, np.exp(np.log(middle) + np.log(ends / middle) * factor)))
    return tuple(map(float, middle + (ends - middle) * factor))


def signed_rank_distributions():
    """All sign patterns for small n, the generating polynomial over the integers beyond."""
    cases = []
    for n in (1, 2, 3, 6, 10, 16, 20, 30):
        counts = [1]
        for rank in range(1, n + 1):
            shifted = [0] * rank + counts
            counts = [a + b for a, b in zip(counts + [0] * rank, shifted)]
        if n <= 10:
            brute = [0] * len(counts)
            for signs in itertools.product((0, 1), repeat=n):
                brute[sum(k + 1 for k, s in enumerate(signs) if s)] += 1
            assert brute == counts
            # And SciPy agrees: its exact p of all-positive distinct differences.
            p = stats.wilcoxon(np.arange(1, n + 1), method="exact").pvalue
            assert math.isclose(p, min(1.0, 2 * counts[-1] / 2**n))
        cases.append({"n": n, "expected": [c / 2**n for c in counts]})
    return cases


def walsh(samples):
    """Hodges-Lehmann by definition. The interval by inverting SciPy's exact signed-rank test: a
    shift belongs to it as long as the test does not reject it, so that the ends are the first and
    last Walsh averages just inside of which the p value exceeds what may be missed."""
    cases = []
    for d in samples:
        averages = sorted((a + b) / 2 for a, b in itertools.combinations_with_replacement(d, 2))
        case = {"values": d.tolist(), "estimate": float(np.median(averages))}
        for level in LEVELS:
            case[f"interval_{level}"] = inverted(d, averages, 1 - level / 100)
        cases.append(case)
    return cases


def inverted(d, averages, missed):
    distinct = sorted(set(averages))
    if len(distinct) < len(averages):
        return "ties"  # SciPy's exact test knows no ties; the ends are checked without them.
    accepted = [
        (low, high)
        for low, high in zip(distinct, distinct[1:])
        if stats.wilcoxon(d - (low + high) / 2, method="exact").pvalue > missed
    ]
    outside = stats.wilcoxon(d - (distinct[0] - 1.0), method="exact").pvalue
    if outside > missed:
        return None
    return [float(accepted[0][0]), float(accepted[-1][1])]


def signed_rank_p(samples, rng):
    """SciPy's exact signed-rank test. It knows no ties between signs and no zeros, so for each side
    all differences are moved by a hair against it, which breaks them; twice the smaller p of the
    two sides."""
    cases = []
    tied = [np.zeros(8), np.array([0.0, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
            np.array([-0.1, 0.1, 0.2, 0.2, 0.3, -0.3, 0.4, 0.5, 0.6]),
            np.append(np.log(np.linspace(0.895, 0.905, 11)), np.log(3.0))]
    many = [rng.normal(0.02, 0.05, n) for n in (30, 40, 50)]
    for d in [*samples, *tied, *many]:
        hair = 1e-9
        above = stats.wilcoxon(d - hair, method="exact", alternative="greater").pvalue
        below = stats.wilcoxon(d + hair, method="exact", alternative="less").pvalue
        p = min(1.0, 2 * min(above, below))
        if len(set(np.abs(d))) == len(d) and 0.0 not in d:
            assert math.isclose(p, stats.wilcoxon(d, method="exact").pvalue, rel_tol=1e-12)
        cases.append({"values": d.tolist(), "expected": float(p)})
    return cases


def two_samples(rng):
    """Two runs as they come: unequal sizes, shifts, ties, one wild block."""
    for m, n in ((1, 1), (3, 3), (4, 4), (5, 8), (6, 6), (6, 20), (9, 7), (10, 10), (12, 15),
                 (20, 20)):
        yield rng.normal(0.0, 0.05, m), rng.normal(0.0, 0.05, n)
        yield rng.normal(0.0, 0.05, m), rng.normal(-0.06, 0.1, n)
    yield np.append(rng.normal(0.02, 0.01, 9), 3.0), rng.normal(0.04, 0.01, 10)
    yield np.round(rng.normal(0.0, 2.0, 10)), np.round(rng.normal(1.5, 2.0, 12))
    yield np.round(rng.normal(0.0, 2.0, 10)), np.round(rng.normal(6.0, 2.0, 10))
    yield np.full(8, 0.1), np.full(9, 0.1)
    yield rng.normal(0.0, 0.05, 60), rng.normal(0.02, 0.05, 55)


def rank_sums(rng):
    """Hodges-Lehmann by definition, p by SciPy's Mann-Whitney, and the interval by inverting that
    test as for the Walsh averages. Beyond 50 values both are by the normal law."""
    cases = []
    for a, b in two_samples(rng):
        method = "exact" if max(len(a), len(b)) <= 50 else "asymptotic"
        all_differences = sorted(y - x for x in a for y in b)
        case = {"a": a.tolist(), "b": b.tolist(),
                "estimate": float(np.median(all_differences)),
                "p": rank_sum_p(a, b, method)}
        for level in LEVELS:
            case[f"interval_{level}"] = inverted_shift(a, b, all_differences, 1 - level / 100,
                                                       method)
        cases.append(case)
    return cases


def rank_sum_p(a, b, method):
    """Ties between the samples are broken in every number of ways; the largest p counts."""
    less = sum(int(y > x) for x in a for y in b)
    tied = sum(int(y == x) for x in a for y in b)
    return float(max(p_of_pairs(u, len(a), len(b), method) for u in range(less, less + tied + 1)))


def p_of_pairs(u, m, n, method):
    """SciPy's p of two samples without ties of which so many pairs have the larger value in the
    second: each value of the second goes above as many of the first as are left to be."""
    first, second, left = list(range(m)), [], u
    for i in range(n):
        above = min(m, left)
        left -= above
        second.append(above - 0.5 + 0.001 * i)
    assert left == 0
    p = stats.mannwhitneyu(second, first, method=method)
    assert p.statistic == u
    return p.pvalue


def inverted_shift(a, b, all_differences, missed, method):
    distinct = sorted(set(all_differences))
    if len(distinct) < len(all_differences):
        return "ties"
    p = lambda shift: stats.mannwhitneyu(b - shift, a, method=method).pvalue
    if p(distinct[0] - 1.0) > missed:
        return None
    accepted = [(low, high) for low, high in zip(distinct, distinct[1:])
                if p((low + high) / 2) > missed]
    return [float(accepted[0][0]), float(accepted[-1][1])]


def rank_sum_distributions():
    """Gaussian binomial coefficients over the integers; by brute force for small samples."""
    cases = []
    for m, n in ((1, 1), (1, 6), (3, 4), (6, 6), (8, 5), (10, 10), (20, 20), (12, 40)):
        counts = gaussian_binomial(m, n)
        total = math.comb(m + n, m)
        assert sum(counts) == total
        if m + n <= 13:
            brute = [0] * (m * n + 1)
            for places in itertools.combinations(range(m + n), n):
                brute[sum(places) - n * (n - 1) // 2] += 1
            assert brute == counts
        cases.append({"m": m, "n": n, "expected": [c / total for c in counts]})
    return cases


def gaussian_binomial(m, n):
    """The product over k of (1 - q^(m + k)) / (1 - q^k)."""
    counts = [1] + [0] * (m * n)
    for k in range(1, n + 1):
        for u in range(m * n, m + k - 1, -1):
            counts[u] -= counts[u - m - k]
        for u in range(k, m * n + 1):
            counts[u] += counts[u - k]
    return counts


def holm(rng):
    """The step-down procedure by its definition: the adjusted p is the smallest level at which
    the hypothesis is rejected, max over all smaller ones of (number left) * p."""
    cases = []
    for m in (1, 2, 5, 11, 12):
        for p in (rng.uniform(0, 1, m), rng.beta(0.3, 3.0, m), np.round(rng.uniform(0, 0.2, m), 2)):
            order = sorted(range(m), key=lambda i: p[i])
            adjusted = [0.0] * m
            for position, i in enumerate(order):
                adjusted[i] = max(min(1.0, (m - k) * p[order[k]]) for k in range(position + 1))
            cases.append({"values": p.tolist(), "expected": [float(a) for a in adjusted]})
    return cases


def theil_sen(rng):
    cases = []
    for n in (2, 3, 8, 9, 40):
        x = np.sort(rng.choice([0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 16.0, 32.0], n))
        x[-1] = 100.0
        y = 3e7 + 1.2e6 * x + rng.standard_t(2, n) * 1e5
        fit = stats.theilslopes(y, x, method="joint")
        cases.append({"x": x.tolist(), "y": y.tolist(),
                      "slope": float(fit.slope), "intercept": float(fit.intercept)})
    return cases


def mean_waits():
    """Erlang C by its factorials."""
    cases = []
    for c in (1, 2, 3, 8, 30):
        for rho in (0.1, 0.5, 0.7, 0.9, 0.99):
            a = c * rho
            # The Poisson form of the same formula.
            queued = stats.poisson.pmf(c, a) / (1 - rho)
            probability = queued / (stats.poisson.cdf(c - 1, a) + queued)
            cases.append({"servers": c, "utilization": rho,
                          "expected": float(probability / (c * (1 - rho)))})
    return cases


def write(name, cases):
    # One case per line, so that a changed vector shows as one changed line.
    head = {"scipy": scipy.__version__, "numpy": np.__version__, "made_by": "make_vectors.py"}
    lines = ",\n".join(json.dumps(case) for case in cases)
    text = json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n"
    json.loads(text)
    (HERE / f"{name}.json").write_text(text)


def main():
    rng = np.random.default_rng(20_261_101)
    samples = list(differences(rng))
    write("quantiles", quantiles(rng))
    write("medians", medians(rng))
    write("median_ranks", median_ranks())
    write("effective_counts", effective_counts(rng))
    write("median_intervals", median_intervals(rng))
    write("signed_rank", signed_rank_distributions())
    write("walsh", walsh(samples))
    write("holm", holm(rng))
    write("theil_sen", theil_sen(rng))
    write("mean_waits", mean_waits())
    write("rank_sums", rank_sums(rng))
    write("rank_sum_distributions", rank_sum_distributions())
    write("signed_rank_p", signed_rank_p(samples, rng))


if __name__ == "__main__":
    main()
