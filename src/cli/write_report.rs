//! Writes the derived files of a run: the I/O around [`crate::report`].

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

use crate::record::{self, Run};
use crate::report;

/// Reads the requests of the run in `dir` and writes `cells.csv`, `comparisons.csv`, `load_points.csv`, `fits.csv`, `claims.csv` where the
/// experiment has claims, `tables.md`, `charts/` and `report.html` into `to`, made if need be, and the
/// description of the CSV files into its `datapackage.json`. Each file appears whole or not at all; charts of an
/// earlier report that this one no longer has are removed.
///
/// # Errors
/// A file could not be written; those before it are in place.
pub fn write_report(dir: &Path, to: &Path, run: &Run) -> Result<()> {
    let requests =
        |trial_id: &str| record::read_timings(dir, trial_id).map_err(|error| error.to_string());
    let (noise, _) = record::read_noise(dir);
    let rendered = report::render(run, &noise, &requests);
    fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
    write_whole(&to.join("cells.csv"), &rendered.cells_csv)?;
    write_whole(&to.join("comparisons.csv"), &rendered.comparisons_csv)?;
    let points = record::load_points::load_points(&record::accepted::counted(&run.trials));
    let points = record::csv_of(&points).context("write load_points.csv")?;
    write_whole(&to.join("load_points.csv"), &points)?;
    write_whole(&to.join("fits.csv"), &rendered.fits_csv)?;
    if let Some(claims_csv) = &rendered.claims_csv {
        write_whole(&to.join("claims.csv"), claims_csv)?;
    }
    write_datapackage(dir, to, run)?;
    let charts = to.join("charts");
    fs::create_dir_all(&charts).with_context(|| format!("create {}", charts.display()))?;
    for (name, svg) in &rendered.charts {
        write_whole(&charts.join(name), svg)?;
    }
    remove_stale(&charts, &rendered.charts)?;
    write_whole(&to.join("tables.md"), &rendered.tables_md)?;
    // Last, since it is what a reader opens: when it is new, all else is.
    write_whole(&to.join("report.html"), &rendered.html)
}

/// Adds the derived tables to what describes the run's files.
fn write_datapackage(dir: &Path, to: &Path, run: &Run) -> Result<()> {
    let path = dir.join("datapackage.json");
    let found = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        found => found.with_context(|| format!("read {}", path.display()))?,
    };
    write_whole(&to.join("datapackage.json"), &record::with_derived(&found, &run.manifest))
}

/// Writes beside the target and renames, so that a reader never sees half a file.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, text).with_context(|| format!("write {}", part.display()))?;
    fs::rename(&part, path).with_context(|| format!("rename {} into place", part.display()))
}

fn remove_stale(charts: &Path, kept: &[(String, String)]) -> Result<()> {
    let entries = fs::read_dir(charts).with_context(|| format!("list {}", charts.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("list {}", charts.display()))?.path();
        let is_chart = path.extension().is_some_and(|extension| extension == "svg");
        let is_kept =
            kept.iter().any(|(name, _)| path.file_name().is_some_and(|n| n == name.as_str()));
        if !is_chart || is_kept {
            continue;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("remove {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{sample, sample_memory};

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_is_written_whole_and_replaces_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let charts = dir.path().join("charts");
        fs::create_dir(&charts).unwrap();
        fs::write(charts.join("old.svg"), "").unwrap();
        fs::write(charts.join("mine.txt"), "").unwrap();
        let run = sample::run();
        write_report(dir.path(), dir.path(), &run).unwrap();
        write_report(dir.path(), dir.path(), &run).unwrap();
        let files = "cells.csv charts comparisons.csv datapackage.json fits.csv load_points.csv \
                     report.html tables.md";
        assert_eq!(names(dir.path()), files.split(' ').collect::<Vec<_>>());
        let nothing = |_: &str| Err("no such file".to_owned());
        let mut expected: Vec<String> =
            report::render(&run, &[], &nothing).charts.into_iter().map(|(name, _)| name).collect();
        expected.push("mine.txt".to_owned());
        expected.sort();
        assert_eq!(names(&charts), expected);
    }

    /// Not a check: leaves the sample's report below `target/` for somebody to look at.
    #[test]
    #[ignore = "writes files to look at"]
    fn leave_a_sample_report_to_look_at() {
        for (name, run) in [
            ("quick", sample::run()),
            ("standard", sample::standard()),
            ("memory", sample_memory::alone()),
            ("beside", sample_memory::run()),
        ] {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sample-report");
            let dir = root.join(name);
            fs::create_dir_all(dir.join("charts")).unwrap();
            let rendered = sample::render(&run);
            for (name, svg) in &rendered.charts {
                fs::write(dir.join("charts").join(name), svg).unwrap();
            }
            fs::write(dir.join("tables.md"), &rendered.tables_md).unwrap();
            fs::write(dir.join("report.html"), &rendered.html).unwrap();
            fs::write(dir.join("comparisons.csv"), &rendered.comparisons_csv).unwrap();
            for width in [80, 120] {
                let text = report::terminal(&run, width);
                fs::write(dir.join(format!("terminal-{width}.txt")), text).unwrap();
            }
        }
    }
}
