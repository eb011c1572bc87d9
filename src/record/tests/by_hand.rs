//! Files that were edited by hand, or that another version wrote.

use super::*;

#[test]
fn torn_last_row_is_left_out_and_named() {
    let (_dir, path) = written();
    edit(&path, "trials.csv", |text| text.trim_end().to_owned());
    let run = read(&path).unwrap();
    assert_eq!(run.trials.len(), 3);
    let expected = "trials.csv:5: is torn: it has no line end; the row is left out";
    assert_eq!(run.remarks, [expected]);
}

/// Changes the third trial's line and expects it, and nothing else, to be left out.
#[track_caller]
fn check_left_out(change: impl FnOnce(&str) -> String, expected: &str) {
    let (_dir, path) = written();
    edit(&path, "trials.csv", |text| {
        let lines: Vec<&str> = text.lines().collect();
        let changed = change(lines[3]);
        assert_ne!(changed, lines[3], "nothing was changed");
        let mut lines: Vec<&str> = lines;
        lines[3] = &changed;
        lines.join("\n") + "\n"
    });
    let run = read(&path).unwrap();
    let ids: Vec<_> = run.trials.iter().map(|row| row.trial_id.as_str()).collect();
    assert_eq!(ids, ["t0001", "t0002", "t0004"], "{:?}", run.remarks);
    assert_eq!(run.remarks.len(), 1, "{:?}", run.remarks);
    assert!(run.remarks[0].starts_with("trials.csv:4: "), "{:?}", run.remarks);
    assert!(run.remarks[0].contains(expected), "{:?}", run.remarks);
}

#[test]
fn impossible_rows_are_left_out_and_named() {
    let replace = |from: &'static str, to: &'static str| move |line: &str| line.replace(from, to);
    check_left_out(replace("t0003", "t0002"), "`position` is `3`, the plan says `2`");
    check_left_out(replace("t0003", "t0009"), "trial `t0009` is not in the plan");
    check_left_out(
        replace(",fork,", ",frok,"),
        "unknown strategy `frok`; did you mean `fork`? valid: blocking",
    );
    check_left_out(replace(",fork,", ",pool,"), "`strategy` is `pool`, the plan says `fork`");
    check_left_out(replace(",noop,", ",nope,"), "unknown workload `nope`; ");
    check_left_out(replace("queue=4", "queue=5"), "`options` is `queue=5;workers=2`, the plan");
    check_left_out(replace("noop-s-rust", "noop-m-rust"), "`family_id` is `noop-m-rust-closed2`");
    check_left_out(replace(",1,3,arm,", ",2,3,arm,"), "`block` is `2`, the plan says `1`");
    check_left_out(replace("551614,", "551613,"), "`seed` is `18446744073709551613`, the plan");
    check_left_out(replace(",noop,", ",primes,"), "the rest of the family says `noop`");
    check_left_out(replace(",rust,", ",rusty,"), "`runtime` is `rusty`");
    check_left_out(replace(",arm,", ",leg,"), "`role` is `leg`; expected arm, ");
    check_left_out(replace(",ok,", ",fine,"), "`status` is `fine`; expected ok, ");
    check_left_out(replace(",ok,", ",fail,"), "partial; did you mean `failed`?");
    check_left_out(replace(",ok,", ",,"), "`status` is empty");
    check_left_out(replace(",s,fork", ",xl,fork"), "`size` is `xl`");
    check_left_out(replace(",20,", ",twenty,"), "`n_ok` is `twenty`; expected a whole number");
    check_left_out(replace(",20,", ",-1,"), "`n_ok` is `-1`");
    check_left_out(replace("1234.5", "NaN"), "`throughput_per_s` is `NaN`");
    check_left_out(replace(",1,3,", ",1,99999999999,"), "`position`");
    check_left_out(replace("2026-11-23T", "yesterday "), "`started_utc`");
    check_left_out(replace("20261123T081500Z-vm-Main", "other"), "the manifest says");
    check_left_out(replace(",rust,", ","), "fields, the header has");
    check_left_out(replace(",rust,", ",\"rust,"), "fields, the header has");
}

#[test]
fn repeated_key_keeps_the_first_row() {
    let (_dir, path) = written();
    edit(&path, "trials.csv", |text| {
        let second = text.lines().nth(2).unwrap().replace("1234.5", "9.9");
        format!("{text}{second}\n")
    });
    let run = read(&path).unwrap();
    assert_eq!(run.trials, plan().iter().map(trial).collect::<Vec<_>>());
    let expected = "trials.csv:6: trial `t0002` attempt 1 is on line 3 already; the row is left \
                    out";
    assert_eq!(run.remarks, [expected]);
}

