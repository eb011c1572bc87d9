//! What children cost in memory, shown: the section, its tables and its sentences. The numbers are
//! in [`crate::analysis::memory`].

mod notes;
mod sentences;
mod tables;
#[cfg(test)]
mod tests;

pub use sentences::{bars_answer, headline, lines_answer, section};
