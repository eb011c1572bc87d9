//! Known latencies: a server that sleeps for times that are drawn per request, measured beside
//! what was drawn.

use anyhow::{Context, Result};

use super::bench::{Bench, SEED, Service, offer};
use super::{Check, Findings, Line, ms, percent_off};
use crate::driver::samples::nearest_rank;
use crate::experiment::Arrivals;
use crate::record::RequestRow;
use crate::workload::Draws;

pub(super) const CHECK: Check = Check {
    name: "known latencies",
    asked: |extent| {
        format!(
            "a thread per request sleeps for a time drawn around 20 ms, at {RATE_PER_S}/s for {} \
             s; quantiles of responses beside those of the draws",
            extent.open_window_ns as f64 / 1e9
        )
    },
    run,
};

const US: u64 = 20_000;
const RATE_PER_S: f64 = 150.0;

/// The quantile, and how far off it may be.
const BARS: [(f64, f64, &str); 3] =
    [(0.5, 0.01, "within 1 %"), (0.9, 0.015, "within 1.5 %"), (0.99, 0.03, "within 3 %")];

/// Responses of some requests, and what was drawn for the same, in ns; in any order.
struct Known {
    draws: Draws,
    responses_ns: Vec<u64>,
    drawn_ns: Vec<u64>,
}

fn judge(mut all: Vec<Known>) -> Findings {
    let mut findings = Findings::default();
    for known in &mut all {
        known.responses_ns.sort_unstable();
        known.drawn_ns.sort_unstable();
        for (p, tolerance, bar) in BARS {
            let found = nearest_rank(&known.responses_ns, p).unwrap_or(0) as f64;
            let due = nearest_rank(&known.drawn_ns, p).unwrap_or(0) as f64;
            let ratio = found / due;
            let percent = p * 100.0;
            let name = known.draws.name();
            findings.lines.push(Line::new(
                format!("{name}, p{percent}"),
                format!("{}, {} off", ms(found), percent_off(ratio)),
                bar,
                (ratio - 1.0).abs() <= tolerance,
            ));
            let figures = [("response", found), ("drawn", due)];
            let key = name.replace('-', "_");
            let named = figures.map(|(what, ns)| (format!("{key}_{what}_p{percent}_ns"), ns));
            findings.figures.extend(named);
        }
    }
    findings
}

fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let offer = offer(RATE_PER_S, Arrivals::Poisson, bench.extent.open_window_ns);
    let us = US.to_string();
    let mut all = Vec::new();
    for draws in [Draws::LogNormal, Draws::Bimodal] {
        let service = Service {
            workload: "sleep",
            options: &[("us", &us), ("draws", draws.name())],
            payload_bytes: 8,
            strategy: "thread",
            strategy_options: &[],
        };
        let rows = bench.open(&service, &offer)?.samples.into_rows();
        rows.first().context("no request was answered")?;
        let drawn = |row: &RequestRow| draws.of_request_ns(US, SEED, row.id);
        all.push(Known {
            draws,
            responses_ns: rows.iter().map(RequestRow::response_ns).collect(),
            drawn_ns: rows.iter().map(drawn).collect(),
        });
    }
    Ok(judge(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    fn states(response_ns: impl Fn(u64) -> u64) -> Vec<State> {
        let drawn_ns: Vec<u64> = (1..=1_000).rev().map(|i| 10_000_000 + i * 10_000).collect();
        let findings = judge(vec![Known {
            draws: Draws::LogNormal,
            responses_ns: drawn_ns.iter().map(|&ns| response_ns(ns)).collect(),
            drawn_ns,
        }]);
        findings.lines.iter().map(|line| line.state).collect()
    }

    #[test]
    fn quantiles_that_are_off_fail_each_at_its_own_bar() {
        use State::{Fail, Pass};
        assert_eq!(states(|ns| ns + 50_000), [Pass; 3]);
        assert_eq!(states(|ns| ns * 102 / 100), [Fail, Fail, Pass]);
        assert_eq!(states(|ns| ns * 96 / 100), [Fail; 3]);
        // Only the slowest 2 % are cut off.
        assert_eq!(states(|ns| ns.min(19_000_000)), [Pass, Pass, Fail]);
    }
}
