//! Writes a run directory: the driver's side.
//!
//! A file that is written once is complete or absent. Rows are appended whole and synced one by one.
//! After the first error nothing more is written.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::columns::{CALIBRATION, FACTS, MEMORY, NOISE, REQUESTS, Row, TRIALS, Table};
use super::lines::MAX_TABLE_BYTES;
use super::{
    CalibrationRow, Environment, FactRow, Manifest, MemoryRow, NoiseRow, PlanRow, RecordError,
    RequestOf, RequestRow, TrialRow, csv_of, csv_text, datapackage, requests,
};
use crate::sys::files::Dir;

/// The default of zstd.
const ZSTD_LEVEL: i32 = 3;

/// A run directory that this process alone writes to.
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
        let files = [
            ("experiment.toml", experiment_toml.to_owned()),
            ("env.json", written(path, pretty(environment))?),
            ("datapackage.json", written(path, pretty(&datapackage::describe(manifest)))?),
            ("plan.csv", written(path, csv_of(plan))?),
        ];
        let last = ("manifest.json", written(path, pretty(manifest))?);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(RecordError::io("create directory", parent))?;
        }
        // Atomic: of two that try, one makes it.
        fs::create_dir(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => RecordError::Exists { path: path.to_owned() },
            _ => RecordError::io("create directory", path)(error),
        })?;
        fill(path, &files, last).inspect_err(|_| {
            // The directory is ours and holds no measurement yet. If it cannot be removed, the
            // error at hand says more than that one would.
            let _ = fs::remove_dir_all(path);
        })
    }

    /// Opens a run that was cut short, to append to it. Takes away what its end tore, and nothing
    /// else: a part of a last row, files of requests without their row or under their temporary
    /// name, and the scratch directory.
    ///
    /// # Errors
    /// [`RecordError::InUse`] while another process writes it, or what the system refused.
    pub fn reopen(path: &Path) -> Result<RunDir, RecordError> {
        let held = Dir::open(path).map_err(RecordError::io("open", path))?;
        let dir = RunDir::of(path, |table| Appender::reopen(&held, path, table))?;
        let scratch = path.join("scratch");
        match fs::remove_dir_all(&scratch) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(RecordError::io("remove", &scratch)(error))
            }
            _ => Ok(dir),
        }
    }

    fn of(
        path: &Path,
        appender: impl Fn(&Table) -> Result<Appender, RecordError>,
    ) -> Result<RunDir, RecordError> {
        Ok(RunDir {
            trials: appender(&TRIALS)?,
            noise: appender(&NOISE)?,
            calibration: appender(&CALIBRATION)?,
            memory: appender(&MEMORY)?,
            facts: appender(&FACTS)?,
            path: path.to_owned(),
            scratch: None,
        })
    }

    /// Removes every file of requests but those of these rows: the others are of attempts that
    /// have no row.
    ///
    /// # Errors
    /// The directory cannot be read, or a file not removed.
    pub fn keep_requests_of(&self, rows: &[TrialRow]) -> Result<(), RecordError> {
        let path = self.path.join(requests::FOLDER);
        let kept: BTreeSet<String> =
            rows.iter().map(|row| format!("{}.csv.zst", row.requests_name())).collect();
        let folder = self.requests().map_err(RecordError::io("open", &path))?;
        folder.remove_stale().map_err(RecordError::io("remove", &path))?;
        for name in folder.names().map_err(RecordError::io("list", &path))? {
            // A file that no run has named is the user's.
            let name = name.to_str().filter(|name| is_of_requests(name) && !kept.contains(*name));
            if let Some(name) = name {
                folder.remove(name).map_err(RecordError::io("remove", &path.join(name)))?;
            }
        }
        Ok(())
    }

    fn requests(&self) -> io::Result<Dir> {
        Dir::open(&self.path)?.folder(requests::FOLDER)
    }

    /// Cuts off the facts of a demonstration that was cut short: all rows after the last one that
    /// ends a demonstration. `rows` are all rows of the file.
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

    /// A directory for inputs and copies, made at the first call and removed with this value.
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
        self.trials.append(std::slice::from_ref(row))
    }

    /// Appends rows to `noise.csv`, all at once; on disk when this returns. To be called between
    /// trials only: writing is noise.
    ///
    /// # Errors
    /// As for [`RunDir::append_trial`]: all of these rows are missing then.
    pub fn append_noise(&mut self, rows: &[NoiseRow]) -> Result<(), RecordError> {
        self.noise.append(rows)
    }

    /// Appends one row to `calibration.csv`; on disk when this returns.
    ///
    /// # Errors
    /// As [`RunDir::append_trial`].
    pub fn append_calibration(&mut self, row: &CalibrationRow) -> Result<(), RecordError> {
        self.calibration.append(std::slice::from_ref(row))
    }

    /// Appends rows to `memory.csv`, all at once; on disk when this returns. To be called with all
    /// rows of a trial before its row in `trials.csv`, so that a trial that is there is complete.
    ///
    /// # Errors
    /// As [`RunDir::append_trial`]: all of these rows are missing then.
    pub fn append_memory(&mut self, rows: &[MemoryRow]) -> Result<(), RecordError> {
        self.memory.append(rows)
    }

    /// Appends all rows of one demonstration to `facts.csv`; on disk when this returns.
    ///
    /// # Errors
    /// As [`RunDir::append_trial`]: all of these rows are missing then.
    pub fn append_facts(&mut self, rows: &[FactRow]) -> Result<(), RecordError> {
        self.facts.append(rows)
    }

    /// Writes the requests of a trial to `requests/`; complete and on disk when this returns.
    ///
    /// # Errors
    /// The disk is full or failing, or the trial has its file already. An incomplete file never
    /// has the final name.
    pub fn write_requests(&self, trial: &TrialRow, rows: &[RequestRow]) -> Result<(), RecordError> {
        let name = requests::file_of(&trial.requests_name())?;
        let of = RequestOf { trial_id: trial.trial_id.clone(), attempt: trial.attempt };
        let path = self.path.join(requests::FOLDER).join(&name);
        let folder = self.requests().map_err(RecordError::io("open", &path))?;
        if folder.has(&name) {
            let source = io::ErrorKind::AlreadyExists.into();
            return Err(RecordError::io("create", &path)(source));
        }
        write_once(&folder, &path, &name, |file| {
            let mut encoder = zstd::Encoder::new(file, ZSTD_LEVEL)?;
            encoder.include_checksum(true)?;
            encoder.write_all(REQUESTS.header().as_bytes())?;
            let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(encoder);
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
            // `finish` reports what could not be removed.
            let _ = fs::remove_dir_all(scratch);
        }
    }
}

