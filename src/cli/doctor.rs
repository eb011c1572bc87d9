//! `forkbench doctor`: what can be measured here, how noisy the idle machine is, and what to
//! change before an hour of measuring is wasted.

use anyhow::{Context, Result};
use serde_json::json;
use sysinfo::{ProcessesToUpdate, System};

use super::columns::Columns;
use super::{Failure, here, screen};
use crate::driver::noise::Monitor;
use crate::record::environment;

mod findings;
mod probe;
mod score;

use findings::Finding;
use probe::Probe;
use score::{Busy, Score};

/// Arguments of `forkbench doctor`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = include_str!("help/doctor.txt"))]
pub struct DoctorArgs {
    /// How long to watch the idle machine, 1 to 60
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=60))]
    pub seconds: u64,

    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Looks, watches and prints the findings.
///
/// # Errors
/// The machine could not be watched at all, or standard output takes no text.
pub fn doctor(args: &DoctorArgs) -> Result<(), Failure> {
    examine(args).map_err(Failure::Failed)
}

fn examine(args: &DoctorArgs) -> Result<()> {
    let subject = here::subject_program();
    let probe = Probe::of_this_machine(subject.as_deref());
    let facts = environment::collect(subject.as_deref().unwrap_or("forkbench-subject".as_ref()));
    screen::note(&format!("watching this machine for {} s; leave it alone", args.seconds));
    let mut monitor = Monitor::start().context("start watching the machine")?;
    let mut system = System::new().context("list the processes of this machine")?;
    system.refresh_processes(ProcessesToUpdate::All, true);
    let idle = monitor.watch_idle(args.seconds * 1_000_000_000, |_| ());
    system.refresh_processes(ProcessesToUpdate::All, true);
    let score = Score::of(&idle, monitor.cpus(), &monitor.unavailable(), busiest(&system));
    let findings = findings::all(&facts, &probe);
    let text = if args.json {
        let value = json!({
            "findings": findings,
            "noise": score.json(),
            "advice": advice(&findings, &score),
        });
        format!("{value:#}\n")
    } else {
        text(&findings, &score, screen::width())
    };
    Ok(screen::print(&text)?)
}

/// At most this many programs are named, and none that used less than [`LEAST`] of a core.
const NAMED: usize = 3;
const LEAST: f64 = 0.01;

/// The other programs that used the most between two refreshes of `system`.
fn busiest(system: &System) -> Vec<Busy> {
    let own = std::process::id();
    let processes = system.processes().values();
    let others = processes.filter(|p| p.pid().as_u32() != own && p.thread_kind().is_none());
    let mut busy: Vec<Busy> = others
        .map(|p| Busy {
            name: p.name().to_string_lossy().into_owned(),
            cores: f64::from(p.cpu_usage()) / 100.0,
        })
        .filter(|busy| busy.cores >= LEAST)
        .collect();
    busy.sort_by(|a, b| b.cores.total_cmp(&a.cores));
    busy.truncate(NAMED);
    busy
}

/// What to change, the most pressing first.
fn advice(findings: &[Finding], score: &Score) -> Vec<String> {
    let of_findings = findings.iter().filter_map(|finding| finding.advice);
    score.advice().into_iter().chain(of_findings.map(str::to_owned)).collect()
}

fn text(findings: &[Finding], score: &Score, width: u16) -> String {
    let mut columns = Columns::labelled(width, 2);
    for finding in findings {
        columns.row([finding.name, finding.state.name(), &finding.detail]);
    }
    let mut text = format!("What can be measured here\n{}\n", columns.text());
    text += &score.text(width);
    text += "\nWhat to change\n";
    let advice = advice(findings, score);
    if advice.is_empty() {
        return text + "  nothing\n";
    }
    let mut columns = Columns::new(width, 2);
    for sentence in &advice {
        columns.row(["-", sentence]);
    }
    text + &columns.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock::now_ns;

    #[test]
    fn text_fits_the_width_and_ends_with_the_advice() {
        let findings = findings::all(&findings::tests::facts(), &findings::tests::probe());
        for (name, score) in [("quiet", score::tests::quiet()), ("noisy", score::tests::noisy())] {
            for width in [80, 120] {
                let text = text(&findings, &score, width);
                for line in text.lines() {
                    assert!(line.chars().count() < usize::from(width), "{line}");
                    assert_eq!(line.trim_end(), line);
                }
                insta::assert_snapshot!(format!("{name} at {width}"), text);
            }
        }
    }

    #[test]
    fn busiest_names_a_program_that_spins() {
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap();
        let pid = sysinfo::Pid::from_u32(child.id());
        let mut system = System::new().unwrap();
        // Its share is known once it has used a tick between two refreshes.
        let deadline = now_ns() + 60_000_000_000;
        let mut busy = Vec::new();
        while !busy.iter().any(|one: &Busy| one.name == "sh") && now_ns() < deadline {
            std::thread::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
            system.refresh_processes(ProcessesToUpdate::All, true);
            busy = busiest(&system);
        }
        let used = system.process(pid).map_or(0.0, |process| process.cpu_usage());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(used > 0.0);
        assert!(busy.is_sorted_by(|a, b| a.cores >= b.cores) && busy.len() <= NAMED, "{busy:?}");
    }
}
