//! Two runs compared by the program: from experiment to page, and what is refused.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::FORKBENCH;

fn forkbench(args: &[&str], dir: &Path) -> Output {
    Command::new(FORKBENCH)
        .args(args)
        .current_dir(dir)
        .env("COLUMNS", "120")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A smoke run of one family, with memory.
fn run(dir: &Path, name: &str) -> PathBuf {
    let args = [
        "run",
        "main",
        "--preset",
        "smoke",
        "--budget",
        "10m",
        "--out",
        name,
        "--filter",
        "runtime=rust",
        "--filter",
        "strategy=pool,spawn,blocking",
        "--filter",
        "workload=noop,hold",
    ];
    let output = forkbench(&args, dir);
    assert!(output.status.success(), "{}", text(&output.stderr));
    dir.join(name)
}

type Row = BTreeMap<String, String>;

fn rows(csv: &[u8]) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(csv);
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, name: &str) -> f64 {
    row[name].parse().unwrap()
}

/// Everything below is of the same two runs, which take most of the time.
#[test]
fn two_runs_are_compared_from_experiment_to_page_and_bad_ones_refused() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| run(dir.path(), name));
    check_tables_and_page(dir.path());
    check_rows(dir.path());
    check_damage(dir.path(), &a, &b);
    check_refusals(dir.path(), &a, &b);
}

fn check_tables_and_page(dir: &Path) {
    let output = forkbench(&["compare", "a", "b"], dir);
    let (said, out) = (text(&output.stderr), text(&output.stdout));
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "");
    for words in [
        "What differs besides the numbers",
        "memory · ",
        "B over A",
        "too few to tell",
        "page    compare.html",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let page = fs::read_to_string(dir.join("compare.html")).unwrap();
    assert!(page.trim_end().ends_with("</html>"));
    // One block each: whatever the machine did meanwhile, nothing may be concluded from it.
    for wrong in ["faster", "slower"] {
        let sign = format!("] {wrong}");
        assert!(!out.contains(&sign) && !page.contains(&sign), "{out}");
    }
    // The page of an earlier comparison is replaced, with the same bytes.
    assert!(forkbench(&["compare", "a", "b"], dir).status.success());
    assert_eq!(fs::read_to_string(dir.join("compare.html")).unwrap(), page);
    fs::remove_file(dir.join("compare.html")).unwrap();
}

fn check_rows(dir: &Path) {
    let output = forkbench(&["compare", "a", "b", "--no-page", "--csv"], dir);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows = rows(&output.stdout);
    let timed: Vec<&Row> = rows.iter().filter(|row| row["metric"] == "response_p50_ns").collect();
    // One family with reference and placebo.
    assert!(timed.len() >= 4, "{rows:?}");
    for row in &timed {
        assert_eq!(row["withheld"], "too_few_blocks", "{row:?}");
        // Of one block each the shift is the ratio.
        let ratio = number(row, "b") / number(row, "a");
        assert!((number(row, "ratio") / ratio - 1.0).abs() < 1e-9, "{row:?}");
        if row["role"] != "reference" {
            let ratio = number(row, "b_to_reference") / number(row, "a_to_reference");
            assert!((number(row, "relative_ratio") / ratio - 1.0).abs() < 1e-9, "{row:?}");
        }
    }
    assert!(rows.iter().any(|row| row["metric"] == "memory_per_child_bytes"));
    let swapped = forkbench(&["compare", "b", "a", "--no-page", "--json"], dir);
    let json: serde_json::Value = serde_json::from_slice(&swapped.stdout).unwrap();
    let cells = json["cells"].as_array().unwrap();
    assert_eq!(cells.len(), rows.len());
    let same = |cell: &&serde_json::Value| {
        let is = |name: &str| cell[name] == timed[0][name].as_str();
        ["family_id", "role", "strategy", "options", "metric"].into_iter().all(is)
    };
    let back = cells.iter().find(same).unwrap()["ratio"].as_f64().unwrap();
    assert!((back * number(timed[0], "ratio") - 1.0).abs() < 1e-9);
    assert!(!dir.join("compare.html").exists());
}

