//! `forkbench report DIR`.

use std::path::{Path, PathBuf};

use super::Failure;

/// Arguments of `forkbench report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads a run's raw files and writes tables.md, charts/*.svg and report.html
anew. The same raw files give the same bytes.

Example:
  forkbench report results/20261123T081500Z-host-main")]
pub struct ReportArgs {
    /// A run's directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// Rebuilds all derived files.
///
/// # Errors
/// The directory is no run, or could not be read or written.
pub fn report(args: &ReportArgs) -> Result<(), Failure> {
    if !args.dir.is_dir() {
        let dir = args.dir.display();
        return Err(Failure::BadInput(anyhow::anyhow!(
            "`{dir}` is not a directory; expected one that `forkbench run` wrote"
        )));
    }
    rebuild(&args.dir).map_err(Failure::Failed)
}

/// The one place where the command line meets the report.
fn rebuild(dir: &Path) -> anyhow::Result<()> {
    anyhow::bail!("rebuild {}: this build has no report", dir.display())
}
