//! Reads the lines of a table into rows.
//!
//! Files may be torn by a crash or edited by hand. A line that cannot be understood is left out and
//! named with its file and number; the others are used.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use csv::StringRecord;
use serde::de::DeserializeOwned;

use super::columns::{Column, Kind, Presence, Row, Table};
use super::{csv_text, shown, unfolded};
use crate::experiment::nearest::nearest;
use crate::sys::files::Dir;

/// Far beyond what a run writes into one table, packed or not.
pub const MAX_TABLE_BYTES: u64 = 256 << 20;

/// Several times the columns of the widest table.
pub const MAX_COLUMNS: usize = 1000;

/// A line longer than this is not a row: its cells alone would take many times its bytes.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// Beyond what 64 bits count, and so beyond anything that was measured.
const MAX_NUMBER: f64 = 1e20;

/// Limit of names, labels and lists of flags.
const MAX_CELL_BYTES: usize = 16 << 10;

/// Lines of one file that are named one by one; the rest is counted.
const MAX_REMARKS_PER_FILE: usize = 50;

/// A row and the line of its file, from 1.
#[derive(Debug)]
pub struct Line<T> {
    /// The line.
    pub number: u64,
    /// The row on it.
    pub row: T,
}

/// What reading left out or doubts.
#[derive(Debug, Default)]
pub struct Remarks {
    sentences: Vec<String>,
    lines: BTreeMap<&'static str, usize>,
}

impl Remarks {
    /// About a whole file.
    pub fn file(&mut self, file: &str, text: &str) {
        self.sentences.push(format!("{file}: {}", shown::bounded(text)));
    }

    /// About a line that is left out.
    pub fn line(&mut self, file: &'static str, number: u64, text: &str) {
        let count = self.lines.entry(file).or_default();
        *count += 1;
        if *count <= MAX_REMARKS_PER_FILE {
            let text = shown::bounded(text);
            let sentence = format!("{file}:{number}: {text}; the row is left out");
            self.sentences.push(sentence);
        }
    }

    /// All of them, with a count of the lines that are not named.
    pub fn into_sentences(mut self) -> Vec<String> {
        for (file, count) in self.lines {
            if let Some(more @ 1..) = count.checked_sub(MAX_REMARKS_PER_FILE) {
                self.sentences.push(format!("{file}: {more} more rows are left out"));
            }
        }
        self.sentences
    }
}

/// The name of a table that `zstd` has packed.
pub fn packed(table: &Table) -> String {
    format!("{}.zst", table.file)
}

/// A table as a run wrote it, or packed: rows of memory pack to a fiftieth.
fn contents(dir: &Dir, table: &Table) -> io::Result<Vec<u8>> {
    match dir.read(table.file, MAX_TABLE_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && dir.has(&packed(table)) => {
            let file = dir.file(&packed(table), MAX_TABLE_BYTES)?;
            let mut bytes = Vec::new();
            unfolded::Unfolded::of(file, MAX_TABLE_BYTES)?.read_to_end(&mut bytes)?;
            Ok(bytes)
        }
        read => read,
    }
}

/// The rows of a table that can be understood; `None` if the file as a whole cannot.
pub fn read_rows<T: Row + DeserializeOwned>(
    dir: &Dir,
    remarks: &mut Remarks,
) -> Option<Vec<Line<T>>> {
    let file = T::TABLE.file;
    let bytes = contents(dir, T::TABLE)
        .inspect_err(|error| remarks.file(file, &format!("{error}; read without it")))
        .ok()?;
    let mut lines = (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n'));
    let first = lines.next().ok_or_else(|| "is empty".to_owned());
    let header = first
        .and_then(|(_, line)| read_header(line, T::TABLE))
        .inspect_err(|reason| remarks.file(file, &format!("{reason}; no row of it is used")))
        .ok()?;
    let columns: Vec<_> = header.iter().map(|name| T::TABLE.column(name)).collect();
    let mut rows = Vec::new();
    for (number, line) in lines {
        match read_row(line, &header, &columns) {
            Ok(Some(row)) => rows.push(Line { number, row }),
            Ok(None) => {}
            Err(reason) => remarks.line(file, number, &reason),
        }
    }
    Some(rows)
}

fn read_header(line: &[u8], table: &Table) -> Result<StringRecord, String> {
    let header = cells(line)?.unwrap_or_default();
    if header.len() > MAX_COLUMNS {
        return Err(format!("has {} columns; expected at most {MAX_COLUMNS}", header.len()));
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = header.iter().find(|name| !names.insert(*name)) {
        return Err(format!("has two columns `{}`", twice.escape_debug()));
    }
    // Optional columns may be missing: an older forkbench did not have them all.
    let required = table.columns.iter().filter(|column| column.presence == Presence::Always);
    let missing: Vec<&str> =
        required.map(|column| column.name).filter(|name| !names.contains(name)).collect();
    match missing.as_slice() {
        [] => Ok(header),
        names => Err(format!("has no column `{}`", names.join("`, `"))),
    }
}

/// One row; `None` for an empty line.
fn read_row<T: DeserializeOwned>(
    line: &[u8],
    header: &StringRecord,
    columns: &[Option<&Column>],
) -> Result<Option<T>, String> {
    let Some(cells) = cells(line)? else {
        return Ok(None);
    };
    if cells.len() != header.len() {
        let (found, expected) = (cells.len(), header.len());
        return Err(format!("has {found} fields, the header has {expected}"));
    }
    for (column, cell) in columns.iter().zip(&cells) {
        if let Some(column) = column {
            check_cell(column, cell)?;
        }
    }
    let cells = as_meant(cells, columns);
    cells.deserialize(Some(header)).map(Some).map_err(|error| match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let field = err.field().and_then(|field| header.get(field as usize));
            format!("`{}`: {}", field.unwrap_or("row"), err.kind())
        }
        _ => error.to_string(),
    })
}

