//! `forkbench compare A B`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::write_report::write_whole;
use super::{Failure, screen};
use crate::record::{self, Run};
use crate::report::compare::{Compared, compare as compare_runs};
use crate::sys::files::read_named;

/// Arguments of `forkbench compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = include_str!("help/compare.txt"))]
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

/// Near the beginning of every page of two runs.
const MARK: &str = "<meta name=\"generator\" content=\"forkbench compare\">";
const MARK_WITHIN_BYTES: usize = 1024;

/// No page of two runs is larger.
const PAGE_MAX_BYTES: u64 = 64 << 20;

/// That the page can be written there and replaces nothing but an older one: a typing error must
/// not cost a run's report or any other file.
fn check_place(out: &Path) -> Result<()> {
    is_free(out).with_context(|| format!("write the page to `{}`", out.display()))
}

fn is_free(out: &Path) -> Result<()> {
    match fs::symlink_metadata(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new("."));
            if !parent.is_dir() {
                let parent = parent.display();
                bail!("`{parent}` is no directory; make it, or name another file by --out FILE");
            }
        }
        Err(error) => return Err(error.into()),
        Ok(found) if !found.is_file() => bail!("it is not a file; name another by --out FILE"),
        Ok(_) => {
            let mut text = read_named(out, PAGE_MAX_BYTES)?;
            text.truncate(MARK_WITHIN_BYTES);
            if !String::from_utf8_lossy(&text).contains(MARK) {
                bail!(
                    "it exists and is no page of `forkbench compare`; name another by --out FILE, \
                     or move it away"
                );
            }
        }
    }
    Ok(())
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