/// A copy of a run under another name, so that it is another run.
fn copied(run: &Path, name: &str, seconds: u32) -> PathBuf {
    let to = run.with_file_name(name);
    fs::create_dir(&to).unwrap();
    for file in ["manifest.json", "env.json", "plan.csv", "trials.csv", "memory.csv"] {
        let text = fs::read_to_string(run.join(file)).unwrap();
        fs::write(to.join(file), text).unwrap();
    }
    edit(&to, "manifest.json", |json| {
        let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
        json["started_utc"] = format!("2001-01-01T00:00:{seconds:02}Z").into();
        json.to_string()
    });
    to
}

fn edit(run: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let path = run.join(file);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, change(text)).unwrap();
}

/// Damaged files are said and never a panic.
fn check_damage(dir: &Path, a: &Path, b: &Path) {
    let torn = copied(b, "torn", 1);
    edit(&torn, "trials.csv", |text| text[..text.len() - 9].to_owned());
    let output = forkbench(&["compare", a.to_str().unwrap(), "torn", "--no-page"], dir);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("forkbench: B: trials.csv:") && said.contains("torn"), "{said}");
    for (name, file, keep) in [("cut-1", "plan.csv", 40), ("cut-2", "env.json", 9)] {
        let cut = copied(b, name, 2);
        edit(&cut, file, |text| text[..keep].to_owned());
        let output = forkbench(&["compare", "a", name, "--no-page"], dir);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(file), "{name}");
    }
}

#[track_caller]
fn refused(dir: &Path, args: &[&str], expected: &[&str]) {
    let output = forkbench(&[&["compare"], args].concat(), dir);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert_eq!(output.stdout, b"", "{args:?}");
    for words in expected {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!dir.join("compare.html").exists(), "{args:?}");
}

fn check_refusals(dir: &Path, a: &Path, b: &Path) {
    refused(dir, &["a"], &["<RUN_B>"]);
    refused(dir, &["a", "nowhere"], &["B: `nowhere` is not a directory"]);
    fs::create_dir(dir.join("empty")).unwrap();
    refused(dir, &["empty", "b"], &["read A, `empty`", "no manifest.json"]);
    refused(dir, &["a", "a"], &["are the same run"]);
    let json = |name: &str, seconds: u32, key: &str, value: serde_json::Value| {
        let run = copied(b, name, seconds);
        edit(&run, "manifest.json", |text| {
            let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
            json[key] = value;
            json.to_string()
        });
    };
    json("newer", 3, "schema_version", 99.into());
    refused(dir, &["a", "newer"], &["schema version 99, this forkbench knows"]);
    json("other", 4, "experiment", "load".into());
    refused(dir, &["a", "other"], &["experiment `main`, B of `load`"]);
    let cut = copied(a, "cut", 5);
    edit(&cut, "manifest.json", |text| text[..text.len() / 2].to_owned());
    refused(dir, &["cut", "b"], &["read A, `cut`", "manifest.json"]);
    let none = copied(b, "none", 6);
    for file in ["trials.csv", "memory.csv"] {
        edit(&none, file, |text| format!("{}\n", text.lines().next().unwrap()));
    }
    refused(dir, &["a", "none"], &["has no usable trial", "--resume"]);
    refused(dir, &["a", "b", "--json", "--csv"], &["cannot be used with"]);
    refused(dir, &["a", "b", "--out", "no/page.html"], &["`no` is no directory"]);
    let report = a.join("report.html");
    let before = fs::read(&report).unwrap();
    let out = report.to_str().unwrap();
    refused(dir, &["a", "b", "--out", out], &["is no page of `forkbench compare`"]);
    assert_eq!(fs::read(&report).unwrap(), before);
}
