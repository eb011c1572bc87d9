//! The statistics against vectors from SciPy and NumPy, to 1e-9. `tests/vectors/make_vectors.py`
//! made them and says how; each file carries the versions.
use std::path::Path;

use forkbench::stats::interval::{effective_count, median_interval, median_ranks};
use forkbench::stats::paired::{WalshAverages, signed_rank_distribution};
use forkbench::stats::quantile::{P, median, nearest_rank};
use forkbench::stats::two_sample::{Drift, rank_sum_distribution, shift};
use forkbench::stats::{Interval, Level, fit, holm, queue};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Vectors<C> {
    scipy: String,
    numpy: String,
    cases: Vec<C>,
}

/// Reads a file of vectors and hands each case to `check` with its number.
fn each<C: DeserializeOwned>(name: &str, at_least: usize, check: impl Fn(usize, &C)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    let vectors: Vectors<C> = serde_json::from_str(&text).unwrap();
    assert!(!vectors.scipy.is_empty() && !vectors.numpy.is_empty());
    assert!(vectors.cases.len() >= at_least, "{name} has lost cases");
    for (number, case) in vectors.cases.iter().enumerate() {
        check(number, case);
    }
}

/// Equal to 1e-9, relative where the numbers are large.
#[track_caller]
fn assert_near(got: f64, expected: f64, case: usize) {
    let error = (got - expected).abs() / expected.abs().max(1.0);
    assert!(error <= 1e-9, "case {case}: {got} is not {expected}");
}

#[track_caller]
fn assert_interval(got: Option<Interval>, expected: Option<[f64; 2]>, case: usize) {
    match (got, expected) {
        (None, None) => {}
        (Some(got), Some([low, high])) => {
            assert_near(got.low, low, case);
            assert_near(got.high, high, case);
        }
        _ => panic!("case {case}: {got:?} is not {expected:?}"),
    }
}

fn level(percent: u32) -> Level {
    match percent {
        95 => Level::P95,
        98 => Level::P98,
        other => panic!("no level of {other} %"),
    }
}

#[derive(Deserialize)]
struct Sample {
    values: Vec<f64>,
    expected: f64,
}

#[derive(Deserialize)]
struct Quantile {
    values: Vec<u64>,
    /// Parts per ten thousand, and the value there.
    expected: Vec<(u32, u64)>,
}

#[test]
fn quantiles_are_numpys_inverted_cdf() {
    each("quantiles", 9, |case, quantile: &Quantile| {
        for &(parts, expected) in &quantile.expected {
            let p = P::per_ten_thousand(parts).unwrap();
            assert_eq!(nearest_rank(&quantile.values, p), Some(expected), "case {case}, {parts}");
        }
    });
}

#[test]
fn medians_are_numpys() {
    each("medians", 6, |case, sample: &Sample| {
        assert_near(median(&sample.values).unwrap(), sample.expected, case);
    });
}

#[derive(Deserialize)]
struct RankCase {
    n: usize,
    level: u32,
    rank: Option<usize>,
    coverage: Option<f64>,
}

#[test]
fn ranks_of_the_median_are_scipys_binomial() {
    each("median_ranks", 80, |case, expected: &RankCase| {
        let ranks = median_ranks(expected.n, level(expected.level));
        assert_eq!(ranks.map(|ranks| ranks.from_end), expected.rank, "n = {}", expected.n);
        if let (Some(ranks), Some(coverage)) = (ranks, expected.coverage) {
            assert_near(ranks.coverage, coverage, case);
        }
    });
}

#[test]
fn effective_counts_follow_their_formula() {
    each("effective_counts", 19, |case, sample: &Sample| {
        assert_near(effective_count(&sample.values), sample.expected, case);
    });
}

#[derive(Deserialize)]
struct MedianInterval {
    values: Vec<f64>,
    level: u32,
    low: Option<f64>,
    high: Option<f64>,
}

#[test]
fn intervals_of_the_median_follow_their_formula() {
    each("median_intervals", 32, |case, expected: &MedianInterval| {
        let got = median_interval(&expected.values, level(expected.level));
        let ends = expected.low.zip(expected.high).map(|(low, high)| [low, high]);
        assert_interval(got, ends, case);
    });
}

#[derive(Deserialize)]
struct Distribution {
    n: usize,
    expected: Vec<f64>,
}

