//! How the response times of an arm are distributed. Blocks weigh equally, however many requests
//! each of them has. A quantile that every block knows is the median over the blocks, as in the
//! tables; farther out it is that of the requests of all blocks, in which each block has the same
//! weight.
//!
//! A run may hold ten million requests, so none is kept: a histogram of two significant digits
//! counts them, and a quantile is the middle of its bucket, within 0.4 %.

use hdrhistogram::Histogram;

use super::cells::Analysed;
use crate::record::Timing;
use crate::stats::quantile::{P, histogram_ns, median};

/// Where the single requests of a trial come from, by [`crate::record::TrialRow::requests_name`].
/// Asked once for each usable trial, so that no more than one trial's requests are ever held; an
/// error is a sentence.
pub type Requests<'a> = dyn Fn(&str) -> Result<Vec<Timing>, String> + 'a;

/// Of every family, in the order of the summary, and in it of every arm.
#[derive(Debug, Clone, Default)]
pub struct Distributions {
    /// One list per family.
    pub families: Vec<Vec<Distribution>>,
    /// Trials whose requests were asked for.
    pub asked: usize,
    /// Why the requests of trials could not be read, one reason per trial.
    pub failures: Vec<String>,
}

impl Distributions {
    /// Reads the requests of one trial after the other.
    pub fn of(families: &[Analysed<'_>], requests: &Requests<'_>) -> Distributions {
        let mut out = Distributions::default();
        for family in families {
            let mut arms = Vec::with_capacity(family.rows.arms.len());
            for arm in &family.rows.arms {
                let mut pool = Distribution::default();
                for row in &arm.good {
                    out.asked += 1;
                    match requests(&row.requests_name()) {
                        Ok(timings) => pool.add(&timings),
                        Err(reason) => out.failures.push(reason),
                    }
                }
                arms.push(pool);
            }
            out.families.push(arms);
        }
        out
    }

    /// Whether any could be read, or none was needed.
    pub fn has_any(&self) -> bool {
        self.asked == 0 || self.failures.len() < self.asked
    }
}

/// Shares of requests that charts show, in parts per ten thousand.
const SHARES: [u32; 28] = [
    100, 200, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000, 5_500, 6_000,
    6_500, 7_000, 7_500, 8_000, 8_500, 9_000, 9_500, 9_800, 9_900, 9_950, 9_980, 9_990, 9_995,
    9_999,
];

/// Response times of an arm.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distribution {
    /// Requests by response time; those of each block count [`BLOCK_WEIGHT`] together.
    pooled: Option<Histogram<u64>>,
    /// The sum of the squares of the requests' weights, where those of a block add up to 1.
    squares: f64,
    /// Of each block its own quantiles, in the order of [`SHARES`].
    blocks: Vec<Vec<Option<f64>>>,
}

/// What the requests of one block count in the histogram: so much that a share of it is a whole
/// number to ten digits.
const BLOCK_WEIGHT: f64 = (1_u64 << 40) as f64;

/// Significant digits of the histogram: buckets are at most 1/128 of their value wide.
const DIGITS: u8 = 2;

impl Distribution {
    /// Adds the requests of one block. A request that was not answered ok, or that is kept only
    /// for being slow, is no member.
    fn add(&mut self, timings: &[Timing]) {
        let members = || timings.iter().filter(|timing| timing.is_ok && timing.weight > 0.0);
        let total: f64 = members().map(|timing| timing.weight).sum();
        if total <= 0.0 {
            return;
        }
        let mut own = histogram_ns(DIGITS);
        for timing in members() {
            let weight = timing.weight / total;
            own.saturating_record_n(timing.response_ns, (weight * BLOCK_WEIGHT).round() as u64);
            self.squares += weight * weight;
        }
        let n = members().count();
        let known = |p: P| p.is_known_of(n).then(|| quantile(&own, p));
        self.blocks.push(SHARES.iter().map(|parts| known(P::per_ten_thousand(*parts)?)).collect());
        match &mut self.pooled {
            None => self.pooled = Some(own),
            Some(pooled) => pooled.add(own).expect("both have the same bounds"),
        }
    }

    /// The quantile in ns; `None` if too few requests lie beyond it.
    pub fn quantile(&self, p: P) -> Option<f64> {
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
    pub fn pooled(&self, p: P) -> Option<f64> {
        let pooled = self.pooled.as_ref()?;
        let total = self.blocks.len() as f64;
        // As many requests of equal weight would know as much (Kish, *Survey Sampling*).
        let worth = (total * total / self.squares + 1e-6).floor();
        let is_shown = worth.is_finite() && p.is_shown_of(worth as usize);
        is_shown.then(|| quantile(pooled, p))
    }

    /// The median over blocks; `None` unless every block knows it.
    fn over_blocks(&self, p: P) -> Option<f64> {
        let place = SHARES.iter().position(|parts| P::per_ten_thousand(*parts) == Some(p))?;
        let known: Option<Vec<f64>> = self.blocks.iter().map(|block| block[place]).collect();
        median(&known?)
    }
}

/// The middle of the first bucket at which `p` of all weight is reached.
fn quantile(histogram: &Histogram<u64>, p: P) -> f64 {
    // Shares of equal requests may miss a boundary by a rounding error.
    let share = p.as_f64() * (1.0 - 1e-11);
    histogram.median_equivalent(histogram.value_at_quantile(share)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantile::nearest_rank;

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
    fn value_is_told_back_within_four_thousandths() {
        for ns in (0..1_000).chain((10..42).flat_map(|e| [1 << e, (1 << e) + 12_345 % (1 << e)])) {
            let found = of([(ns, 1.0)]).over_blocks(P::P50).unwrap();
            assert!((found - ns as f64).abs() <= ns as f64 * 0.004, "{ns}: {found}");
        }
        assert!(of([(u64::MAX, 1.0)]).over_blocks(P::P50).unwrap() > 7.1e12);
    }

    #[test]
    fn quantiles_agree_with_those_of_the_sorted_values() {
        let values: Vec<(u64, f64)> =
            (0..5_000_u64).map(|i| (1_000 + i * i % 77_777, 1.0 + (i % 3) as f64)).collect();
        let pool = of(values.clone());
        // Each value as often as its weight says.
        let copies = values.iter().flat_map(|&(ns, weight)| vec![ns; weight as usize]);
        let mut copies: Vec<u64> = copies.collect();
        copies.sort_unstable();
        for p in [P::P50, P::P90, P::P99] {
            let expected = nearest_rank(&copies, p).unwrap() as f64;
            let found = pool.quantile(p).unwrap();
            assert!((found / expected - 1.0).abs() < 0.004, "{p:?}: {found} {expected}");
        }
        assert_eq!(pool.quantile(P::P999), None);
    }

    #[test]
    fn only_ok_answers_of_the_sample_count() {
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
