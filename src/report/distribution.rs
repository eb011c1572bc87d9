//! How the response times of an arm are distributed: the requests of all its usable trials,
//! pooled by weight.
//!
//! A run may hold ten million requests, so none is kept: each falls into a bucket whose width is
//! at most 1/128 of its value, and a quantile is the middle of its bucket, within 0.4 %.

use crate::record::Timing;
use crate::stats::quantile::P;

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
                        Ok(timings) => timings.iter().for_each(|timing| pool.add(timing)),
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

/// Response times in buckets.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Distribution {
    /// Weight by bucket.
    buckets: Vec<f64>,
    total: f64,
    /// Requests with a weight: it is their number that decides which quantiles are shown.
    members: usize,
}

/// Buckets per doubling, as a power of two.
const FINENESS: u32 = 7;

impl Distribution {
    /// Requests that were not answered rightly, or that are kept only for having been slow, are no
    /// members.
    fn add(&mut self, timing: &Timing) {
        if !timing.is_ok || timing.weight <= 0.0 {
            return;
        }
        let place = bucket(timing.response_ns);
        if place >= self.buckets.len() {
            self.buckets.resize(place + 1, 0.0);
        }
        self.buckets[place] += timing.weight;
        self.total += timing.weight;
        self.members += 1;
    }

    /// Requests that it is made of.
    pub(super) fn members(&self) -> usize {
        self.members
    }

    /// The quantile in ns; `None` if too few requests lie beyond it.
    pub(super) fn quantile(&self, p: P) -> Option<f64> {
        if !p.is_shown_of(self.members) {
            return None;
        }
        // Sums of equal weights may miss a boundary by a rounding error.
        let wanted = self.total * p.as_f64() * (1.0 - 1e-12);
        let mut so_far = 0.0;
        let place = self.buckets.iter().position(|weight| {
            so_far += weight;
            *weight > 0.0 && so_far >= wanted
        })?;
        Some(middle(place))
    }
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
        for (response_ns, weight) in values {
            pool.add(&Timing { response_ns, service_ns: None, is_ok: true, weight });
        }
        pool
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
        let mut pool = of((0..30).map(|i| (100 + i, 1.0)));
        let members = pool.members();
        for (is_ok, weight) in [(false, 1.0), (true, 0.0)] {
            pool.add(&Timing { response_ns: 1 << 40, service_ns: None, is_ok, weight });
        }
        assert_eq!(pool.members(), members);
        assert_eq!(pool.quantile(P::P50), Some(114.0));
    }
}
