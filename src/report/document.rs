//! What is shown of a run or of two, as a value: renderers for terminal, Markdown and HTML walk it,
//! and only they escape text.

use super::charts::Chart;
use super::table::{Extent, Table};

/// A report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// The command that makes it.
    pub generator: &'static str,
    /// What it is about: `experiment main · run 20261123T081500Z-host-main`.
    pub subject: String,
    /// The question that the experiment asks.
    pub title: String,
    /// What makes the numbers doubtful as a whole, to be read first.
    pub alarm: Option<String>,
    /// The answer, in few sentences.
    pub lead: Vec<String>,
    /// Where the numbers are from; shown on a page.
    pub facts: Vec<Item>,
    /// In the order of reading.
    pub sections: Vec<Section>,
}

/// A part of a document under a title.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// Unique in the document; letters, digits and `-`.
    pub id: String,
    /// In words.
    pub title: String,
    /// The smallest extent that shows it.
    pub from: Extent,
    /// Its own content.
    pub blocks: Vec<Block>,
    /// What signs and columns mean: before the sections below it, in a terminal behind them.
    pub legend: Vec<String>,
    /// Its parts.
    pub sections: Vec<Section>,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A paragraph of less weight: what a table holds, how much was measured.
    Note(String),
    /// One line per item.
    List(Vec<Item>),
    /// A table with its name for readers who hear the page.
    Table(String, Table),
    /// A table that a page folds away under its name.
    Folded(String, Table),
    /// A picture with question, answer and numbers; on a page alone.
    Chart(Chart),
    /// A command.
    Code(String),
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Item {
    /// Its first words, which stand out; may be empty.
    pub lead: String,
    /// The rest.
    pub text: String,
    /// The file that the first words link to.
    pub href: Option<String>,
}

impl Item {
    /// With first words.
    pub fn new(lead: &str, text: &str) -> Item {
        Item { lead: lead.to_owned(), text: text.to_owned(), href: None }
    }
}

impl Section {
    /// Without content, shown everywhere.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Section {
        Section { id: id.into(), title: title.into(), ..Section::default() }
    }

    /// The same, shown from this extent on.
    pub fn from(self, from: Extent) -> Section {
        Section { from, ..self }
    }

    /// Adds a paragraph.
    pub fn text(mut self, text: impl Into<String>) -> Section {
        self.blocks.push(Block::Text(text.into()));
        self
    }

    /// Adds a paragraph of less weight.
    pub fn note(mut self, text: impl Into<String>) -> Section {
        self.blocks.push(Block::Note(text.into()));
        self
    }

    /// Adds plain sentences as a list, if there are any.
    pub fn list(self, sentences: impl IntoIterator<Item = String>) -> Section {
        self.items(sentences.into_iter().map(|text| Item { text, ..Item::default() }))
    }

    /// Adds a list, if it has any item.
    pub fn items(mut self, items: impl IntoIterator<Item = Item>) -> Section {
        let items: Vec<Item> = items.into_iter().collect();
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
        self
    }

    /// Adds a table.
    pub fn table(mut self, name: impl Into<String>, table: Table) -> Section {
        self.blocks.push(Block::Table(name.into(), table));
        self
    }

    /// Adds a table that a page folds away.
    pub fn folded(mut self, name: impl Into<String>, table: Table) -> Section {
        self.blocks.push(Block::Folded(name.into(), table));
        self
    }

    /// Adds a command.
    pub fn code(mut self, command: impl Into<String>) -> Section {
        self.blocks.push(Block::Code(command.into()));
        self
    }

    /// Adds charts.
    pub fn charts(mut self, charts: impl IntoIterator<Item = Chart>) -> Section {
        self.blocks.extend(charts.into_iter().map(Block::Chart));
        self
    }

    /// Whether there is more in it than charts.
    pub fn has_text(&self) -> bool {
        let is_text = |block: &Block| !matches!(block, Block::Chart(_));
        self.blocks.iter().any(is_text) || !self.sections.is_empty()
    }

    /// Whether there is nothing in it to show.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.sections.is_empty()
    }
}
