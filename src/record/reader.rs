//! Reads a run directory: the report's side.
//!
//! Files may be torn by a crash or edited by hand. Whatever can be understood is used, whatever
//! cannot is left out and named with its file and line; only a directory that says nothing at all
//! is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::StringRecord;
use serde::de::DeserializeOwned;

use super::columns::{
    CALIBRATION, Column, FACTS, Kind, MEMORY, NOISE, PLAN, Presence, TRIALS, Table,
};
use super::{
    CalibrationRow, Environment, FactRow, Manifest, MemoryRow, NoiseRow, PlanRow, REQUESTS,
    RecordError, RequestOf, RequestRow, Run, SCHEMA_VERSION, TrialRow, check, csv_text, laws,
    requests_file, shown, unfolded,
};
use crate::sys::files::Dir;

/// Far beyond what a run writes into one table, packed or not.
pub(super) const MAX_TABLE_BYTES: u64 = 256 << 20;

/// Far beyond any experiment, manifest or description.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// Several times the columns of the widest table.
const MAX_COLUMNS: usize = 1000;

/// A line longer than this is no row: its cells alone would take many times its bytes.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Beyond what 64 bits count, and so beyond anything that was measured.
const MAX_NUMBER: f64 = 1e20;

/// Thirteen days in ns, a pebibyte: sums of what is read stay numbers. A stamp counts from the
/// machine's start, and a seed is any number.
fn max_integer(name: &str) -> u64 {
    match name {
        "seed" | "t_ns" => u64::MAX,
        _ => 1 << 50,
    }
}

/// A name, a label or a list of flags longer than this is none.
const MAX_CELL_BYTES: usize = 16 << 10;

/// Lines of one file that are named one by one; the rest is counted.
const MAX_REMARKS_PER_FILE: usize = 50;

/// Reads all but the raw requests of a run.
///
/// # Errors
/// The directory has no manifest, one of a newer schema, or one that cannot be understood.
pub fn read(path: &Path) -> Result<Run, RecordError> {
    let not_a_run = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            RecordError::NotARun { path: path.to_owned() }
        }
        _ => RecordError::io("open", path)(error),
    };
    let dir = &Dir::open(path).map_err(not_a_run)?;
    let manifest = read_manifest(dir, path)?;
    let mut remarks = Remarks::default();
    let environment = read_environment(dir, &mut remarks);
    let plan =
        read_rows::<PlanRow>(dir, &PLAN, &mut remarks).map(|rows| check::plan(rows, &mut remarks));
    let trials = read_rows::<TrialRow>(dir, &TRIALS, &mut remarks).unwrap_or_default();
    let mut trials = check::trials(trials, &manifest, plan.as_deref(), &mut remarks);
    if manifest.schema_version < IDLE_SCHEMA {
        forget_service(&mut trials, &mut remarks);
    }
    let memory = read_added::<MemoryRow>(dir, &MEMORY, &mut remarks);
    let memory = check::memory(memory, &manifest, plan.as_deref(), &mut remarks);
    hold_to_laws(&mut trials, &memory, &environment);
    let facts = read_added::<FactRow>(dir, &FACTS, &mut remarks);
    let facts = check::facts(facts, &manifest, &mut remarks);
    // Their rows are read by those who need them; that they are lost is said to all.
    noise_of(dir, &mut remarks);
    calibration_of(dir, &mut remarks);
    Ok(Run {
        manifest,
        environment,
        plan: plan.unwrap_or_default(),
        trials,
        memory,
        facts,
        remarks: remarks.into_sentences(),
    })
}

/// From this version on, service and queue contain the wait before a request is read, and
/// transport is what an idle round trip takes.
const IDLE_SCHEMA: u32 = 2;

/// Takes from trials of an older version what had another meaning: no idle round trip was measured
/// then, so that nothing can tell waiting from travelling afterwards either.
fn forget_service(trials: &mut [TrialRow], remarks: &mut Remarks) {
    let mut any = false;
    for row in trials {
        for cell in [
            &mut row.service_p50_ns,
            &mut row.service_p90_ns,
            &mut row.service_p99_ns,
            &mut row.transport_p50_ns,
            &mut row.queue_p50_ns,
        ] {
            any |= cell.take().is_some();
        }
    }
    if any {
        remarks.file(
            TRIALS.file,
            &format!(
                "the run has a schema version before {IDLE_SCHEMA}, whose service, transport and \
                 queue counted a request's wait in the socket as transport; they are left out, and \
                 only a new run has them"
            ),
        );
    }
}

