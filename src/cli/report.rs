//! `forkbench report DIR`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::write_report::{analysed, write_report};
use super::{Failure, screen, shell};
use crate::notes::Answers;
use crate::{record, report};

/// Arguments of `forkbench report`.
#[derive(Debug, clap::Args)]
#[command(after_help = include_str!("help/report.txt"))]
pub struct ReportArgs {
    /// A run's directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,

    /// Says how large a pool fits into so much memory: 512M, 2G [default: as the run was asked]
    ///
    /// K, M and G are powers of 1024, as are KiB, MiB and GiB; kB, MB and GB are powers of 1000.
    #[arg(long, value_name = "SIZE", value_parser = super::values::bytes)]
    pub memory_budget: Option<u64>,

    /// Write the derived files there, not into the run [default: the run's directory]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Rebuilds all derived files.
///
/// # Errors
/// The directory is no run, or could not be read or written.
pub fn report(args: &ReportArgs) -> Result<(), Failure> {
    let dir = args.dir.display();
    let complaint = match (args.dir.is_dir(), args.dir.join("manifest.json").is_file()) {
        (false, _) => {
            anyhow!("`{dir}` is not a directory; expected one that `forkbench run` wrote")
        }
        (true, false) => {
            anyhow!("`{dir}` has no manifest.json; expected a directory that `forkbench run` wrote")
        }
        (true, true) => return rebuild(args).map_err(Failure::Failed),
    };
    Err(Failure::BadInput(complaint))
}

/// Reads the run, writes its derived files, says where they are.
fn rebuild(ReportArgs { dir, memory_budget, out }: &ReportArgs) -> Result<()> {
    let mut run = record::read(dir)?;
    if memory_budget.is_some() {
        run.manifest.memory_budget_bytes = *memory_budget;
    }
    for remark in &run.remarks {
        screen::note(remark);
    }
    let to = out.as_ref().unwrap_or(dir);
    // The table needs no file: it is shown also where none can be written.
    let analysis = analysed(dir, &run);
    let answers = Answers::of(&analysis);
    let written = write_report(dir, to, &analysis, answers.as_ref());
    let preface = answers.as_ref().map(Answers::preface);
    screen::print(&report::terminal(&analysis, preface, usize::from(screen::width())))?;
    written.with_context(|| {
        format!("write the report into {}; name another directory by --out DIR", to.display())
    })?;
    print_places(dir, to)
}

/// Prints the paths of the results: raw files in `dir`, derived ones in `to`.
///
/// # Errors
/// Standard output cannot be written.
pub fn print_places(dir: &Path, to: &Path) -> Result<()> {
    // A copy of a run may lack them.
    let has_requests = dir.join("requests").exists();
    let (dir, to) = (shell::quoted(dir), shell::quoted(to));
    let requests = if has_requests { format!(" and {dir}/requests/") } else { String::new() };
    screen::print(&format!(
        "report  {to}/report.html\n\
         tables  {to}/tables.md\n\
         charts  {to}/charts/\n\
         numbers {to}/cells.csv and {to}/comparisons.csv\n\
         data    {dir}/trials.csv{requests}\n\
         columns {to}/datapackage.json says what each is\n"
    ))?;
    Ok(())
}
