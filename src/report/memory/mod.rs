//! Tables and sentences about what children cost in memory.

pub(super) use crate::analysis::memory::*;

mod notes;
mod tables;
#[cfg(test)]
mod tests;
mod words;

pub(super) use super::sentences_of_analysis::sizings;
pub(super) use notes::{NOTES_SCOPE, notes_table};
pub(super) use tables::{BALLAST_SCOPE, ballast, of_group};
pub(super) use words::{bars_answer, headline, lines_answer, scope};
