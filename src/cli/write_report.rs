//! Writes the derived files of a run: the I/O around [`crate::report`].

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};

use crate::analysis::Analysis;
use crate::notes::Answers;
use crate::record::{self, Run, shown};
use crate::report;
use crate::sys::files::Dir;

/// The analysis of a run that was read from `dir`, with its noise and its single requests.
pub fn analysed<'a>(dir: &Path, run: &'a Run) -> Analysis<'a> {
    let requests =
        |trial_id: &str| record::read_timings(dir, trial_id).map_err(|error| error.to_string());
    let (noise, _) = record::read_noise(dir);
    Analysis::of(run, &noise, &requests)
}

/// Writes `cells.csv`, `comparisons.csv`,
/// `load_points.csv`, `fits.csv`, `claims.csv` where the experiment has claims, `tables.md`, `charts/`
/// and `report.html` into `to`, made if need be, and the description of the CSV files into its
/// `datapackage.json`. Each file appears whole or not at all; charts of an
/// earlier report that this one no longer has are removed.
///
/// # Errors
/// A file could not be written; those before it are in place.
pub fn write_report(
    dir: &Path,
    to: &Path,
    analysis: &Analysis<'_>,
    answers: Option<&Answers>,
) -> Result<()> {
    let rendered = report::render(analysis, answers.map(Answers::preface));
    fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
    let held = Dir::open(to).with_context(|| format!("open {}", to.display()))?;
    held.remove_stale().with_context(|| format!("remove unfinished files in {}", to.display()))?;
    let write = |name: &str, text: &str| write_in(&held, to, name, text);
    write("cells.csv", &rendered.cells_csv)?;
    write("comparisons.csv", &rendered.comparisons_csv)?;
    write("load_points.csv", &rendered.load_points_csv)?;
    write("fits.csv", &rendered.fits_csv)?;
    if let Some(answers) = answers {
        write("claims.csv", &answers.csv(&analysis.run.manifest.run_id))?;
    }
    let described = record::read_datapackage(dir)?;
    write("datapackage.json", &record::with_derived(&described, &analysis.run.manifest))?;
    write_charts(&held, &to.join("charts"), &rendered.charts)?;
    // It is read in terminals.
    write("tables.md", &shown::escaped(&rendered.tables_md))?;
    // Last, since it is what a reader opens: when it is new, all else is.
    write("report.html", &rendered.html)
}

/// Writes the charts into their folder and removes those that an earlier report has left.
fn write_charts(held: &Dir, path: &Path, charts: &[(String, String)]) -> Result<()> {
    let folder = held.made_folder("charts").with_context(|| format!("open {}", path.display()))?;
    for (name, svg) in charts {
        write_in(&folder, path, name, svg)?;
    }
    let list = || format!("list {}", path.display());
    for name in folder.names().with_context(list)? {
        let Some(name) = name.to_str().filter(|name| name.ends_with(".svg")) else {
            continue;
        };
        let is_kept = charts.iter().any(|(kept, _)| kept == name);
        if !is_kept && is_own_chart(&folder, name) {
            let remove = || format!("remove {}", path.join(name).display());
            folder.remove(name).with_context(remove)?;
        }
    }
    Ok(())
}

/// Whether a report has drawn this chart: its picture is named after its file.
fn is_own_chart(folder: &Dir, name: &str) -> bool {
    let Ok(file) = folder.file(name, u64::MAX) else {
        return false;
    };
    let mut head = Vec::new();
    let read = file.take(CHART_HEAD_BYTES).read_to_end(&mut head);
    let mark = format!("aria-labelledby=\"{}-title ", name.trim_end_matches(".svg"));
    read.is_ok() && String::from_utf8_lossy(&head).contains(&mark)
}

/// An opening tag is shorter.
const CHART_HEAD_BYTES: u64 = 4096;

/// Writes a file in place of what has its name: a reader sees the old one or the whole new one.
fn write_in(dir: &Dir, path: &Path, name: &str, text: &str) -> Result<()> {
    let written = dir.write_whole(name, |mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("write {}", path.join(name).display()))
}

/// The same for a file that the user named.
pub fn write_whole(path: &Path, text: &str) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new(""));
    let attempt = || format!("write {}", path.display());
    let name = path.file_name().with_context(attempt)?;
    let name = name.to_str().context("its name is not UTF-8").with_context(attempt)?;
    write_in(&Dir::open(parent).with_context(attempt)?, parent, name, text)
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
        let old = "<svg role=\"img\" aria-labelledby=\"old-title old-desc\">";
        fs::write(charts.join("old.svg"), old).unwrap();
        fs::write(charts.join("mine.svg"), old).unwrap();
        fs::write(charts.join("mine.txt"), "").unwrap();
        let run = sample::run();
        for _ in 0..2 {
            write_report(dir.path(), dir.path(), &analysed(dir.path(), &run), None).unwrap();
        }
        let files = "cells.csv charts comparisons.csv datapackage.json fits.csv load_points.csv \
                     report.html tables.md";
        assert_eq!(names(dir.path()), files.split(' ').collect::<Vec<_>>());
        let rendered = report::render(&analysed(dir.path(), &run), None);
        let mut expected: Vec<String> = rendered.charts.into_iter().map(|(name, _)| name).collect();
        // What no report has drawn stays.
        expected.extend(["mine.svg", "mine.txt"].map(str::to_owned));
        expected.sort();
        assert_eq!(names(&charts), expected);
    }

    /// Not a check: leaves the sample's report below `target/` for a person to read.
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
                let text = report::terminal(&Analysis::of_rows(&run), None, width);
                fs::write(dir.join(format!("terminal-{width}.txt")), text).unwrap();
            }
        }
    }
}
