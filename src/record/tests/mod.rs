//! Writer and reader together: the reader understands what the writer wrote, also after damage.

use std::fs;

use tempfile::TempDir;

use std::path::{Path, PathBuf};

use super::*;
use crate::protocol::Outcome;
use crate::record::{ProcessRole, Role};

mod by_hand;
mod damage;

fn manifest() -> Manifest {
    Manifest {
        schema_version: SCHEMA_VERSION,
        run_id: "20261123T081500Z-vm-Main".into(),
        forkbench_version: "0.1.0".into(),
        git_revision: String::new(),
        arguments: vec!["run".into()],
        experiment: "main".into(),
        question: "How?".into(),
        reference: "blocking".into(),
        preset: "smoke".into(),
        blocks: 1,
        budget_ns: None,
        seed: u64::MAX,
        started_utc: "2026-11-23T08:15:00.000Z".into(),
        windows: None,
        delta_ratio: 0.03,
        memory_budget_bytes: None,
        claims: None,
    }
}

fn plan() -> Vec<PlanRow> {
    ["blocking", "blocking", "fork", "pool"]
        .iter()
        .zip(["reference", "placebo", "arm", "arm"])
        .zip(1..)
        .map(|((strategy, role), position)| PlanRow {
            trial_id: format!("t{position:04}"),
            family_id: "noop-s-rust-closed2".into(),
            block: 1,
            position,
            role: Role::by_name(role).unwrap(),
            strategy: (*strategy).into(),
            options: if role == "arm" { "queue=4;workers=2" } else { "" }.into(),
            seed: u64::MAX - 1,
            label: (*strategy).into(),
        })
        .collect()
}

fn trial(planned: &PlanRow) -> TrialRow {
    let planned = planned.clone();
    TrialRow {
        run_id: manifest().run_id,
        trial_id: planned.trial_id,
        attempt: 1,
        family_id: planned.family_id,
        block: planned.block,
        position: planned.position,
        role: planned.role,
        runtime: "rust".into(),
        workload: "noop".into(),
        size: "s".into(),
        strategy: planned.strategy,
        options: planned.options,
        regime: Regime::Closed,
        callers: Some(2),
        placement: Placement::Unpinned,
        seed: planned.seed,
        started_utc: "2026-11-23T08:15:01.250Z".into(),
        status: Status::Ok,
        validity: Validity::Valid,
        reason: "said, \"no\" – ünd".into(),
        n_ok: 20,
        throughput_per_s: Some(1234.5),
        response_p50_ns: Some(1 << 50),
        checksum: "00ff".into(),
        n_served: Some(31),
        ..TrialRow::default()
    }
}

/// A trial of this id, of which nothing else is known.
fn named(id: &str) -> TrialRow {
    TrialRow { trial_id: id.to_owned(), attempt: 1, ..TrialRow::default() }
}

fn requests() -> Vec<RequestRow> {
    (0..500)
        .map(|id| RequestRow {
            id,
            intended_ns: 10 * id,
            sent_ns: 10 * id + 1,
            accepted_ns: (id % 3 > 0).then_some(10 * id + 2),
            done_ns: 10 * id + 9,
            outcome: Outcome::ALL.get(id as usize % 7).copied(),
            child_pid: Some(7),
            weight: 1.5,
            ..RequestRow::default()
        })
        .collect()
}

fn noise() -> Vec<NoiseRow> {
    (1..=5)
        .map(|i| NoiseRow {
            run_id: manifest().run_id,
            t_ns: i * 100,
            interval_ns: 100,
            trial_id: if i % 2 == 0 { "t0001" } else { "" }.into(),
            cpus: 2,
            busy_ns: (i > 1).then_some(70),
            own_cpu_ns: i,
            ..NoiseRow::default()
        })
        .collect()
}

