//! `[[demonstration]]`: names and runtimes looked up and multiplied out.

use super::read::Reader;
use super::{Read, WireDemonstration, WireExperiment};
use crate::experiment::demonstration::{self, Kind};
use crate::experiment::{Demonstration, runtime};

/// All of the file's, in its order; none where it has none.
pub fn demonstrations(reader: &Reader<'_>, wire: &WireExperiment) -> Read<Vec<Demonstration>> {
    let mut all: Vec<Demonstration> = Vec::new();
    for table in &wire.demonstration {
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
fn expand(reader: &Reader<'_>, wire: &WireDemonstration) -> Read<Vec<Demonstration>> {
    let valid: Vec<_> = demonstration::ALL.iter().map(|kind| kind.name).collect();
    let names = reader.names(&wire.name, "demonstration", &valid, &valid)?;
    let kinds: Vec<&Kind> = names.into_iter().filter_map(demonstration::by_name).collect();
    let mut runtimes = runtime::names();
    if let Some(factor) = &wire.runtime {
        runtimes = reader.names(factor, "runtime", &runtimes, &runtimes)?;
        if let Some(message) = unused(&kinds, &runtimes) {
            return Err(reader.error(factor.span.clone(), message));
        }
    }
    let mut all = Vec::new();
    for kind in kinds {
        let wanted = kind.runtimes.iter().filter(|(name, _)| runtimes.contains(name));
        all.extend(wanted.map(|(runtime, _)| Demonstration {
            name: kind.name.to_owned(),
            runtime: (*runtime).to_owned(),
        }));
    }
    Ok(all)
}

/// A demonstration that none of the listed runtimes has is a mistake, and so is a runtime that has
/// none of the demonstrations. Together with others, the combinations that do not exist are left
/// out.
fn unused(kinds: &[&Kind], runtimes: &[&str]) -> Option<String> {
    let is_anywhere = |kind: &Kind| runtimes.iter().any(|runtime| kind.is_in(runtime));
    if let Some(kind) = kinds.iter().find(|kind| !is_anywhere(kind)) {
        let has: Vec<_> = kind.runtimes.iter().map(|(name, _)| *name).collect();
        let (name, has) = (kind.name, has.join(", "));
        return Some(format!("demonstration `{name}` is in {has} only; expected one of these"));
    }
    let has_any = |runtime: &str| kinds.iter().any(|kind| kind.is_in(runtime));
    let idle = runtimes.iter().find(|runtime| !has_any(runtime))?;
    Some(format!("`{idle}` has none of these demonstrations; leave it out"))
}
