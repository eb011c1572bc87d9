//! The requests of one trial's window: all of them up to a number, beyond it a uniform sample and
//! the slowest, while quantiles still see every one.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

pub use crate::record::KEPT;
use crate::record::RequestRow;
use crate::stats::quantile::histogram_ns;

/// Significant digits of the histograms that see every request.
pub const DIGITS: u8 = 3;

/// Number of the slowest that are kept in addition to the sample.
const SLOWEST: usize = 1_000;

/// Requests of one window. Bounded in memory however long the window is.
#[derive(Debug)]
pub struct Samples {
    seen: u64,
    kept: Vec<RequestRow>,
    /// By response and id.
    slowest: BTreeMap<(u64, u64), RequestRow>,
    response: Histogram<u64>,
    response_sum_ns: u128,
    service: Histogram<u64>,
    generator: Xoshiro128PlusPlus,
}

/// Which time of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// From the intended start to the answer.
    Response,
    /// See [`RequestRow::service_ns`].
    Service,
}

impl Default for Samples {
    fn default() -> Samples {
        Samples::new(0)
    }
}

impl Samples {
    /// None yet. `seed` decides which requests of a long window are kept.
    pub fn new(seed: u64) -> Samples {
        Samples {
            seen: 0,
            kept: Vec::new(),
            slowest: BTreeMap::new(),
            response: histogram_ns(DIGITS),
            response_sum_ns: 0,
            service: histogram_ns(DIGITS),
            generator: Xoshiro128PlusPlus::seed_from_u64(seed),
        }
    }

    /// Takes one answered request whose outcome is ok.
    pub fn offer(&mut self, row: RequestRow) {
        self.seen += 1;
        self.response.saturating_record(row.response_ns());
        self.response_sum_ns += u128::from(row.response_ns());
        if let Some(service_ns) = row.service_ns() {
            self.service.saturating_record(service_ns);
        }
        if self.kept.len() < KEPT {
            self.kept.push(row);
        } else if let Some(place) = self.place() {
            self.kept[place] = row;
        }
        self.slowest.insert((row.response_ns(), row.id), row);
        if self.slowest.len() > SLOWEST {
            self.slowest.pop_first();
        }
    }

    /// Algorithm R: the request just seen takes the place of a kept one with probability
    /// kept / seen.
    fn place(&mut self) -> Option<usize> {
        // 64 random bits modulo at most some billions: a bias under one in a billion.
        let draw =
            u64::from(self.generator.next_u32()) << 32 | u64::from(self.generator.next_u32());
        usize::try_from(draw % self.seen).ok().filter(|&place| place < KEPT)
    }

    /// How many were offered.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Nearest-rank quantile over every request, in ns. Exact while all are kept; from then on
    /// out of a histogram of three significant digits.
    pub fn quantile(&self, time: Time, p: f64) -> Option<u64> {
        if self.seen == 0 {
            return None;
        }
        if self.seen > KEPT as u64 {
            let histogram = match time {
                Time::Response => &self.response,
                Time::Service => &self.service,
            };
            return Some(histogram.value_at_quantile(p));
        }
        let mut values: Vec<u64> = match time {
            Time::Response => self.kept.iter().map(RequestRow::response_ns).collect(),
            Time::Service => self.kept.iter().filter_map(RequestRow::service_ns).collect(),
        };
        values.sort_unstable();
        nearest_rank(&values, p)
    }

    /// The mean response over every request, in ns.
    pub fn response_mean_ns(&self) -> Option<u64> {
        let mean = self.response_sum_ns.checked_div(u128::from(self.seen))?;
        u64::try_from(mean).ok()
    }

    /// The longest response, in ns.
    pub fn response_max_ns(&self) -> Option<u64> {
        self.slowest.last_key_value().map(|((ns, _), _)| *ns)
    }

    /// The median over the kept requests of some time of theirs, in ns; requests without one do
    /// not count.
    pub fn median_of(&self, time: impl Fn(&RequestRow) -> Option<u64>) -> Option<u64> {
        self.quantile_of(0.5, time)
    }

