//! Single factors: names looked up, numbers bounded, options resolved, each error at its place.

use std::ops::Range;

use toml::Spanned;

use super::factor::{Count, Factor, Number, Scalar};
use super::{Source, WireError};
use crate::experiment::nearest::{nearest, unknown};
use crate::workload::options::{self, OptionDef, Options, Values};

/// What is needed to read any part of the file.
pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    /// For multiples such as `"2x"`; at least 1.
    pub(super) cores: u32,
    /// Of the run; families may fix their own.
    pub(super) seed: u64,
}

/// A value as the file says it and as it is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) written: String,
    pub(super) resolved: String,
}

/// One choice of a value for every option that is defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Combination {
    pub(super) written: Options,
    pub(super) resolved: Options,
}

/// Of one factor; none of them has as many levels.
const LIST_MAX: usize = 4096;

/// Of the options of one strategy or workload. Checked before they are made: lists multiply.
const COMBINATIONS_MAX: usize = 500;

type Entry = (Spanned<String>, Factor<Scalar>);

impl Reader<'_> {
    /// An error at the beginning of the span.
    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> WireError {
        self.source.error(Some(span), message)
    }

    /// One name out of the valid ones.
    pub(super) fn name<'v>(
        &self,
        name: &Spanned<String>,
        what: &str,
        valid: &[&'v str],
    ) -> Result<&'v str, WireError> {
        let text = name.get_ref();
        let found = valid.iter().find(|valid| *valid == text);
        found.copied().ok_or_else(|| self.error(name.span(), unknown(what, text, valid)))
    }

    /// The name of an option that `owner` has.
    pub(super) fn option(
        &self,
        key: &Spanned<String>,
        owner: &str,
        valid: &[&str],
    ) -> Result<(), WireError> {
        if valid.is_empty() {
            let message = format!("{owner} takes no options, found `{}`", key.get_ref());
            return Err(self.error(key.span(), message));
        }
        self.name(key, "option", valid).map(|_| ())
    }

    /// Names out of the valid ones, `*` standing for `all`; none twice, at least one.
    pub(super) fn names<'v>(
        &self,
        factor: &Factor<String>,
        what: &str,
        valid: &[&'v str],
        all: &[&'v str],
    ) -> Result<Vec<&'v str>, WireError> {
        self.check_length(factor, what)?;
        let mut names = Vec::new();
        for item in &factor.items {
            let new = match item.get_ref().as_str() {
                "*" => all.to_vec(),
                _ => vec![self.name(item, what, valid)?],
            };
            for name in new {
                if names.contains(&name) {
                    return Err(self.twice(item.span(), name));
                }
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Whole numbers from 0 to `max`, none twice, at least one.
    pub(super) fn counts(
        &self,
        factor: &Factor<Count>,
        what: &str,
        max: u64,
    ) -> Result<Vec<u64>, WireError> {
        self.check_length(factor, "value")?;
        let mut counts = Vec::new();
        for item in &factor.items {
            let count = item.get_ref().0;
            if count > max {
                let message = format!("{count} {what} are too many; expected at most {max}");
                return Err(self.error(item.span(), message));
            }
            if counts.contains(&count) {
                return Err(self.twice(item.span(), &count.to_string()));
            }
            counts.push(count);
        }
        Ok(counts)
    }

    /// Numbers above 0 and up to `max`, none twice, at least one.
    pub(super) fn numbers(
        &self,
        factor: &Factor<Number>,
        name: &str,
        max: f64,
    ) -> Result<Vec<f64>, WireError> {
        self.check_length(factor, "value")?;
        let mut numbers = Vec::new();
        for item in &factor.items {
            let number = item.get_ref().0;
            // Not a number is not within any bounds.
            if !(number > 0.0 && number <= max) {
                let message =
                    format!("`{name}` is `{number}`; expected a number above 0, at most {max}");
                return Err(self.error(item.span(), message));
            }
            if numbers.contains(&number) {
                return Err(self.twice(item.span(), &number.to_string()));
            }
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// Values of one option, at least one. The same text twice is a mistake; two texts that are
    /// the same number on this machine (`2` and `"1x"` on two cores) are merged, because the file
    /// is right on others.
    pub(super) fn values(
        &self,
        factor: &Factor<Scalar>,
        name: &str,
        valid: &Values,
    ) -> Result<Vec<Value>, WireError> {
        self.check_length(factor, "value")?;
        let mut values: Vec<Value> = Vec::new();
        let mut written: Vec<&str> = Vec::new();
        for item in &factor.items {
            let text = item.get_ref().0.as_str();
            let Some(resolved) = valid.resolve(text, self.cores) else {
                return Err(self.error(item.span(), invalid(name, text, valid)));
            };
            if written.contains(&text) {
                return Err(self.twice(item.span(), text));
            }
            written.push(text);
            if values.iter().all(|value| value.resolved != resolved) {
                values.push(Value { written: text.to_owned(), resolved });
            }
        }
        Ok(values)
    }

    /// Every combination of the options given, the last one changing fastest; options that are not
    /// given stay at their defaults.
    pub(super) fn combinations<'e>(
        &self,
        defs: &[OptionDef],
        given: impl IntoIterator<Item = &'e Entry>,
    ) -> Result<Vec<Combination>, WireError> {
        let mut combinations = vec![self.defaults(defs)];
        for (key, factor) in given {
            let Some(def) = defs.iter().find(|def| def.name == key.get_ref()) else {
                let valid: Vec<_> = defs.iter().map(|def| def.name).collect();
                return Err(self.error(key.span(), unknown("option", key.get_ref(), &valid)));
            };
            let values = self.values(factor, def.name, &def.values)?;
            let count = combinations.len().saturating_mul(values.len());
            if count > COMBINATIONS_MAX {
                let message = format!(
                    "the options multiply to {count} combinations or more; expected at most \
                     {COMBINATIONS_MAX}"
                );
                return Err(self.error(key.span(), message));
            }
            combinations = combinations
                .iter()
                .flat_map(|combination| values.iter().map(|value| with(combination, def, value)))
                .collect();
        }
        Ok(combinations)
    }

    /// Every option at its default.
    pub(super) fn defaults(&self, defs: &[OptionDef]) -> Combination {
        let written: Options =
            defs.iter().map(|def| (def.name.to_owned(), def.default.to_owned())).collect();
        let resolved = options::resolve(defs, &Options::new(), self.cores);
        Combination {
            // A default that does not resolve is a mistake in a registry, which a test finds.
            resolved: resolved.unwrap_or_else(|_| written.clone()),
            written,
        }
    }

    fn check_length<T>(&self, factor: &Factor<T>, what: &str) -> Result<(), WireError> {
        if factor.items.is_empty() {
            let message = format!("empty list; expected at least one {what}");
            return Err(self.error(factor.span.clone(), message));
        }
        if factor.items.len() > LIST_MAX {
            let found = factor.items.len();
            let message = format!("a list of {found} values; expected at most {LIST_MAX}");
            return Err(self.error(factor.span.clone(), message));
        }
        Ok(())
    }

    fn twice(&self, span: Range<usize>, text: &str) -> WireError {
        self.error(span, format!("`{text}` is there twice; expected it once"))
    }
}

fn with(combination: &Combination, def: &OptionDef, value: &Value) -> Combination {
    let mut combination = combination.clone();
    let Value { written, resolved } = value.clone();
    combination.written.insert(def.name.to_owned(), written);
    combination.resolved.insert(def.name.to_owned(), resolved);
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