/// Writes these files and the empty tables into the empty directory. The manifest is the last file:
/// a directory that has one counts as a run.
fn fill(dir: &Path, files: &[(&str, String)], last: (&str, String)) -> Result<RunDir, RecordError> {
    let held = &Dir::open(dir).map_err(RecordError::io("open", dir))?;
    let once = |(name, text): &(&str, String)| {
        write_once(held, &dir.join(name), name, |out| out.write_all(text.as_bytes()))
    };
    files.iter().try_for_each(once)?;
    let requests = &dir.join(requests::FOLDER);
    held.made_folder(requests::FOLDER).map_err(RecordError::io("create directory", requests))?;
    let run = RunDir::of(dir, |table| Appender::create(held, dir, table))?;
    once(&last)?;
    if let Some(parent) = dir.parent() {
        let synced = Dir::open(parent).and_then(|parent| parent.sync());
        synced.map_err(RecordError::io("sync", parent))?;
    }
    Ok(run)
}

/// Whether a run may have given this name to a file of requests, or to an unfinished one.
fn is_of_requests(name: &str) -> bool {
    let name = name.strip_suffix(".part").unwrap_or(name);
    let Some(stem) = name.strip_suffix(".csv.zst") else {
        return false;
    };
    // `t0001` of the plan, `s0001` of a search, and `t0001-2` of a second attempt.
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
    /// The bytes of whole rows.
    len: u64,
    /// An append failed: nothing is known of the disk from then on.
    failed: bool,
}

impl Appender {
    fn create(held: &Dir, dir: &Path, table: &Table) -> Result<Appender, RecordError> {
        let path = &dir.join(table.file);
        let file = held.new_file(table.file).map_err(RecordError::io("create", path))?;
        // Against a second writer. Closed on exec, so no subject holds it after the driver's end.
        file.try_lock().map_err(|error| RecordError::io("lock", path)(error.into()))?;
        let mut appender = Appender { file, path: path.to_owned(), len: 0, failed: false };
        appender.append_line(table.header().as_bytes())?;
        Ok(appender)
    }

    /// Opens a file that another process began, and cuts off the part of a row at its end.
    fn reopen(held: &Dir, dir: &Path, table: &Table) -> Result<Appender, RecordError> {
        let path = &dir.join(table.file);
        let file = held.file_to_append(table.file, MAX_TABLE_BYTES);
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

    /// One write and one sync for all of them; for none, neither.
    fn append<R: Row>(&mut self, rows: &[R]) -> Result<(), RecordError> {
        if rows.is_empty() {
            return Ok(());
        }
        let lines = rows.iter().map(csv_text::line).collect::<csv::Result<Vec<_>>>();
        let lines = lines.map_err(|error| RecordError::io("write", &self.path)(error.into()))?;
        self.append_line(&lines.concat())
    }

    fn append_line(&mut self, line: &[u8]) -> Result<(), RecordError> {
        if self.failed {
            let source = io::Error::other("an earlier row could not be written");
            return Err(RecordError::io("append to", &self.path)(source));
        }
        let written = self.file.write_all(line);
        match written.and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.len += line.len() as u64;
                Ok(())
            }
            Err(source) => {
                self.failed = true;
                // Takes back the written part of a row; a reader would leave it out anyway.
                let _ = self.file.set_len(self.len).and_then(|()| self.file.sync_all());
                Err(RecordError::io("append to", &self.path)(source))
            }
        }
    }
}

fn pretty<T: Serialize>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n")
}

/// The text that is to be written somewhere.
fn written<E: Into<io::Error>>(
    path: &Path,
    text: Result<String, E>,
) -> Result<String, RecordError> {
    text.map_err(|error| RecordError::io("write", path)(error.into()))
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
