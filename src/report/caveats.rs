//! What a reader should know before any number of a family: two speeds of the machine or of its
//! processes, and disturbed trials with their weight.

use std::collections::BTreeMap;

use crate::analysis::Analysis;
use crate::record::TrialRow;
use crate::stats::modes::two_modes;
use crate::stats::quantile::median;
use crate::stats::verdict::{Conclusion, Reason};

use super::{format, ratios};
use crate::analysis::cells::{Analysed, is_disturbed, without_disturbed};
use crate::analysis::families::{ArmRows, FamilyRows};
use crate::analysis::metrics::{RESPONSE_P50, SERVICE_P50, THROUGHPUT};
use crate::analysis::summary::{Ratio, State};

/// A runtime that compiles anew in every process, and what does it there.
const COMPILES: (&str, &str) = ("node", "V8");

/// From this ratio between its processes on, work is said to differ.
const DIFFERS_RATIO: f64 = 1.5;

/// The caveats of every family of a run.
pub fn of_families(analysis: &Analysis<'_>) -> Vec<Vec<String>> {
    let delta_ratio = analysis.run.manifest.delta_ratio;
    analysis.families.iter().map(|family| of(family, delta_ratio)).collect()
}

/// In the order in which they matter.
fn of(family: &Analysed<'_>, delta_ratio: f64) -> Vec<String> {
    let mut sentences = speeds(&family.rows);
    sentences.extend(disturbed(family, delta_ratio));
    sentences
}

/// An arm whose blocks have two speeds.
struct TwoSpeeds<'a> {
    label: &'a str,
    /// Blocks in which it was fast, ascending.
    fast: Vec<u32>,
    /// Medians of p50 and their numbers of blocks, the fast ones first.
    speeds: [(f64, usize); 2],
}

impl TwoSpeeds<'_> {
    /// `blocking 29 µs in 5 blocks, 58 µs in 7`.
    fn words(&self) -> String {
        let [(fast_ns, n_fast), (slow_ns, n_slow)] = self.speeds;
        format!(
            "{} {} in {}, {} in {n_slow}",
            self.label,
            format::duration(fast_ns),
            format::plural(n_fast as u64, "block"),
            format::duration(slow_ns),
        )
    }
}

fn two_speeds<'a>(arm: &'a ArmRows<'_>) -> Option<TwoSpeeds<'a>> {
    let p50 = |row: &&TrialRow| Some((row.block, row.response_p50_ns.filter(|ns| *ns > 0)? as f64));
    let times: Vec<(u32, f64)> = arm.good.iter().filter_map(p50).collect();
    let logs: Vec<f64> = times.iter().map(|(_, ns)| ns.ln()).collect();
    let modes = two_modes(&logs)?;
    let speed = |places: &[usize]| {
        let own: Vec<f64> = places.iter().map(|place| times[*place].1).collect();
        Some((median(&own)?, places.len()))
    };
    let mut fast: Vec<u32> = modes.low.iter().map(|place| times[*place].0).collect();
    fast.sort_unstable();
    Some(TwoSpeeds { label: &arm.label, fast, speeds: [speed(&modes.low)?, speed(&modes.high)?] })
}

/// Arms with two speeds: of the machine where arms change together, else of their processes.
fn speeds(rows: &FamilyRows<'_>) -> Vec<String> {
    let sound = || rows.arms.iter().filter(|arm| arm.state != State::Failed);
    let found: Vec<TwoSpeeds<'_>> = sound().filter_map(two_speeds).collect();
    let sharing = |one: &TwoSpeeds<'_>| found.iter().filter(|o| o.fast == one.fast).count();
    // Of equals the first, which is the reference if it is one of them.
    let shared = found.iter().rev().map(|one| (sharing(one), one)).max_by_key(|(n, _)| *n);
    // By chance two of many arms have the same blocks, but not half of them.
    let machine = shared.filter(|(n, _)| *n >= 2 && 2 * n >= found.len()).map(|(_, one)| one);
    let mut sentences = Vec::new();
    if let Some(one) = machine {
        let others = sharing(one) - 1;
        sentences.push(format!(
            "The machine had two speeds: p50 of {}; {} changed in the same blocks. A median of all \
             blocks is one of the two, or a time between them that no block had.",
            one.words(),
            format::plural(others as u64, "more arm"),
        ));
    }
    let own: Vec<&TwoSpeeds<'_>> =
        found.iter().filter(|one| machine.is_none_or(|m| m.fast != one.fast)).collect();
    let runtime = rows.rows.first().map_or("", |row| row.runtime.as_str());
    if !own.is_empty() {
        let why = match runtime == COMPILES.0 {
            true => format!("{} probably compiled it in two ways, by process", COMPILES.1),
            false => "Its processes differ".to_owned(),
        };
        let words: Vec<String> = own.iter().map(|one| one.words()).collect();
        sentences.push(format!("{why}: p50 of {}.", format::few(&words, "; ")));
    } else if runtime == COMPILES.0 && machine.is_none() {
        sentences.extend(work(&rows.arms));
    }
    sentences
}

