//! Options that have no effect where they stand. A value that nothing of its family uses is
//! refused. Where a part of the family uses it the rest is left at the default, so that no row
//! records an option as used which was not.

use toml::Spanned;

use super::WireError;
use super::arms::definitions;
use super::expand::{Draft, WORKERS};
use super::factor::{Entries, Factor, Scalar, WireStrategy};
use super::read::{Combination, Reader};
use crate::experiment::{Load, runtime};
use crate::workload::options::OptionDef;

type Entry = (Spanned<String>, Factor<Scalar>);

/// What options are set on.
pub(super) trait Settings {
    /// Those that it has.
    fn definitions(&self) -> &'static [OptionDef];

    /// The value of an option, or of what else an option may depend on.
    fn setting(&self, name: &str) -> String;

    fn reset(&mut self, def: &OptionDef, default: String);

    fn is_same(&self, other: &Self) -> bool;
}

impl Settings for Draft {
    fn definitions(&self) -> &'static [OptionDef] {
        self.workload.options()
    }

    fn setting(&self, name: &str) -> String {
        let spec = &self.family.spec;
        match name {
            "size" => spec.size.name().to_owned(),
            "ballast_mib" => (self.family.ballast_bytes >> 20).to_string(),
            option => spec.options.get(option).cloned().unwrap_or_default(),
        }
    }

    fn reset(&mut self, def: &OptionDef, default: String) {
        self.family.spec.options.insert(def.name.to_owned(), default);
    }

    fn is_same(&self, other: &Draft) -> bool {
        (&self.family, self.seed) == (&other.family, other.seed)
    }
}

/// A strategy with one choice of its options.
pub(super) struct Choice {
    pub(super) strategy: &'static str,
    pub(super) options: Combination,
}

impl Settings for Choice {
    fn definitions(&self) -> &'static [OptionDef] {
        definitions(self.strategy)
    }

    fn setting(&self, name: &str) -> String {
        self.options.resolved.get(name).cloned().unwrap_or_default()
    }

    fn reset(&mut self, def: &OptionDef, default: String) {
        self.options.written.insert(def.name.to_owned(), def.default.to_owned());
        self.options.resolved.insert(def.name.to_owned(), default);
    }

    fn is_same(&self, other: &Choice) -> bool {
        self.options == other.options
    }
}

/// Refuses each value that none of these uses, and leaves the others at their defaults where they
/// have no effect. What is then the same is there once.
pub(super) fn settle<T: Settings>(
    reader: &Reader<'_>,
    given: &[Entry],
    mut all: Vec<T>,
) -> Result<Vec<T>, WireError> {
    for (key, factor) in given {
        for value in &factor.items {
            check(reader, key.get_ref(), value, &all)?;
        }
    }
    let mut is_changed = false;
    for one in &mut all {
        for def in one.definitions() {
            let default = default(reader, def);
            let value = one.setting(def.name);
            if value != default && def.used.reason(&value, |name| one.setting(name)).is_some() {
                one.reset(def, default);
                is_changed = true;
            }
        }
    }
    // Only then are some the same.
    if !is_changed {
        return Ok(all);
    }
    let mut settled: Vec<T> = Vec::with_capacity(all.len());
    for one in all {
        if !settled.iter().any(|other| other.is_same(&one)) {
            settled.push(one);
        }
    }
    Ok(settled)
}

fn check<T: Settings>(
    reader: &Reader<'_>,
    name: &str,
    value: &Spanned<Scalar>,
    all: &[T],
) -> Result<(), WireError> {
    let mut unused = None;
    for one in all {
        let Some(def) = one.definitions().iter().find(|def| def.name == name) else { continue };
        let text = &value.get_ref().0;
        let resolved = def.values.resolve(text, reader.cores);
        if resolved.as_deref() != Some(&one.setting(name)) {
            continue;
        }
        let is_default = resolved.as_ref() == Some(&default(reader, def));
        match def.used.reason(text, |name| one.setting(name)).filter(|_| !is_default) {
            None => return Ok(()),
            Some(reason) => unused = Some(reason),
        }
    }
    unused.map_or(Ok(()), |reason| Err(no_effect(reader, name, value, &reason)))
}

fn default(reader: &Reader<'_>, def: &OptionDef) -> String {
    def.values.resolve(def.default, reader.cores).unwrap_or_else(|| def.default.to_owned())
}

fn no_effect(reader: &Reader<'_>, name: &str, value: &Spanned<Scalar>, reason: &str) -> WireError {
    let text = &value.get_ref().0;
    let message = format!("`{name}` is `{text}` and has no effect: {reason}; leave it out");
    reader.error(value.span(), message)
}

/// Refuses the options of strategies that none of the family's runtimes has, and workers of which
/// the load says how many there are.
pub(super) fn check_strategies(
    reader: &Reader<'_>,
    strategies: &Factor<WireStrategy>,
    runtimes: &[&str],
    loads: &[Load],
) -> Result<(), WireError> {
    let is_counted = loads.iter().all(|load| load.children().is_some());
    for item in &strategies.items {
        let WireStrategy::Table { name, options: Entries(options) } = item.get_ref() else {
            continue;
        };
        for (key, factor) in options {
            let takes = |runtime: &runtime::Runtime| runtime.takes(name.get_ref(), key.get_ref());
            let mut own = runtime::ALL.iter().filter(|runtime| runtimes.contains(&runtime.name));
            let reason = if !own.any(takes) {
                let all = runtime::ALL.iter().filter(|runtime| takes(runtime));
                let names: Vec<&str> = all.map(|runtime| runtime.name).collect();
                format!("only {} has it, and runtime is {}", names.join(", "), runtimes.join(", "))
            } else if is_counted && key.get_ref() == WORKERS {
                "in a memory trial there are as many as `children` of the load says".to_owned()
            } else {
                continue;
            };
            // An empty list was refused before.
            if let Some(value) = factor.items.first() {
                return Err(no_effect(reader, key.get_ref(), value, &reason));
            }
        }
    }
    Ok(())
}
