//! Reads a run directory: the report's side.
//!
//! What can be understood is used; what cannot is left out and named with its file and line. Only a
//! directory without a usable manifest is an error.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::columns::{NOISE, Row, TRIALS, Table};
use super::lines::{Line, Remarks, packed, read_rows};
use super::{
    CalibrationRow, Environment, Manifest, MemoryRow, NoiseRow, PlanRow, RecordError, Run,
    SCHEMA_VERSION, TrialRow, check, laws, shown,
};
use crate::sys::files::Dir;

/// Far beyond any experiment, manifest or description.
const MAX_TEXT_BYTES: u64 = 16 << 20;

const MANIFEST: &str = "manifest.json";
const PACKAGE: &str = "datapackage.json";
const EXPERIMENT: &str = "experiment.toml";

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
    let remarks = &mut Remarks::default();
    let environment = read_environment(dir, remarks);
    let plan = read_rows::<PlanRow>(dir, remarks).map(|lines| check::plan(lines, remarks));
    let planned: check::Planned<'_> =
        plan.as_ref().map(|rows| rows.iter().map(|row| (row.trial_id.as_str(), row)).collect());
    let trials = read_rows::<TrialRow>(dir, remarks).unwrap_or_default();
    let mut trials = check::trials(trials, &manifest, &planned, remarks);
    if manifest.schema_version < IDLE_SCHEMA {
        forget_service(&mut trials, remarks);
    }
    let memory = check::memory(read_added(dir, remarks), &manifest, &planned, remarks);
    hold_to_laws(&mut trials, &memory, &environment);
    let facts = check::facts(read_added(dir, remarks), &manifest, remarks);
    // Their rows are read where they are needed; that they are lost belongs to all remarks.
    noise_of(dir, remarks);
    calibration_of(dir, remarks);
    let remarks = std::mem::take(remarks).into_sentences();
    let plan = plan.unwrap_or_default();
    Ok(Run { manifest, environment, plan, trials, memory, facts, remarks })
}

/// From this version on, service and queue contain the wait before a request is read, and
/// transport is what an idle round trip takes.
const IDLE_SCHEMA: u32 = 2;

/// Takes from trials of an older version the columns that had another meaning. No idle round trip
/// was measured then, so nothing can tell waiting from travelling.
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

/// Flags each trial that breaks a law, as the driver does before it writes the row: the file may
/// have been edited since, or an older forkbench wrote it.
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
    let file = path.join(EXPERIMENT);
    let bytes = Dir::open(path).and_then(|dir| dir.read(EXPERIMENT, MAX_TEXT_BYTES));
    String::from_utf8(bytes.map_err(RecordError::io("read", &file))?)
        .map_err(|error| RecordError::malformed(&file, error.utf8_error().to_string()))
}

/// The bytes of a run's `datapackage.json`; none without such a file.
///
/// # Errors
/// It cannot be read.
pub fn read_datapackage(path: &Path) -> Result<Vec<u8>, RecordError> {
    match Dir::open(path).and_then(|dir| dir.read(PACKAGE, MAX_TEXT_BYTES)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(RecordError::io("read", &path.join(PACKAGE))),
    }
}

/// Reads the trials that found rates and objectives, in the order of the file; none without such a
/// file. [`read`] remarks on the rows that are left out.
pub fn read_calibration(path: &Path) -> Vec<CalibrationRow> {
    let dir = Dir::open(path).ok();
    dir.map(|dir| calibration_of(&dir, &mut Remarks::default())).unwrap_or_default()
}

fn calibration_of(dir: &Dir, remarks: &mut Remarks) -> Vec<CalibrationRow> {
    read_added(dir, remarks).into_iter().map(|line| line.row).collect()
}

/// Reads what the machine did during a run, in the order of the file, and the remarks on it. Both
/// are empty for a run of an older forkbench, which has no such file.
pub fn read_noise(path: &Path) -> (Vec<NoiseRow>, Vec<String>) {
    let mut remarks = Remarks::default();
    let dir = Dir::open(path).ok();
    let rows = dir.map(|dir| noise_of(&dir, &mut remarks)).unwrap_or_default();
    (rows, remarks.into_sentences())
}

fn noise_of(dir: &Dir, remarks: &mut Remarks) -> Vec<NoiseRow> {
    let mut rows: Vec<NoiseRow> = Vec::new();
    for Line { number, row } in read_added::<NoiseRow>(dir, remarks) {
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

fn read_manifest(dir: &Dir, of: &Path) -> Result<Manifest, RecordError> {
    let path = of.join(MANIFEST);
    let bytes = dir.read(MANIFEST, MAX_TEXT_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RecordError::NotARun { path: of.to_owned() },
        _ => RecordError::io("read", &path)(error),
    })?;
    let malformed = |error: serde_json::Error| RecordError::malformed(&path, error.to_string());
    // The version first, and alone: a newer manifest need not have the fields of this one.
    let value: Value = serde_json::from_slice(&bytes).map_err(malformed)?;
    match value.get("schema_version").and_then(Value::as_u64) {
        Some(found) if found > u64::from(SCHEMA_VERSION) => {
            Err(RecordError::NewerSchema { path: of.to_owned(), found })
        }
        _ => {
            let mut manifest: Manifest = serde_json::from_value(value).map_err(malformed)?;
            // These two are only shown.
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

/// The rows of a file that was added later: none for a run of an older forkbench, which has no such
/// file and whose description names none.
fn read_added<T: Row + DeserializeOwned>(dir: &Dir, remarks: &mut Remarks) -> Vec<Line<T>> {
    let file = T::TABLE.file;
    if !dir.has(file) && !dir.has(&packed(T::TABLE)) {
        if is_described(dir, T::TABLE) {
            remarks.file(file, &format!("is missing; nothing is shown of {}", subject_of(file)));
        }
        return Vec::new();
    }
    read_rows(dir, remarks).unwrap_or_default()
}

/// Whether the run was written with this table.
fn is_described(dir: &Dir, table: &Table) -> bool {
    let bytes = dir.read(PACKAGE, MAX_TEXT_BYTES).unwrap_or_default();
    let package: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let resources = package["resources"].as_array();
    resources.is_some_and(|all| all.iter().any(|resource| resource["path"] == table.file))
}

/// What a table is about, in a sentence.
fn subject_of(file: &str) -> &'static str {
    match file {
        "memory.csv" => "memory",
        "facts.csv" => "demonstrations",
        "noise.csv" => "what the machine did meanwhile",
        "calibration.csv" => "how the rates were found",
        _ => "it",
    }
}