#[test]
fn the_signed_rank_distribution_is_the_counted_one() {
    each("signed_rank", 8, |case, distribution: &Distribution| {
        let got = signed_rank_distribution(distribution.n);
        assert_eq!(got.len(), distribution.expected.len());
        for (got, expected) in got.iter().zip(&distribution.expected) {
            assert_near(*got, *expected, case);
        }
    });
}

#[derive(Deserialize)]
struct WalshCase {
    values: Vec<f64>,
    estimate: f64,
    interval_95: Inverted,
    interval_98: Inverted,
}

/// The interval by inverting SciPy's test, which cannot be done under ties.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inverted {
    Interval(Option<[f64; 2]>),
    Unknown(Ties),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ties {
    Ties,
}

#[test]
fn hodges_lehmann_and_its_interval_invert_scipys_wilcoxon() {
    each("walsh", 28, |case, expected: &WalshCase| {
        let averages = WalshAverages::of(&expected.values);
        assert_near(averages.estimate().unwrap(), expected.estimate, case);
        for (level, interval) in
            [(Level::P95, &expected.interval_95), (Level::P98, &expected.interval_98)]
        {
            match interval {
                Inverted::Interval(ends) => assert_interval(averages.interval(level), *ends, case),
                Inverted::Unknown(Ties::Ties) => {}
            }
        }
    });
}

#[test]
fn signed_rank_p_is_scipys_wilcoxon() {
    each("signed_rank_p", 35, |case, sample: &Sample| {
        let p = WalshAverages::of(&sample.values).p_value().unwrap();
        assert!((p / sample.expected - 1.0).abs() < 1e-9, "case {case}: {p}");
    });
}

#[derive(Deserialize)]
struct RankSumCase {
    a: Vec<f64>,
    b: Vec<f64>,
    estimate: f64,
    p: f64,
    interval_95: Inverted,
    interval_98: Inverted,
}

#[test]
fn shifts_and_their_intervals_invert_scipys_mann_whitney() {
    each("rank_sums", 25, |case, expected: &RankSumCase| {
        for (level, interval) in
            [(Level::P95, &expected.interval_95), (Level::P98, &expected.interval_98)]
        {
            let (a, b) = (&expected.a, &expected.b);
            let got = shift(a, b, level, Drift::Removed).unwrap();
            assert_near(got.estimate, expected.estimate, case);
            assert!((got.p_value / expected.p - 1.0).abs() < 1e-9, "case {case}");
            match interval {
                Inverted::Interval(ends) => assert_interval(got.interval, *ends, case),
                Inverted::Unknown(Ties::Ties) => {}
            }
        }
    });
}

#[derive(Deserialize)]
struct RankSumDistribution {
    m: usize,
    n: usize,
    expected: Vec<f64>,
}

#[test]
fn the_rank_sum_distribution_is_the_counted_one() {
    each("rank_sum_distributions", 8, |case, law: &RankSumDistribution| {
        let got = rank_sum_distribution(law.m, law.n);
        assert_eq!(got.len(), law.expected.len());
        for (got, expected) in got.iter().zip(&law.expected) {
            // Relative: the tails are what is asked for.
            assert!((got / expected - 1.0).abs() < 1e-9, "case {case}");
        }
    });
}

#[derive(Deserialize)]
struct Adjusted {
    values: Vec<f64>,
    expected: Vec<f64>,
}

#[test]
fn holm_follows_its_definition() {
    each("holm", 15, |case, expected: &Adjusted| {
        let got = holm::adjust(&expected.values);
        assert_eq!(got.len(), expected.expected.len());
        for (got, expected) in got.iter().zip(&expected.expected) {
            assert_near(*got, *expected, case);
        }
    });
}

#[derive(Deserialize)]
struct LineCase {
    x: Vec<f64>,
    y: Vec<f64>,
    slope: f64,
    intercept: f64,
}

#[test]
fn theil_sen_is_scipys() {
    each("theil_sen", 5, |case, expected: &LineCase| {
        let points: Vec<_> = expected.x.iter().copied().zip(expected.y.iter().copied()).collect();
        let line = fit::theil_sen(&points).unwrap();
        assert_near(line.slope, expected.slope, case);
        assert_near(line.intercept, expected.intercept, case);
    });
}

#[derive(Deserialize)]
struct MeanWait {
    servers: u32,
    utilization: f64,
    expected: f64,
}

#[test]
fn erlangs_wait_is_its_poisson_form() {
    each("mean_waits", 25, |case, wait: &MeanWait| {
        let got = queue::mean_wait_mmc(wait.servers, wait.utilization).unwrap();
        assert_near(got, wait.expected, case);
    });
}
