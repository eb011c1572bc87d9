//! `forkbench selftest`: whether the program measures correctly on this machine, now.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::columns::Columns;
use super::{Failure, here, screen};
use crate::driver::selftest::{self, Checked, Extent, Report, State};

/// Arguments of `forkbench selftest`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = include_str!("help/selftest.txt"))]
pub struct SelftestArgs {
    /// The full counts: 200 placebos, 50 comparisons, 100 trials with foreign load
    #[arg(long)]
    pub thorough: bool,

    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs all checks and prints their results.
///
/// # Errors
/// There is no subject; or a bar does not hold, or not all could be tried.
pub fn selftest(args: &SelftestArgs) -> Result<(), Failure> {
    let subject = here::subject_program().map_err(Failure::BadInput)?;
    let extent = match args.thorough {
        true => Extent::THOROUGH,
        false => Extent::DEFAULT,
    };
    let _watcher = super::run::watched(&subject);
    let report = selftest::run(&subject, extent, |progress| {
        let selftest::Progress { number, of, name } = progress;
        screen::note(&format!("check {number} of {of}: {name}"));
    });
    report.and_then(|report| show(&report, args.json)).map_err(Failure::Failed)
}

fn show(report: &Report, as_json: bool) -> Result<()> {
    let shown = match as_json {
        true => format!("{:#}\n", json(report)),
        false => text(report, screen::width()),
    };
    screen::print(&shown)?;
    if report.is_interrupted {
        bail!("interrupted; the checks above are those that were run");
    }
    let with = |state| lines(report).filter(|line| line.state == state).count();
    let (failed, noisy) = (with(State::Fail), with(State::Noisy));
    let all = lines(report).count();
    match (failed, noisy) {
        (0, 0) => Ok(()),
        (0, _) => bail!(
            "{noisy} of {all} bars are not decided, because the machine was noisy; `forkbench \
             doctor` says what to change"
        ),
        _ => bail!("{failed} of {all} bars do not hold on this machine"),
    }
}

fn lines(report: &Report) -> impl Iterator<Item = &selftest::Line> {
    report.checks.iter().flat_map(|check| &check.lines)
}

fn json(report: &Report) -> Value {
    let checks: Vec<Value> = report.checks.iter().map(check_json).collect();
    json!({
        "passes": report.passes(),
        "interrupted": report.is_interrupted,
        "noisy_when_idle": report.noisy_when_idle,
        "checks": checks,
    })
}

fn check_json(check: &Checked) -> Value {
    let bars: Vec<Value> = check
        .lines
        .iter()
        .map(|line| {
            json!({
                "what": line.what.trim(), "found": line.found, "bar": line.bar,
                "state": line.state.name(),
            })
        })
        .collect();
    let figures = check.figures.iter();
    let figures: Map<String, Value> =
        figures.map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "name": check.name, "asked": check.asked, "bars": bars, "figures": figures,
        "noise": check.noise, "took_ns": check.took_ns,
    })
}

fn text(report: &Report, width: u16) -> String {
    let mut text = match report.noisy_when_idle.as_slice() {
        [] => "The machine was quiet while idle.\n".to_owned(),
        signals => format!("The machine was noisy while idle: {}.\n", signals.join(", ")),
    };
    let longest = |of: fn(&selftest::Line) -> &str| {
        let lengths = lines(report).map(|line| of(line).chars().count());
        lengths.filter(|&length| length <= WIDEST).max().unwrap_or(0)
    };
    let (what, found) = (longest(|line| &line.what), longest(|line| &line.found));
    for check in &report.checks {
        text += &format!("\n{}", wrapped(&format!("{}: {}", check.name, check.asked), width, 0));
        for line in &check.lines {
            let state = line.state.name();
            let row =
                format!("{state:<5}  {:<what$}  {:<found$}  {}", line.what, line.found, line.bar);
            // An error message is the one thing that does not fit.
            text += &match row.chars().count() + 2 < usize::from(width) {
                true => format!("  {row}\n"),
                false => wrapped(&format!("{state}  {}: {}", line.what, line.found), width, 2),
            };
        }
        let failed = check.lines.iter().any(|line| line.state != State::Pass);
        if failed && !check.noise.is_empty() {
            text += &wrapped(&format!("noise meanwhile: {}", check.noise.join(", ")), width, 9);
        }
    }
    let passed = lines(report).filter(|line| line.state == State::Pass).count();
    let took_ns = report.checks.iter().map(|check| check.took_ns).sum();
    text + &format!(
        "\n{passed} of {} bars hold; took {}\n",
        lines(report).count(),
        screen::duration(took_ns)
    )
}

/// Cells beyond are no figures, and do not set a column's width.
const WIDEST: usize = 30;

fn wrapped(text: &str, width: u16, indent: u16) -> String {
    let mut columns = Columns::new(width, indent);
    columns.row([text]);
    columns.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::Line;

    fn report() -> Report {
        let line = |what: &str, found: &str, bar: &str, state| Line {
            what: what.to_owned(),
            found: found.to_owned(),
            bar: bar.to_owned(),
            state,
        };
        let check = |name, asked: &str, lines| Checked {
            name,
            asked: asked.to_owned(),
            lines,
            figures: vec![("open_p99_ns".to_owned(), 60_911_000.0)],
            noise: vec!["steal:disturbed".to_owned()],
            took_ns: 13_500_000_000,
        };
        let long = "a server of 1 ms is stopped for 100 ms, once in 5 s: at a constant 200 \
                    requests/s, and with one caller in a closed loop";
        Report {
            noisy_when_idle: vec!["steal"],
            checks: vec![
                check(
                    "stall",
                    long,
                    vec![
                        line("open loop, p99", "60.9 ms", "61 ± 5 ms", State::Pass),
                        line("closed loop, p99", "6.31 ms", "< 5 ms", State::Noisy),
                    ],
                ),
                check(
                    "generator",
                    "constant rates",
                    vec![
                        line(
                            "  late by p50, p99, max",
                            "0.012, 1.211, 12.345 ms",
                            "p99 ≤ 1 ms",
                            State::Fail,
                        ),
                        line(
                            "could not be run",
                            "start subject `/opt/forkbench/forkbench-subject`: Permission denied",
                            "an answer",
                            State::Fail,
                        ),
                    ],
                ),
            ],
            is_interrupted: false,
        }
    }

    #[test]
    fn the_text_fits_and_says_what_did_not_hold_and_why() {
        for width in [80, 120] {
            let text = text(&report(), width);
            for line in text.lines() {
                assert!(line.chars().count() < usize::from(width), "{line}");
                assert_eq!(line.trim_end(), line);
            }
            insta::assert_snapshot!(format!("report at {width}"), text);
        }
    }

    #[test]
    fn the_json_has_every_bar_and_figure() {
        let value = json(&report());
        assert_eq!(value["passes"], false);
        assert_eq!(value["checks"][0]["bars"][1]["state"], "noisy");
        assert_eq!(value["checks"][0]["figures"]["open_p99_ns"], 60_911_000.0);
        assert_eq!(value["checks"][1]["noise"][0], "steal:disturbed");
    }

    #[test]
    fn what_does_not_hold_ends_in_an_error_that_says_how_many() {
        let mut report = report();
        let said = |report: &Report| show(report, true).unwrap_err().to_string();
        assert!(said(&report).starts_with("2 of 4 bars do not hold"));
        report.checks.pop();
        assert!(said(&report).starts_with("1 of 2 bars are not decided"));
        report.checks[0].lines.pop();
        assert!(show(&report, true).is_ok());
        report.is_interrupted = true;
        assert!(said(&report).starts_with("interrupted"));
    }
}
