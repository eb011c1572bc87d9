//! From the rows of a run to families and their arms: what every table, chart and sentence of the
//! report shows. Machine units; nothing is rounded here.

use serde::Serialize;

use crate::record::TrialRow;

pub use super::summarise::summarise;

/// A run, summarised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Trials planned.
    pub trials_planned: usize,
    /// Planned trials of which there is a row.
    pub trials_run: usize,
    /// In planned order.
    pub families: Vec<FamilySummary>,
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
    /// The reference, the placebo, then in the order of [`crate::strategy::ALL`].
    pub arms: Vec<ArmSummary>,
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
    pub role: String,
    /// Whether there are numbers, and whether they may be compared.
    pub state: State,
    /// Why [`ArmSummary::state`] is not `ok`; empty if it is.
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

/// A paired ratio to the reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// Arm over reference.
    pub estimate: f64,
    /// Blocks in which both had a value.
    pub n_blocks: u32,
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

    /// All requests.
    pub fn total(&self) -> u64 {
        self.ok + self.app_error + self.crash + self.timeout + self.rejected + self.wrong_answer
    }

    pub(super) fn add(&mut self, row: &TrialRow) {
        self.ok += row.n_ok;
        self.app_error += row.n_app_error;
        self.crash += row.n_crash;
        self.timeout += row.n_timeout;
        self.rejected += row.n_rejected;
        self.wrong_answer += row.n_wrong_answer;
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
    pub reap_p50_ns: Option<f64>,
}