/// The same work at different speeds in different processes of a runtime that compiles.
fn work(arms: &[ArmRows<'_>]) -> Option<String> {
    let range = |arm: &ArmRows<'_>| {
        let mut times: Vec<u64> = arm.good.iter().filter_map(|row| row.work_p50_ns).collect();
        times.sort_unstable();
        // Without the fastest and the slowest, which may be luck.
        let [_, inner @ .., _] = times.as_slice() else { return None };
        let (low, high) = (*inner.first()? as f64, *inner.last()? as f64);
        let differs = inner.len() >= 4 && low > 0.0 && high / low >= DIFFERS_RATIO;
        differs.then_some((low, high))
    };
    let found: Vec<(&str, (f64, f64))> =
        arms.iter().filter_map(|arm| Some((arm.label.as_str(), range(arm)?))).collect();
    let words: Vec<String> = found
        .iter()
        .map(|(label, (low, high))| {
            format!("{label} {} to {}", format::duration(*low), format::duration(*high))
        })
        .collect();
    (!words.is_empty()).then(|| {
        format!(
            "The same work takes different times by process, probably because {} compiles it anew in \
             each: {}.",
            COMPILES.1,
            format::few(&words, "; ")
        )
    })
}

/// Disturbed trials, the signals, and the conclusions without them.
fn disturbed(family: &Analysed<'_>, delta_ratio: f64) -> Option<String> {
    let rows = &family.rows.rows;
    let hit: Vec<&&TrialRow> = rows.iter().filter(|row| is_disturbed(row)).collect();
    if hit.is_empty() {
        return None;
    }
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &hit {
        let signals = row.noise_flags.split(';').filter_map(|f| f.strip_suffix(":disturbed"));
        signals.for_each(|signal| *by.entry(signal).or_default() += 1);
    }
    let by: Vec<String> = by.iter().map(|(signal, n)| format!("{signal} {n}")).collect();
    let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
    Some(format!(
        "{} of {} {} disturbed by the rest of the machine{by}, and counted: {}.",
        hit.len(),
        format::plural(rows.len() as u64, "trial"),
        if hit.len() == 1 { "was" } else { "were" },
        matters(family, delta_ratio)
    ))
}

/// The arm or its placebo has too few blocks left.
fn is_too_few(conclusion: Conclusion) -> bool {
    matches!(conclusion, Conclusion::Withheld(Reason::TooFewBlocks | Reason::NoPlacebo))
}

/// Whether the conclusions on the main metrics are others without the disturbed trials.
fn matters(family: &Analysed<'_>, delta_ratio: f64) -> String {
    let (mut same, mut few, mut changed) = (0, 0, Vec::new());
    for result in &family.results {
        if ![RESPONSE_P50, SERVICE_P50, THROUGHPUT].contains(&result.metric.name) {
            continue;
        }
        let without = without_disturbed(&family.rows, result.metric, delta_ratio);
        for (i, arm) in family.rows.arms.iter().enumerate() {
            let with = result.comparisons[i].as_ref().and_then(Ratio::of);
            let Some(with) = with.filter(|ratio| ratio.verdict().is_some()) else { continue };
            let left = without[i].as_ref().and_then(Ratio::of);
            match left {
                Some(left) if left.verdict() == with.verdict() => same += 1,
                Some(left) if !is_too_few(left.conclusion) => {
                    let name = result.metric.name.split('_').next().unwrap_or_default();
                    changed.push(format!(
                        "{} ratio of {} {} with them, {} without",
                        name,
                        arm.label,
                        ratios::text(&with),
                        ratios::text(&left)
                    ));
                }
                _ => few += 1,
            }
        }
    }
    let conclusions = |n: usize| format::plural(n as u64, "conclusion");
    let first = match (changed.len(), same) {
        (0, 0) => "what would be concluded without them is unknown".to_owned(),
        (0, same) => {
            let of = conclusions(same + few);
            format!("{same} of {of} {} the same without them", format::is_are(same))
        }
        (n, same) => format!(
            "of {}, {n} would be another without them: {}",
            conclusions(same + few + n),
            format::few(&changed, "; ")
        ),
    };
    match few {
        0 => first,
        few => format!("{first}; of {few} too few blocks would be left"),
    }
}

#[cfg(test)]
mod tests;
