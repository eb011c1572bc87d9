//! The command line: one file per verb. This one holds their shared parts: parsing, errors, exit
//! codes.

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
mod values;
mod write_report;

/// How should CPU-heavy work be run: inline, on threads, spawned, forked or pooled?
///
/// forkbench runs the same work under every strategy, on this machine, and measures what each way
/// costs in latency and throughput.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = include_str!("help/main.txt")
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure, then show the table and write CSV, charts and page
    Run(run::RunArgs),
    /// Show what can be run, or what a run would do
    List(list::ListArgs),
    /// Show what can be measured here, how noisy the machine is, and what to change
    Doctor(doctor::DoctorArgs),
    /// Show how far off this machine's measurements are, against known values
    Selftest(selftest::SelftestArgs),
    /// Rebuild table, charts and page from a run's CSV files
    Report(report::ReportArgs),
    /// Compare two runs of one experiment: another machine, or another time
    Compare(compare::CompareArgs),
}

/// Why a verb ended early; decides the exit code.
#[derive(Debug)]
pub enum Failure {
    /// The request cannot be carried out: nothing was started. Exit code 2.
    BadInput(anyhow::Error),
    /// It was started and failed. Exit code 1.
    Failed(anyhow::Error),
}

/// Parses the arguments of this process, runs the verb, prints the error.
pub fn main() -> ExitCode {
    // Wrong usage ends here, with exit code 2 and the library's own suggestions.
    if let Some((number, argument)) = not_utf8(std::env::args_os()) {
        let argument = argument.display();
        screen::print_error(&anyhow::anyhow!(
            "argument {number} is `{argument}`, which is not UTF-8; a run records its command line \
             as text, so rename the file, or use a link to it"
        ));
        return ExitCode::from(2);
    }
    let cli = Cli::parse();
    // A file beyond `ulimit -f` must be an error and not a silent end.
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
        Err(failure) => {
            let (error, code) = match failure {
                Failure::BadInput(error) => (error, 2),
                Failure::Failed(error) => (error, 1),
            };
            screen::print_error(&error);
            ExitCode::from(code)
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
