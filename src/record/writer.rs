//! Writes a run directory: the driver's side.
//!
//! What is on disk stays good whatever happens next: files that are written once are complete or
//! absent, rows are appended whole and synced one by one, and after the first error nothing more
//! is written.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::reader::MAX_TABLE_BYTES;
use super::{
    CalibrationRow, Environment, FactRow, Manifest, MemoryRow, NoiseRow, PlanRow, REQUESTS,
    RecordError, RequestOf, RequestRow, TrialRow, csv_text, datapackage, requests_file, shown,
};
use crate::sys::files::Dir;

/// What zstd itself takes when nothing is said.
const ZSTD_LEVEL: i32 = 3;

/// A run directory that this process made and alone writes to.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    trials: Appender,
    noise: Appender,
    calibration: Appender,
    memory: Appender,
    facts: Appender,
    scratch: Option<PathBuf>,
}

impl RunDir {
    /// Makes the directory with all that is known before the first trial. `experiment_toml` is
    /// the experiment as it was read.
    ///
    /// # Errors
    /// [`RecordError::Exists`], or what the system refused; then nothing is left behind.
    pub fn create(
        path: &Path,
        manifest: &Manifest,
        environment: &Environment,
        experiment_toml: &str,
        plan: &[PlanRow],
    ) -> Result<RunDir, RecordError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(RecordError::io("create directory", parent))?;
        }
        // Atomic: of two that try, one makes it.
        fs::create_dir(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => RecordError::Exists { path: path.to_owned() },
            _ => RecordError::io("create directory", path)(error),
        })?;
        fill(path, manifest, environment, experiment_toml, plan).inspect_err(|_| {
            // The directory is ours and holds no measurement yet. If it cannot be removed, the
            // error at hand says more than that one would.
            let _ = fs::remove_dir_all(path);
        })
    }

    /// Opens a run that was cut short, to append to it: takes away what its end tore, and nothing
    /// else. That is the part of a last row, files of requests without their row or under their
    /// temporary name, and the scratch directory.
    ///
    /// # Errors
    /// [`RecordError::InUse`] while another process writes it, or what the system refused.
    pub fn reopen(path: &Path) -> Result<RunDir, RecordError> {
        let held = Dir::open(path).map_err(RecordError::io("open", path))?;
        let open = |name: &str| Appender::reopen(&held, path, name);
        let dir = RunDir {
            trials: open("trials.csv")?,
            noise: open("noise.csv")?,
            calibration: open("calibration.csv")?,
            memory: open("memory.csv")?,
            facts: open("facts.csv")?,
            path: path.to_owned(),
            scratch: None,
        };
        let scratch = path.join("scratch");
        match fs::remove_dir_all(&scratch) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(RecordError::io("remove", &scratch)(error))
            }
            _ => Ok(dir),
        }
    }

    /// Removes every file of requests but those of these rows: what an attempt wrote that never
    /// got its row.
    ///
    /// # Errors
    /// The directory cannot be read, or a file not removed.
    pub fn keep_requests_of(&self, rows: &[TrialRow]) -> Result<(), RecordError> {
        let path = self.path.join(REQUESTS);
        let kept: BTreeSet<String> =
            rows.iter().map(|row| format!("{}.csv.zst", row.requests_name())).collect();
        let requests = self.requests().map_err(RecordError::io("open", &path))?;
        requests.remove_stale().map_err(RecordError::io("remove", &path))?;
        for name in requests.names().map_err(RecordError::io("list", &path))? {
            // What no run has named is the user's.
            let Some(name) = name.to_str().filter(|name| is_of_requests(name)) else {
                continue;
            };
            if !kept.contains(name) {
                requests.remove(name).map_err(RecordError::io("remove", &path.join(name)))?;
            }
        }
        Ok(())
    }

    fn requests(&self) -> io::Result<Dir> {
        Dir::open(&self.path)?.folder(REQUESTS)
    }

    /// Cuts off what a demonstration showed that was cut short itself: whatever stands behind the
    /// last of these rows, all of the file's, that ends a demonstration. It is run again.
    ///
    /// # Errors
    /// The file cannot be read or cut.
    pub fn keep_whole_demonstrations_of(
        &mut self,
        rows: &mut Vec<FactRow>,
    ) -> Result<(), RecordError> {
        let whole = rows.iter().rposition(FactRow::is_last).map_or(0, |i| i + 1);
        if whole == rows.len() {
            return Ok(());
        }
        rows.truncate(whole);
        // A row is a line, and the header is one.
        self.facts.keep_lines(whole + 1)
    }

    /// Where the run is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory for sockets and inputs, made at the first call and removed with this value.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn scratch(&mut self) -> Result<&Path, RecordError> {
        if self.scratch.is_none() {
            let path = self.path.join("scratch");
            fs::create_dir(&path).map_err(RecordError::io("create directory", &path))?;
            self.scratch = Some(path);
        }
        Ok(self.scratch.as_deref().unwrap_or(&self.path))
    }

    /// Appends one row to `trials.csv`; on disk when this returns.
    ///
    /// # Errors
    /// The disk is full or failing. Rows that were there before are intact, and this one is not
    /// there; every later call fails too.
    pub fn append_trial(&mut self, row: &TrialRow) -> Result<(), RecordError> {
        match shown::sentence(&row.reason) {
            Cow::Borrowed(_) => self.trials.append(row),
            Cow::Owned(reason) => self.trials.append(&TrialRow { reason, ..row.clone() }),
        }
    }

    /// Appends rows to `noise.csv`, all at once; on disk when this returns. To be called between
    /// trials only: the disk would be noise of our own.
    ///
    /// # Errors
    /// As for [`RunDir::append_trial`]: all of these rows are missing then.
    pub fn append_noise(&mut self, rows: &[NoiseRow]) -> Result<(), RecordError> {
        self.noise.append_all(rows)
    }

    /// Appends one row to `calibration.csv`; on disk when this returns.
    ///
    /// # Errors
    /// As [`RunDir::append_trial`].
    pub fn append_calibration(&mut self, row: &CalibrationRow) -> Result<(), RecordError> {
        self.calibration.append(row)
    }

    /// Appends rows to `memory.csv`, all at once; on disk when this returns. To be called with all
    /// rows of a trial before its row in `trials.csv`, so that a trial that is there is complete.
    ///
    /// # Errors
    /// As [`RunDir::append_trial`]: all of these rows are missing then.
    pub fn append_memory(&mut self, rows: &[MemoryRow]) -> Result<(), RecordError> {
        self.memory.append_all(rows)
    }

    /// Appends all rows of one demonstration to `facts.csv`; on disk when this returns.
    ///
    /// # Errors
    /// As [`RunDir::append_trial`]: all of these rows are missing then.
    pub fn append_facts(&mut self, rows: &[FactRow]) -> Result<(), RecordError> {
        let bounded = |row: &FactRow| FactRow {
            text: shown::sentence(&row.text).into_owned(),
            reason: shown::sentence(&row.reason).into_owned(),
            ..row.clone()
        };
        self.facts.append_all(&rows.iter().map(bounded).collect::<Vec<_>>())
    }

    /// Writes the requests of a trial to `requests/`; complete and on disk when this returns.
    ///
    /// # Errors
    /// The disk is full or failing, or the trial has its file already. An incomplete file never
    /// has the final name.
    pub fn write_requests(&self, trial: &TrialRow, rows: &[RequestRow]) -> Result<(), RecordError> {
        let name = requests_file(&trial.requests_name())?;
        let of = RequestOf { trial_id: trial.trial_id.clone(), attempt: trial.attempt };
        let path = self.path.join(REQUESTS).join(&name);
        let requests = self.requests().map_err(RecordError::io("open", &path))?;
        if requests.has(&name) {
            let source = io::ErrorKind::AlreadyExists.into();
            return Err(RecordError::io("create", &path)(source));
        }
        write_once(&requests, &path, &name, |file| {
            let mut encoder = zstd::Encoder::new(file, ZSTD_LEVEL)?;
            encoder.include_checksum(true)?;
            let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(encoder);
            writer.write_record(csv_text::header_of(&(RequestRow::default(), &of))?)?;
            for row in rows {
                writer.serialize((row, &of))?;
            }
            let encoder = writer.into_inner().map_err(|error| error.into_error())?;
            encoder.finish().map(|_| ())
        })
    }

    /// Ends the run: removes the scratch directory and syncs the rest.
    ///
    /// # Errors
    /// What could not be removed or synced. All rows are on disk all the same.
    pub fn finish(mut self) -> Result<(), RecordError> {
        if let Some(scratch) = self.scratch.take() {
            fs::remove_dir_all(&scratch).map_err(RecordError::io("remove", &scratch))?;
        }
        let synced = Dir::open(&self.path).and_then(|dir| dir.sync());
        synced.map_err(RecordError::io("sync", &self.path))
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        if let Some(scratch) = self.scratch.take() {
            // Nobody to tell; `finish` is where this is reported.
            let _ = fs::remove_dir_all(scratch);
        }
    }
}

