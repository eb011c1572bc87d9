//! Why two runs cannot be compared, and what to do instead.

use crate::record::Run;

use super::super::format;
use super::Side;
use super::pairing::Matched;
use crate::analysis::cells::Analysed;
use crate::analysis::memory::MemorySummary;

/// Why two runs cannot be compared, in words, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Incomparable(String);

/// What the manifests alone decide.
pub fn check([a, b]: [&Run; 2]) -> Result<(), Incomparable> {
    let (a, b) = (&a.manifest, &b.manifest);
    let refusal = if a.run_id == b.run_id && a.started_utc == b.started_utc {
        // A copy in another directory is the same run, and one that was resumed since.
        format!("A and B are the same run, `{}`; name two different ones", a.run_id)
    } else if a.schema_version != b.schema_version {
        format!(
            "A's files have schema version {}, B's {}, so that columns may mean other things; \
             measure both with one forkbench",
            a.schema_version, b.schema_version
        )
    } else if a.experiment != b.experiment {
        format!(
            "A is a run of the experiment `{0}`, B of `{1}`; compare two runs of one experiment: \
             `forkbench run {0}` on both",
            a.experiment, b.experiment
        )
    } else if a.reference != b.reference {
        format!(
            "ratios are to `{}` in A and to `{}` in B; run the experiment with one `reference` on \
             both",
            a.reference, b.reference
        )
    } else {
        return Ok(());
    };
    Err(Incomparable(refusal))
}

/// Checks that both have measured something.
pub fn check_usable(
    runs: [&Run; 2],
    families: &[Vec<Analysed<'_>>; 2],
    memories: &[MemorySummary; 2],
) -> Result<(), Incomparable> {
    for (place, (side, run)) in Side::BOTH.into_iter().zip(runs).enumerate() {
        let mut arms = families[place].iter().flat_map(|family| &family.rows.arms);
        let mut series = memories[place].groups.iter().flat_map(|group| &group.series);
        if arms.any(|arm| !arm.good.is_empty()) || series.any(|s| s.last().is_some()) {
            continue;
        }
        let reason = match run.trials.iter().find(|row| !row.reason.is_empty()) {
            None if run.trials.is_empty() => {
                "none has run to its end; go on with it by `forkbench run --resume DIR`".to_owned()
            }
            None => "see its report".to_owned(),
            Some(row) => format!("{} ({})", row.reason, row.trial_id),
        };
        let (side, run_id) = (side.letter(), &run.manifest.run_id);
        return Err(Incomparable(format!("{side} (`{run_id}`) has no usable trial: {reason}")));
    }
    Ok(())
}

/// Reasons for what is left out are long.
const REASONS_MAX: usize = 3;

/// Nothing could be matched; with what each has.
pub fn nothing_in_common(runs: [&Run; 2], matched: &Matched<'_, '_>, hint: &str) -> Incomparable {
    let mut reasons: Vec<String> = Vec::new();
    for side in Side::BOTH {
        let only = matched.only.iter().filter(|only| only.side == side);
        let names: Vec<String> = only.map(|only| format!("`{}`", only.name)).collect();
        if !names.is_empty() {
            reasons.push(format!("{} alone has {}", side.letter(), format::few(&names, ", ")));
        }
    }
    let left = matched.left.iter().take(REASONS_MAX);
    reasons.extend(left.map(|left| format!("{}: {}", left.name, left.reason)));
    reasons.push(match hint {
        "" => format!("run `forkbench {}` on both", runs[0].manifest.arguments.join(" ")),
        hint => hint.to_owned(),
    });
    let reasons = reasons.join("; ");
    Incomparable(format!(
        "A and B have no arm of any family in common that could be compared: {reasons}"
    ))
}