/// Flags what breaks a law, as the driver did before it wrote the rows: files may have been edited
/// since, or be of a forkbench that did not check.
fn hold_to_laws(trials: &mut [TrialRow], memory: &[MemoryRow], environment: &Environment) {
    let bounds = laws::Bounds::of(environment);
    let mut of_trials: BTreeMap<(String, u32), Vec<&MemoryRow>> = BTreeMap::new();
    for row in memory {
        of_trials.entry((row.trial_id.clone(), row.attempt)).or_default().push(row);
    }
    for row in trials {
        let own = of_trials.remove(&(row.trial_id.clone(), row.attempt)).unwrap_or_default();
        laws::hold(row, &[], &own, &bounds);
    }
}

/// The text of a run's `experiment.toml`.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn read_experiment(path: &Path) -> Result<String, RecordError> {
    let file = path.join("experiment.toml");
    let bytes = Dir::open(path).and_then(|dir| dir.read("experiment.toml", MAX_TEXT_BYTES));
    String::from_utf8(bytes.map_err(RecordError::io("read", &file))?)
        .map_err(|error| RecordError::malformed(&file, error.utf8_error().to_string()))
}

/// The bytes of a run's `datapackage.json`; none where there is no such file.
///
/// # Errors
/// It cannot be read.
pub fn read_datapackage(path: &Path) -> Result<Vec<u8>, RecordError> {
    let file = path.join(PACKAGE);
    match Dir::open(path).and_then(|dir| dir.read(PACKAGE, MAX_TEXT_BYTES)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(RecordError::io("read", &file)),
    }
}

const PACKAGE: &str = "datapackage.json";

/// What the requests of one trial unfold to, bounded.
pub(super) fn open_requests(
    path: &Path,
    trial_id: &str,
) -> Result<unfolded::Unfolded<File>, RecordError> {
    let name = requests_file(trial_id)?;
    let file = path.join(REQUESTS).join(&name);
    let open = || Dir::open(path)?.folder(REQUESTS)?.file(&name, MAX_TABLE_BYTES);
    let packed = open().map_err(RecordError::io("open", &file))?;
    unfolded::Unfolded::of(packed, MAX_TABLE_BYTES).map_err(RecordError::io("read", &file))
}

