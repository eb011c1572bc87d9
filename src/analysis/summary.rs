//! The families of a run and their arms, reduced to medians and ratios: what every table, chart and
//! sentence of the report shows. Machine units; nothing is rounded here.

use serde::{Serialize, Serializer};

use super::memory::MemorySummary;
use crate::record::{Role, TrialRow};
use crate::stats::verdict::{Comparison, Conclusion, Verdict};

pub use super::summarise::{of_families, summarise};

/// A run, summarised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Trials planned.
    pub trials_planned: usize,
    /// Planned trials of which there is a row.
    pub trials_run: usize,
    /// δ: the smallest difference that matters: 0.03 is 3 %.
    pub delta_ratio: f64,
    /// In planned order.
    pub families: Vec<FamilySummary>,
    /// What memory trials say; they are in none of the families.
    pub memory: MemorySummary,
}

/// One family with all its arms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FamilySummary {
    /// As in the rows.
    pub id: String,
    /// Workload, runtime and load in words; the id where no trial has run.
    pub title: String,
    /// Blocks with at least one usable trial.
    pub n_blocks: usize,
    /// Trials planned.
    pub trials_planned: usize,
    /// Planned trials of which there is a row.
    pub trials_run: usize,
    /// Requests answered `ok` in usable trials.
    pub n_ok: u64,
    /// Label of the reference.
    pub reference: String,
    /// As in the summary.
    pub delta_ratio: f64,
    /// What the placebo says of each metric that has ratios here.
    pub placebo: Vec<PlaceboSummary>,
    /// The reference, the placebo, then in the order of [`crate::strategy::ALL`].
    pub arms: Vec<ArmSummary>,
}

impl FamilySummary {
    /// What the placebo says of a metric.
    pub fn placebo_of(&self, metric: &str) -> Option<&PlaceboSummary> {
        self.placebo.iter().find(|placebo| placebo.metric == metric)
    }
}

/// One arm: medians over blocks, counts, and ratios to the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmSummary {
    /// Unique in the family: the strategy, with its options where there are several.
    pub label: String,
    /// Name of the strategy.
    pub strategy: String,
    /// Its options as in the rows.
    pub options: String,
    /// `reference`, `placebo` or `arm`.
    pub role: Role,
    /// Whether there are numbers, and whether they may be compared.
    pub state: State,
    /// Why [`ArmSummary::state`] is not `ok`, and which trials were thrown out; or empty.
    pub reason: String,
    /// Usable trials.
    pub n_blocks: usize,
    /// Medians over usable trials.
    #[serde(flatten)]
    pub medians: Medians,
    /// Lowest and highest block's throughput.
    pub throughput_range_per_s: Option<(f64, f64)>,
    /// Summed over all trials.
    pub outcomes: Outcomes,
    /// Of response p50, below 1 is faster.
    pub response_p50_ratio: Option<Ratio>,
    /// Of service p50, below 1 is faster.
    pub service_p50_ratio: Option<Ratio>,
    /// Of throughput, above 1 is faster.
    pub throughput_ratio: Option<Ratio>,
    /// What one more child costs, by memory trials of the same run; `None` where no one price holds
    /// for all numbers of children.
    pub memory_per_child_bytes: Option<f64>,
}

/// What an arm's numbers are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All that ran was answered `ok`.
    Ok,
    /// There are numbers, but trials failed or requests were not answered `ok`: no ratio.
    Flawed,
    /// No usable trial.
    Failed,
    /// Left out on purpose.
    Skipped,
    /// Planned, not run.
    Missing,
}

impl State {
    /// As shown in a table.
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Flawed => "flawed",
            State::Failed => "failed",
            State::Skipped => "skipped",
            State::Missing => "not run",
        }
    }
}

/// A ratio to the reference, paired by block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// Arm over reference, by Hodges and Lehmann.
    pub estimate: f64,
    /// Lower end at 95 %; from 6 blocks.
    pub ci_low: Option<f64>,
    /// Upper end at 95 %; from 6 blocks.
    pub ci_high: Option<f64>,
    /// After Holm, over the arms of the family.
    pub p_adjusted: Option<f64>,
    /// Blocks in which both had a value.
    pub n_blocks: usize,
    /// What may be said.
    #[serde(serialize_with = "words_of")]
    pub conclusion: Conclusion,
}

