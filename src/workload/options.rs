//! Options of workloads and strategies: each declares its own, and one checker reads them, so that
//! an experiment, a frame and an argument list cannot disagree on valid values.

use std::collections::BTreeMap;

/// Options by name, as text: the form in which they travel in frames, arguments and CSV cells.
pub type Options = BTreeMap<String, String>;

/// One option that a workload or strategy understands.
#[derive(Debug, Clone, Copy)]
pub struct OptionDef {
    /// As written in an experiment, snake_case.
    pub name: &'static str,
    /// The default, spelled as in an experiment.
    pub default: &'static str,
    /// Which values are valid.
    pub values: Values,
    /// One line for `forkbench list`.
    pub help: &'static str,
    /// Where it has an effect: elsewhere a file that sets it is refused.
    pub used: Used,
}

/// Declares options: `name = "default", Values::…;`, or `name = "default", Values::…, Used::…;`,
/// each with its line of help as documentation.
#[macro_export]
macro_rules! options {
    (@used) => { $crate::workload::options::Used::Always };
    (@used $used:expr) => { $used };
    ($($(#[doc = $help:literal])+ $name:ident = $default:literal, $values:expr $(, $used:expr)?;)+) => {
        [$($crate::workload::options::OptionDef {
            name: stringify!($name),
            default: $default,
            values: $values,
            help: concat!($($help),+).trim_ascii_start(),
            used: $crate::options!(@used $($used)?),
        }),+]
    };
}

/// Where an option has an effect.
#[derive(Debug, Clone, Copy)]
pub enum Used {
    /// Everywhere.
    Always,
    /// Where this setting, another option or `size`, has this value.
    Where(&'static str, &'static str),
    /// Where this other option has any value but this.
    Unless(&'static str, &'static str),
    /// Up to the number that this setting is.
    UpTo(&'static str),
    /// In no experiment, for this reason.
    Never(&'static str),
}

impl Used {
    /// Why the value has no effect among these settings; `None` if it has one.
    pub fn reason(&self, value: &str, setting: impl Fn(&str) -> String) -> Option<String> {
        match *self {
            Used::Always => None,
            Used::Where(name, wanted) => {
                let found = setting(name);
                let reason = format!("only {name} = {wanted} uses it, and {name} is {found}");
                (found != wanted).then_some(reason)
            }
            Used::Unless(name, unwanted) => {
                let reason = format!("nothing uses it while {name} is {unwanted}");
                (setting(name) == unwanted).then_some(reason)
            }
            Used::UpTo(name) => {
                let found = setting(name);
                let number = |text: &str| text.parse::<u64>().unwrap_or(0);
                let reason = format!("it uses {name} and no more, and {name} is {found}");
                (number(value) > number(&found)).then_some(reason)
            }
            Used::Never(reason) => Some(reason.to_owned()),
        }
    }
}

/// Which values an option takes.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// A whole number within bounds, both included.
    Count {
        /// The smallest valid number.
        min: u64,
        /// The largest valid number.
        max: u64,
    },
    /// A whole number within bounds, or a multiple of the cores such as `2x` or `0.5x`.
    Cores {
        /// The smallest valid number after resolving.
        min: u64,
        /// The largest valid number after resolving.
        max: u64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text without `;` or a line break (a path, a date).
    Text,
}

/// Why an option was not accepted: an unknown name or an invalid value, and what is valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OptionError(String);

impl Values {
    /// The valid values in words.
    pub fn describe(&self) -> String {
        match self {
            Values::Count { min, max } => format!("a whole number from {min} to {max}"),
            Values::Cores { min, max } => format!(
                "a whole number from {min} to {max}, or a multiple of the cores such as \"2x\""
            ),
            Values::Word(words) => format!("one of {}", words.join(", ")),
            Values::Text => "text without `;` or line breaks".to_owned(),
        }
    }

    /// The value in its resolved form (a multiple of the cores becomes a number), or `None`.
    pub fn resolve(&self, value: &str, cores: u32) -> Option<String> {
        let within = |n: u64, min: u64, max: u64| (min..=max).contains(&n).then(|| n.to_string());
        match *self {
            Values::Count { min, max } => within(value.parse().ok()?, min, max),
            Values::Cores { min, max } => within(resolve_cores(value, cores)?, min, max),
            Values::Word(words) => words.contains(&value).then(|| value.to_owned()),
            Values::Text => (!value.contains([';', '\n', '\r', '\0'])).then(|| value.to_owned()),
        }
    }
}

/// `"3"` is 3; `"2x"` is twice the cores, rounded, at least 1.
pub fn resolve_cores(value: &str, cores: u32) -> Option<u64> {
    let Some(factor) = value.strip_suffix('x') else {
        return value.parse().ok();
    };
    let factor: f64 = factor.parse().ok()?;
    if !(factor.is_finite() && factor > 0.0 && factor <= 4096.0) {
        return None;
    }
    Some(((factor * f64::from(cores)).round() as u64).max(1))
}

/// Every option that is defined, with the given values resolved and the rest at their defaults.
///
/// # Errors
/// The first name that is not defined or value that is not valid.
pub fn resolve(defs: &[OptionDef], given: &Options, cores: u32) -> Result<Options, OptionError> {
    let valid: Vec<_> = defs.iter().map(|def| def.name).collect();
    if let Some(name) = given.keys().find(|name| !valid.contains(&name.as_str())) {
        let valid = if valid.is_empty() { "none".to_owned() } else { valid.join(", ") };
        return Err(OptionError(format!("unknown option `{name}`; valid: {valid}")));
    }
    let resolved = defs.iter().map(|def| {
        let value = given.get(def.name).map_or(def.default, String::as_str);
        let resolved = def.values.resolve(value, cores).ok_or_else(|| {
            let expected = def.values.describe();
            OptionError(format!("option `{}` is `{value}`; expected {expected}", def.name))
        })?;
        Ok((def.name.to_owned(), resolved))
    });
    resolved.collect()
}

/// `serialization=json;workers=2`: the form of a CSV cell.
pub fn render(options: &Options) -> String {
    options.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(";")
}

/// The inverse of [`render`]; text without `=` is dropped.
pub fn parse(text: &str) -> Options {
    text.split(';')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect()
}

/// A whole number out of resolved options.
///
/// # Errors
/// The option is missing or no number: the sender did not resolve its options.
pub fn count(options: &Options, name: &str) -> Result<u64, String> {
    let text = options.get(name).ok_or_else(|| format!("option `{name}` is missing"))?;
    text.parse().map_err(|_| format!("option `{name}` is `{text}`; expected a whole number"))
}

/// A word out of resolved options.
///
/// # Errors
/// The option is missing.
pub fn word<'a>(options: &'a Options, name: &str) -> Result<&'a str, String> {
    options.get(name).map(String::as_str).ok_or_else(|| format!("option `{name}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFS: &[OptionDef] = &crate::options! {
        /// how many
        workers = "1x", Values::Cores { min: 1, max: 4096 };
        /// which
        split = "contiguous", Values::Word(&["contiguous", "interleaved"]);
    };

    fn given(pairs: &[(&str, &str)]) -> Options {
        pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn defaults_fill_in_and_cores_resolve() {
        let options = resolve(DEFS, &given(&[]), 2).unwrap();
        assert_eq!(render(&options), "split=contiguous;workers=2");
        let options = resolve(DEFS, &given(&[("workers", "0.5x")]), 8).unwrap();
        assert_eq!(options["workers"], "4");
        assert_eq!(parse(&render(&options)), options);
    }

    #[test]
    fn unknown_names_and_values_are_refused() {
        for bad in [
            ("worker", "1"),
            ("workers", "0"),
            ("workers", "two"),
            ("workers", "-1x"),
            ("split", "x"),
        ] {
            assert!(resolve(DEFS, &given(&[bad]), 2).is_err(), "{bad:?}");
        }
    }
}
