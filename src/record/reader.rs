//! Reads a run directory: the report's side.
//!
//! Files may be torn by a crash or edited by hand. Whatever can be understood is used, whatever
//! cannot is left out and named with its file and line; only a directory that says nothing at all
//! is an error.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde::de::DeserializeOwned;

use super::columns::{
    CALIBRATION, Column, FACTS, Kind, MEMORY, NOISE, PLAN, Presence, TRIALS, Table,
};
use super::{
    CalibrationRow, Environment, FactRow, Manifest, MemoryRow, NoiseRow, PlanRow, RecordError,
    RequestOf, RequestRow, Run, SCHEMA_VERSION, TrialRow, check, csv_text, laws, requests_path,
};

/// More than ten times the rows that are ever kept of a trial; a bound on what a damaged file
/// can unfold to.
pub(super) const MAX_REQUESTS_BYTES: u64 = 256 << 20;

/// Lines of one file that are named one by one; the rest is counted.
const MAX_REMARKS_PER_FILE: usize = 50;

/// Reads all but the raw requests of a run.
///
/// # Errors
/// The directory has no manifest, one of a newer schema, or one that cannot be understood.
pub fn read(dir: &Path) -> Result<Run, RecordError> {
    let manifest = read_manifest(dir)?;
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

/// Reads the raw requests of one trial, in the order of the file.
///
/// # Errors
/// There is no such file, or it is damaged: it was written at once, so it is whole or useless.
pub fn read_requests(dir: &Path, trial_id: &str) -> Result<Vec<RequestRow>, RecordError> {
    let path = dir.join(requests_path(trial_id)?);
    let file = File::open(&path).map_err(RecordError::io("open", &path))?;
    let decoder = zstd::Decoder::new(file).map_err(RecordError::io("read", &path))?;
    let malformed = |error: csv::Error| RecordError::malformed(&path, error.to_string());

    let mut reader = csv::Reader::from_reader(decoder.take(MAX_REQUESTS_BYTES));
    let header = reader.byte_headers().map_err(malformed)?.clone();
    let expected = (RequestRow::default(), RequestOf::default());
    let expected = csv_text::header_of(&expected).map_err(malformed)?;
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
    if reader.into_inner().limit() == 0 {
        let reason = format!("unfolds to more than {MAX_REQUESTS_BYTES} bytes");
        return Err(RecordError::malformed(&path, reason));
    }
    Ok(rows)
}

/// Reads the trials that found rates and objectives, in the order of the file; none where there is
/// no such file. Rows that cannot be understood are left out.
pub fn read_calibration(dir: &Path) -> Vec<CalibrationRow> {
    let mut remarks = Remarks::default();
    let lines = read_rows::<CalibrationRow>(dir, &CALIBRATION, &mut remarks).unwrap_or_default();
    lines.into_iter().map(|line| line.row).collect()
}

/// Reads what the machine did during a run, in the order of the file, and what reading had to drop
/// or doubt. Both are empty for a run of an older forkbench, which has no such file.
pub fn read_noise(dir: &Path) -> (Vec<NoiseRow>, Vec<String>) {
    let mut remarks = Remarks::default();
    if !is_there(dir, &NOISE) {
        return Default::default();
    }
    let lines = read_rows::<NoiseRow>(dir, &NOISE, &mut remarks).unwrap_or_default();
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
    (rows, remarks.into_sentences())
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
        self.sentences.push(format!("{file}: {text}"));
    }

    /// About a line that is left out.
    pub(super) fn line(&mut self, file: &'static str, number: u64, text: &str) {
        let count = self.lines.entry(file).or_default();
        *count += 1;
        if *count <= MAX_REMARKS_PER_FILE {
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

fn read_manifest(dir: &Path) -> Result<Manifest, RecordError> {
    let path = dir.join("manifest.json");
    let bytes = fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            RecordError::NotARun { path: dir.to_owned() }
        }
        _ => RecordError::io("read", &path)(error),
    })?;
    let malformed = |error: serde_json::Error| RecordError::malformed(&path, error.to_string());
    // The version first, and alone: a newer manifest need not have the fields of this one.
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(malformed)?;
    match value.get("schema_version").and_then(serde_json::Value::as_u64) {
        Some(found) if found > u64::from(SCHEMA_VERSION) => {
            Err(RecordError::NewerSchema { path: dir.to_owned(), found })
        }
        _ => serde_json::from_value(value).map_err(malformed),
    }
}