#[test]
fn invalid_utf8_costs_only_its_row() {
    let (_dir, path) = written();
    let mut bytes = fs::read(path.join("trials.csv")).unwrap();
    let at = bytes.windows(5).position(|found| found == b"t0003").unwrap();
    bytes[at] = 0xff;
    fs::write(path.join("trials.csv"), bytes).unwrap();
    let run = read(&path).unwrap();
    assert_eq!(run.trials.len(), 3);
    assert!(run.remarks[0].starts_with("trials.csv:4: is not UTF-8"), "{:?}", run.remarks);
}

#[test]
fn changed_line_ends_are_read() {
    let (_dir, path) = written();
    edit(&path, "trials.csv", |text| format!("\u{feff}{}\r\n", text.replace('\n', "\r\n")));
    let run = read(&path).unwrap();
    assert_eq!((run.trials.len(), run.remarks.len()), (4, 0), "{:?}", run.remarks);
}

#[test]
fn columns_of_other_versions_are_read() {
    let (_dir, path) = written();
    edit(&path, "trials.csv", |text| {
        let (header, rows) = text.split_once('\n').unwrap();
        let rows = rows.replace('\n', ",later\n");
        let older = header.replace(",n_served,", ",not_a_column,");
        format!("{older},from_later\n{rows}")
    });
    let run = read(&path).unwrap();
    assert_eq!((run.trials.len(), run.remarks.len()), (4, 0), "{:?}", run.remarks);
    assert_eq!(run.trials[0].n_served, None);
    edit(&path, "trials.csv", |text| text.replacen(",n_ok,", ",n_fine,", 1));
    let run = read(&path).unwrap();
    assert_eq!(run.trials.len(), 0);
    assert_eq!(run.remarks, ["trials.csv: has no column `n_ok`; no row of it is used"]);
}

#[test]
fn doctored_row_is_flagged_when_it_is_read() {
    let (_dir, path) = written();
    let mut memory = memory();
    // The first child of a trial that is ok holds more alone than with its share of the rest.
    let child = memory.iter_mut().find(|row| row.role != ProcessRole::Tree).unwrap();
    (child.trial_id, child.attempt) = (plan()[1].trial_id.clone(), 1);
    (child.uss_bytes, child.pss_bytes) = (Some(2 << 20), Some(1 << 20));
    (child.family_id, child.block) = (plan()[1].family_id.clone(), plan()[1].block);
    (child.trial_role, child.strategy) = (plan()[1].role, plan()[1].strategy.clone());
    child.options = plan()[1].options.clone();
    fs::write(path.join("memory.csv"), csv_of(std::slice::from_ref(child)).unwrap()).unwrap();
    let mut doctored = trial(&plan()[0]);
    (doctored.service_p50_ns, doctored.service_p90_ns) = (Some(20_000_000), Some(10_000_000));
    let rows = [doctored, trial(&plan()[1]), trial(&plan()[2])];
    fs::write(path.join("trials.csv"), csv_of(&rows).unwrap()).unwrap();
    let run = read(&path).unwrap();
    assert_eq!(run.remarks, [""; 0]);
    let found: Vec<(&str, &str)> =
        run.trials.iter().map(|row| (row.flags.as_str(), row.validity.name())).collect();
    let expected = [("law:quantiles", "invalid"), ("law:memory", "invalid"), ("", "valid")];
    assert_eq!(found, expected);
}

#[test]
fn older_schema_is_read_without_columns_of_another_meaning() {
    let (_dir, path) = written();
    let filled = TrialRow {
        service_p50_ns: Some(1),
        service_p90_ns: Some(1),
        service_p99_ns: Some(1),
        transport_p50_ns: Some(1),
        queue_p50_ns: Some(1),
        return_p50_ns: Some(1),
        ..trial(&plan()[0])
    };
    fs::write(path.join("trials.csv"), csv_of(std::slice::from_ref(&filled)).unwrap()).unwrap();
    assert_eq!(read(&path).unwrap().trials, std::slice::from_ref(&filled));
    edit(&path, "manifest.json", |text| {
        text.replace(&format!("\"schema_version\": {SCHEMA_VERSION}"), "\"schema_version\": 1")
    });
    let run = read(&path).unwrap();
    let left = TrialRow { return_p50_ns: Some(1), ..trial(&plan()[0]) };
    assert_eq!(run.trials, [left]);
    let [remark] = &run.remarks[..] else { panic!("{:?}", run.remarks) };
    assert!(remark.contains("service, transport and queue"), "{remark}");
}

