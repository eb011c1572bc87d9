//! A/A, live: the same arm twice is rarely told apart.

use anyhow::Result;

use super::bench::{Bench, SEED, Service};
use super::{Findings, pairs};
use crate::stats::verdict::Comparison;

/// How many of `placebos` right tests may be below 0.05: three of 20, 18 of 200, which a right
/// procedure exceeds once or twice in a hundred times; in between by the same deviations.
fn flagged_max(placebos: usize) -> usize {
    if placebos <= 20 {
        return 3;
    }
    let n = placebos as f64;
    (0.05 * n + 2.6 * (n * 0.05 * 0.95).sqrt()).floor() as usize
}

fn judge(placebos: &[Comparison]) -> Findings {
    let n = placebos.len();
    let is_flagged = |one: &&Comparison| one.p_value.is_none_or(|p| p < 0.05);
    let flagged = placebos.iter().filter(is_flagged).count();
    let wrong = placebos.iter().filter(|one| one.conclusion.is_difference()).count();
    let off = placebos.iter().filter_map(|one| Some((one.ratio? - 1.0).abs()));
    let median_off = pairs::middle(off);
    let max = flagged_max(n);
    let mut findings = Findings::default();
    let found = format!("{flagged} of {n}, median {:.2} % off", median_off * 100.0);
    findings.line("p < 0.05", found, format!("≤ {max}"), n > 0 && flagged <= max);
    findings.line("called different", format!("{wrong} of {n}"), "≤ 1 %", 100 * wrong <= n);
    findings.figure("placebos", n as f64);
    findings.figure("flagged", flagged as f64);
    findings.figure("called_different", wrong as f64);
    findings.figure("median_difference_ratio", median_off);
    findings
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let service = Service::blocking("random-sum", "");
    let mut placebos = Vec::new();
    for run in 0..bench.extent.placebos {
        let seed = SEED + u64::from(run);
        let blocks = bench.extent.placebo_blocks;
        let blocks = pairs::measure(0, blocks, seed, |_, _| pairs::p50_ns(bench, &service))?;
        placebos.push(pairs::conclude(&blocks.by_arm).placebo);
    }
    Ok(judge(&placebos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    /// A placebo that is this many times as slow as what it is.
    fn placebo(ratio: f64) -> Comparison {
        let values = |factor: f64, shift: u32| -> Vec<Option<f64>> {
            let block = |i| Some(factor * (1e6 + f64::from((i + shift) % 5)));
            (0..10).map(block).collect()
        };
        pairs::conclude(&[values(1.0, 0), values(ratio, 2)]).placebo
    }

    fn states(placebos: &[Comparison]) -> [State; 2] {
        let lines = judge(placebos).lines;
        [lines[0].state, lines[1].state]
    }

    #[test]
    fn placebos_that_differ_fail() {
        use State::{Fail, Pass};
        let mut placebos = vec![placebo(1.0); 17];
        placebos.extend(vec![placebo(1.01); 3]);
        // Told apart by its p, but by less than is worth naming.
        assert_eq!(states(&placebos), [Pass, Pass]);
        placebos[0] = placebo(1.01);
        assert_eq!(states(&placebos), [Fail, Pass]);
        let mut placebos = vec![placebo(1.0); 19];
        placebos.push(placebo(1.04));
        assert_eq!(states(&placebos), [Pass, Fail]);
        assert_eq!(states(&[])[0], Fail);
    }

    #[test]
    fn as_many_may_be_flagged_as_the_method_says() {
        assert_eq!((flagged_max(20), flagged_max(200)), (3, 18));
    }
}