/// The cells of one line; `None` for an empty line. Only the last line of a file can lack its end,
/// and then its last number may lack digits.
fn cells(line: &[u8]) -> Result<Option<StringRecord>, String> {
    if line.len() > MAX_LINE_BYTES {
        let bytes = line.len();
        return Err(format!("has {bytes} bytes; expected at most {MAX_LINE_BYTES}"));
    }
    let Some(line) = line.strip_suffix(b"\n") else {
        return Err("is torn: it has no line end".to_owned());
    };
    // Editors may have changed the line ends.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("is not UTF-8 from byte {} on", error.valid_up_to() + 1))?;
    if text.contains('\r') {
        return Err("has a carriage return within".to_owned());
    }
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
        .into_records()
        .next()
        .transpose()
        .map_err(|error| error.to_string())
}

/// The cells without the marks against spreadsheets, and with sentences that can be shown.
fn as_meant(cells: StringRecord, columns: &[Option<&Column>]) -> StringRecord {
    let is_long = |cell: &str| cell.len() > shown::MAX_CHARACTERS;
    let changes =
        |cell: &str| cell.starts_with('\'') || is_long(cell) || cell.contains(char::is_control);
    if !cells.iter().any(changes) {
        return cells;
    }
    let meant = cells.iter().zip(columns).map(|(cell, column)| {
        let cell = csv_text::unguarded(cell);
        let is_sentence = column.is_some_and(Column::is_sentence);
        if is_sentence { shown::sentence(cell) } else { cell.into() }
    });
    meant.collect::<Vec<_>>().into()
}

/// Thirteen days in ns, a pebibyte: sums of what is read stay numbers. A stamp counts from the
/// machine's start, and a seed is any number.
fn max_integer(name: &str) -> u64 {
    match name {
        "seed" | "t_ns" => u64::MAX,
        _ => 1 << 50,
    }
}

fn check_cell(column: &Column, cell: &str) -> Result<(), String> {
    let Column { name, kind, presence, .. } = column;
    if cell.is_empty() {
        return match presence {
            Presence::Optional => Ok(()),
            Presence::Always => Err(format!("`{name}` is empty")),
        };
    }
    let integer = cell.parse::<u64>();
    let number = cell.parse::<f64>().ok().filter(|number| !number.is_nan());
    let is_right = match kind {
        Kind::Text => column.is_sentence() || cell.len() <= MAX_CELL_BYTES,
        Kind::Word(words) => words.contains(&cell),
        Kind::Integer => integer.as_ref().is_ok_and(|n| *n <= max_integer(name)),
        Kind::Number => number.is_some_and(|n| (0.0..=MAX_NUMBER).contains(&n)),
        Kind::Signed => number.is_some_and(|n| n.abs() <= MAX_NUMBER),
        Kind::Utc => cell.parse::<jiff::Timestamp>().is_ok(),
    };
    if is_right {
        return Ok(());
    }
    let expected = match kind {
        Kind::Text => format!("at most {MAX_CELL_BYTES} bytes"),
        Kind::Word(words) => {
            let meant = nearest(cell, words).map(|word| format!("; did you mean `{word}`?"));
            format!("{}{}", words.join(", "), meant.unwrap_or_default())
        }
        Kind::Integer if integer.is_ok() => format!("a whole number up to {}", max_integer(name)),
        Kind::Integer => "a whole number".to_owned(),
        Kind::Number if number > Some(MAX_NUMBER) => format!("a number up to {MAX_NUMBER:e}"),
        Kind::Number => "a number from 0".to_owned(),
        Kind::Signed => "a number".to_owned(),
        Kind::Utc => "a time such as 2026-11-23T08:15:00Z".to_owned(),
    };
    Err(format!("`{name}` is `{}`; expected {expected}", cell.escape_debug()))
}
