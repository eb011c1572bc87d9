//! The cells of timed families: every arm that both runs have, for each of the main metrics.

use crate::stats::across::Pair;
use crate::stats::paired::log_ratios;
use crate::stats::two_sample::Drift;

use super::matched::{are_skipped, label_of, twin};
use super::{Arm, Draft, Group, Measured, Refusal, Said, Side, Value};
use crate::analysis::cells::{Analysed, MetricResult, by_block};
use crate::analysis::families::ArmRows;
use crate::analysis::metrics::{Metric, RESPONSE_P50, THROUGHPUT};
use crate::analysis::summary::State;

/// What is compared, and what it is called where there is little room.
const MAIN: [(&str, &str); 3] = [
    (RESPONSE_P50, "response p50"),
    ("response_p99_ns", "response p99"),
    (THROUGHPUT, "requests/s"),
];

pub(super) fn group([a, _]: [&Analysed<'_>; 2]) -> Group {
    let family_id = a.rows.id.to_owned();
    let title = a.rows.title.clone();
    match a.rows.rows.first() {
        None => Group { family_id, title, ..Group::default() },
        Some(row) => Group {
            family_id,
            // The rate is each machine's own.
            title: match row.rate_of_capacity {
                Some(share) => format!("{title} in A, {share} of the capacity in both"),
                None => title,
            },
            regime: row.regime.clone(),
            runtime: row.runtime.clone(),
            workload: row.workload.clone(),
            workload_options: row.workload_options.clone(),
            size: row.size.clone(),
            callers: row.callers,
            placement: row.placement.clone(),
            payload_bytes: row.payload_bytes,
            ballast_bytes: row.ballast_bytes,
            notes: Vec::new(),
        },
    }
}

/// In the order of A.
pub(super) fn cells(pairs: &[[&Analysed<'_>; 2]], delta_ratio: f64) -> Vec<Draft> {
    let mut cells = Vec::new();
    for (group, pair) in pairs.iter().enumerate() {
        for a in &pair[0].rows.arms {
            let Some(b) = twin(pair[1], a).filter(|b| !are_skipped(a, b)) else {
                continue;
            };
            for (name, word) in MAIN {
                let both = Both::of(*pair, [a, b], name, delta_ratio);
                cells.extend(both.map(|both| both.cell(group, word)));
            }
        }
    }
    cells
}

/// One metric of one arm, in both runs.
struct Both<'x> {
    families: [&'x Analysed<'x>; 2],
    arms: [&'x ArmRows<'x>; 2],
    results: [&'x MetricResult; 2],
    metric: &'static Metric,
    /// The smallest difference that matters: the larger one of the two runs.
    delta_ratio: f64,
}

impl<'x> Both<'x> {
    /// `None` if either has no such metric at all.
    fn of(
        families: [&'x Analysed<'x>; 2],
        arms: [&'x ArmRows<'x>; 2],
        metric: &str,
        delta_ratio: f64,
    ) -> Option<Both<'x>> {
        let find = |family: &'x Analysed<'x>| {
            let mut results = family.results.iter();
            results.find(|result| result.metric.name == metric)
        };
        let results = [find(families[0])?, find(families[1])?];
        Some(Both { families, arms, results, metric: results[0].metric, delta_ratio })
    }

    fn cell(&self, group: usize, word: &'static str) -> Draft {
        let key = &self.arms[0].key;
        Draft {
            group,
            arm: Arm {
                label: label_of(self.families, self.arms[0]),
                strategy: key.name.clone(),
                options: key.options.clone(),
                role: key.role_name(),
            },
            metric: Measured {
                name: self.metric.name,
                unit: self.metric.unit,
                better: self.metric.better,
                word,
            },
            values: [0, 1].map(|side| self.value(side)),
            delta_ratio: self.delta_ratio,
            absolute: self.absolute(),
            relative: (key.role_name() != "reference").then(|| self.relative()),
            said: self.said(),
            is_grey: self.results.iter().any(|result| result.is_grey),
        }
    }

    fn place(&self, side: usize) -> Option<usize> {
        let arms = &self.families[side].rows.arms;
        arms.iter().position(|arm| arm.key == self.arms[side].key)
    }

    fn value(&self, side: usize) -> Option<Value> {
        let cell = self.results[side].cells.get(self.place(side)?)?;
        Some(Value { estimate: cell.estimate?, interval: cell.interval, n_blocks: cell.n_blocks })
    }

    fn pair(&self, [a, b]: [Vec<f64>; 2], drift: Drift) -> Pair {
        Pair {
            a,
            b,
            drift,
            better: self.metric.better,
            delta_log: self.delta_ratio.ln_1p(),
            is_checked: self.results.iter().all(|result| result.is_checked),
        }
    }

    /// By block of a run.
    fn blocks(&self, side: usize, arm: &ArmRows<'_>) -> Vec<Option<f64>> {
        by_block(arm, &self.families[side].rows.blocks, self.metric)
    }

    fn absolute(&self) -> Result<Pair, Refusal> {
        self.both_are_ok()?;
        if let Some(rates) = self.other_rates() {
            return Err(Refusal::OtherRate(rates));
        }
        let logs = |side: usize| {
            let values = self.blocks(side, self.arms[side]);
            let usable = values.into_iter().flatten();
            usable.filter(|x| x.is_finite() && *x > 0.0).map(f64::ln).collect()
        };
        Ok(self.pair(known([0, 1].map(logs))?, Drift::Possible))
    }

    fn relative(&self) -> Result<Pair, Refusal> {
        self.both_are_ok()?;
        let mut ratios = [Vec::new(), Vec::new()];
        for (place, side) in Side::BOTH.into_iter().enumerate() {
            let is_reference = |arm: &&ArmRows<'_>| arm.key.role_name() == "reference";
            let reference = self.families[place].rows.arms.iter().find(is_reference);
            let Some(reference) = reference.filter(|arm| arm.state == State::Ok) else {
                return Err(Refusal::ReferenceFailed(side));
            };
            ratios[place] =
                log_ratios(&self.blocks(place, self.arms[place]), &self.blocks(place, reference));
        }
        Ok(self.pair(known(ratios)?, Drift::Removed))
    }

    fn both_are_ok(&self) -> Result<(), Refusal> {
        for (side, arm) in Side::BOTH.into_iter().zip(self.arms) {
            if arm.state != State::Ok {
                let why = format!("{}: {}", arm.state.word(), arm.reason);
                return Err(Refusal::Failed(side, why));
            }
        }
        Ok(())
    }

    /// The rates, where each is a share of its own machine's capacity and they differ.
    fn other_rates(&self) -> Option<[f64; 2]> {
        let first = |arm: &ArmRows<'_>| {
            let row = arm.good.first()?;
            row.rate_of_capacity?;
            row.rate_per_s
        };
        let rates = [first(self.arms[0])?, first(self.arms[1])?];
        (rates[0] != rates[1]).then_some(rates)
    }

    fn said(&self) -> Option<[Said; 2]> {
        let said = |side: usize| {
            let comparison = self.results[side].comparisons.get(self.place(side)?)?;
            let comparison = comparison.as_ref()?;
            Some(Said { ratio: comparison.ratio, conclusion: comparison.conclusion })
        };
        Some([said(0)?, said(1)?])
    }
}

/// Of each run at least one block.
fn known(values: [Vec<f64>; 2]) -> Result<[Vec<f64>; 2], Refusal> {
    let empty = values.iter().position(Vec::is_empty);
    match empty {
        Some(place) => Err(Refusal::NoValue(Side::BOTH[place])),
        None => Ok(values),
    }
}