/// Writes everything into the empty directory. The manifest comes last, because a directory that
/// has one counts as a run.
fn fill(
    dir: &Path,
    manifest: &Manifest,
    environment: &Environment,
    experiment_toml: &str,
    plan: &[PlanRow],
) -> Result<RunDir, RecordError> {
    let held = &Dir::open(dir).map_err(RecordError::io("open", dir))?;
    let once = |name: &str, write: &dyn Fn(&mut BufWriter<&File>) -> io::Result<()>| {
        write_once(held, &dir.join(name), name, write)
    };
    once("experiment.toml", &|out| out.write_all(experiment_toml.as_bytes()))?;
    once("env.json", &|out| write_json(out, environment))?;
    once("datapackage.json", &|out| write_json(out, &datapackage::describe(manifest)))?;
    once("plan.csv", &|out| {
        out.write_all(&csv_text::header_line(&PlanRow::default())?)?;
        plan.iter().try_for_each(|row| out.write_all(&csv_text::line(row)?))
    })?;
    held.made_folder(REQUESTS).map_err(RecordError::io("create directory", &dir.join(REQUESTS)))?;
    let trials = Appender::create(held, dir, "trials.csv", &TrialRow::default())?;
    let noise = Appender::create(held, dir, "noise.csv", &NoiseRow::default())?;
    let calibration = Appender::create(held, dir, "calibration.csv", &CalibrationRow::default())?;
    let memory = Appender::create(held, dir, "memory.csv", &MemoryRow::default())?;
    let facts = Appender::create(held, dir, "facts.csv", &FactRow::default())?;
    once("manifest.json", &|out| write_json(out, manifest))?;
    if let Some(parent) = dir.parent() {
        let synced = Dir::open(parent).and_then(|parent| parent.sync());
        synced.map_err(RecordError::io("sync", parent))?;
    }
    Ok(RunDir { path: dir.to_owned(), trials, noise, calibration, memory, facts, scratch: None })
}

