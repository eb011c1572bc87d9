//! The needs of a family before its first trial: its input, written once, and the right answer. The
//! driver runs no workload itself: it asks a subject, in a process of its own. That is the Rust
//! one, also for the other runtimes, unless the workload says that their answers differ.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::load::Exchange;
use super::output::{self, How, OUT_MAX_BYTES, Output};
use super::programs::SubjectProgram;
use super::target::{TargetError, last_line, subject_environment};
use crate::experiment::Family;
use crate::experiment::runtime::RUST_NAME;
use crate::sys::clock::now_ns;
use crate::workload::Spec;

/// The option in which a workload finds its input.
const INPUT: &str = "input";

/// The option in which a workload that writes files finds where to.
const OUTPUT_DIR: &str = "dir";

/// Inputs and right answers of a run, by question and, where answers differ, by runtime.
#[derive(Debug)]
pub struct Oracle<'a> {
    rust: SubjectProgram,
    runtimes: Option<&'a BTreeMap<String, SubjectProgram>>,
    scratch: &'a Path,
    known: HashMap<(Spec, Option<String>), Known>,
    /// Of a workload in a runtime, what its calibrated option was measured to be.
    units: HashMap<(String, String), String>,
}

#[derive(Debug, Clone)]
struct Known {
    spec: Spec,
    checksum: Option<u64>,
    outputs: Option<PathBuf>,
}

/// Spec, requests and answers of a trial.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The family's, with the places of its files.
    pub spec: Spec,
    /// The payload of requests and the right answer.
    pub exchange: Exchange,
    /// The folder made for what the workload writes, emptied after each trial; never a folder of
    /// the user's.
    pub outputs: Option<PathBuf>,
}