/// Reads the raw requests of one trial, in the order of the file.
///
/// # Errors
/// There is no such file, or it is damaged: it was written at once, so it is whole or useless.
pub fn read_requests(dir: &Path, trial_id: &str) -> Result<Vec<RequestRow>, RecordError> {
    let path = dir.join(REQUESTS).join(requests_file(trial_id)?);
    let malformed = |error: csv::Error| RecordError::malformed(&path, error.to_string());
    let mut reader = csv::Reader::from_reader(open_requests(dir, trial_id)?);
    let header = reader.byte_headers().map_err(malformed)?.clone();
    let expected = (RequestRow::default(), RequestOf::default());
    let expected = csv_text::header_of(&expected).map_err(malformed)?;
    if header.len() > MAX_COLUMNS {
        return Err(RecordError::malformed(&path, too_many_columns(header.len())));
    }
    // Matching names for each of many rows costs more than reading them.
    let by_name = (header != expected).then_some(&header);
    let mut rows = Vec::new();
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(malformed)? {
        let row: RequestRow = record.deserialize(by_name).map_err(malformed)?;
        if !(row.weight.is_finite() && row.weight >= 0.0) {
            let line = reader.position().line().saturating_sub(1);
            let reason = format!("line {line}: `weight` is {}", row.weight);
            return Err(RecordError::malformed(&path, reason));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Reads the trials that found rates and objectives, in the order of the file; none where there is
/// no such file. Rows that cannot be understood are left out, which [`read`] remarks on.
pub fn read_calibration(path: &Path) -> Vec<CalibrationRow> {
    let dir = Dir::open(path).ok();
    dir.map(|dir| calibration_of(&dir, &mut Remarks::default())).unwrap_or_default()
}

fn calibration_of(dir: &Dir, remarks: &mut Remarks) -> Vec<CalibrationRow> {
    let lines = read_added::<CalibrationRow>(dir, &CALIBRATION, remarks);
    lines.into_iter().map(|line| line.row).collect()
}

/// Reads what the machine did during a run, in the order of the file, and what reading had to drop
/// or doubt. Both are empty for a run of an older forkbench, which has no such file.
pub fn read_noise(path: &Path) -> (Vec<NoiseRow>, Vec<String>) {
    let mut remarks = Remarks::default();
    let dir = Dir::open(path).ok();
    let rows = dir.map(|dir| noise_of(&dir, &mut remarks)).unwrap_or_default();
    (rows, remarks.into_sentences())
}

fn noise_of(dir: &Dir, remarks: &mut Remarks) -> Vec<NoiseRow> {
    let lines = read_added::<NoiseRow>(dir, &NOISE, remarks);
    let mut rows: Vec<NoiseRow> = Vec::with_capacity(lines.len());
    for Line { number, row } in lines {
        match rows.last() {
            Some(last) if last.t_ns >= row.t_ns => {
                let text = format!("`t_ns` is `{}`, not after the row above", row.t_ns);
                remarks.line(NOISE.file, number, &text);
            }
            _ => rows.push(row),
        }
    }
    rows
}

/// A row and the line of its file, from 1.
#[derive(Debug)]
pub(super) struct Line<T> {
    pub(super) number: u64,
    pub(super) row: T,
}

/// What reading had to drop or doubt.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    sentences: Vec<String>,
    lines: BTreeMap<&'static str, usize>,
}

impl Remarks {
    /// About a whole file.
    pub(super) fn file(&mut self, file: &str, text: &str) {
        self.sentences.push(format!("{file}: {}", shown::bounded(text)));
    }

    /// About a line that is left out.
    pub(super) fn line(&mut self, file: &'static str, number: u64, text: &str) {
        let count = self.lines.entry(file).or_default();
        *count += 1;
        if *count <= MAX_REMARKS_PER_FILE {
            let text = shown::bounded(text);
            let sentence = format!("{file}:{number}: {text}; the row is left out");
            self.sentences.push(sentence);
        }
    }

    fn into_sentences(mut self) -> Vec<String> {
        for (file, count) in self.lines {
            if let Some(more @ 1..) = count.checked_sub(MAX_REMARKS_PER_FILE) {
                self.sentences.push(format!("{file}: {more} more rows are left out"));
            }
        }
        self.sentences
    }
}

fn read_manifest(dir: &Dir, of: &Path) -> Result<Manifest, RecordError> {
    let path = of.join("manifest.json");
    let bytes = dir.read("manifest.json", MAX_TEXT_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RecordError::NotARun { path: of.to_owned() },
        _ => RecordError::io("read", &path)(error),
    })?;
    let malformed = |error: serde_json::Error| RecordError::malformed(&path, error.to_string());
    // The version first, and alone: a newer manifest need not have the fields of this one.
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(malformed)?;
    match value.get("schema_version").and_then(serde_json::Value::as_u64) {
        Some(found) if found > u64::from(SCHEMA_VERSION) => {
            Err(RecordError::NewerSchema { path: of.to_owned(), found })
        }
        _ => {
            let mut manifest: Manifest = serde_json::from_value(value).map_err(malformed)?;
            // What is only shown.
            for text in [&mut manifest.question, &mut manifest.experiment] {
                *text = shown::sentence(text).into_owned();
            }
            Ok(manifest)
        }
    }
}

fn read_environment(dir: &Dir, remarks: &mut Remarks) -> Environment {
    let read = dir.read("env.json", MAX_TEXT_BYTES).map_err(|error| error.to_string());
    read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .unwrap_or_else(|reason| {
            remarks.file("env.json", &format!("{reason}; the machine is unknown"));
            Environment::default()
        })
}

/// The rows of a file that was added later: nothing for a run of an older forkbench, which has no
/// such file and whose description names none.
fn read_added<T: DeserializeOwned>(
    dir: &Dir,
    table: &'static Table,
    remarks: &mut Remarks,
) -> Vec<Line<T>> {
    if !dir.has(table.file) && !dir.has(&packed(table)) {
        if is_described(dir, table) {
            let text = format!("is missing; nothing is shown of {}", subject_of(table));
            remarks.file(table.file, &text);
        }
        return Vec::new();
    }
    read_rows(dir, table, remarks).unwrap_or_default()
}

/// Whether the run was written with this table.
fn is_described(dir: &Dir, table: &Table) -> bool {
    let bytes = dir.read(PACKAGE, MAX_TEXT_BYTES).unwrap_or_default();
    let package = serde_json::from_slice(&bytes).unwrap_or(serde_json::Value::Null);
    let resources = package["resources"].as_array();
    resources.is_some_and(|all| all.iter().any(|resource| resource["path"] == table.file))
}

/// What a table is about, in a sentence.
fn subject_of(table: &Table) -> &'static str {
    match table.file {
        "memory.csv" => "memory",
        "facts.csv" => "demonstrations",
        "noise.csv" => "what the machine did meanwhile",
        "calibration.csv" => "how the rates were found",
        _ => "it",
    }
}

fn packed(table: &Table) -> String {
    format!("{}.zst", table.file)
}

/// A file as a run wrote it, or packed with zstd by whoever hands the run on: what memory trials
/// leave packs to a fiftieth.
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