/// Whether a run may have named a file of requests so, or, an older one, its unfinished file.
fn is_of_requests(name: &str) -> bool {
    let name = name.strip_suffix(".part").unwrap_or(name);
    let Some(stem) = name.strip_suffix(".csv.zst") else {
        return false;
    };
    // `t0001` of the plan and `s0001` of a search, with `-2` behind it from a second attempt on.
    let number = stem.strip_prefix(['t', 's']).unwrap_or_default();
    let mut parts = number.splitn(2, '-');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(digits) && parts.next().is_none_or(digits)
}

/// A CSV file that grows by whole, synced rows.
#[derive(Debug)]
struct Appender {
    file: File,
    path: PathBuf,
    /// Up to here the file consists of whole rows.
    len: u64,
    /// An append failed: what is behind `len`, and whether the disk can be trusted, is unknown.
    failed: bool,
}

impl Appender {
    fn create<T: Serialize>(
        held: &Dir,
        dir: &Path,
        name: &str,
        sample: &T,
    ) -> Result<Appender, RecordError> {
        let path = &dir.join(name);
        let file = held.new_file(name).map_err(RecordError::io("create", path))?;
        // Against a second writer that opens the directory to continue it. Closed on exec, so
        // no subject can hold it after the driver is gone.
        file.try_lock().map_err(|error| RecordError::io("lock", path)(error.into()))?;
        let mut appender = Appender { file, path: path.to_owned(), len: 0, failed: false };
        let header = csv_text::header_line(sample);
        appender.append_line(header.map_err(|e| RecordError::io("write", path)(e.into()))?)?;
        Ok(appender)
    }

