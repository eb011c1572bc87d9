//! Demonstrations: programs that show what is no latency, run to their end one after the other,
//! never beside a trial. Whatever becomes of one is rows.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::leftovers::{self, Leftovers};
use super::programs::SubjectProgram;
use super::target::last_line;
use super::trial::Setting;
use crate::experiment::Demonstration;
use crate::record::facts::TOOK_MS;
use crate::record::{self, FactRow, FactStatus};
use crate::sys::clock::now_ns;

pub(super) mod program;
mod said;

use program::{Ended, How};
use said::Fact;

/// How long a demonstration may take: those there are take seconds, on a slow machine several
/// times as long.
pub const DEADLINE_NS: u64 = 60_000_000_000;

/// Runs one to its end, or ends it at the deadline, with all that it has left behind. Gives its
/// rows, of which the last says how it ended; `None` if the user wants the run to end.
///
/// # Errors
/// The machine does not let what it left be cleaned up.
pub fn demonstrate(
    setting: &Setting<'_>,
    shown: &Demonstration,
    block: u32,
    deadline_ns: u64,
) -> Result<Option<Vec<FactRow>>> {
    let blank = blank(setting.run_id, shown, block);
    let Some(program) = setting.programs.get(&shown.runtime) else {
        let reason = format!("there is no program for the runtime `{}`", shown.runtime);
        return Ok(Some(vec![last(&blank, None, Fault::Skipped(reason))]));
    };
    let environment = [setting.environment, &program.environment[..]].concat();
    let begun_ns = now_ns();
    let ended = program::run(
        &command(program, &shown.name),
        &environment,
        setting.scratch,
        begun_ns + deadline_ns,
    );
    let took_ns = now_ns() - begun_ns;
    let left = leftovers::clean_up(setting.preexisting)
        .with_context(|| format!("end what demonstration `{}` left", shown.name))?;
    let (facts, fault) = match ended {
        Ok(None) => return Ok(None),
        Ok(Some(ended)) => judged(&ended, left, deadline_ns),
        Err(error) => (Vec::new(), Fault::Failed(error.to_string())),
    };
    let row = |fact: Fact| FactRow {
        case: fact.case,
        fact: fact.fact,
        value: fact.value,
        unit: fact.unit,
        text: fact.text,
        ..blank.clone()
    };
    let rows = facts.into_iter().map(row);
    let last = last(&blank, Some(took_ns), fault);
    Ok(Some(rows.chain([last]).collect()))
}

/// The row of a demonstration that cannot be run here.
pub fn skipped(run_id: &str, shown: &Demonstration, block: u32, reason: String) -> FactRow {
    last(&blank(run_id, shown, block), None, Fault::Skipped(reason))
}

/// What was wrong with a demonstration.
enum Fault {
    None,
    Failed(String),
    Skipped(String),
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

fn last(blank: &FactRow, took_ns: Option<u64>, fault: Fault) -> FactRow {
    let (status, reason) = match fault {
        Fault::None => (FactStatus::Ok, String::new()),
        Fault::Failed(reason) => (FactStatus::Failed, reason),
        Fault::Skipped(reason) => (FactStatus::Skipped, reason),
    };
    FactRow {
        fact: TOOK_MS.to_owned(),
        // To the microsecond, which is far below what differs from block to block.
        value: took_ns.map(|ns| (ns / 1_000) as f64 / 1e3),
        unit: "ms".to_owned(),
        status,
        reason,
        ..blank.clone()
    }
}

/// The program and its arguments: a script beside the subject's, or a mode of the subject itself.
fn command(program: &SubjectProgram, name: &str) -> Vec<PathBuf> {
    // It runs in a directory of its own, from where a relative path would lead elsewhere.
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match program.command.as_slice() {
        [interpreter, entry] => {
            let script = entry.with_file_name("demonstrations").join(name);
            let mut script = script.into_os_string();
            if let Some(extension) = entry.extension() {
                script.push(".");
                script.push(extension);
            }
            vec![absolute(interpreter), absolute(Path::new(&script))]
        }
        command => {
            let subject = command.iter().map(|part| absolute(part));
            let mode = ["demonstration", name].map(PathBuf::from);
            subject.chain(mode).collect()
        }
    }
}

/// The facts, and what was wrong. Facts that were said before something went wrong stay: each is
/// true by itself.
fn judged(ended: &Ended, left: Leftovers, deadline_ns: u64) -> (Vec<Fact>, Fault) {
    let (facts, unreadable) = said::facts(&ended.out);
    let how = match &ended.how {
        How::Exited(status) if status.success() => None,
        How::Exited(status) => Some(status.to_string()),
        How::Late => {
            Some(format!("did not end within {} s and was ended", deadline_ns as f64 / 1e9))
        }
        How::Flooded => Some(format!(
            "wrote more than {} KiB of facts and was ended",
            program::OUT_MAX_BYTES >> 10
        )),
    };
    let nothing = || facts.is_empty().then(|| "said nothing".to_owned());
    let remains = (left.running > 0)
        .then(|| format!("left {} of its processes running, which were ended", left.running));
    let wrong = [how.or(unreadable).or_else(nothing), remains];
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    if wrong.is_empty() {
        return (facts, Fault::None);
    }
    let last_words = last_line(&ended.err).map(|line| format!("; last line of stderr: {line}"));
    let reason =
        format!("the demonstration {}{}", wrong.join(", and "), last_words.unwrap_or_default());
    (facts, Fault::Failed(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_beside_the_subject_and_rust_s_is_a_mode_of_it() {
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
