//! Options that have no effect where they stand. A value that nothing of its family uses is
//! refused. Where a part of the family uses it, the rest is left at the default, so that no row
//! records an option as used which was not.

use toml::Spanned;

use super::arms::{definitions, named};
use super::expand::{Draft, WORKERS};
use super::factor::{Entries, Factor, Scalar, WireStrategy};
use super::read::{Combination, Entry, Reader};
use super::{Read, WireError};
use crate::experiment::{Load, runtime};
use crate::workload::options::OptionDef;

/// What options are set on.
pub trait Settings: PartialEq {
    /// The options that it has.
    fn definitions(&self) -> &'static [OptionDef];

    /// The value of an option, or of what else an option may depend on.
    fn setting(&self, name: &str) -> String;

    fn reset(&mut self, def: &OptionDef, default: String);
}

impl Settings for Draft {
    fn definitions(&self) -> &'static [OptionDef] {
        self.workload().options()
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
}

/// A strategy with one choice of its options.
#[derive(PartialEq)]
pub struct Choice {
    pub strategy: &'static str,
    pub options: Combination,
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
}

/// Refuses each value that none of these uses, and leaves the others at their defaults where they
/// have no effect. Each of the equal ones that result is there once.
pub fn settle<T: Settings>(reader: &Reader<'_>, given: &[&Entry], mut all: Vec<T>) -> Read<Vec<T>> {
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
    // Only then are some equal.
    if !is_changed {
        return Ok(all);
    }
    let mut settled: Vec<T> = Vec::with_capacity(all.len());
    for one in all {
        if !settled.contains(&one) {
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
) -> Read<()> {
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

/// Refuses options of strategies that none of the family's runtimes has, and the number of workers
/// where the load gives it.
pub fn check_strategies(
    reader: &Reader<'_>,
    strategies: &Factor<WireStrategy>,
    runtimes: &[&str],
    loads: &[Load],
) -> Read<()> {
    let is_counted = loads.iter().all(|load| load.children().is_some());
    for item in &strategies.items {
        let WireStrategy::Table(Entries(entries)) = item.get_ref() else { continue };
        let (name, options) = named(entries);
        let strategy = name.and_then(|(_, name)| name.items.first());
        let strategy = strategy.map_or("", |name| name.get_ref().0.as_str());
        for (key, factor) in options {
            let option = key.get_ref();
            let takes = |name: &&str| {
                runtime::by_name(name).is_some_and(|runtime| runtime.takes(strategy, option))
            };
            let reason = if !runtimes.iter().any(&takes) {
                let takers: Vec<_> = runtime::names().into_iter().filter(&takes).collect();
                format!("only {} has it, and runtime is {}", takers.join(", "), runtimes.join(", "))
            } else if is_counted && option == WORKERS {
                "in a memory trial `children` of the load is their number".to_owned()
            } else {
                continue;
            };
            // An empty list was refused before.
            if let Some(value) = factor.items.first() {
                return Err(no_effect(reader, option, value, &reason));
            }
        }
    }
    Ok(())
}
