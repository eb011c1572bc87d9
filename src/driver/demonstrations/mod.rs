//! Demonstrations: programs that show what is no latency, run to their end one after the other,
//! never while a trial runs. Every ending is a row.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::leftovers::{self, Leftovers};
use super::output::{self, How, OUT_MAX_BYTES, Output};
use super::programs::SubjectProgram;
use super::target::last_line;
use super::trial::Setting;
use crate::experiment::Demonstration;
use crate::record::facts::TOOK_MS;
use crate::record::{self, FactRow, FactStatus};
use crate::sys::clock::now_ns;

mod facts;

use facts::Fact;

/// Deadline of a demonstration. Each takes seconds, on a slow machine several times as long.
pub const DEADLINE_NS: u64 = 60_000_000_000;

/// Runs one to its end, or ends it at the deadline, with all processes that it left. Gives its
/// rows, of which the last says how it ended; `None` if the user wants the run to end.
///
/// # Errors
/// The machine does not let its processes be cleaned up.
pub fn demonstrate(
    setting: &Setting<'_>,
    shown: &Demonstration,
    block: u32,
    deadline_ns: u64,
) -> Result<Option<Vec<FactRow>>> {
    let blank = blank(setting.run_id, shown, block);
    let Some(program) = setting.programs.get(&shown.runtime) else {
        let reason = format!("there is no program for the runtime `{}`", shown.runtime);
        return Ok(Some(vec![last(&blank, None, FactStatus::Skipped, reason)]));
    };
    let parts = command(program, &shown.name);
    let mut command = Command::new(&parts[0]);
    command.args(&parts[1..]).current_dir(setting.scratch);
    command.env_clear().envs(setting.environment.to_vec()).envs(program.environment.clone());
    let begun_ns = now_ns();
    let ended = output::run(command, begun_ns + deadline_ns);
    let took_ns = now_ns() - begun_ns;
    let left = leftovers::clean_up(setting.preexisting)
        .with_context(|| format!("end the processes of demonstration `{}`", shown.name))?;
    let (facts, fault) = match ended {
        Ok(None) => return Ok(None),
        Ok(Some(output)) => judged(&output, left, deadline_ns),
        Err(error) => (Vec::new(), Some(format!("{error:#}"))),
    };
    let row = |fact: Fact| FactRow {
        case: fact.case,
        fact: fact.fact,
        value: fact.value,
        unit: fact.unit,
        text: fact.text,
        ..blank.clone()
    };
    let status = if fault.is_some() { FactStatus::Failed } else { FactStatus::Ok };
    let last = last(&blank, Some(took_ns), status, fault.unwrap_or_default());
    Ok(Some(facts.into_iter().map(row).chain([last]).collect()))
}

/// The row of a demonstration that cannot be run here.
pub fn skipped(run_id: &str, shown: &Demonstration, block: u32, reason: String) -> FactRow {
    last(&blank(run_id, shown, block), None, FactStatus::Skipped, reason)
}

fn blank(run_id: &str, shown: &Demonstration, block: u32) -> FactRow {
    FactRow {
        run_id: run_id.to_owned(),
        demonstration: shown.name.clone(),
        runtime: shown.runtime.clone(),
        block,
        started_utc: record::utc_now(),
        ..FactRow::default()
    }
}

fn last(blank: &FactRow, took_ns: Option<u64>, status: FactStatus, reason: String) -> FactRow {
    FactRow {
        fact: TOOK_MS.to_owned(),
        // To the microsecond: blocks differ by far more.
        value: took_ns.map(|ns| (ns / 1_000) as f64 / 1e3),
        unit: "ms".to_owned(),
        status,
        reason,
        ..blank.clone()
    }
}

/// The program and its arguments: a script in the folder of the subject's, or a mode of the subject
/// itself.
fn command(program: &SubjectProgram, name: &str) -> Vec<PathBuf> {
    // It runs in a directory of its own, from where a relative path would lead elsewhere.
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match program.command.as_slice() {
        [interpreter, entry] => {
            let extension = entry.extension().unwrap_or_default().display();
            let script = format!("demonstrations/{name}.{extension}");
            vec![absolute(interpreter), absolute(&entry.with_file_name(script))]
        }
        command => {
            let subject = command.iter().map(|part| absolute(part));
            subject.chain(["demonstration", name].map(PathBuf::from)).collect()
        }
    }
}

/// The facts, and the reason why the demonstration failed, if it did. Facts that were printed
/// before it failed stay: each is true by itself.
fn judged(output: &Output, left: Leftovers, deadline_ns: u64) -> (Vec<Fact>, Option<String>) {
    let (facts, unreadable) = facts::read(&output.out);
    let how = match &output.how {
        How::Exited(status) if status.success() => None,
        How::Exited(status) => Some(status.to_string()),
        How::Late => {
            Some(format!("did not end within {} s and was ended", deadline_ns as f64 / 1e9))
        }
        How::Flooded => {
            Some(format!("wrote more than {} KiB of facts and was ended", OUT_MAX_BYTES >> 10))
        }
    };
    let nothing = || facts.is_empty().then(|| "printed nothing".to_owned());
    let remains = match left.running {
        0 => None,
        1 => Some("left 1 process running, which was ended".to_owned()),
        n => Some(format!("left {n} processes running, which were ended")),
    };
    let faults: Vec<String> =
        [how.or(unreadable).or_else(nothing), remains].into_iter().flatten().collect();
    if faults.is_empty() {
        return (facts, None);
    }
    let last_line = last_line(&output.err).map(|line| format!("; last line of stderr: {line}"));
    let (faults, last_line) = (faults.join(", and "), last_line.unwrap_or_default());
    (facts, Some(format!("the demonstration {faults}{last_line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_a_script_next_to_the_subject_or_a_mode_of_it() {
        let program = |command: &[&str]| SubjectProgram {
            command: command.iter().map(PathBuf::from).collect(),
            ..SubjectProgram::default()
        };
        let told = |command: &[&str]| {
            let command = super::command(&program(command), "crash");
            let parts = command.iter().map(|part| part.display().to_string());
            parts.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            told(&["/usr/bin/node", "/at/node/subject.mjs"]),
            "/usr/bin/node /at/node/demonstrations/crash.mjs"
        );
        assert_eq!(told(&["/at/subject"]), "/at/subject demonstration crash");
        assert!(told(&["subject"]).starts_with('/'));
    }
}