impl Ratio {
    /// `None` where there is no ratio.
    pub fn of(comparison: &Comparison) -> Option<Ratio> {
        let interval = comparison.ratio_interval;
        Some(Ratio {
            estimate: comparison.ratio?,
            ci_low: interval.map(|interval| interval.low),
            ci_high: interval.map(|interval| interval.high),
            p_adjusted: comparison.p_adjusted,
            n_blocks: comparison.n_blocks,
            conclusion: comparison.conclusion,
        })
    }

    /// Verdict or indication; `None` if nothing is concluded.
    pub fn verdict(&self) -> Option<Verdict> {
        match self.conclusion {
            Conclusion::Verdict(verdict) | Conclusion::Indication(verdict) => Some(verdict),
            Conclusion::Withheld(_) => None,
        }
    }
}

/// `verdict: slower`, `indication: slower`, `withheld: too_few_blocks`.
fn words_of<S: Serializer>(conclusion: &Conclusion, to: S) -> Result<S::Ok, S::Error> {
    let (kind, word) = match conclusion {
        Conclusion::Verdict(verdict) => ("verdict", verdict.name()),
        Conclusion::Indication(verdict) => ("indication", verdict.name()),
        Conclusion::Withheld(reason) => ("withheld", reason.name()),
    };
    to.serialize_str(&format!("{kind}: {word}"))
}

/// What the reference, measured against itself, says of one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaceboSummary {
    /// As in `comparisons.csv`.
    pub metric: &'static str,
    /// The placebo has an interval: without it nothing checks the family.
    pub is_checked: bool,
    /// The placebo differs from the reference, so that nothing is concluded.
    pub is_grey: bool,
    /// Of the placebo.
    pub ratio: Option<Ratio>,
}

/// Requests by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs, reason = "the outcomes of the glossary")]
pub struct Outcomes {
    pub ok: u64,
    pub app_error: u64,
    pub crash: u64,
    pub timeout: u64,
    pub rejected: u64,
    pub wrong_answer: u64,
    /// Due in the window of an open loop, and without an answer when the trial was given up.
    pub unanswered: u64,
    /// Not answered ok before or after the window.
    pub not_ok_outside: u64,
}

impl Outcomes {
    /// Those that are not `ok`, by name, most grave first.
    pub fn not_ok(&self) -> Vec<(&'static str, u64)> {
        [
            ("wrong answer", self.wrong_answer),
            ("crash", self.crash),
            ("timeout", self.timeout),
            ("rejected", self.rejected),
            ("app error", self.app_error),
        ]
        .into_iter()
        .filter(|&(_, n)| n > 0)
        .collect()
    }

    /// Requests of the window that had an answer.
    pub fn answered(&self) -> u64 {
        self.ok + self.app_error + self.crash + self.timeout + self.rejected + self.wrong_answer
    }

    /// All requests of the window.
    pub fn total(&self) -> u64 {
        self.answered() + self.unanswered
    }

    /// Whether there is no request without an answer, and none outside the window that was not ok.
    pub fn are_all_answered(&self) -> bool {
        self.unanswered == 0 && self.not_ok_outside == 0
    }

    /// Counts the requests of a trial.
    pub fn add(&mut self, row: &TrialRow) {
        self.ok += row.n_ok;
        self.app_error += row.n_app_error;
        self.crash += row.n_crash;
        self.timeout += row.n_timeout;
        self.rejected += row.n_rejected;
        self.wrong_answer += row.n_wrong_answer;
        self.unanswered += row.n_unanswered.unwrap_or(0);
        self.not_ok_outside += row.n_not_ok_outside.unwrap_or(0);
    }
}

/// Medians over blocks. A p90 or p99 is there only if every usable block has one: blocks lack it
/// when they were slow, so a median of the others would flatter.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[allow(missing_docs, reason = "named as the columns of trials.csv")]
pub struct Medians {
    pub response_p50_ns: Option<f64>,
    pub response_p90_ns: Option<f64>,
    pub response_p99_ns: Option<f64>,
    pub service_p50_ns: Option<f64>,
    pub service_p90_ns: Option<f64>,
    pub service_p99_ns: Option<f64>,
    pub throughput_per_s: Option<f64>,
    pub ready_ns: Option<f64>,
    pub first_response_ns: Option<f64>,
    pub transport_p50_ns: Option<f64>,
    pub queue_p50_ns: Option<f64>,
    pub creation_p50_ns: Option<f64>,
    pub load_p50_ns: Option<f64>,
    pub work_p50_ns: Option<f64>,
    pub return_p50_ns: Option<f64>,
    pub delivery_p50_ns: Option<f64>,
    pub reap_p50_ns: Option<f64>,
}