fn read_environment(dir: &Path, remarks: &mut Remarks) -> Environment {
    let read = fs::read(dir.join("env.json")).map_err(|error| error.to_string());
    read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .unwrap_or_else(|reason| {
            remarks.file("env.json", &format!("{reason}; the machine is unknown"));
            Environment::default()
        })
}

/// The rows of a file that was added later: nothing for a run of an older forkbench, which has no
/// such file.
fn read_added<T: DeserializeOwned>(
    dir: &Path,
    table: &'static Table,
    remarks: &mut Remarks,
) -> Vec<Line<T>> {
    if !is_there(dir, table) {
        return Vec::new();
    }
    read_rows(dir, table, remarks).unwrap_or_default()
}

fn packed(dir: &Path, table: &Table) -> PathBuf {
    dir.join(format!("{}.zst", table.file))
}

fn is_there(dir: &Path, table: &Table) -> bool {
    dir.join(table.file).exists() || packed(dir, table).exists()
}

/// A file as a run wrote it, or packed with zstd by whoever hands the run on: what memory trials
/// leave packs to a fiftieth.
fn contents(dir: &Path, table: &Table) -> io::Result<Vec<u8>> {
    fs::read(dir.join(table.file)).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound if packed(dir, table).exists() => {
            zstd::decode_all(File::open(packed(dir, table))?)
        }
        _ => Err(error),
    })
}

/// The rows that can be understood; `None` if the file as a whole cannot.
fn read_rows<T: DeserializeOwned>(
    dir: &Path,
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
    let mut rows = Vec::new();
    for (number, line) in lines {
        match read_row(line, &header, table) {
            Ok(Some(row)) => rows.push(Line { number, row }),
            Ok(None) => {}
            Err(reason) => remarks.line(table.file, number, &reason),
        }
    }
    Some(rows)
}

fn read_header(line: &[u8], table: &Table) -> Result<StringRecord, String> {
    let header = cells(line)?.unwrap_or_default();
    for (i, name) in header.iter().enumerate() {
        if header.iter().take(i).any(|earlier| earlier == name) {
            return Err(format!("has two columns `{name}`"));
        }
    }
    // Optional columns may be missing: an older forkbench did not have them all.
    let missing: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| column.presence == Presence::Always)
        .map(|column| column.name)
        .filter(|name| !header.iter().any(|found| found == *name))
        .collect();
    match missing.as_slice() {
        [] => Ok(header),
        names => Err(format!("has no column `{}`", names.join("`, `"))),
    }
}

/// One row; `None` for an empty line.
fn read_row<T: DeserializeOwned>(
    line: &[u8],
    header: &StringRecord,
    table: &Table,
) -> Result<Option<T>, String> {
    let Some(cells) = cells(line)? else {
        return Ok(None);
    };
    if cells.len() != header.len() {
        let (found, expected) = (cells.len(), header.len());
        return Err(format!("has {found} fields, the header has {expected}"));
    }
    for (name, cell) in header.iter().zip(&cells) {
        if let Some(column) = table.column(name) {
            check_cell(column, cell)?;
        }
    }
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

fn check_cell(column: &Column, cell: &str) -> Result<(), String> {
    let Column { name, kind, presence, .. } = column;
    if cell.is_empty() {
        return match presence {
            Presence::Optional => Ok(()),
            Presence::Always => Err(format!("`{name}` is empty")),
        };
    }
    let expected = match kind {
        Kind::Text => return Ok(()),
        Kind::Word(words) if words.contains(&cell) => return Ok(()),
        Kind::Word(words) => words.join(", "),
        Kind::Integer if cell.parse::<u64>().is_ok() => return Ok(()),
        Kind::Integer => "a whole number".to_owned(),
        Kind::Number if cell.parse().is_ok_and(|n: f64| n.is_finite() && n >= 0.0) => {
            return Ok(());
        }
        Kind::Number => "a number from 0".to_owned(),
        Kind::Signed if cell.parse().is_ok_and(f64::is_finite) => return Ok(()),
        Kind::Signed => "a number".to_owned(),
        Kind::Utc if cell.parse::<jiff::Timestamp>().is_ok() => return Ok(()),
        Kind::Utc => "a time such as 2026-11-23T08:15:00Z".to_owned(),
    };
    Err(format!("`{name}` is `{}`; expected {expected}", cell.escape_debug()))
}