impl<'a> Oracle<'a> {
    /// Knows nothing yet; asks this Rust subject, and has inputs written below `scratch`.
    pub fn new(subject: &Path, scratch: &'a Path) -> Oracle<'a> {
        let rust = SubjectProgram::compiled(subject.to_owned());
        Oracle { rust, runtimes: None, scratch, known: HashMap::new(), units: HashMap::new() }
    }

    /// Asks these subjects where their answers differ from Rust's.
    #[must_use]
    pub fn of_runtimes(self, programs: &'a BTreeMap<String, SubjectProgram>) -> Oracle<'a> {
        Oracle { runtimes: Some(programs), ..self }
    }

    /// Prepares the trials of this family.
    ///
    /// # Errors
    /// The workload cannot be run with these parameters, or its files cannot be written.
    pub fn prepare_family(&mut self, family: &Family, seed: u64) -> Result<Prepared> {
        self.prepare_as(&family.spec, Some(&family.runtime), seed)
    }

    /// The same with the answer of the Rust subject.
    ///
    /// # Errors
    /// As [`Oracle::prepare_family`].
    pub fn prepare(&mut self, spec: &Spec, seed: u64) -> Result<Prepared> {
        self.prepare_as(spec, None, seed)
    }

    /// Takes the unit of a workload in a runtime as it was measured before.
    pub fn learn(&mut self, workload: &str, runtime: &str, value: String) {
        self.units.insert((workload.to_owned(), runtime.to_owned()), value);
    }

    /// Number of units that are known.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// The spec with its calibrated option measured, where that is left to be: once per runtime,
    /// so that every caller gets the same work.
    ///
    /// # Errors
    /// The subject could not measure it.
    pub fn calibrate(&mut self, spec: &Spec, runtime: Option<&str>) -> Result<Spec> {
        let mut spec = spec.clone();
        let workload = spec.workload().map_err(anyhow::Error::msg)?;
        let Some(option) = workload.calibrated_option() else {
            return Ok(spec);
        };
        if spec.options.get(option).is_some_and(|value| value != "0") {
            return Ok(spec);
        }
        let key = (spec.workload.clone(), runtime.unwrap_or(RUST_NAME).to_owned());
        let value = match self.units.get(&key) {
            Some(value) => value.clone(),
            None => {
                let value = ask(self.program(runtime), &["calibrate".to_owned()], &spec)?;
                self.units.insert(key, value.clone());
                value
            }
        };
        spec.options.insert(option.to_owned(), value);
        Ok(spec)
    }

    fn program(&self, runtime: Option<&str>) -> &SubjectProgram {
        let own = runtime.zip(self.runtimes).and_then(|(name, programs)| programs.get(name));
        own.unwrap_or(&self.rust)
    }

    fn prepare_as(&mut self, spec: &Spec, runtime: Option<&str>, seed: u64) -> Result<Prepared> {
        let spec = &self.calibrate(spec, runtime)?;
        let workload = spec.workload().map_err(anyhow::Error::msg)?;
        let whose = runtime.filter(|_| !workload.same_in_every_runtime());
        let key = (spec.clone(), whose.map(str::to_owned));
        let known = match self.known.get(&key) {
            Some(known) => known.clone(),
            None => {
                let known = self.find_out(spec, whose)?;
                self.known.insert(key, known.clone());
                known
            }
        };
        let payload = pattern(spec.payload_bytes as usize, seed);
        let exchange =
            Exchange { payload, echo: workload.takes_payload(), checksum: known.checksum };
        Ok(Prepared { spec: known.spec, exchange, outputs: known.outputs })
    }

    fn find_out(&self, spec: &Spec, whose: Option<&str>) -> Result<Known> {
        let mut spec = spec.clone();
        let mut outputs = None;
        if spec.options.get("output").is_some_and(|output| output == "files")
            && spec.options.get(OUTPUT_DIR).is_some_and(String::is_empty)
        {
            let dir = self.scratch.join("outputs");
            std::fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
            spec.options.insert(OUTPUT_DIR.to_owned(), dir.to_string_lossy().into_owned());
            outputs = Some(dir);
        }
        let dir = self.scratch.to_string_lossy().into_owned();
        let path = ask(&self.rust, &["input".to_owned(), dir], &spec)?;
        if !path.is_empty() {
            spec.options.insert(INPUT.to_owned(), path);
        }
        if spec.workload().is_ok_and(|workload| workload.is_fault()) {
            return Ok(Known { spec, checksum: None, outputs });
        }
        let text = ask(self.program(whose), &["answer".to_owned()], &spec)?;
        let checksum = text.parse().with_context(|| format!("read the right answer `{text}`"))?;
        Ok(Known { spec, checksum: Some(checksum), outputs })
    }
}

impl Prepared {
    /// Removes what the trial has written.
    ///
    /// # Errors
    /// A file could not be removed.
    pub fn empty_outputs(&self) -> std::io::Result<()> {
        let Some(dir) = &self.outputs else {
            return Ok(());
        };
        for entry in std::fs::read_dir(dir)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(())
    }
}

/// Longer than any input takes to write or any answer to compute, a slow machine included.
const ASK_NS: u64 = 300_000_000_000;

/// Runs the subject in a mode that prints one line, and gives the line.
fn ask(subject: &SubjectProgram, mode: &[String], spec: &Spec) -> Result<String> {
    let what = mode.first().map_or("", String::as_str);
    let name = subject.command.iter().map(|part| part.display().to_string());
    let name = name.collect::<Vec<_>>().join(" ");
    let attempt = || format!("`{name} {what}` for {}", spec.workload);
    let Some((program, arguments)) = subject.command.split_first() else {
        bail!("{}: there is no program", attempt());
    };
    let mut command = Command::new(program);
    command.args(arguments).args(mode).args(spec.to_args());
    command.env_clear().envs(subject_environment()).envs(subject.environment.clone());
    let ended = output::run(command, now_ns() + ASK_NS).with_context(attempt)?;
    let Some(Output { how, out, err }) = ended else {
        return Err(TargetError::Interrupted.into());
    };
    let status = match how {
        How::Exited(status) => status,
        How::Late => bail!("{}: no answer within {} s", attempt(), ASK_NS / 1_000_000_000),
        How::Flooded => bail!("{}: it wrote more than {OUT_MAX_BYTES} bytes", attempt()),
    };
    if !status.success() {
        // A script's own report comes first; the reason is in its last line, as in all subjects'.
        let said = last_line(&err).unwrap_or_default();
        let said = said
            .split_once(": ")
            .filter(|(who, _)| matches!(*who, "forkbench-subject" | "subject.mjs" | "subject.py"))
            .map_or(said.as_str(), |(_, reason)| reason);
        bail!("prepare {} {}: {said} ({status})", spec.workload, spec.size.name());
    }
    Ok(String::from_utf8_lossy(&out).trim().to_owned())
}

/// Bytes without a short period, so that a shifted or repeated part of a payload is noticed.
fn pattern(len: usize, seed: u64) -> Vec<u8> {
    use rand_xoshiro::rand_core::{Rng, SeedableRng};
    let mut bytes = vec![0; len];
    rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
