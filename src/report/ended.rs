//! Why a run has fewer trials than were planned. The files do not say it: a budget drops whole
//! blocks, and anything else cuts one short or comes early.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::record::Run;

/// The budget was spent.
pub(super) const BY_BUDGET: &str = "ended by its budget";
/// Anything else.
const PARTIAL: &str = "partial";

/// In a word or some, how a run came to its end that has not all of its plan.
pub(super) fn early(run: &Run) -> &'static str {
    if has_whole_blocks(run) && has_spent_its_budget(run) { BY_BUDGET } else { PARTIAL }
}

/// Whether every block that was begun has all of its trials.
fn has_whole_blocks(run: &Run) -> bool {
    let ran: BTreeSet<&str> = run.trials.iter().map(|row| row.trial_id.as_str()).collect();
    let begun: BTreeSet<(&str, u32)> =
        run.trials.iter().map(|row| (row.family_id.as_str(), row.block)).collect();
    run.plan
        .iter()
        .filter(|row| begun.contains(&(row.family_id.as_str(), row.block)))
        .all(|row| ran.contains(row.trial_id.as_str()))
}

/// At least half of it: what is left may be too little for a block, or for the search.
fn has_spent_its_budget(run: &Run) -> bool {
    let at = |utc: &str| utc.parse::<Timestamp>().ok();
    let begin = at(&run.manifest.started_utc);
    let last = run.trials.iter().filter_map(|row| {
        let length_ns = i128::from(row.noise_span_ns.unwrap_or(0));
        Some(at(&row.started_utc)?.as_nanosecond() + length_ns)
    });
    match (run.manifest.budget_ns, begin, last.max()) {
        (Some(budget_ns), Some(begin), Some(end_ns)) => {
            2 * (end_ns - begin.as_nanosecond()) >= i128::from(budget_ns)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_run_is_ended_by_its_budget_if_it_has_whole_blocks_and_took_about_as_long() {
        let mut run = sample::run();
        let last = |run: &mut Run, at: &str| {
            run.trials.last_mut().unwrap().started_utc = at.to_owned();
        };
        let block = run.trials.iter().map(|row| row.block).max().unwrap();
        run.trials.retain(|row| row.block < block);
        last(&mut run, "2026-11-20T10:03:50Z");
        assert_eq!(early(&run), BY_BUDGET);
        // Ctrl-C between two blocks, long before.
        last(&mut run, "2026-11-20T10:00:20Z");
        assert_eq!(early(&run), PARTIAL);
        // And in the middle of one.
        last(&mut run, "2026-11-20T10:03:50Z");
        run.trials.pop();
        last(&mut run, "2026-11-20T10:03:49Z");
        assert_eq!(early(&run), PARTIAL);
        let mut endless = sample::run();
        endless.manifest.budget_ns = None;
        assert_eq!(early(&endless), PARTIAL);
    }
}
