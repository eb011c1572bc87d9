//! How the response times of an arm are distributed. Blocks weigh equally, however many requests
//! each of them has: where each block knows a quantile it is the median over the blocks, as in the
//! tables, and farther out that of the requests of all blocks, in which each block has the same
//! weight.
//!
//! A run may hold ten million requests, so none is kept: each falls into a bucket whose width is
//! at most 1/128 of its value, and a quantile is the middle of its bucket, within 0.4 %.

use crate::record::Timing;
use crate::stats::quantile::{P, median};

use super::Requests;
use super::analyse::Analysed;

/// Of every family, in the order of the summary, and in it of every arm.
#[derive(Debug, Clone, Default)]
pub(super) struct Distributions {
    /// One list per family.
    pub(super) families: Vec<Vec<Distribution>>,
    /// Why trials are missing in them, in sentences.
    pub(super) unread: Vec<String>,
    /// Whether any could be read, or none was needed.
    pub(super) has_any: bool,
}

impl Distributions {
    /// Reads the requests of one trial after the other.
    pub(super) fn of(families: &[Analysed<'_>], requests: &Requests<'_>) -> Distributions {
        let mut out = Distributions::default();
        let (mut asked, mut failures) = (0_usize, Vec::new());
        for family in families {
            let mut arms = Vec::with_capacity(family.rows.arms.len());
            for arm in &family.rows.arms {
                let mut pool = Distribution::default();
                for row in &arm.good {
                    asked += 1;
                    match requests(&row.requests_name()) {
                        Ok(timings) => pool.add(&timings),
                        Err(reason) => failures.push(reason),
                    }
                }
                arms.push(pool);
            }
            out.families.push(arms);
        }
        out.has_any = asked == 0 || failures.len() < asked;
        if let Some(first) = failures.first() {
            out.unread.push(format!(
                "single requests of {} of {asked} trials could not be read and are missing in the \
                 distributions; the first: {first}",
                failures.len()
            ));
        }
        out
    }
}

/// Shares of requests that charts show, in parts per ten thousand.
const SHARES: [u32; 28] = [
    100, 200, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000, 5_500, 6_000,
    6_500, 7_000, 7_500, 8_000, 8_500, 9_000, 9_500, 9_800, 9_900, 9_950, 9_980, 9_990, 9_995,
    9_999,
];

/// Response times in buckets.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Distribution {
    /// Weight by bucket; 1 for each block in all.
    buckets: Vec<f64>,
    /// The sum of the squares of the requests' weights.
    squares: f64,
    /// Of each block its own quantiles, in the order of [`SHARES`].
    blocks: Vec<Vec<Option<f64>>>,
}

/// Buckets per doubling, as a power of two.
const FINENESS: u32 = 7;

impl Distribution {
    /// The requests of one block. Those that were not answered rightly, or that are kept only for
    /// having been slow, are no members.
    fn add(&mut self, timings: &[Timing]) {
        let members = || timings.iter().filter(|timing| timing.is_ok && timing.weight > 0.0);
        let total: f64 = members().map(|timing| timing.weight).sum();
        if total <= 0.0 {
            return;
        }
        let mut own: Vec<f64> = Vec::new();
        for timing in members() {
            let place = bucket(timing.response_ns);
            if place >= own.len() {
                own.resize(place + 1, 0.0);
            }
            let weight = timing.weight / total;
            own[place] += weight;
            self.squares += weight * weight;
        }
        let n = members().count();
        // A block has a median of however few requests, as in its row.
        let known = |p: P| (p == P::P50 || p.is_shown_of(n)).then(|| quantile(&own, 1.0, p))?;
        self.blocks.push(SHARES.iter().map(|parts| known(P::per_ten_thousand(*parts)?)).collect());
        if own.len() > self.buckets.len() {
            self.buckets.resize(own.len(), 0.0);
        }
        self.buckets.iter_mut().zip(own).for_each(|(all, own)| *all += own);
    }

    /// The quantile in ns; `None` if too few requests lie beyond it.
    pub(super) fn quantile(&self, p: P) -> Option<f64> {
        if let Some(ns) = self.over_blocks(p) {
            return Some(ns);
        }
        // Between those that are known of every block, so that quantiles ascend.
        let known = |parts: &u32| {
            let other = P::per_ten_thousand(*parts)?;
            Some((other, self.over_blocks(other)?))
        };
        SHARES.iter().filter_map(known).try_fold(self.pooled(p)?, |ns, (other, bound)| {
            Some(if other < p { ns.max(bound) } else { ns.min(bound) })
        })
    }

    /// The quantile of all requests, each block weighing the same; `None` if too few lie beyond it.
    pub(super) fn pooled(&self, p: P) -> Option<f64> {
        let total = self.blocks.len() as f64;
        // As many requests of equal weight would know as much (Kish, *Survey Sampling*).
        let worth = (total * total / self.squares + 1e-6).floor();
        let is_shown = worth.is_finite() && p.is_shown_of(worth as usize);
        is_shown.then(|| quantile(&self.buckets, total, p))?
    }

    /// The median over blocks; `None` unless every block knows it.
    fn over_blocks(&self, p: P) -> Option<f64> {
        let place = SHARES.iter().position(|parts| P::per_ten_thousand(*parts) == Some(p))?;
        let known: Option<Vec<f64>> = self.blocks.iter().map(|block| block[place]).collect();
        median(&known?)
    }
}