/// One look at the third trial's tree, one process of which was gone.
fn memory() -> Vec<MemoryRow> {
    let planned = &plan()[2];
    [("parent", 40), ("child", 41), ("tree", 40)]
        .map(|(role, pid)| MemoryRow {
            run_id: manifest().run_id,
            trial_id: planned.trial_id.clone(),
            snapshot: 1,
            phase: Phase::Held,
            k: 1,
            runtime: "rust".into(),
            strategy: planned.strategy.clone(),
            role: ProcessRole::by_name(role).unwrap(),
            pid,
            pss_bytes: (role != "child").then_some(4096),
            status: if role == "child" { Status::Failed } else { Status::Ok },
            attempt: 1,
            family_id: planned.family_id.clone(),
            block: planned.block,
            trial_role: planned.role,
            workload: "hold".into(),
            size: "s".into(),
            options: planned.options.clone(),
            placement: Placement::Unpinned,
            ..MemoryRow::default()
        })
        .into()
}

/// A demonstration that is over, and the beginning of another.
fn facts() -> Vec<FactRow> {
    let row = |demonstration: &str, case: &str, fact: &str, value| FactRow {
        run_id: manifest().run_id,
        demonstration: demonstration.into(),
        case: case.into(),
        runtime: "node".into(),
        block: 1,
        fact: fact.into(),
        value,
        text: if value.is_none() { "ERR_X, \"y\"" } else { "" }.into(),
        started_utc: "2026-11-23T08:15:02.000Z".into(),
        ..FactRow::default()
    };
    vec![
        row("max-buffer", "exec/default", "error", None),
        row("max-buffer", "exec/default", "received_bytes", Some(-0.5)),
        FactRow {
            status: FactStatus::Failed,
            reason: "exited with 1".into(),
            ..row("max-buffer", "", facts::TOOK_MS, Some(12.5))
        },
        row("crash", "process/abort", "main_survives", Some(1.0)),
    ]
}

/// All columns of one trial's requests.
pub fn read_requests(dir: &Path, name: &str) -> Vec<RequestRow> {
    let file = fs::File::open(dir.join("requests").join(format!("{name}.csv.zst"))).unwrap();
    let unfolded = zstd::Decoder::new(file).unwrap();
    csv::Reader::from_reader(unfolded).deserialize().map(Result::unwrap).collect()
}

fn create(dir: &TempDir) -> Result<RunDir, RecordError> {
    let mut environment = Environment::default();
    environment.record("cpus_online", Ok(2));
    environment.record::<u32>("cpu_boost", Err("not here".into()));
    let path = dir.path().join("results/run");
    RunDir::create(&path, &manifest(), &environment, "name = \"main\"\n", &plan())
}

/// A finished run with a row for every planned trial.
fn written() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let mut run = create(&dir).unwrap();
    for planned in &plan() {
        run.append_trial(&trial(planned)).unwrap();
    }
    run.append_noise(&noise()[..2]).unwrap();
    run.append_noise(&[]).unwrap();
    run.append_noise(&noise()[2..]).unwrap();
    run.append_memory(&memory()).unwrap();
    run.append_facts(&facts()).unwrap();
    run.write_requests(&named("t0001"), &requests()).unwrap();
    let path = run.path().to_owned();
    run.finish().unwrap();
    (dir, path)
}

fn edit(path: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(path.join(file)).unwrap();
    fs::write(path.join(file), change(text)).unwrap();
}

#[test]
fn written_run_is_read_back() {
    let (_dir, path) = written();
    let run = read(&path).unwrap();
    assert_eq!(run.remarks, [""; 0]);
    assert_eq!(run.manifest, manifest());
    assert_eq!(run.plan, plan());
    assert_eq!(run.trials, plan().iter().map(trial).collect::<Vec<_>>());
    assert_eq!(run.memory, memory());
    assert_eq!(run.facts, facts());
    assert_eq!(run.environment.facts["cpus_online"], 2);
    assert_eq!(run.environment.unavailable["cpu_boost"], "not here");
    assert_eq!(read_requests(&path, "t0001"), requests());
    assert_eq!(read_noise(&path), (noise(), Vec::new()));
    let mut names: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = "calibration.csv datapackage.json env.json experiment.toml facts.csv \
                    manifest.json memory.csv noise.csv plan.csv requests trials.csv";
    assert_eq!(names.join(" "), expected);
}

