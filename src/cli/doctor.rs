//! `forkbench doctor`: what can be measured here, how noisy the machine is while nothing of ours
//! runs, and what to change, before anyone wastes an hour.

use anyhow::{Context, Result};
use serde_json::json;

use super::columns::Columns;
use super::{Failure, here, screen};
use crate::driver::noise::Monitor;
use crate::record::environment;

mod busiest;
mod findings;
mod probe;
mod score;

use findings::Finding;
use probe::Probe;
use score::Score;

/// Arguments of `forkbench doctor`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  forkbench doctor                leave the machine alone for 10 s, then read
  forkbench doctor --seconds 60   a longer look at a machine that is noisy now and then
  forkbench doctor --json         for programs

Exit codes: 0 whatever was found, 1 it could not look, 2 wrong usage.")]
pub struct DoctorArgs {
    /// How long to watch the idle machine, 1 to 60
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=60))]
    pub seconds: u64,

    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// Looks, watches and says what it found.
///
/// # Errors
/// The machine could not be watched at all, or standard output takes no text.
pub fn doctor(args: &DoctorArgs) -> Result<(), Failure> {
    examine(args).map_err(Failure::Failed)
}

fn examine(args: &DoctorArgs) -> Result<()> {
    let subject = here::subject_program();
    let probe = Probe::of_this_machine(subject.as_ref().ok().map(std::path::PathBuf::as_path));
    let facts = environment::collect(subject.as_deref().unwrap_or("forkbench-subject".as_ref()));
    screen::note(&format!("watching this machine for {} s; leave it alone", args.seconds));
    let mut monitor = Monitor::start().context("start watching the machine")?;
    let before = busiest::used_ns();
    let idle = monitor.watch_idle(args.seconds * 1_000_000_000, |_| ());
    let busiest = busiest::between(&before, &busiest::used_ns(), idle.wall_ns);
    let watched = monitor.take_rows("", "");
    let score = Score::of(&idle, monitor.cpus(), &monitor.unavailable(), &busiest, &watched);
    let findings = findings::all(&facts, &probe);
    let text = if args.json {
        let value = json!({
            "findings": findings.iter().map(Finding::json).collect::<Vec<_>>(),
            "noise": score.json(),
            "advice": advice(&findings, &score),
        });
        format!("{value:#}\n")
    } else {
        text(&findings, &score, screen::width())
    };
    Ok(screen::print(&text)?)
}

/// What to change, the most pressing first.
fn advice(findings: &[Finding], score: &Score) -> Vec<String> {
    let of_findings = findings.iter().filter_map(|finding| finding.advice.clone());
    score.advice().into_iter().chain(of_findings).collect()
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

    #[test]
    fn the_text_fits_and_ends_with_what_to_change() {
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
}
