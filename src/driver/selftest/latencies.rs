//! Known latencies: a server that sleeps for times that are drawn per request, compared with
//! these draws.

use anyhow::{Context, Result};

use super::bench::{Bench, SEED, Service, offer};
use super::wakeups::{Lateness, Path};
use super::{Findings, ms, percent_off};
use crate::driver::samples::nearest_rank;
use crate::experiment::Arrivals;
use crate::record::RequestRow;
use crate::workload::Draws;

const US: u64 = 20_000;
const RATE_PER_S: f64 = 150.0;

/// The quantile, and how far off it may be.
const BARS: [(f64, f64, &str); 3] =
    [(0.5, 0.01, "within 1 %"), (0.9, 0.015, "within 1.5 %"), (0.99, 0.03, "within 3 %")];

/// Responses of some requests, and the draws of the same, in ns; in any order.
struct Known {
    draws: Draws,
    responses_ns: Vec<u64>,
    drawn_ns: Vec<u64>,
}

/// The generator sleeps until a request is due, and the server's thread for its time. In between
/// the driver wakes the server, the server the thread, the thread the server and that the driver.
const PATH: Path = Path { sleeps: 2, hand_overs: 4 };

/// Responses may be anywhere between the draw and the draw with the machine's own late wake-ups,
/// which may be fewer while a load runs; the bars begin beyond.
fn judge(all: Vec<Known>, late: &Lateness) -> Findings {
    let mut findings = Findings::default();
    for Known { draws, responses_ns, drawn_ns } in all {
        let later_ns = late.added_to(&drawn_ns, PATH);
        let [responses_ns, drawn_ns, later_ns] =
            [responses_ns, drawn_ns, later_ns].map(|mut times_ns| {
                times_ns.sort_unstable();
                times_ns
            });
        for (p, tolerance, bar) in BARS {
            let quantile = |sorted_ns: &[u64]| nearest_rank(sorted_ns, p).unwrap_or(0) as f64;
            let found = quantile(&responses_ns);
            let (drawn, later) = (quantile(&drawn_ns), quantile(&later_ns));
            // `later` is at least `drawn`, sample by sample.
            let ratio = found / found.clamp(drawn, later);
            let percent = p * 100.0;
            let shown = format!("{}, {} off", ms(found), percent_off(ratio));
            let holds = (ratio - 1.0).abs() <= tolerance;
            findings.line(format!("{}, p{percent}", draws.name()), shown, bar, holds);
            let key = draws.name().replace('-', "_");
            for (what, ns) in [("response", found), ("drawn", drawn), ("drawn_and_late", later)] {
                findings.figure(format!("{key}_{what}_p{percent}_ns"), ns);
            }
        }
    }
    findings
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let offer = offer(RATE_PER_S, Arrivals::Poisson, bench.extent.open_window_ns);
    let before = bench.lateness()?;
    let mut all = Vec::new();
    for draws in [Draws::LogNormal, Draws::Bimodal] {
        let service = Service {
            payload_bytes: 8,
            strategy: "thread",
            ..Service::blocking("sleep", format!("us={US};draws={}", draws.name()))
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
    Ok(judge(all, &before.and(&bench.lateness()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    use crate::driver::selftest::wakeups::tests::{late, punctual};

    fn states(late: &Lateness, response_ns: impl Fn(u64) -> u64) -> Vec<State> {
        let drawn_ns: Vec<u64> = (1..=1_000).rev().map(|i| 10_000_000 + i * 10_000).collect();
        let known = Known {
            draws: Draws::LogNormal,
            responses_ns: drawn_ns.iter().map(|&ns| response_ns(ns)).collect(),
            drawn_ns,
        };
        judge(vec![known], late).lines.iter().map(|line| line.state).collect()
    }

    #[test]
    fn quantiles_that_are_off_fail_each_at_its_own_bar() {
        use State::{Fail, Pass};
        assert_eq!(states(&punctual(), |ns| ns + 50_000), [Pass; 3]);
        assert_eq!(states(&punctual(), |ns| ns * 102 / 100), [Fail, Fail, Pass]);
        assert_eq!(states(&punctual(), |ns| ns * 96 / 100), [Fail; 3]);
        // Only the slowest 2 % are cut off.
        assert_eq!(states(&punctual(), |ns| ns.min(19_000_000)), [Pass, Pass, Fail]);
    }

    #[test]
    fn a_late_machine_is_no_excuse_for_an_instrument_that_is_late_by_1_ms() {
        use State::{Fail, Pass};
        let machine_ns = late().typical_ns(PATH);
        assert!((700_000..=900_000).contains(&machine_ns));
        // Without the machine's own lateness this is off by 5 %.
        assert_eq!(states(&late(), |ns| ns + machine_ns), [Pass; 3]);
        assert_eq!(states(&punctual(), |ns| ns + machine_ns), [Fail; 3]);
        assert_eq!(states(&late(), |ns| ns + machine_ns + 1_000_000), [Fail; 3]);
        // A response earlier than its draw is wrong on any machine.
        assert_eq!(states(&late(), |ns| ns - 700_000), [Fail; 3]);
    }
}
