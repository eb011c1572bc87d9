//! Single factors: names looked up, numbers bounded, options resolved, each error at its place.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::factor::{Count, Factor, Number, Scalar};
use super::{Read, Source, WireError};
use crate::experiment::nearest::{nearest, unknown};
use crate::protocol::words::Word;
use crate::workload::options::{self, OptionDef, Options, Values};

/// What any part of the file needs to be read.
pub struct Reader<'a> {
    pub source: Source<'a>,
    /// For multiples such as `"2x"`; at least 1.
    pub cores: u32,
    /// Of the run; families may fix their own.
    pub seed: u64,
}

/// A value as the file writes it and as it is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    pub written: String,
    pub resolved: String,
}

/// One choice of a value for every option that is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    pub written: Options,
    pub resolved: Options,
}

/// Of one factor; none of them has as many levels.
const LIST_MAX: usize = 4096;

/// Of the options of one strategy or workload. Checked before they are made: lists multiply.
const COMBINATIONS_MAX: usize = 500;

/// An option's name and values.
pub type Entry = (Spanned<String>, Factor<Scalar>);

impl Reader<'_> {
    /// An error at the beginning of the span.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> WireError {
        self.source.error(Some(span), message)
    }

    /// One name out of the valid ones.
    pub fn name<'v>(&self, name: &Spanned<String>, what: &str, valid: &[&'v str]) -> Read<&'v str> {
        let text = name.get_ref();
        let found = valid.iter().find(|valid| *valid == text);
        found.copied().ok_or_else(|| self.error(name.span(), unknown(what, text, valid)))
    }

    /// The name of an option that `owner` has.
    pub fn option(&self, key: &Spanned<String>, owner: &str, valid: &[&str]) -> Read<()> {
        if valid.is_empty() {
            let message = format!("{owner} takes no options, found `{}`", key.get_ref());
            return Err(self.error(key.span(), message));
        }
        self.name(key, "option", valid).map(drop)
    }

    /// What `read` makes of each item, with the text by which two are the same: at least one, none
    /// twice.
    fn list<S, T>(
        &self,
        factor: &Factor<S>,
        what: &str,
        read: impl Fn(&Spanned<S>) -> Read<Vec<(String, T)>>,
    ) -> Read<Vec<T>> {
        let found = factor.items.len();
        if found == 0 {
            let message = format!("empty list; expected at least one {what}");
            return Err(self.error(factor.span.clone(), message));
        }
        if found > LIST_MAX {
            let message = format!("a list of {found} values; expected at most {LIST_MAX}");
            return Err(self.error(factor.span.clone(), message));
        }
        let mut seen = HashSet::new();
        let mut values = Vec::new();
        for item in &factor.items {
            for (text, value) in read(item)? {
                if seen.contains(&text) {
                    let message = format!("`{text}` is there twice; expected it once");
                    return Err(self.error(item.span(), message));
                }
                seen.insert(text);
                values.push(value);
            }
        }
        Ok(values)
    }

    /// Names out of the valid ones, `*` standing for `all`.
    pub fn names<'v>(
        &self,
        factor: &Factor<String>,
        what: &str,
        valid: &[&'v str],
        all: &[&'v str],
    ) -> Read<Vec<&'v str>> {
        let keyed = |name: &'v str| (name.to_owned(), name);
        self.list(factor, what, |item| match item.get_ref().as_str() {
            "*" => Ok(all.iter().copied().map(keyed).collect()),
            _ => Ok(vec![keyed(self.name(item, what, valid)?)]),
        })
    }

    /// Values of an enum, `*` standing for all; its default where the factor is missing.
    pub fn words<W: Word>(
        &self,
        factor: Option<&Factor<String>>,
        what: &str,
        default: W,
    ) -> Read<Vec<W>> {
        let Some(factor) = factor else {
            return Ok(vec![default]);
        };
        let valid: Vec<_> = W::WORDS.iter().map(|value| value.word()).collect();
        let names = self.names(factor, what, &valid, &valid)?;
        let value = |name: &str| W::WORDS.iter().copied().find(|value| value.word() == name);
        Ok(names.into_iter().filter_map(value).collect())
    }

    /// Whole numbers from 0 to `max`.
    pub fn counts(&self, factor: &Factor<Count>, what: &str, max: u64) -> Read<Vec<u64>> {
        self.list(factor, "value", |item| match item.get_ref().0 {
            count if count <= max => Ok(vec![(count.to_string(), count)]),
            count => {
                let message = format!("{count} {what} are too many; expected at most {max}");
                Err(self.error(item.span(), message))
            }
        })
    }

    /// The same, or 0 where the factor is missing.
    pub fn counts_or_0(
        &self,
        factor: Option<&Factor<Count>>,
        what: &str,
        max: u64,
    ) -> Read<Vec<u64>> {
        factor.map_or(Ok(vec![0]), |factor| self.counts(factor, what, max))
    }

    /// Numbers above 0 and up to `max`.
    pub fn numbers(&self, factor: &Factor<Number>, name: &str, max: f64) -> Read<Vec<f64>> {
        self.list(factor, "value", |item| match item.get_ref().0 {
            number if number > 0.0 && number <= max => Ok(vec![(number.to_string(), number)]),
            number => {
                let message =
                    format!("`{name}` is `{number}`; expected a number above 0, at most {max}");
                Err(self.error(item.span(), message))
            }
        })
    }

    /// Values of one option. The same text twice is a mistake. Two texts that are the same number
    /// on this machine (`2` and `"1x"` on two cores) are merged: the file is right on others.
    pub fn values(&self, factor: &Factor<Scalar>, name: &str, valid: &Values) -> Read<Vec<Value>> {
        let mut values = self.list(factor, "value", |item| {
            let written = item.get_ref().0.clone();
            let resolved = valid
                .resolve(&written, self.cores)
                .ok_or_else(|| self.error(item.span(), invalid(name, &written, valid)))?;
            Ok(vec![(written.clone(), Value { written, resolved })])
        })?;
        let mut seen = HashSet::new();
        values.retain(|value| seen.insert(value.resolved.clone()));
        Ok(values)
    }

    /// Every combination of the options given, the last one changing fastest; other options stay at
    /// their defaults.
    pub fn combinations<'e>(
        &self,
        defs: &[OptionDef],
        given: impl IntoIterator<Item = &'e Entry>,
    ) -> Read<Vec<Combination>> {
        let valid: Vec<_> = defs.iter().map(|def| def.name).collect();
        let mut combinations = vec![self.defaults(defs)];
        for (key, factor) in given {
            self.name(key, "option", &valid)?;
            for def in defs.iter().filter(|def| def.name == key.get_ref()) {
                let values = self.values(factor, def.name, &def.values)?;
                let count = combinations.len().saturating_mul(values.len());
                if count > COMBINATIONS_MAX {
                    let message = format!(
                        "the options multiply to {count} combinations or more; expected at most \
                         {COMBINATIONS_MAX}"
                    );
                    return Err(self.error(key.span(), message));
                }
                let with_each = |old: &Combination| {
                    values.iter().map(|value| with(old, def, value)).collect::<Vec<_>>()
                };
                combinations = combinations.iter().flat_map(with_each).collect();
            }
        }
        Ok(combinations)
    }

    /// Every option at its default.
    pub fn defaults(&self, defs: &[OptionDef]) -> Combination {
        let written: Options =
            defs.iter().map(|def| (def.name.to_owned(), def.default.to_owned())).collect();
        let resolved = options::resolve(defs, &Options::new(), self.cores);
        // A default that does not resolve is a mistake in a registry; a test finds it.
        Combination { resolved: resolved.unwrap_or_else(|_| written.clone()), written }
    }
}