/// The middle of the first bucket at which `p` of all weight is reached.
fn quantile(buckets: &[f64], total: f64, p: P) -> Option<f64> {
    // Sums of equal weights may miss a boundary by a rounding error.
    let wanted = total * p.as_f64() * (1.0 - 1e-12);
    let mut so_far = 0.0;
    let place = buckets.iter().position(|weight| {
        so_far += weight;
        *weight > 0.0 && so_far >= wanted
    })?;
    Some(middle(place))
}

/// The bucket of a value: exact below 2^8, then 2^7 buckets for every doubling.
fn bucket(ns: u64) -> usize {
    let exponent = ns.max(1).ilog2();
    let drop = exponent.saturating_sub(FINENESS);
    ((u64::from(drop) << FINENESS) + (ns >> drop)) as usize
}

/// The middle of a bucket, in ns.
fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    let drop = (bucket >> FINENESS).saturating_sub(1);
    let low = (bucket - (drop << FINENESS)) << drop;
    let width = 1_u64 << drop;
    low as f64 + (width - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = (u64, f64)>) -> Distribution {
        let mut pool = Distribution::default();
        pool.add(&block(values));
        pool
    }

    fn block(values: impl IntoIterator<Item = (u64, f64)>) -> Vec<Timing> {
        let timing =
            |(response_ns, weight)| Timing { response_ns, service_ns: None, is_ok: true, weight };
        values.into_iter().map(timing).collect()
    }

    #[test]
    fn a_value_is_told_back_within_four_thousandths() {
        let mut last = 0;
        for ns in (0..1_000).chain((10..63).flat_map(|e| [1 << e, (1 << e) + 12_345 % (1 << e)])) {
            let found = middle(bucket(ns));
            assert!((found - ns as f64).abs() <= ns as f64 * 0.004, "{ns}: {found}");
            last = last.max(bucket(ns));
        }
        assert!(last < 10_000, "{last}");
        assert!((1..100_000).all(|ns| bucket(ns) >= bucket(ns - 1)));
        bucket(u64::MAX);
    }

    #[test]
    fn quantiles_agree_with_those_of_the_sorted_values() {
        use crate::stats::quantile::shown_weighted;
        let mut values: Vec<(u64, f64)> =
            (0..5_000_u64).map(|i| (1_000 + i * i % 77_777, 1.0 + (i % 3) as f64)).collect();
        let pool = of(values.clone());
        values.sort_by_key(|value| value.0);
        for p in [P::P50, P::P90, P::P99] {
            let expected = shown_weighted(&values, p).unwrap() as f64;
            let found = pool.quantile(p).unwrap();
            assert!((found / expected - 1.0).abs() < 0.004, "{p:?}: {found} {expected}");
        }
        assert_eq!(pool.quantile(P::P999), None);
    }

    #[test]
    fn only_what_was_answered_rightly_and_drawn_fairly_counts() {
        let mut timings = block((0..30).map(|i| (100 + i, 1.0)));
        for (is_ok, weight) in [(false, 1.0), (true, 0.0)] {
            timings.push(Timing { response_ns: 1 << 40, service_ns: None, is_ok, weight });
        }
        let mut pool = Distribution::default();
        pool.add(&timings);
        assert_eq!(pool.quantile(P::P50), Some(114.0));
    }

    /// Of two blocks one was ten times as fast and had a hundred times as many requests.
    #[test]
    fn blocks_weigh_equally_however_many_requests_they_have() {
        let spread = |n: u64, ns: u64| (0..n).map(move |i| (ns + i * ns / n / 10, 1.0));
        let mut pool = Distribution::default();
        pool.add(&block(spread(20_000, 10_000)));
        pool.add(&block(spread(200, 100_000)));
        let near = |p: P, expected: f64| {
            let found = pool.quantile(p).unwrap();
            assert!((found / expected - 1.0).abs() < 0.01, "{p:?}: {found}, not {expected}");
        };
        // As in the tables: the median of two blocks is the middle between them.
        near(P::P50, f64::midpoint(10_500.0, 105_000.0));
        near(P::P90, f64::midpoint(10_900.0, 109_000.0));
        // Beyond what the small block knows, half of all weight is still the slow block's, and what
        // is known is no more than what so few requests can know.
        near(P::per_ten_thousand(9_800).unwrap(), 109_600.0);
        assert_eq!(pool.quantile(P::P999), None);
        let three_quarters = pool.pooled(P::per_ten_thousand(7_500).unwrap()).unwrap();
        assert!((three_quarters / 105_000.0 - 1.0).abs() < 0.01, "{three_quarters}");
    }

    #[test]
    fn quantiles_ascend_where_blocks_know_different_ones() {
        let mut pool = Distribution::default();
        for (n, ns) in [(12, 9_000), (30, 50_000), (5_000, 20_000), (150, 1_000)] {
            pool.add(&block((0..n).map(|i| (ns + i * 7, 1.0))));
        }
        let all = SHARES.iter().filter_map(|parts| pool.quantile(P::per_ten_thousand(*parts)?));
        let all: Vec<f64> = all.collect();
        assert!(all.len() > 10 && all.is_sorted(), "{all:?}");
    }
}
