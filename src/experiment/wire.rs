//! The experiment as it is written in TOML, and the one way from there to [`Experiment`].
//!
//! Every error names file, line and column, says what was expected, and offers the nearest valid
//! name. The twins here may hold any nonsense that TOML can express; the domain types cannot.

use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::{Experiment, nearest};

mod arms;
mod demonstrations;
mod expand;
mod factor;
mod family_id;
mod load;
mod read;
mod unused;

pub(crate) use factor::{Entries, Scalar};

use factor::{Count, Factor, Headed, Tables, WireStrategy};
use load::WireLoad;

/// Why an experiment was refused, and where: `experiments/main.toml:7:12: ...`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct WireError {
    /// As given by the caller; shown, never opened.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What was found, what was expected, and the nearest valid name.
    pub message: String,
}

/// Reads one experiment.
///
/// `path` is for errors only; `cores` resolves multiples such as `"2x"`; `seed` makes the inputs
/// of every family that does not fix its own.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(text: &str, path: &str, cores: u32, seed: u64) -> Result<Experiment, WireError> {
    let source = Source::new(path, text);
    let wire: WireExperiment = source.read()?;
    let reader = read::Reader { source, cores: cores.max(1), seed };
    expand::experiment(&reader, &wire)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireExperiment {
    name: Spanned<String>,
    question: Spanned<String>,
    reference: Option<Spanned<String>>,
    budget: Option<Spanned<String>>,
    standard_budget: Option<Spanned<String>>,
    claims: Option<Spanned<String>>,
    family: Spanned<Tables<WireFamily>>,
    demonstration: Option<Spanned<Tables<WireDemonstration>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[family]]")]
struct WireFamily {
    workload: Factor<String>,
    size: Option<Factor<String>>,
    payload_bytes: Option<Factor<Count>>,
    options: Option<Entries<Factor<Scalar>>>,
    runtime: Option<Factor<String>>,
    strategy: Factor<WireStrategy>,
    load: Spanned<WireLoad>,
    ballast_mib: Option<Factor<Count>>,
    placement: Option<Factor<String>>,
    seed: Option<Factor<Count>>,
    deadline: Option<Spanned<String>>,
    blocks: Option<Spanned<Count>>,
    preset: Option<Spanned<String>>,
}

impl Headed for WireFamily {
    const HEADER: &'static str = "[[family]]";
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[demonstration]]")]
struct WireDemonstration {
    name: Factor<String>,
    runtime: Option<Factor<String>>,
}

impl Headed for WireDemonstration {
    const HEADER: &'static str = "[[demonstration]]";
}

/// The text that spans point into; what else is written in TOML has its errors placed by it too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

impl<'a> Source<'a> {
    /// `path` is for errors only.
    pub(crate) fn new(path: &'a str, text: &'a str) -> Source<'a> {
        // An editor shows no column for a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Source { path, text }
    }

    /// The whole text as what it says.
    ///
    /// # Errors
    /// The first thing that is no TOML, or not of this form.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        toml::from_str(self.text).map_err(|error| self.error(error.span(), reworded(&error)))
    }

    /// An error at the beginning of the span, or at the beginning of the file.
    pub(crate) fn error(
        &self,
        span: Option<Range<usize>>,
        message: impl Into<String>,
    ) -> WireError {
        let start = span.map_or(0, |span| span.start).min(self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        WireError {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            // What the file says inside quotes may hold line breaks, written `\n` there too.
            message: message.into().replace('\n', "\\n").replace('\r', "\\r"),
        }
    }
}

/// The library's message in the words of all other errors.
///
/// Serde offers the valid names of an unknown field only inside its sentence, between backticks.
/// Reading them from there is the smaller evil: the alternative is a list of field names written
/// by hand beside the struct. A test holds the sentences that come out.
fn reworded(error: &toml::de::Error) -> String {
    let message = error.message().trim().replace('\n', "; ");
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field")
        && let [wrong, valid @ ..] = quoted.as_slice()
    {
        return nearest::unknown("key", wrong, valid);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("missing key {name}");
    }
    for prefix in ["invalid type: ", "invalid value: "] {
        let parts = message.strip_prefix(prefix).and_then(|m| m.split_once(", expected "));
        if let Some((found, expected)) = parts {
            let found = match found {
                "map" => "a table",
                "sequence" => "a list",
                other => other,
            };
            return format!("expected {expected}, found {found}");
        }
    }
    message
}

#[cfg(test)]
mod tests;