    /// Opens a file that another process began, and cuts off the part of a row at its end.
    fn reopen(held: &Dir, dir: &Path, name: &str) -> Result<Appender, RecordError> {
        let path = &dir.join(name);
        let file = held.file_to_append(name, MAX_TABLE_BYTES);
        let file = file.map_err(RecordError::io("open", path))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => RecordError::InUse { path: path.to_owned() },
            TryLockError::Error(error) => RecordError::io("lock", path)(error),
        })?;
        let mut bytes = Vec::new();
        (&file).read_to_end(&mut bytes).map_err(RecordError::io("read", path))?;
        let end = bytes.iter().rposition(|&byte| byte == b'\n');
        let len = end.map_or(0, |end| end as u64 + 1);
        if len == 0 {
            return Err(RecordError::malformed(path, "has no header"));
        }
        if len < bytes.len() as u64 {
            file.set_len(len)
                .and_then(|()| file.sync_all())
                .map_err(RecordError::io("cut the torn row off", path))?;
        }
        Ok(Appender { file, path: path.to_owned(), len, failed: false })
    }

    /// Cuts off all but the first lines.
    fn keep_lines(&mut self, lines: usize) -> Result<(), RecordError> {
        let mut bytes = Vec::new();
        (&self.file)
            .seek(SeekFrom::Start(0))
            .and_then(|_| (&self.file).read_to_end(&mut bytes))
            .map_err(RecordError::io("read", &self.path))?;
        let kept = bytes.split_inclusive(|&byte| byte == b'\n').take(lines);
        let len: usize = kept.map(<[u8]>::len).sum();
        self.file
            .set_len(len as u64)
            .and_then(|()| self.file.sync_all())
            .map_err(RecordError::io("cut rows off", &self.path))?;
        self.len = len as u64;
        Ok(())
    }

    fn append<T: Serialize>(&mut self, row: &T) -> Result<(), RecordError> {
        self.append_all(std::slice::from_ref(row))
    }

    /// One write and one sync for all of them; for none, neither.
    fn append_all<T: Serialize>(&mut self, rows: &[T]) -> Result<(), RecordError> {
        if rows.is_empty() {
            return Ok(());
        }
        let lines = rows.iter().map(csv_text::line).collect::<csv::Result<Vec<_>>>();
        let lines = lines.map_err(|e| RecordError::io("write", &self.path)(e.into()))?;
        self.append_line(lines.concat())
    }

    fn append_line(&mut self, line: Vec<u8>) -> Result<(), RecordError> {
        if self.failed {
            let source = io::Error::other("an earlier row could not be written");
            return Err(RecordError::io("append to", &self.path)(source));
        }
        let written = self.file.write_all(&line);
        match written.and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.len += line.len() as u64;
                Ok(())
            }
            Err(source) => {
                self.failed = true;
                // Takes back the part of a row that fitted; a reader would drop it anyway.
                let _ = self.file.set_len(self.len).and_then(|()| self.file.sync_all());
                Err(RecordError::io("append to", &self.path)(source))
            }
        }
    }
}

fn write_json<T: Serialize>(out: &mut BufWriter<&File>, value: &T) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Writes a file under a temporary name, syncs it, and gives it its own name: under that it is
/// complete or absent. `path` is for errors.
fn write_once(
    dir: &Dir,
    path: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), RecordError> {
    let written = dir.write_whole(name, |file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        file.sync_all()
    });
    written.and_then(|()| dir.sync()).map_err(RecordError::io("write", path))
}
