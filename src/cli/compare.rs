//! `forkbench compare A B`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::write_report::write_whole;
use super::{Failure, screen};
use crate::record::{self, Run};
use crate::report::compare::{Compared, compare as compare_runs};
use crate::sys::files::read_named;

/// Arguments of `forkbench compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Compares two runs of one experiment, on another machine or at another time: each strategy in B
against the same in A, and against the reference inside each run. Only what is the same in both
is compared; all else is listed with the reason. `inconclusive` is a result like any other.

Examples:
  forkbench compare results/20261123T081500Z-laptop-main results/20261124T090000Z-server-main
  forkbench compare A B --out laptop-and-server.html
  forkbench compare A B --no-page --csv > compare.csv

Exit codes: 0 compared, 1 the page could not be written, 2 the runs cannot be compared.")]
pub struct CompareArgs {
    /// The run that is divided by: its directory
    #[arg(value_name = "RUN_A")]
    pub a: PathBuf,

    /// The run that is compared with it
    #[arg(value_name = "RUN_B")]
    pub b: PathBuf,

    /// Where the page goes; replaced if it is there and a page of `compare`
    #[arg(long, value_name = "FILE", default_value = "compare.html")]
    pub out: PathBuf,

    /// Write no page
    #[arg(long, conflicts_with = "out")]
    pub no_page: bool,

    /// Print everything as JSON instead of tables
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,

    /// Print every cell as CSV instead of tables
    #[arg(long)]
    pub csv: bool,
}

/// Compares, prints what was found, writes the page.
///
/// # Errors
/// One of the two is no run, they cannot be compared, or the page cannot be written.
pub fn compare(args: &CompareArgs) -> Result<(), Failure> {
    if !args.no_page {
        check_place(&args.out).map_err(Failure::BadInput)?;
    }
    let compared = read_and_compare(&args.a, &args.b).map_err(Failure::BadInput)?;
    show(args, &compared).map_err(Failure::Failed)
}

fn read_and_compare(a: &Path, b: &Path) -> Result<Compared> {
    let runs = [read("A", a)?, read("B", b)?];
    for (letter, run) in ["A", "B"].iter().zip(&runs) {
        for remark in &run.remarks {
            screen::note(&format!("{letter}: {remark}"));
        }
    }
    compare_runs(&runs[0], &runs[1])
        .with_context(|| format!("compare A `{}` with B `{}`", a.display(), b.display()))
}

fn read(letter: &str, dir: &Path) -> Result<Run> {
    let shown = dir.display();
    if !dir.is_dir() {
        bail!("{letter}: `{shown}` is not a directory; expected one that `forkbench run` wrote");
    }
    record::read(dir).with_context(|| format!("read {letter}, `{shown}`"))
}

fn show(args: &CompareArgs, compared: &Compared) -> Result<()> {
    if !args.no_page {
        write_whole(&args.out, &compared.html())?;
    }
    // The tables begin with it.
    if let Some(alarm) = compared.alarm().filter(|_| args.json || args.csv) {
        screen::note(&alarm);
    }
    if args.json {
        screen::print(&format!("{:#}\n", compared.json()))?;
    } else if args.csv {
        screen::print(&compared.csv().context("make rows of all cells")?)?;
    } else {
        screen::print(&compared.terminal(usize::from(screen::width())))?;
        if !args.no_page {
            screen::print(&format!("page    {}\n", args.out.display()))?;
        }
    }
    Ok(())
}

/// What every page of two runs has near its beginning.
const MARK: &str = "<meta name=\"generator\" content=\"forkbench compare\">";
const MARK_WITHIN_BYTES: usize = 1024;

/// No page of two runs is larger.
const PAGE_MAX_BYTES: u64 = 64 << 20;

/// That the page can go there and replaces nothing but an older one: a run's report, or somebody's
/// letter, must not be lost by a slip of the hand.
fn check_place(out: &Path) -> Result<()> {
    let shown = out.display();
    let attempt = || format!("write the page to `{shown}`");
    match fs::symlink_metadata(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new("."));
            if parent.is_dir() {
                return Ok(());
            }
            let parent = parent.display();
            Err(anyhow!("`{parent}` is no directory; make it, or name another file by --out FILE"))
                .with_context(attempt)
        }
        Err(error) => Err(error).with_context(attempt),
        Ok(found) if !found.is_file() => {
            Err(anyhow!("it is not a file; name another by --out FILE")).with_context(attempt)
        }
        Ok(_) => {
            let mut text = read_named(out, PAGE_MAX_BYTES).with_context(attempt)?;
            text.truncate(MARK_WITHIN_BYTES);
            if String::from_utf8_lossy(&text).contains(MARK) {
                return Ok(());
            }
            let why = "it exists and is no page of `forkbench compare`; name another by --out \
                       FILE, or move it away";
            Err(anyhow!(why)).with_context(attempt)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_the_same_kind_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("compare.html");
        check_place(&out).unwrap();
        fs::write(&out, format!("<!doctype html>\n{MARK}")).unwrap();
        check_place(&out).unwrap();
        for text in ["", "<html>", "dear Ann"] {
            fs::write(&out, text).unwrap();
            let error = format!("{:#}", check_place(&out).unwrap_err());
            assert!(error.contains("is no page of `forkbench compare`"), "{error}");
        }
        let error = format!("{:#}", check_place(dir.path()).unwrap_err());
        assert!(error.contains("it is not a file"), "{error}");
        let error = format!("{:#}", check_place(&dir.path().join("no/x.html")).unwrap_err());
        assert!(error.contains("is no directory"), "{error}");
    }
}
