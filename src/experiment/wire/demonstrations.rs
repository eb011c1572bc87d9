//! `[[demonstration]]`: names and runtimes looked up and multiplied out.

use super::read::Reader;
use super::{WireDemonstration, WireError, WireExperiment};
use crate::experiment::demonstration::{self, Kind};
use crate::experiment::{Demonstration, runtime};

/// All of the file's, in its order; none where it has none.
pub(super) fn demonstrations(
    reader: &Reader<'_>,
    wire: &WireExperiment,
) -> Result<Vec<Demonstration>, WireError> {
    let mut all: Vec<Demonstration> = Vec::new();
    let tables = wire.demonstration.iter();
    for table in tables.flat_map(|tables| &tables.get_ref().0) {
        for new in expand(reader, table.get_ref())? {
            if all.contains(&new) {
                let message = format!(
                    "demonstration `{}` in `{}` is there twice; expected it once",
                    new.name, new.runtime
                );
                return Err(reader.error(table.span(), message));
            }
            all.push(new);
        }
    }
    Ok(all)
}

/// Every name in every runtime that has it: in all of them, or in those that are listed.
fn expand(reader: &Reader<'_>, wire: &WireDemonstration) -> Result<Vec<Demonstration>, WireError> {
    let valid: Vec<_> = demonstration::ALL.iter().map(|kind| kind.name).collect();
    let names = reader.names(&wire.name, "demonstration", &valid, &valid)?;
    let kinds: Vec<&Kind> = names.into_iter().filter_map(demonstration::by_name).collect();
    let valid: Vec<_> = runtime::ALL.iter().map(|runtime| runtime.name).collect();
    let runtimes = match &wire.runtime {
        None => valid,
        Some(factor) => {
            let listed = reader.names(factor, "runtime", &valid, &valid)?;
            check_all_used(reader, &kinds, factor.span.clone(), &listed)?;
            listed
        }
    };
    let in_runtimes = |kind: &&'static Kind| {
        let name = kind.name;
        let has = kind.runtimes.iter().map(|(runtime, _)| *runtime);
        let wanted = has.filter(|runtime| runtimes.contains(runtime));
        let one =
            |runtime: &str| Demonstration { name: name.to_owned(), runtime: runtime.to_owned() };
        wanted.map(one).collect::<Vec<_>>()
    };
    Ok(kinds.iter().flat_map(in_runtimes).collect())
}

/// A demonstration that none of the listed runtimes has is a mistake, and so is a runtime that has
/// none of the demonstrations; beside others, what is not there is left out.
fn check_all_used(
    reader: &Reader<'_>,
    kinds: &[&Kind],
    span: std::ops::Range<usize>,
    runtimes: &[&str],
) -> Result<(), WireError> {
    if let Some(kind) =
        kinds.iter().find(|kind| !runtimes.iter().any(|runtime| kind.is_in(runtime)))
    {
        let has: Vec<_> = kind.runtimes.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "demonstration `{}` is in {} only; expected one of these",
            kind.name,
            has.join(", ")
        );
        return Err(reader.error(span, message));
    }
    let mut runtimes = runtimes.iter();
    match runtimes.find(|runtime| !kinds.iter().any(|kind| kind.is_in(runtime))) {
        Some(runtime) => {
            let message = format!("`{runtime}` has none of these demonstrations; leave it out");
            Err(reader.error(span, message))
        }
        None => Ok(()),
    }
}
