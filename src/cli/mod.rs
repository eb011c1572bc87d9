//! The command line: one file per verb. Here are what they share: parsing, errors, exit codes.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::driver;

mod alone;
mod columns;
pub mod compare;
pub mod doctor;
pub mod here;
pub mod list;
mod outcome;
pub mod picture;
pub mod progress;
pub mod report;
mod resume;
pub mod run;
pub mod screen;
pub mod select;
pub mod selftest;
mod shell;
pub mod size;
pub mod write_report;

/// How should CPU-heavy work be run: inline, on threads, spawned, forked or pooled?
///
/// forkbench runs the same work under every strategy, on this machine, and measures what each way
/// costs in latency and throughput.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  forkbench run                   the main experiment, within 4 minutes
  forkbench list                  all there is, and what is missing here
  forkbench doctor                can this machine be trusted with a measurement?
  forkbench selftest              and how far off are its measurements?
  forkbench report results/DIR    tables, charts and page of a run, rebuilt
  forkbench compare A B           two runs: is B faster, and does the same advice hold?";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure, then show the table and write CSV, charts and page
    Run(run::RunArgs),
    /// Show what can be run, or what a run would do
    List(list::ListArgs),
    /// Show what can be measured here, how noisy the machine is, and what to change
    Doctor(doctor::DoctorArgs),
    /// Show how far off this machine's measurements are, against what is known
    Selftest(selftest::SelftestArgs),
    /// Rebuild table, charts and page from a run's CSV files
    Report(report::ReportArgs),
    /// Compare two runs of one experiment: another machine, or another time
    Compare(compare::CompareArgs),
}

/// Why a verb ended early; decides the exit code.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for cannot be: nothing was started. Exit code 2.
    BadInput(anyhow::Error),
    /// It was started and did not end well. Exit code 1.
    Failed(anyhow::Error),
}

/// Parses the arguments of this process, does what they say, prints what went wrong.
pub fn main() -> ExitCode {
    // Wrong usage ends here, with exit code 2 and the library's own suggestions.
    if let Some((number, argument)) = not_utf8(std::env::args_os()) {
        let argument = argument.display();
        screen::print_error(&anyhow::anyhow!(
            "argument {number} is `{argument}`, which is not UTF-8; a run records its command line \
             as text, so rename the file, or lead to it by a link"
        ));
        return ExitCode::from(2);
    }
    let cli = Cli::parse();
    // A file beyond `ulimit -f` is then an error to be told of, not the silent end.
    if let Err(error) = driver::survive_file_size_limit() {
        screen::note(&format!("cannot catch the signal of `ulimit -f`: {error}"));
    }
    let done = match &cli.command {
        Command::Run(args) => run::run(args),
        Command::List(args) => list::list(args),
        Command::Doctor(args) => doctor::doctor(args),
        Command::Selftest(args) => selftest::selftest(args),
        Command::Report(args) => report::report(args),
        Command::Compare(args) => compare::compare(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::BadInput(error)) => {
            screen::print_error(&error);
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            screen::print_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// The first argument that is no text, and its number.
fn not_utf8(arguments: impl Iterator<Item = OsString>) -> Option<(usize, OsString)> {
    arguments.enumerate().skip(1).find(|(_, argument)| argument.to_str().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
