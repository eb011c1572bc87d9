//! The arms of a family: strategies looked up, their options multiplied out, reference and
//! placebo put in front.

use std::ops::Range;

use super::WireError;
use super::expand::strategy_names;
use super::factor::{Entries, Factor, WireStrategy};
use super::read::Reader;
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
pub(super) fn arms(
    reader: &Reader<'_>,
    factor: &Factor<WireStrategy>,
    reference: &'static str,
) -> Result<Vec<Arm>, WireError> {
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

fn listed(reader: &Reader<'_>, factor: &Factor<WireStrategy>) -> Result<Vec<Choice>, WireError> {
    let names = strategy_names();
    if factor.items.is_empty() {
        let message = "empty list; expected at least one strategy, or \"*\" for all";
        return Err(reader.error(factor.span.clone(), message));
    }
    let mut listed = Vec::new();
    for item in &factor.items {
        match item.get_ref() {
            WireStrategy::Name(name) if name == "*" => {
                for &name in &names {
                    let new = defaults(reader, name);
                    add(reader, &mut listed, item.span(), new)?;
                }
            }
            WireStrategy::Name(name) => {
                let name = toml::Spanned::new(item.span(), name.clone());
                let name = reader.name(&name, "strategy", &names)?;
                let new = defaults(reader, name);
                add(reader, &mut listed, item.span(), new)?;
            }
            WireStrategy::Table { name, options } => {
                let strategy = reader.name(name, "strategy", &names)?;
                for new in combinations(reader, strategy, options)? {
                    add(reader, &mut listed, item.span(), new)?;
                }
            }
        }
    }
    Ok(listed)
}

/// Adds an arm, unless an equal one is there: one that is written the same is a mistake, one that
/// merely resolves to the same on this machine is left out.
fn add(
    reader: &Reader<'_>,
    listed: &mut Vec<Choice>,
    span: Range<usize>,
    new: Choice,
) -> Result<(), WireError> {
    let mut same = listed.iter().filter(|old| old.strategy == new.strategy);
    if same.any(|old| old.options.written == new.options.written) {
        let message = format!(
            "arm `{}` is there twice; expected it once, or with other options",
            described(&new)
        );
        return Err(reader.error(span, message));
    }
    let mut same = listed.iter().filter(|old| old.strategy == new.strategy);
    if !same.any(|old| old.options.resolved == new.options.resolved) {
        listed.push(new);
    }
    if listed.len() > ARMS_MAX {
        let message = format!("more than {ARMS_MAX} arms in one family; expected at most so many");
        return Err(reader.error(span, message));
    }
    Ok(())
}

fn defaults(reader: &Reader<'_>, strategy: &'static str) -> Choice {
    Choice { strategy, options: reader.defaults(definitions(strategy)) }
}

fn combinations(
    reader: &Reader<'_>,
    strategy: &'static str,
    given: &Entries<Factor<super::factor::Scalar>>,
) -> Result<Vec<Choice>, WireError> {
    let defs = definitions(strategy);
    let valid: Vec<_> = defs.iter().map(|def| def.name).collect();
    for (key, _) in &given.0 {
        reader.option(key, &format!("`{strategy}`"), &valid)?;
    }
    let combinations = reader.combinations(defs, &given.0)?.into_iter();
    let choices = combinations.map(|options| Choice { strategy, options });
    settle(reader, &given.0, choices.collect())
}

pub(super) fn definitions(strategy: &str) -> &'static [OptionDef] {
    strategy::by_name(strategy).map_or(&[], |kind| kind.options)
}

/// `pool workers=4`: the options that the file sets to something else than their defaults.
fn described(arm: &Choice) -> String {
    let mut text = arm.strategy.to_owned();
    for def in definitions(arm.strategy) {
        match arm.options.written.get(def.name) {
            Some(written) if written != def.default => {
                text.push_str(&format!(" {}={written}", def.name));
            }
            _ => {}
        }
    }
    text
}
