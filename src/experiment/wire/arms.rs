//! The arms of a family: strategies looked up, their options multiplied out, reference and
//! placebo put in front.

use std::ops::Range;

use toml::Spanned;

use super::Read;
use super::factor::{Entries, Factor, WireStrategy};
use super::read::{Entry, Reader};
use super::unused::{Choice, settle};
use crate::experiment::{Arm, Role};
use crate::strategy;
use crate::workload::options::OptionDef;

/// A block of a family must fit into an hour.
const ARMS_MAX: usize = 500;

/// The arms in the order reference, placebo, then as in the file.
///
/// The reference is the first arm of its strategy, or is added with its options at their defaults
/// if the family does not list it.
pub fn arms(
    reader: &Reader<'_>,
    factor: &Factor<WireStrategy>,
    reference: &'static str,
) -> Read<Vec<Arm>> {
    let mut listed = listed(reader, factor)?;
    let reference = match listed.iter().position(|arm| arm.strategy == reference) {
        Some(index) => listed.remove(index),
        None => defaults(reader, reference),
    };
    let arm = |listed: &Choice, role| Arm {
        strategy: listed.strategy.to_owned(),
        options: listed.options.resolved.clone(),
        role,
    };
    let front = [Role::Reference, Role::Placebo].map(|role| arm(&reference, role));
    let others = listed.iter().map(|listed| arm(listed, Role::Arm));
    Ok(front.into_iter().chain(others).collect())
}

fn listed(reader: &Reader<'_>, factor: &Factor<WireStrategy>) -> Read<Vec<Choice>> {
    if factor.items.is_empty() {
        let message = "empty list; expected at least one strategy, or \"*\" for all";
        return Err(reader.error(factor.span.clone(), message));
    }
    let mut listed = Vec::new();
    for item in &factor.items {
        let choices = match item.get_ref() {
            WireStrategy::Name(name) if name == "*" => {
                strategy::names().into_iter().map(|name| defaults(reader, name)).collect()
            }
            WireStrategy::Name(name) => {
                let name = Spanned::new(item.span(), name.clone());
                vec![defaults(reader, reader.name(&name, "strategy", &strategy::names())?)]
            }
            WireStrategy::Table(Entries(entries)) => combinations(reader, item.span(), entries)?,
        };
        for choice in choices {
            add(reader, &mut listed, item.span(), choice)?;
        }
    }
    Ok(listed)
}

/// Adds an arm, unless an equal one is there: one that is written the same is a mistake, one that
/// merely resolves to the same on this machine is left out.
fn add(reader: &Reader<'_>, listed: &mut Vec<Choice>, span: Range<usize>, new: Choice) -> Read<()> {
    let same = || listed.iter().filter(|old| old.strategy == new.strategy);
    if same().any(|old| old.options.written == new.options.written) {
        let arm = described(&new);
        let message =
            format!("arm `{arm}` is there twice; expected it once, or with other options");
        return Err(reader.error(span, message));
    }
    if !same().any(|old| old.options.resolved == new.options.resolved) {
        listed.push(new);
    }
    if listed.len() > ARMS_MAX {
        let message =
            format!("more than {ARMS_MAX} arms in one family; expected at most that many");
        return Err(reader.error(span, message));
    }
    Ok(())
}

fn defaults(reader: &Reader<'_>, strategy: &'static str) -> Choice {
    Choice { strategy, options: reader.defaults(definitions(strategy)) }
}

/// The name of a strategy's table, and its options.
pub fn named(entries: &[Entry]) -> (Option<&Entry>, impl Iterator<Item = &Entry>) {
    let is_name = |entry: &&Entry| entry.0.get_ref() == "name";
    (entries.iter().find(is_name), entries.iter().filter(move |entry| !is_name(entry)))
}

fn combinations(reader: &Reader<'_>, span: Range<usize>, entries: &[Entry]) -> Read<Vec<Choice>> {
    let (name, given) = named(entries);
    let Some((_, name)) = name else {
        return Err(reader.error(span, "missing key `name`"));
    };
    let [name] = name.items.as_slice() else {
        return Err(reader.error(name.span.clone(), "expected one name in quotes, found a list"));
    };
    let name = Spanned::new(name.span(), name.get_ref().0.clone());
    let strategy = reader.name(&name, "strategy", &strategy::names())?;
    let defs = definitions(strategy);
    let valid: Vec<_> = defs.iter().map(|def| def.name).collect();
    let given: Vec<&Entry> = given.collect();
    for (key, _) in &given {
        reader.option(key, &format!("`{strategy}`"), &valid)?;
    }
    let combinations = reader.combinations(defs, given.iter().copied())?.into_iter();
    let choices = combinations.map(|options| Choice { strategy, options });
    settle(reader, &given, choices.collect())
}

/// The options that a strategy has.
pub fn definitions(strategy: &str) -> &'static [OptionDef] {
    strategy::by_name(strategy).map_or(&[], |kind| kind.options)
}

/// `pool workers=4`: the options that the file sets to something else than their defaults.
fn described(arm: &Choice) -> String {
    let written = |def: &OptionDef| {
        let written = arm.options.written.get(def.name).filter(|value| *value != def.default)?;
        Some(format!(" {}={written}", def.name))
    };
    let set = definitions(arm.strategy).iter().filter_map(written);
    format!("{}{}", arm.strategy, set.collect::<String>())
}
