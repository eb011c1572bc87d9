//! How values of the analysis read: as words, or as sentences where they say that something is
//! missing or does not hold.

use super::format;
use crate::analysis::distribution::Distributions;
use crate::analysis::memory::{Group, MemorySummary, PoolSize, Segment, Series, Sizing, sizing};
use crate::analysis::summary::Outcomes;
use crate::analysis::timeline::{Lane, Unit};
use crate::strategy::WORKERS_MAX;

impl Outcomes {
    /// In words, such as `297 ok, 110 unanswered`.
    pub fn words(&self) -> String {
        let others = [
            (self.answered() - self.ok, "not"),
            (self.unanswered, "unanswered"),
            (self.not_ok_outside, "not ok outside the window"),
        ];
        let others = others.into_iter().filter(|(n, _)| *n > 0);
        let others = others.map(|(n, what)| format!(", {} {what}", format::count(n)));
        format!("{} ok{}", format::count(self.ok), others.collect::<String>())
    }
}

impl Distributions {
    /// Why single requests are missing, if any are.
    pub fn unread(&self) -> Vec<String> {
        let sentence = |first: &String| {
            format!(
                "single requests of {} of {} trials could not be read and are missing in the \
                 distributions; the first: {first}",
                self.failures.len(),
                self.asked
            )
        };
        self.failures.first().map(sentence).into_iter().collect()
    }
}

impl Lane {
    /// A value for people.
    pub fn shown(&self, value: f64) -> String {
        self.tick()(value)
    }

    /// The labels of its axis.
    pub fn tick(&self) -> fn(f64) -> String {
        match self.unit {
            Unit::Share => format::percent,
            Unit::Time => format::duration_tick,
        }
    }
}

impl Segment {
    /// `12.3 MB [12.1, 12.5] from 1 to 4`.
    fn words(&self) -> String {
        let interval = self.slope_ci_bytes.map_or_else(String::new, |(low, high)| {
            format!(" [{}, {}]", format::megabytes(low), format::megabytes(high))
        });
        let slope = format::megabytes(self.slope_bytes);
        format!("{slope} MB{interval} from {} to {}", self.from, self.to)
    }
}

impl Series {
    /// That there is no one price of a child, and the prices there are; `None` where the line holds.
    pub fn no_line(&self) -> Option<String> {
        let miss = self.miss?;
        let prices: Vec<String> = self.segments.iter().map(Segment::words).collect();
        Some(format!(
            "the line misses {} by {}, so that there is no one cost per child: {}",
            format::children(miss.k),
            format::percent(miss.ratio.abs()),
            prices.join(", ")
        ))
    }
}

/// A sentence for every group with pools: how large they may be within the budget.
pub fn sizings(memory: &MemorySummary, budget_bytes: Option<u64>) -> Vec<String> {
    let Some(budget_bytes) = budget_bytes else {
        return Vec::new();
    };
    memory.groups.iter().filter_map(|group| sizing_of(group, budget_bytes)).collect()
}

fn sizing_of(group: &Group, budget_bytes: u64) -> Option<String> {
    let pools = sizing(group, budget_bytes);
    if pools.is_empty() {
        return None;
    }
    let is_beyond = |pool: &Sizing<'_>| match pool.size {
        PoolSize::Workers { fit, measured, .. } => fit > measured,
        PoolSize::TooLarge { .. } | PoolSize::Free => false,
    };
    let beyond = match pools.iter().any(is_beyond) {
        true => "; a number beyond what was measured follows the line further",
        false => "",
    };
    let lacks = match pools.iter().all(|pool| pool.has_kernel) {
        true => "",
        false => "; without the kernel's stacks and descriptors",
    };
    let pools: Vec<String> = pools.iter().map(of_pool).collect();
    Some(format!(
        "The largest pool within {} ({}): {}{lacks}{beyond}.",
        format::bytes(budget_bytes),
        group.title,
        pools.join("; ")
    ))
}

/// `12 workers of pool (measured up to 4)`.
fn of_pool(pool: &Sizing<'_>) -> String {
    let label = &pool.series.label;
    match pool.size {
        PoolSize::TooLarge { needs_bytes } => {
            let least = format::megabytes(needs_bytes);
            format!("none of {label}, which needs {least} MB for one")
        }
        PoolSize::Free => format!("{label} costs nothing per worker that was seen"),
        PoolSize::Workers { fit, measured, is_sure } => {
            let number = match fit > WORKERS_MAX {
                true => format!("more than {} workers", format::count(WORKERS_MAX)),
                false => format::plural(fit, "worker"),
            };
            let sure = if is_sure { "" } else { ", and too few blocks for an interval" };
            format!("{number} of {label} (measured up to {}{sure})", format::count(measured))
        }
    }
}
