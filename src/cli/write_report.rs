//! Writes the derived files of a run: the I/O around [`crate::report`].

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

use crate::record::Run;
use crate::report;

/// Writes `tables.md`, `charts/` and `report.html` into a run directory. Each file appears whole
/// or not at all; charts of an earlier report that this one no longer has are removed.
///
/// # Errors
/// A file could not be written; those before it are in place.
pub fn write_report(dir: &Path, run: &Run) -> Result<()> {
    let rendered = report::render(run);
    let charts = dir.join("charts");
    fs::create_dir_all(&charts).with_context(|| format!("create {}", charts.display()))?;
    for (name, svg) in &rendered.charts {
        write_whole(&charts.join(name), svg)?;
    }
    remove_stale(&charts, &rendered.charts)?;
    write_whole(&dir.join("tables.md"), &rendered.tables_md)?;
    // Last, since it is what a reader opens: when it is new, all else is.
    write_whole(&dir.join("report.html"), &rendered.html)
}

/// Writes beside the target and renames, so that a reader never sees half a file.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, text).with_context(|| format!("write {}", part.display()))?;
    fs::rename(&part, path).with_context(|| format!("rename {} into place", part.display()))
}

fn remove_stale(charts: &Path, kept: &[(String, String)]) -> Result<()> {
    let entries = fs::read_dir(charts).with_context(|| format!("list {}", charts.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("list {}", charts.display()))?
            .path();
        let is_chart = path.extension().is_some_and(|extension| extension == "svg");
        let is_kept = kept
            .iter()
            .any(|(name, _)| path.file_name().is_some_and(|n| n == name.as_str()));
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
    use crate::report::sample;

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
        write_report(dir.path(), &run).unwrap();
        write_report(dir.path(), &run).unwrap();
        assert_eq!(names(dir.path()), ["charts", "report.html", "tables.md"]);
        let mut expected: Vec<String> = report::render(&run)
            .charts
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        expected.push("mine.txt".to_owned());
        expected.sort();
        assert_eq!(names(&charts), expected);
    }

    /// Not a check: leaves the sample's report below `target/` for somebody to look at.
    #[test]
    #[ignore = "writes files to look at"]
    fn leave_a_sample_report_to_look_at() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sample-report");
        fs::create_dir_all(&dir).unwrap();
        let run = sample::run();
        write_report(&dir, &run).unwrap();
        for width in [80, 120] {
            let text = report::terminal(&run, width);
            fs::write(dir.join(format!("terminal-{width}.txt")), text).unwrap();
        }
    }
}