#[test]
fn data_package_describes_the_files_of_the_run() {
    let (_dir, path) = written();
    let text = fs::read_to_string(path.join("datapackage.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap();
    let resources = package["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 6);
    for resource in resources {
        let file = path.join(resource["path"].as_str().unwrap());
        let fields = resource["schema"]["fields"].as_array().unwrap();
        let mut reader = csv::Reader::from_path(file).unwrap();
        let header = reader.headers().unwrap().clone();
        let names: Vec<_> = fields.iter().map(|f| f["name"].as_str().unwrap()).collect();
        assert_eq!(header, names);
        for key in resource["schema"]["primaryKey"].as_array().unwrap() {
            assert!(names.contains(&key.as_str().unwrap()));
        }
        for record in reader.records() {
            for (field, cell) in fields.iter().zip(&record.unwrap()) {
                check_constraints(field, cell);
            }
        }
    }
}

fn check_constraints(field: &serde_json::Value, cell: &str) {
    let constraints = &field["constraints"];
    if cell.is_empty() {
        assert_ne!(constraints["required"], true, "{field}");
        return;
    }
    if let Some(words) = constraints["enum"].as_array() {
        assert!(words.iter().any(|word| word == cell), "{field}: {cell}");
    }
    match field["type"].as_str().unwrap() {
        "integer" => assert!(cell.parse::<u64>().is_ok(), "{field}: {cell}"),
        "number" => {
            let least = constraints["minimum"].as_f64().unwrap_or(f64::MIN);
            assert!(cell.parse::<f64>().unwrap() >= least, "{field}: {cell}");
        }
        "datetime" => assert!(cell.ends_with('Z'), "{field}: {cell}"),
        kind => assert_eq!(kind, "string"),
    }
}

#[test]
fn existing_path_is_refused_and_left_alone() {
    let (dir, path) = written();
    let error = create(&dir).unwrap_err();
    assert!(matches!(&error, RecordError::Exists { path: found } if *found == path));
    assert!(error.to_string().contains("--out"), "{error}");
    assert_eq!(read(&path).unwrap().trials.len(), 4);
}

#[test]
fn unwritable_folder_is_named_with_the_operation() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("results"), "a file").unwrap();
    let error = create(&dir).unwrap_err().to_string();
    let expected = format!("create directory {}", dir.path().join("results").display());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn one_writer_holds_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let run = create(&dir).unwrap();
    let path = run.path().join("trials.csv");
    let second = fs::File::options().append(true).open(path).unwrap();
    second.try_lock().unwrap_err();
    drop(run);
    second.try_lock().unwrap();
}

#[test]
fn scratch_directory_goes_with_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = create(&dir).unwrap();
    let scratch = run.scratch().unwrap().to_owned();
    fs::create_dir(scratch.join("input")).unwrap();
    fs::write(scratch.join("input/data"), "x").unwrap();
    assert_eq!(run.scratch().unwrap(), scratch);
    drop(run);
    assert!(!scratch.exists());
    assert_eq!(read(&dir.path().join("results/run")).unwrap().remarks, [""; 0]);
}

#[test]
fn requests_are_written_once_and_under_plain_names_only() {
    let (_dir, path) = written();
    for name in ["", "../t1", "a/b", "t.1"] {
        assert!(matches!(read_timings(&path, name), Err(RecordError::Malformed { .. })), "{name}");
    }
    let dir = tempfile::tempdir().unwrap();
    let run = create(&dir).unwrap();
    run.write_requests(&named("t0001"), &requests()).unwrap();
    let error = run.write_requests(&named("t0001"), &[]).unwrap_err().to_string();
    assert!(error.contains("requests/t0001.csv.zst"), "{error}");
    assert_eq!(read_requests(run.path(), "t0001").len(), 500);
    run.write_requests(&named("t0002"), &[]).unwrap();
    assert_eq!(read_requests(run.path(), "t0002"), []);
    let error = read_timings(run.path(), "t0003").unwrap_err().to_string();
    assert!(error.starts_with("open ") && error.contains("t0003.csv.zst"), "{error}");
}
