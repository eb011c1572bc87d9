//! The experiment as TOML writes it, and the one way from there to [`Experiment`].
//!
//! Every error names file, line, column, what was expected and the nearest valid name. The twins
//! here may hold any nonsense that TOML can express; the domain types cannot.

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

use factor::{Count, Factor, WireStrategy};
use load::WireLoad;
use read::Reader;

/// A value, or the first thing that is wrong.
type Read<T> = Result<T, WireError>;

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
    let reader = Reader { source, cores: cores.max(1), seed };
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
    family: Spanned<Vec<Spanned<WireFamily>>>,
    #[serde(default)]
    demonstration: Vec<Spanned<WireDemonstration>>,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[demonstration]]")]
struct WireDemonstration {
    name: Factor<String>,
    runtime: Option<Factor<String>>,
}

/// The text that spans point into; other TOML files use it for their errors too.
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

    /// The whole text as a value.
    ///
    /// # Errors
    /// The first thing that is no TOML, or not of this form.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        toml::from_str(self.text).map_err(|error| {
            let message = self.reworded(&error);
            self.error(error.span(), message)
        })
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
            // The file's own quotes may hold line breaks, written `\n` there too.
            message: message.into().replace('\n', "\\n").replace('\r', "\\r"),
        }
    }

    /// The library's message in the words of all other errors.
    ///
    /// Serde offers the valid names of an unknown field only inside its sentence, between
    /// backticks. The alternative is a list of field names written by hand next to the struct. A
    /// test holds the resulting sentences.
    fn reworded(&self, error: &toml::de::Error) -> String {
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
        let typed = ["invalid type: ", "invalid value: "];
        let typed = typed.iter().find_map(|prefix| message.strip_prefix(prefix));
        let Some((found, expected)) = typed.and_then(|typed| typed.split_once(", expected "))
        else {
            return message;
        };
        // `[family]` is easily written for `[[family]]`.
        let at = error.span().and_then(|span| self.text.get(span.start..)?.strip_prefix('['));
        let header = at.and_then(|text| text.split_once(']'));
        match (found, expected, header) {
            ("map", "a sequence", Some((name, _))) => {
                format!("expected [[{name}]] in double brackets, found a table")
            }
            ("map", ..) => format!("expected {expected}, found a table"),
            ("sequence", ..) => format!("expected {expected}, found a list"),
            _ => format!("expected {expected}, found {found}"),
        }
    }
}

#[cfg(test)]
mod tests;
