//! What cannot be compared, and what to do instead.

use crate::record::Run;

use super::super::analyse::Analysed;
use super::super::memory::MemorySummary;
use super::Side;
use super::pairing::Matched;
use super::super::format;

/// Why two runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// One and the same.
    #[error("A and B are the same run, `{run_id}`; name two different ones")]
    SameRun {
        /// Of both.
        run_id: String,
    },
    /// Files of two layouts.
    #[error(
        "A's files have schema version {}, B's {}, so that columns may mean other things; \
         measure both with one forkbench", .found[0], .found[1]
    )]
    Schemas {
        /// Of A and B.
        found: [u32; 2],
    },
    /// Two questions.
    #[error(
        "A is a run of the experiment `{}`, B of `{}`; compare two runs of one experiment: \
         `forkbench run {}` on both", .found[0], .found[1], .found[0]
    )]
    Experiments {
        /// Of A and B.
        found: [String; 2],
    },
    /// Ratios to different strategies.
    #[error(
        "ratios are to `{}` in A and to `{}` in B; run the experiment with one `reference` on both",
        .found[0], .found[1]
    )]
    References {
        /// Of A and B.
        found: [String; 2],
    },
    /// Nothing that was measured may be used.
    #[error("{side} (`{run_id}`) has no usable trial: {reason}")]
    NothingUsable {
        /// `A` or `B`.
        side: &'static str,
        /// Its name.
        run_id: String,
        /// Why, with what to do.
        reason: String,
    },
    /// Each has something, but not the same.
    #[error("A and B have no arm of any family in common that could be compared: {reason}")]
    NothingInCommon {
        /// What each has, and what to do.
        reason: String,
    },
}

/// What the manifests alone decide.
pub fn check([a, b]: [&Run; 2]) -> Result<(), Incomparable> {
    let (a, b) = (&a.manifest, &b.manifest);
    // A copy in another directory is the same run, and one that was resumed since.
    if a.run_id == b.run_id && a.started_utc == b.started_utc {
        let run_id = a.run_id.clone();
        return Err(Incomparable::SameRun { run_id });
    }
    if a.schema_version != b.schema_version {
        let found = [a.schema_version, b.schema_version];
        return Err(Incomparable::Schemas { found });
    }
    if a.experiment != b.experiment {
        let found = [a.experiment.clone(), b.experiment.clone()];
        return Err(Incomparable::Experiments { found });
    }
    if a.reference != b.reference {
        let found = [a.reference.clone(), b.reference.clone()];
        return Err(Incomparable::References { found });
    }
    Ok(())
}

/// That both have measured something.
pub fn check_usable(
    runs: [&Run; 2],
    families: &[Vec<Analysed<'_>>; 2],
    memories: &[MemorySummary; 2],
) -> Result<(), Incomparable> {
    for (place, (side, run)) in Side::BOTH.into_iter().zip(runs).enumerate() {
        let mut arms = families[place].iter().flat_map(|family| &family.rows.arms);
        let groups = memories[place].groups.iter();
        let mut series = groups.flat_map(|group| &group.series);
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
        return Err(Incomparable::NothingUsable {
            side: side.letter(),
            run_id: run.manifest.run_id.clone(),
            reason,
        });
    }
    Ok(())
}

/// Reasons for what is left out are long.
const REASONS_MAX: usize = 3;

/// That nothing could be matched, with what there was.
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
    Incomparable::NothingInCommon { reason: reasons.join("; ") }
}
