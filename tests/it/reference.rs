//! The run that is kept in the repository: whole, small, judged by the rules of today, and quoted
//! rightly.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::files::{read, root};

const DIR: &str = "results/reference";
const LARGEST: u64 = 5_000_000;

type Row = BTreeMap<String, String>;

/// The rows of its `claims.csv`.
fn claims() -> Vec<Row> {
    let mut reader = csv::Reader::from_path(root().join(DIR).join("claims.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// All files below, with their sizes.
fn sizes(below: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        if about.is_dir() {
            found.extend(sizes(&entry.path()));
        } else {
            found.push((entry.path().display().to_string(), about.len()));
        }
    }
    found
}

#[test]
fn it_is_small_without_single_requests_and_says_where_it_is_from() {
    let files = sizes(&root().join(DIR));
    let total: u64 = files.iter().map(|(_, size)| size).sum();
    assert!(total <= LARGEST, "{total} bytes: {files:#?}");
    assert!(!root().join(DIR).join("requests").exists());
    let about = read(format!("{DIR}/README.md"));
    let facts = |name: &str| -> serde_json::Value {
        serde_json::from_str(&read(format!("{DIR}/{name}"))).unwrap()
    };
    let manifest = facts("manifest.json");
    let date = &manifest["started_utc"].as_str().unwrap()[..10];
    let arguments = manifest["arguments"].as_array().unwrap().iter();
    let words: Vec<&str> = arguments.map(|word| word.as_str().unwrap()).collect();
    let command = format!("forkbench {}", words.join(" "));
    let environment = facts("env.json");
    let kernel = environment["facts"]["kernel_release"].as_str().unwrap();
    for said in [date, &command, kernel] {
        assert!(about.contains(said), "{said}");
    }
}

#[test]
fn its_numbers_and_verdicts_are_those_of_the_rules_of_today() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("reference");
    fs::create_dir(&dir).unwrap();
    for entry in fs::read_dir(root().join(DIR)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
        }
    }
    let report =
        Command::new(env!("CARGO_BIN_EXE_forkbench")).arg("report").arg(&dir).output().unwrap();
    assert!(report.status.success(), "{report:?}");
    for name in ["cells", "comparisons", "fits", "load_points", "claims"] {
        let again = fs::read_to_string(dir.join(format!("{name}.csv"))).unwrap();
        let kept = read(format!("{DIR}/{name}.csv"));
        for (again, kept) in again.lines().zip(kept.lines()) {
            assert_eq!(again, kept, "{name}.csv: make {DIR} again with `forkbench report`");
        }
        assert_eq!(again.len(), kept.len(), "{name}.csv");
    }
}

/// A number of the text in the machine's unit, and by how much what it stands for may differ: half
/// of its last digit.
fn number(words: &str) -> (f64, f64) {
    let (number, unit) = match words.strip_suffix('×') {
        Some(number) => (number.trim_end(), ""),
        None => words.rsplit_once(' ').unwrap(),
    };
    let number = number.rsplit(' ').next().unwrap();
    let scale = match unit {
        "µs" | "kB" => 1e3,
        "ms" | "MB" => 1e6,
        "s" | "GB" => 1e9,
        _ => 1.0,
    };
    let decimals = number.split_once('.').map_or(0, |(_, after)| after.len());
    let value: f64 = number.parse().unwrap_or_else(|_| panic!("{words}"));
    (value * scale, 0.5 * scale * 0.1_f64.powi(decimals as i32))
}

#[test]
fn numbers_are_read_with_their_units_and_digits() {
    assert_eq!(number("then 9.18×"), (9.18, 0.5 * 0.1_f64.powi(2)));
    assert_eq!(number("each takes 44.3 MB"), (44_300_000.0, 50_000.0));
    assert_eq!(number("leaves 300 processes"), (300.0, 0.5));
}

/// Rows read `| [id](…) | what is said | verdict | measured |`; each number that is measured stands
/// before the figure that it is, in parentheses and backticks.
#[test]
fn the_study_notes_document_quotes_claims_with_verdicts_and_numbers() {
    let claims = claims();
    let document = read("docs/study-notes.md");
    let (_, below) = document.split_once("\n## What we found\n").unwrap();
    let section = below.split("\n## ").next().unwrap();
    let mut quoted = 0;
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, _, verdict, measured] = cells[..] else {
            panic!("{line}");
        };
        let id = id.trim_matches('`');
        let own: Vec<&Row> = claims.iter().filter(|row| row["claim_id"] == id).collect();
        assert!(!own.is_empty(), "{id}");
        assert_eq!(own[0]["verdict"], verdict, "{id}");
        let parts: Vec<&str> = measured.split(" (`").collect();
        assert!(parts.len() > 1, "{line}");
        for pair in parts.windows(2) {
            let figure = pair[1].split('`').next().unwrap();
            let row = own.iter().find(|row| row["figure"] == figure);
            let row = row.unwrap_or_else(|| panic!("{id} has no {figure}"));
            let estimate: f64 = row["estimate"].parse().unwrap();
            let (said, within) = number(pair[0]);
            assert!((said - estimate).abs() <= within * 1.001, "{figure}: {estimate}");
        }
        quoted += 1;
    }
    assert_eq!(quoted, 4);
    let charts = section.matches(&format!("](../{DIR}/charts/")).count();
    assert_eq!(charts, 3);
}