/// The rows that can be understood; `None` if the file as a whole cannot.
fn read_rows<T: DeserializeOwned>(
    dir: &Dir,
    table: &'static Table,
    remarks: &mut Remarks,
) -> Option<Vec<Line<T>>> {
    let bytes = match contents(dir, table) {
        Ok(bytes) => bytes,
        Err(error) => {
            remarks.file(table.file, &format!("{error}; read without it"));
            return None;
        }
    };
    let mut lines = (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n'));
    let header =
        match lines.next().map_or(Err("is empty".to_owned()), |(_, line)| read_header(line, table))
        {
            Ok(header) => header,
            Err(reason) => {
                remarks.file(table.file, &format!("{reason}; no row of it is used"));
                return None;
            }
        };
    let columns: Vec<_> = header.iter().map(|name| table.column(name)).collect();
    let mut rows = Vec::new();
    for (number, line) in lines {
        match read_row(line, &header, &columns) {
            Ok(Some(row)) => rows.push(Line { number, row }),
            Ok(None) => {}
            Err(reason) => remarks.line(table.file, number, &reason),
        }
    }
    Some(rows)
}

fn read_header(line: &[u8], table: &Table) -> Result<StringRecord, String> {
    let header = cells(line)?.unwrap_or_default();
    if header.len() > MAX_COLUMNS {
        return Err(too_many_columns(header.len()));
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = header.iter().find(|name| !names.insert(*name)) {
        return Err(format!("has two columns `{}`", twice.escape_debug()));
    }
    // Optional columns may be missing: an older forkbench did not have them all.
    let missing: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| column.presence == Presence::Always)
        .map(|column| column.name)
        .filter(|name| !names.contains(name))
        .collect();
    match missing.as_slice() {
        [] => Ok(header),
        names => Err(format!("has no column `{}`", names.join("`, `"))),
    }
}

fn too_many_columns(found: usize) -> String {
    format!("has {found} columns; expected at most {MAX_COLUMNS}")
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

/// The cells of one line; `None` for an empty one. Only the last line of a file can lack its
/// end, and then nothing tells whether its last number is whole.
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

/// The cells without what keeps spreadsheets from running them, and with sentences of a length
/// that can be shown.
fn as_meant(cells: StringRecord, columns: &[Option<&Column>]) -> StringRecord {
    let sentence = |column: &Option<&Column>| {
        column.is_some_and(|column| matches!(column.name, "reason" | "text"))
    };
    let is_long = |cell: &str| cell.len() > shown::MAX_CHARACTERS;
    let changes =
        |cell: &str| cell.starts_with('\'') || is_long(cell) || cell.contains(char::is_control);
    if !cells.iter().any(changes) {
        return cells;
    }
    let meant = cells.iter().zip(columns).map(|(cell, column)| {
        let cell = csv_text::unguarded(cell);
        if sentence(column) { shown::sentence(cell) } else { cell.into() }
    });
    meant.collect::<Vec<_>>().into()
}

fn check_cell(column: &Column, cell: &str) -> Result<(), String> {
    let Column { name, kind, presence, .. } = column;
    if cell.is_empty() {
        return match presence {
            Presence::Optional => Ok(()),
            Presence::Always => Err(format!("`{name}` is empty")),
        };
    }
    let expected = match kind {
        Kind::Text if matches!(*name, "reason" | "text") => return Ok(()),
        Kind::Text if cell.len() <= MAX_CELL_BYTES => return Ok(()),
        Kind::Text => format!("at most {MAX_CELL_BYTES} bytes"),
        Kind::Word(words) if words.contains(&cell) => return Ok(()),
        Kind::Word(words) => words.join(", "),
        Kind::Integer if cell.parse().is_ok_and(|n: u64| n <= max_integer(name)) => {
            return Ok(());
        }
        Kind::Integer if cell.parse::<u64>().is_ok() => {
            format!("a whole number up to {}", max_integer(name))
        }
        Kind::Integer => "a whole number".to_owned(),
        Kind::Number if cell.parse().is_ok_and(|n: f64| (0.0..=MAX_NUMBER).contains(&n)) => {
            return Ok(());
        }
        Kind::Number if cell.parse().is_ok_and(|n: f64| n > MAX_NUMBER) => {
            format!("a number up to {MAX_NUMBER:e}")
        }
        Kind::Number => "a number from 0".to_owned(),
        Kind::Signed if cell.parse().is_ok_and(|n: f64| n.abs() <= MAX_NUMBER) => return Ok(()),
        Kind::Signed => "a number".to_owned(),
        Kind::Utc if cell.parse::<jiff::Timestamp>().is_ok() => return Ok(()),
        Kind::Utc => "a time such as 2026-11-23T08:15:00Z".to_owned(),
    };
    Err(format!("`{name}` is `{}`; expected {expected}", cell.escape_debug()))
}