fn with(combination: &Combination, def: &OptionDef, value: &Value) -> Combination {
    let mut combination = combination.clone();
    combination.written.insert(def.name.to_owned(), value.written.clone());
    combination.resolved.insert(def.name.to_owned(), value.resolved.clone());
    combination
}

/// ``workers is `0`; expected a whole number from 1 to 4096``, with the nearest word where words
/// are valid.
fn invalid(name: &str, text: &str, valid: &Values) -> String {
    let meant = match valid {
        Values::Word(words) => nearest(text, words),
        _ => None,
    };
    let meant = meant.map_or_else(String::new, |word| format!("did you mean `{word}`? "));
    format!("`{name}` is `{text}`; {meant}expected {}", valid.describe())
}

#[cfg(test)]
mod tests {
    use crate::workload::options::{self, Options};
    use crate::{strategy, workload};

    #[test]
    fn every_default_in_the_registries_is_valid() {
        let workloads = workload::ALL.iter().map(|w| (w.name(), w.options()));
        let strategies = strategy::ALL.iter().map(|s| (s.name, s.options));
        for (name, defs) in workloads.chain(strategies) {
            for cores in [1, 2, 64] {
                let resolved = options::resolve(defs, &Options::new(), cores);
                assert!(resolved.is_ok(), "{name}: {resolved:?}");
            }
        }
    }
}