    /// Another nearest-rank quantile of the same.
    pub fn quantile_of(&self, p: f64, time: impl Fn(&RequestRow) -> Option<u64>) -> Option<u64> {
        let mut values: Vec<u64> = self.kept.iter().filter_map(time).collect();
        values.sort_unstable();
        nearest_rank(&values, p)
    }

    /// The kept requests, by id, with weights.
    pub fn into_rows(self) -> Vec<RequestRow> {
        let weight = self.seen as f64 / self.kept.len().max(1) as f64;
        let mut rows: Vec<RequestRow> =
            self.kept.into_iter().map(|row| RequestRow { weight, ..row }).collect();
        rows.sort_unstable_by_key(|row| row.id);
        let extra: Vec<RequestRow> = self
            .slowest
            .into_values()
            .filter(|slow| rows.binary_search_by_key(&slow.id, |row| row.id).is_err())
            .map(|row| RequestRow { weight: 0.0, ..row })
            .collect();
        rows.extend(extra);
        rows.sort_unstable_by_key(|row| row.id);
        rows
    }
}

/// The smallest value that at least the share `p` of `sorted` does not exceed.
pub fn nearest_rank(sorted: &[u64], p: f64) -> Option<u64> {
    let rank = (p * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u64, response_ns: u64) -> RequestRow {
        RequestRow {
            id,
            intended_ns: 1_000,
            done_ns: 1_000 + response_ns,
            accepted_ns: Some(0),
            replied_ns: Some(response_ns),
            transport_out_ns: Some(0),
            ..RequestRow::default()
        }
    }

    #[test]
    fn quantiles_are_nearest_rank() {
        assert_eq!(nearest_rank(&[1, 2, 3, 4], 0.5), Some(2));
        assert_eq!(nearest_rank(&[1, 2, 3, 4], 0.51), Some(3));
        assert_eq!(nearest_rank(&[1, 2, 3, 4], 0.0), Some(1));
        assert_eq!(nearest_rank(&[1, 2, 3, 4], 1.0), Some(4));
        assert_eq!(nearest_rank(&[], 0.5), None);
    }

    #[test]
    fn a_short_window_is_kept_whole() {
        let mut samples = Samples::new(1);
        (1..=100).for_each(|i| samples.offer(row(i, i * 1_000)));
        assert_eq!(samples.quantile(Time::Response, 0.9), Some(90_000));
        assert_eq!(samples.quantile(Time::Service, 0.5), Some(50_000));
        assert_eq!(samples.response_max_ns(), Some(100_000));
        assert_eq!(samples.response_mean_ns(), Some(50_500));
        let rows = samples.into_rows();
        assert_eq!(rows.len(), 100);
        assert!(rows.iter().all(|row| row.weight == 1.0));
    }

    #[test]
    fn a_long_window_is_bounded_and_loses_neither_weight_nor_the_slowest() {
        let n = 100_000;
        let mut samples = Samples::new(1);
        // Scrambled, so that the slowest are anywhere.
        (0..n).for_each(|i| samples.offer(row(i, 1_000 + i * 48_271 % n)));
        let median = samples.quantile(Time::Response, 0.5).unwrap() as f64;
        assert!((median / (1_000.0 + n as f64 / 2.0) - 1.0).abs() < 0.002, "{median}");
        let kept = samples.median_of(|row| row.service_ns()).unwrap() as f64;
        assert!((kept / (1_000.0 + n as f64 / 2.0) - 1.0).abs() < 0.03, "{kept}");
        let rows = samples.into_rows();
        assert!(rows.len() <= KEPT + SLOWEST);
        let weight: f64 = rows.iter().map(|row| row.weight).sum();
        assert!((weight - n as f64).abs() < 1e-6);
        let slow = rows.iter().filter(|row| row.response_ns() >= 1_000 + n - SLOWEST as u64);
        assert_eq!(slow.count(), SLOWEST);
    }
}
