//! A service level objective: `p99<50ms` says that 99 % of the requests offered are to be answered
//! within 50 ms of when they were meant to start.

use std::fmt;
use std::str::FromStr;

/// The share of requests that must be answered within a time.
///
/// It is judged by counting: a request that failed, was rejected or was not answered at all has
/// missed it. So it needs no minimum of requests, and losing the slow ones does not help.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    quantile: &'static Quantile,
    /// A response must take less than this, in ns; above 0.
    pub limit_ns: u64,
}

#[derive(Debug, PartialEq)]
struct Quantile {
    name: &'static str,
    share: f64,
}

const QUANTILES: [Quantile; 6] = [
    Quantile { name: "p50", share: 0.5 },
    Quantile { name: "p90", share: 0.9 },
    Quantile { name: "p95", share: 0.95 },
    Quantile { name: "p99", share: 0.99 },
    Quantile { name: "p99.9", share: 0.999 },
    Quantile { name: "max", share: 1.0 },
];
const P99: &Quantile = &QUANTILES[3];

/// The units of a limit, the longest names first: `ms` also ends with `s`.
const UNITS: [(&str, f64); 4] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)];

/// The default objective's limit, in unloaded median responses of `blocking`.
const UNLOADED_TIMES: u64 = 10;

/// Why a text is no objective.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no objective; expected a quantile (p50, p90, p95, p99, p99.9, max), `<` and a time \
     above zero in ns, us, ms or s, such as `p99<50ms`"
)]
pub struct SloError(String);

impl Slo {
    /// The default: p99 under 10 times the unloaded median response of `blocking`.
    pub fn of_unloaded(response_p50_ns: u64) -> Slo {
        Slo { quantile: P99, limit_ns: response_p50_ns.max(1).saturating_mul(UNLOADED_TIMES) }
    }

    /// The share of offered requests that must be in time.
    pub fn share(&self) -> f64 {
        self.quantile.share
    }

    /// Whether `in_time` of `offered` requests are enough.
    pub fn is_met(&self, in_time: u64, offered: u64) -> bool {
        offered > 0 && in_time as f64 >= self.share() * offered as f64 - 1e-9
    }
}

impl FromStr for Slo {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Slo, SloError> {
        let parse = || {
            let (quantile, limit) = text.split_once('<')?;
            let quantile = QUANTILES.iter().find(|q| q.name == quantile.trim())?;
            let limit = limit.trim();
            let (number, unit_ns) =
                UNITS.iter().find_map(|(unit, ns)| Some((limit.strip_suffix(unit)?, ns)))?;
            let limit_ns = number.trim().parse::<f64>().ok()? * unit_ns;
            // An hour is longer than any trial.
            let within = limit_ns.is_finite() && (1.0..=3_600e9).contains(&limit_ns);
            within.then_some(Slo { quantile, limit_ns: limit_ns.round() as u64 })
        };
        parse().ok_or_else(|| SloError(text.to_owned()))
    }
}

/// In the largest unit that stays exact, so that reading it back gives an equal value.
impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.limit_ns;
        let (unit, per) = match ns {
            _ if ns.is_multiple_of(1_000_000_000) => ("s", 1_000_000_000),
            _ if ns.is_multiple_of(1_000_000) => ("ms", 1_000_000),
            _ if ns.is_multiple_of(1_000) => ("us", 1_000),
            _ => ("ns", 1),
        };
        write!(f, "{}<{}{unit}", self.quantile.name, ns / per)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn objectives_are_read() {
        for (text, share, limit_ns) in [
            ("p99<50ms", 0.99, 50_000_000),
            ("p50 < 1.5 ms", 0.5, 1_500_000),
            ("p99.9<250us", 0.999, 250_000),
            ("max<2s", 1.0, 2_000_000_000),
        ] {
            let slo: Slo = text.parse().unwrap();
            assert_eq!((slo.share(), slo.limit_ns), (share, limit_ns), "{text}");
        }
    }

    #[test]
    fn what_is_no_objective_is_told_what_was_expected() {
        for bad in [
            "",
            "p99",
            "p99<",
            "p99<50",
            "p99<ms",
            "<50ms",
            "p98<50ms",
            "p99>50ms",
            "p99<0ms",
            "p99<-1ms",
            "p99<nans",
            "p99<infs",
            "p99<2h",
            "p99<50ms<60ms",
            "99<50ms",
        ] {
            let error = bad.parse::<Slo>().unwrap_err().to_string();
            assert!(error.contains("such as `p99<50ms`"), "{bad}: {error}");
            assert!(error.starts_with(&format!("`{bad}` is no objective")));
        }
    }

    #[test]
    fn losses_miss_it_and_its_border_meets_it() {
        let slo = Slo::of_unloaded(1_000);
        assert_eq!(slo.to_string(), "p99<10us");
        assert!(slo.is_met(990, 1_000));
        assert!(!slo.is_met(989, 1_000));
        assert!(!slo.is_met(0, 0), "nothing offered, nothing shown");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(limit_ns in 1..3_600_000_000_000_u64, q in 0..6_usize) {
            let slo = Slo { quantile: &QUANTILES[q], limit_ns };
            prop_assert_eq!(slo.to_string().parse::<Slo>().unwrap(), slo);
        }
    }
}
