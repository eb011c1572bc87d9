//! What else should be known before a number is believed: the load generator's own faults, drift,
//! families of which nothing is concluded. Sentences for *Can I trust it?*

use std::collections::BTreeMap;

use crate::record::laws::{self, Law};
use crate::record::{Run, TrialRow};
use crate::stats::quantile::median;
use crate::stats::verdict::{Conclusion, Reason};

use super::analyse::{Analysed, DISTURBED_OFTEN_RATIO};
use super::metrics::RESPONSE_P50;
use super::{conclusions, human};

/// Of trials that a generator made invalid.
const FAULTS: [(&str, &str); 3] = [
    ("generator_late", "late"),
    ("wrong_rate", "at a wrong rate"),
    ("law:little", "with books that do not add up"),
];

/// How well the generator of open loops did what it says; `None` without an open loop.
pub(super) fn generator(run: &Run) -> Option<String> {
    let open = || run.trials.iter().filter(|row| row.achieved_rate_per_s.is_some());
    let valid = || open().filter(|row| row.validity != "invalid" && row.saturated != "yes");
    let late_ns: Vec<f64> =
        valid().filter_map(|row| row.lateness_p99_ns).map(|ns| ns as f64).collect();
    let worst_ns = late_ns.iter().copied().reduce(f64::max)?;
    let off = |value: f64| (value - 1.0).abs();
    let rate = |row: &TrialRow| Some(off(row.achieved_rate_per_s? / row.rate_per_s?));
    let rate = valid().filter_map(rate).reduce(f64::max).unwrap_or(0.0);
    let law = valid().filter_map(|row| row.littles_law_ratio).map(off);
    let law = law.reduce(f64::max).unwrap_or(0.0);
    let faults: Vec<String> = FAULTS
        .iter()
        .filter_map(|(flag, what)| {
            let has = |row: &&TrialRow| row.flags.split(';').any(|word| word == *flag);
            let n = open().filter(has).count();
            (n > 0).then(|| format!("{n} {what}"))
        })
        .collect();
    let thrown = match faults.as_slice() {
        [] => "no trial had to be thrown out for it".to_owned(),
        faults => format!("trials thrown out for it: {}", faults.join(", ")),
    };
    Some(format!(
        "In open loops the generator sent 99 of 100 requests within {} of their time (median over \
         trials that were not saturated; at worst {}), which is charged to the response; its rate \
         was off by at most {}, chance of Poisson arrivals included, and its books, by Little's \
         law, by at most {}; {thrown}.",
        human::duration(median(&late_ns)?),
        human::duration(worst_ns),
        human::percent(rate),
        human::percent(law),
    ))
}

/// How many trials broke a law, and which.
pub(super) fn laws(run: &Run) -> Option<String> {
    let mut counts: BTreeMap<Law, u64> = BTreeMap::new();
    let mut trials = 0;
    for row in &run.trials {
        let mut broken: Vec<Law> = laws::named_in(&row.flags).collect();
        broken.sort_unstable();
        broken.dedup();
        trials += u64::from(!broken.is_empty());
        broken.into_iter().for_each(|law| *counts.entry(law).or_default() += 1);
    }
    let named: Vec<String> =
        counts.iter().map(|(law, n)| format!("{} ({n})", law.demands())).collect();
    let what = match trials {
        0 => return None,
        1 => "broke a law that every measurement obeys, and counts for nothing",
        _ => "broke a law that every measurement obeys, and count for nothing",
    };
    Some(format!("{} {what}: {}.", human::plural(trials, "trial"), named.join("; ")))
}

/// How far apart the slowest and the fastest block of a family were, at most.
pub(super) fn drift(families: &[Analysed<'_>]) -> Option<String> {
    let (family, spread) = families
        .iter()
        .filter_map(|family| Some((family, spread(family)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "Drift: in the family where blocks differ most ({}), the slowest took {} as long as the \
         fastest, in the middle of its strategies. Ratios are taken within a block, so that this \
         does not touch them.",
        family.rows.title,
        human::ratio(spread)
    ))
}

/// The slowest block over the fastest: medians of every trial's median over its arm's.
fn spread(family: &Analysed<'_>) -> Option<f64> {
    let mut blocks: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for arm in &family.rows.arms {
        let p50 = |row: &&TrialRow| Some((row.block, row.response_p50_ns? as f64));
        let times: Vec<(u32, f64)> = arm.good.iter().filter_map(p50).collect();
        let all: Vec<f64> = times.iter().map(|time| time.1).collect();
        let Some(middle) = median(&all).filter(|ns| *ns > 0.0) else {
            continue;
        };
        for (block, ns) in times {
            blocks.entry(block).or_default().push(ns / middle);
        }
    }
    let medians: Vec<f64> = blocks.values().filter_map(|ratios| median(ratios)).collect();
    let low = medians.iter().copied().reduce(f64::min).filter(|low| *low > 0.0)?;
    let high = medians.iter().copied().reduce(f64::max)?;
    (medians.len() > 1).then_some(high / low)
}

/// Families in which the rest of the machine disturbed more trials than should be.
pub(super) fn disturbed(families: &[Analysed<'_>]) -> Option<String> {
    let named: Vec<String> = families
        .iter()
        .filter(|family| family.is_often_disturbed())
        .map(|family| {
            let share = human::percent(family.disturbed_ratio);
            format!("{} ({share})", family.rows.title)
        })
        .collect();
    (!named.is_empty()).then(|| {
        format!(
            "More than {} of the trials were disturbed, after re-runs, in: {}.",
            human::percent(DISTURBED_OFTEN_RATIO),
            named.join("; ")
        )
    })
}

/// Of how many families nothing is concluded, and why. A strategy that failed is no reason: that
/// is said where it stands.
pub(super) fn withheld(families: &[Analysed<'_>]) -> Option<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for family in families {
        let of_response = family.results.iter().find(|r| r.metric.name == RESPONSE_P50);
        let reason = of_response?.comparisons.iter().flatten().find_map(|c| match c.conclusion {
            Conclusion::Withheld(reason) if reason != Reason::ArmFailed => Some(reason),
            _ => None,
        });
        if let Some(reason) = reason {
            *reasons.entry(conclusions::because(reason)).or_default() += 1;
        }
    }
    let n: usize = reasons.values().sum();
    let named: Vec<String> = reasons.iter().map(|(reason, n)| format!("{reason} ({n})")).collect();
    (n > 0).then(|| {
        format!(
            "Nothing is concluded about the response of {n} of {}: {}.",
            plural_families(families.len()),
            named.join("; ")
        )
    })
}

fn plural_families(n: usize) -> String {
    if n == 1 { "1 family".to_owned() } else { format!("{n} families") }
}
