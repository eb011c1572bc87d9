//! What can be set on a workload or a strategy: each declares its options, and one checker reads
//! them, so that an experiment, a frame and an argument list cannot disagree on what is valid.

use std::collections::BTreeMap;

/// Options by name, as text: the form in which they travel in frames, arguments and CSV cells.
pub type Options = BTreeMap<String, String>;

/// One option that a workload or strategy understands.
#[derive(Debug, Clone, Copy)]
pub struct OptionDef {
    /// As written in an experiment, snake_case.
    pub name: &'static str,
    /// The value when nothing is said, in the same spelling as an experiment would use.
    pub default: &'static str,
    /// Which values are valid.
    pub values: Values,
    /// One line for `forkbench list`.
    pub help: &'static str,
    /// Where it has an effect: elsewhere a file that sets it is refused.
    pub used: Used,
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
                let reason = format!("only {name} is there to be used, and {name} is {found}");
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

/// Why an option was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// No option of this name here.
    #[error("unknown option `{name}`; valid: {}", listed(.valid))]
    Unknown {
        /// What was written.
        name: String,
        /// What could have been written.
        valid: Vec<&'static str>,
    },
    /// The option exists, its value is not valid.
    #[error("option `{name}` is `{value}`; expected {expected}")]
    Invalid {
        /// The option.
        name: String,
        /// What was written.
        value: String,
        /// What is valid, in words.
        expected: String,
    },
}

fn listed(valid: &[&str]) -> String {
    if valid.is_empty() { "none".to_owned() } else { valid.join(", ") }
}

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
    if let Some(name) = given.keys().find(|name| defs.iter().all(|d| d.name != name.as_str())) {
        return Err(OptionError::Unknown {
            name: name.clone(),
            valid: defs.iter().map(|d| d.name).collect(),
        });
    }
    defs.iter()
        .map(|def| {
            let value = given.get(def.name).map_or(def.default, String::as_str);
            let resolved =
                def.values.resolve(value, cores).ok_or_else(|| OptionError::Invalid {
                    name: def.name.to_owned(),
                    value: value.to_owned(),
                    expected: def.values.describe(),
                })?;
            Ok((def.name.to_owned(), resolved))
        })
        .collect()
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

    const DEFS: &[OptionDef] = &[
        OptionDef {
            name: "workers",
            default: "1x",
            values: Values::Cores { min: 1, max: 4096 },
            help: "",
            used: Used::Always,
        },
        OptionDef {
            name: "split",
            default: "contiguous",
            values: Values::Word(&["contiguous", "interleaved"]),
            help: "",
            used: Used::Always,
        },
    ];

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