#[test]
fn many_faults_are_counted_not_listed() {
    let (_dir, path) = written();
    edit(&path, "trials.csv", |text| text + &"x\n".repeat(70));
    let run = read(&path).unwrap();
    assert_eq!((run.trials.len(), run.remarks.len()), (4, 51));
    assert_eq!(run.remarks[50], "trials.csv: 20 more rows are left out");
}

#[test]
fn other_directory_and_later_schema_are_refused() {
    let (dir, path) = written();
    let error = read(dir.path()).unwrap_err();
    assert!(matches!(error, RecordError::NotARun { .. }), "{error}");
    assert!(error.to_string().contains("not a run directory"), "{error}");
    edit(&path, "manifest.json", |_| "{\"schema_version\": 99, \"other\": 1}".into());
    let error = read(&path).unwrap_err();
    assert!(matches!(error, RecordError::NewerSchema { found: 99, .. }), "{error}");
    let both = format!("schema version 99, this forkbench knows {SCHEMA_VERSION};");
    assert!(error.to_string().contains(&both), "{error}");
    edit(&path, "manifest.json", |_| "{\"schema_version\": 1,".into());
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("manifest.json: ") && error.contains("line 1"), "{error}");
}

#[test]
fn missing_files_are_remarked_on() {
    let (_dir, path) = written();
    fs::remove_file(path.join("env.json")).unwrap();
    fs::remove_file(path.join("plan.csv")).unwrap();
    let run = read(&path).unwrap();
    assert_eq!((run.trials.len(), run.plan.len()), (4, 0));
    assert_eq!(run.remarks.len(), 2, "{:?}", run.remarks);
}

/// A missing table is remarked on if the run was written with it, and not in a run of an older
/// forkbench.
fn check_missing(path: &Path, file: &str, subject: &str) {
    fs::remove_file(path.join(file)).unwrap();
    let expected = format!("{file}: is missing; nothing is shown of {subject}");
    assert_eq!(read(path).unwrap().remarks, [expected]);
    edit(path, "datapackage.json", |text| text.replace(file, "later.csv"));
    assert_eq!(read(path).unwrap().remarks, [""; 0]);
}

#[test]
fn lost_or_damaged_calibration_is_remarked_on() {
    let (_dir, path) = written();
    edit(&path, "calibration.csv", |text| text + "x\n");
    let run = read(&path).unwrap();
    assert_eq!(run.remarks.len(), 1);
    assert!(run.remarks[0].starts_with("calibration.csv:2: has 1 fields"), "{:?}", run.remarks);
    edit(&path, "calibration.csv", |_| String::new());
    let expected = "calibration.csv: is empty; no row of it is used";
    assert_eq!(read(&path).unwrap().remarks, [expected]);
    check_missing(&path, "calibration.csv", "how the rates were found");
}

#[test]
fn number_beyond_any_measurement_costs_its_row() {
    let (_dir, path) = written();
    edit(&path, "trials.csv", |text| text.replacen("1234.5", "1e100", 1));
    let run = read(&path).unwrap();
    assert_eq!(run.trials.len(), 3);
    assert!(run.remarks[0].contains("expected a number up to 1e20"), "{:?}", run.remarks);
}

#[test]
fn long_and_hostile_reasons_are_read_bounded_and_escaped() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = create(&dir).unwrap();
    let evil = format!("=1+1 \u{1b}]0;x\u{7} {}", "ü".repeat(1_500_000));
    let row = TrialRow { reason: evil.clone(), ..trial(&plan()[0]) };
    run.append_trial(&row).unwrap();
    let path = run.path().join("trials.csv");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.len() < 10_000 && text.contains("'=1+1 \\u001b]0;x\\u0007 ü"), "{text}");
    let written = read(run.path()).unwrap().trials.remove(0).reason;
    assert!(written.starts_with("=1+1 \\u001b") && written.ends_with("… (3000022 bytes)"));
    // The same from a file that another program wrote.
    let long: String = evil.chars().take(400_000).collect();
    fs::write(&path, text.replace("'=1+1", &long)).unwrap();
    let run = read(run.path()).unwrap();
    assert!(run.trials[0].reason.len() < 2_000, "{:?}", run.remarks);
}

#[test]
fn headers_of_any_width_are_refused_by_their_count() {
    let (_dir, path) = written();
    let wide: Vec<String> = (0..100_000).map(|i| format!("c{i}")).collect();
    edit(&path, "noise.csv", |_| wide.join(",") + "\n");
    edit(&path, "memory.csv", |_| wide.join("_____,") + "\n");
    let remarks = read(&path).unwrap().remarks;
    let expected = [
        "memory.csv: has 1188885 bytes; expected at most 1048576; no row of it is used",
        "noise.csv: has 100000 columns; expected at most 1000; no row of it is used",
    ];
    assert_eq!(remarks, expected);
}

