//! The answers under the charts of open loops and of the machine's noise, made from the numbers
//! that are plotted.

use crate::experiment::Slo;
use crate::record::Role;

use super::format;
use super::sentences::extremes;
use crate::analysis::curves::{Curves, LoadArm};
use crate::analysis::probes::{Probed, ProbedArm, Variant};
use crate::analysis::summary::State;
use crate::analysis::timeline::Timeline;

/// Arms but the placebo, which is the reference again.
fn compared(curves: &Curves) -> impl Iterator<Item = &LoadArm> {
    curves.arms.iter().filter(|arm| arm.role != Role::Placebo)
}

/// The objective in words, with its time in three digits.
pub fn objective(slo: &str) -> String {
    match slo.parse::<Slo>() {
        Ok(parsed) => {
            let quantile = slo.split('<').next().unwrap_or(slo).trim();
            format!("{quantile} < {}", format::duration(parsed.limit_ns as f64))
        }
        Err(_) => "no objective".to_owned(),
    }
}

/// Which arm takes most load, and what the reference takes.
pub fn load_answer(curves: &Curves) -> String {
    let objective = objective(&curves.slo);
    let limits = compared(curves).filter_map(|arm| Some((arm, arm.limit_per_s?)));
    let Some([_, (best, limit_per_s)]) = extremes(limits, |(_, limit)| *limit) else {
        return format!("No strategy met {objective} at any of the rates.");
    };
    // A limit lies somewhere between the last rate met and the first missed.
    let may_reach = |arm: &&LoadArm| {
        let reaches = arm.missed_per_s.is_none_or(|missed_per_s| missed_per_s >= limit_per_s);
        arm.label == best.label || (arm.limit_per_s.is_some() && reaches)
    };
    let equals: Vec<&LoadArm> = compared(curves).filter(may_reach).collect();
    let is_other = |arm: &&LoadArm| {
        arm.role == Role::Reference && !equals.iter().any(|equal| equal.label == arm.label)
    };
    let others = curves.arms.iter().find(is_other);
    let others =
        others.map_or_else(String::new, |arm| format!("; {} takes {}", arm.label, taken(arm)));
    if equals.len() == 1 {
        let limit = taken(best);
        return format!("Under {objective}, {} takes the most: {limit}{others}.", best.label);
    }
    let names: Vec<&str> = equals.iter().map(|arm| arm.label.as_str()).collect();
    let limits: Vec<String> =
        equals.iter().map(|arm| format!("{} {}", arm.label, taken(arm))).collect();
    format!(
        "Under {objective}, {} take the most, with no difference shown: {}{others}.",
        format::listed(&names),
        limits.join(", ")
    )
}

/// `120/s (missed at 140/s)`.
fn taken(arm: &LoadArm) -> String {
    match (arm.limit_per_s, arm.missed_per_s) {
        (None, Some(missed)) => format!("less than {}/s", format::rate(missed)),
        (None, None) => "nothing that was measured".to_owned(),
        (Some(met), None) => format!("{}/s or more", format::rate(met)),
        (Some(met), Some(missed)) => {
            format!("{}/s (missed at {}/s)", format::rate(met), format::rate(missed))
        }
    }
}

/// The most that any arm answered.
pub fn goodput_answer(curves: &Curves) -> String {
    let most = |arm: &LoadArm| arm.points.iter().filter_map(|p| p.ok_per_s).reduce(f64::max);
    let peaks = compared(curves).filter_map(|arm| Some((arm.label.as_str(), most(arm)?)));
    match extremes(peaks, |(_, peak)| *peak) {
        None => "Nothing was answered.".to_owned(),
        Some([least, most]) if least.0 == most.0 => {
            format!("The most that {} answered was {}/s.", most.0, format::rate(most.1))
        }
        Some([least, most]) => format!(
            "The most that was answered at any rate: {}/s by {}; the least such peak is that of {}, \
             {}/s.",
            format::rate(most.1),
            most.0,
            least.0,
            format::rate(least.1)
        ),
    }
}

/// Which arms let other requests wait.
pub fn responsiveness_answer(probed: &Probed) -> String {
    let sentences: Vec<String> = probed.variants.iter().filter_map(of_variant).collect();
    if sentences.is_empty() {
        return "No probe was answered.".to_owned();
    }
    sentences.join(" ")
}

fn of_variant(variant: &Variant) -> Option<String> {
    let arms = || {
        let ok = |arm: &&ProbedArm| arm.state == State::Ok && arm.role != Role::Placebo;
        variant.arms.iter().filter(ok).filter(|arm| arm.over_100ms_ratio.is_some())
    };
    let told = |arm: &ProbedArm| {
        let share = format::percent(arm.over_100ms_ratio.unwrap_or(0.0));
        let times = [("p95", arm.loaded.p95_ns), ("longest", arm.loaded.max_ns)];
        let known = times
            .iter()
            .filter_map(|(name, ns)| Some(format!("{name} {}", format::duration((*ns)?))));
        let known: Vec<String> = known.collect();
        format!("{share} under {} ({})", arm.label, known.join(", "))
    };
    // The share first; of equal shares the longer tail.
    let rank = |arm: &&ProbedArm| {
        let tail_ns = arm.loaded.p95_ns.or(arm.loaded.max_ns).unwrap_or(0.0);
        arm.over_100ms_ratio.unwrap_or(0.0) * 1e15 + tail_ns
    };
    let [best, worst] = extremes(arms(), rank)?;
    let where_to = match variant.probe.as_str() {
        "main-loop" => "Of the probes to the event loop",
        _ => "Of those through the strategy",
    };
    if worst.label == best.label {
        return Some(format!("{where_to}, {} took over 100 ms.", told(worst)));
    }
    Some(format!("{where_to}, {} took over 100 ms and {}.", told(worst), told(best)))
}

/// What disturbed a run, and how long.
pub fn noise_answer(timeline: &Timeline) -> String {
    let disturbed = match timeline.disturbed {
        0 => "No trial was disturbed".to_owned(),
        1 => "1 trial was disturbed".to_owned(),
        n => format!(
            "{} were disturbed, re-runs and memory trials counted",
            format::plural(n as u64, "trial")
        ),
    };
    let peaks: Vec<String> = timeline
        .lanes
        .iter()
        .filter_map(|lane| {
            let peak = lane.values.iter().flatten().copied().reduce(f64::max)?;
            Some(format!("{} {}", lane.name, lane.shown(peak)))
        })
        .collect();
    if peaks.is_empty() {
        return format!("{disturbed}; nothing is counted on this machine.");
    }
    format!("{disturbed}; the highest: {}.", peaks.join(", "))
}