#[test]
fn rows_of_noise_go_forward_or_are_left_out() {
    let (_dir, path) = written();
    edit(&path, "noise.csv", |text| text.replace(",300,100,", ",200,100,") + "half a r");
    let (rows, remarks) = read_noise(&path);
    let times: Vec<u64> = rows.iter().map(|row| row.t_ns).collect();
    assert_eq!(times, [100, 200, 400, 500]);
    let expected = [
        "noise.csv:4: `t_ns` is `200`, not after the row above; the row is left out",
        "noise.csv:7: is torn: it has no line end; the row is left out",
    ];
    let mut found = remarks.clone();
    found.sort();
    assert_eq!(found, expected);
    check_missing(&path, "noise.csv", "what the machine did meanwhile");
    assert_eq!(read_noise(&path), (Vec::new(), Vec::new()));
}

#[test]
fn impossible_rows_of_memory_are_left_out_and_named() {
    let (_dir, path) = written();
    edit(&path, "memory.csv", |text| {
        let rows: Vec<&str> = text.lines().collect();
        let twice = rows[1];
        let unplanned = rows[2].replace("t0003", "t0099");
        let other = rows[3].replace("tree", "parent").replace(",fork,", ",pool,");
        let negative = rows[3].replace(",4096,", ",-4096,");
        format!("{text}{twice}\n{unplanned}\n{other}\n{negative}\nhalf a r")
    });
    let run = read(&path).unwrap();
    assert_eq!(run.memory, memory());
    let mut found = run.remarks;
    found.sort();
    let end = "; the row is left out";
    let expected = [
        "memory.csv:5: parent 40 of trial `t0003` is on line 2 already",
        "memory.csv:6: trial `t0099` is not in the plan",
        "memory.csv:7: `strategy` is `pool`, the plan says `fork`",
        "memory.csv:8: `pss_bytes` is `-4096`; expected a whole number",
        "memory.csv:9: is torn: it has no line end",
    ];
    assert_eq!(found, expected.map(|text| format!("{text}{end}")));
    check_missing(&path, "memory.csv", "memory");
}

#[test]
fn packed_table_is_read() {
    let (_dir, path) = written();
    let plain = fs::read(path.join("memory.csv")).unwrap();
    let packed = zstd::encode_all(&plain[..], 0).unwrap();
    fs::write(path.join("memory.csv.zst"), packed).unwrap();
    fs::remove_file(path.join("memory.csv")).unwrap();
    let run = read(&path).unwrap();
    assert_eq!((run.memory, run.remarks), (memory(), Vec::new()));
}

#[test]
fn impossible_facts_are_left_out_and_named() {
    let (_dir, path) = written();
    edit(&path, "facts.csv", |text| {
        let rows: Vec<&str> = text.lines().collect();
        let twice = rows[4];
        let other = rows[4].replace("-Main,", "-Other,");
        let unknown = rows[3].replace(",failed,", ",broken,");
        let infinite = rows[2].replace(",-0.5,", ",inf,");
        format!("{text}{twice}\n{other}\n{unknown}\n{infinite}\nhalf a r")
    });
    let run = read(&path).unwrap();
    assert_eq!(run.facts, facts());
    let mut found = run.remarks;
    found.sort();
    let end = "; the row is left out";
    let expected = [
        "facts.csv:10: is torn: it has no line end",
        "facts.csv:6: fact `main_survives` is on line 5 already",
        "facts.csv:7: `run_id` is `20261123T081500Z-vm-Other`, the manifest says \
         `20261123T081500Z-vm-Main`",
        "facts.csv:8: `status` is `broken`; expected ok, failed, skipped",
        "facts.csv:9: `value` is `inf`; expected a number",
    ];
    assert_eq!(found, expected.map(|text| format!("{text}{end}")));
    check_missing(&path, "facts.csv", "demonstrations");
}

#[test]
fn facts_of_an_interrupted_demonstration_are_cut_off() {
    let (_dir, path) = written();
    let before = fs::read_to_string(path.join("facts.csv")).unwrap();
    let mut run = RunDir::reopen(&path).unwrap();
    let mut rows = facts();
    run.keep_whole_demonstrations_of(&mut rows).unwrap();
    assert_eq!(rows, facts()[..3]);
    let again = facts()[3].clone();
    run.append_facts(std::slice::from_ref(&again)).unwrap();
    run.finish().unwrap();
    // Cut off and written again, it is what it was.
    assert_eq!(fs::read_to_string(path.join("facts.csv")).unwrap(), before);
    assert_eq!(read(&path).unwrap().facts, facts());
}
