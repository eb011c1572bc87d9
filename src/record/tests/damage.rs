//! Full disks, torn files, and bytes that are anything at all.

use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::analysis::Analysis;

/// Runs [`appends_until_the_disk_is_full`] in a process whose files may not grow beyond a limit:
/// the kernel then writes what still fits and refuses the rest, as on a full disk.
#[test]
fn a_full_disk_ends_the_run_and_leaves_whole_rows() {
    let output = Command::new("/bin/sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "record::tests::damage::appends_until_the_disk_is_full"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "started by a_full_disk_ends_the_run_and_leaves_whole_rows, under a limit"]
fn appends_until_the_disk_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = create(&dir).unwrap();
    let path = run.path().to_owned();
    let mut row = trial(&plan()[0]);
    let mut append = || {
        let result = run.append_trial(&row);
        row.attempt += 1;
        result.map(|()| row.attempt - 1)
    };
    let (mut rows, mut failure) = (0, None);
    while rows < 10_000 && failure.is_none() {
        match append() {
            Ok(attempts) => rows = attempts,
            Err(error) => failure = Some(error.to_string()),
        }
    }
    let error = failure.expect("no limit is set");
    assert!(error.starts_with("append to ") && error.contains("trials.csv: File too large"));
    assert!(append().unwrap_err().to_string().contains("earlier row"));
    let found = read(&path).unwrap();
    assert_eq!((found.trials.len() as u32, found.remarks.len()), (rows, 0));
    let template = requests()[1];
    let row = |id: u64| RequestRow { id: id.wrapping_mul(0x9e37_79b9_7f4a_7c15), ..template };
    let many: Vec<_> = (0..20_000).map(row).collect();
    let error = run.write_requests(&named("t0001"), &many).unwrap_err().to_string();
    assert!(error.starts_with("write ") && error.contains("t0001.csv.zst: "), "{error}");
    assert_eq!(fs::read_dir(path.join("requests")).unwrap().count(), 0);
}

#[derive(Debug, Clone)]
enum Damage {
    Overwrite(u8),
    Insert(u8),
    Remove(usize),
    Cut,
}

fn damages() -> impl Strategy<Value = Vec<(prop::sample::Index, Damage)>> {
    // Bytes that mean something to one of the formats, more often than others.
    let byte = prop_oneof![prop::sample::select(b",\"\n\r0-.{}[]\xff\0e".as_slice()), any::<u8>()];
    let damage = prop_oneof![
        byte.clone().prop_map(Damage::Overwrite),
        byte.prop_map(Damage::Insert),
        (1_usize..200).prop_map(Damage::Remove),
        Just(Damage::Cut),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), damage), 1..6)
}

fn apply(bytes: &mut Vec<u8>, damages: &[(prop::sample::Index, Damage)]) {
    for (index, damage) in damages {
        let at = index.index(bytes.len() + 1);
        match damage {
            Damage::Overwrite(byte) => {
                if let Some(found) = bytes.get_mut(at) {
                    *found = *byte;
                }
            }
            Damage::Insert(byte) => bytes.insert(at, *byte),
            Damage::Remove(count) => drop(bytes.drain(at..(at + count).min(bytes.len()))),
            Damage::Cut => bytes.truncate(at),
        }
    }
}

fn numbers() -> impl Strategy<Value = String> {
    let few =
        ["0", "1", "18446744073709551615", "9007199254740993", "1e20", "1e-300", "4294967295"];
    prop_oneof![
        prop::sample::select(few.map(str::to_owned).to_vec()),
        any::<u64>().prop_map(|n| n.to_string())
    ]
}

fn is_number(column: &columns::Column) -> bool {
    // What is planned is held against the plan.
    !matches!(column.name, "block" | "position" | "seed")
        && matches!(column.kind, columns::Kind::Integer | columns::Kind::Number)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn damaged_files_are_read_or_refused_but_never_a_panic(
        file in prop::sample::select(vec![
            "manifest.json", "env.json", "plan.csv", "trials.csv", "memory.csv",
            "facts.csv", "noise.csv", "calibration.csv", "datapackage.json",
            "requests/t0001.csv.zst",
        ]),
        damages in damages(),
    ) {
        thread_local!(static RUN: (TempDir, PathBuf) = written());
        RUN.with(|(_dir, path)| -> Result<(), TestCaseError> {
            let good = fs::read(path.join(file)).unwrap();
            let mut bytes = good.clone();
            apply(&mut bytes, &damages);
            fs::write(path.join(file), &bytes).unwrap();
            if let Ok(run) = read(path) {
                let (noise, _) = read_noise(path);
                let timings = |id: &str| read_timings(path, id).map_err(|e| e.to_string());
                let rendered = crate::report::render(&Analysis::of(&run, &noise, &timings), None);
                prop_assert!(rendered.html.len() <= 3_000_000);
                let described = read_datapackage(path).unwrap();
                let _ = with_derived(&described, &run.manifest);
            }
            let _ = read_timings(path, "t0001");
            let _ = read_calibration(path);
            fs::write(path.join(file), &good).unwrap();
            Ok(())
        })?;
    }

    /// Any number that a cell may hold is reported on, and never a panic.
    #[test]
    fn numbers_of_any_size_are_reported_on(
        cells in prop::collection::vec((any::<prop::sample::Index>(), numbers()), 1..12),
    ) {
        thread_local!(static RUN: (TempDir, PathBuf) = written());
        RUN.with(|(_dir, path)| {
            let good = fs::read_to_string(path.join("trials.csv")).unwrap();
            let mut lines: Vec<Vec<String>> =
                good.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
            for (at, number) in cells {
                let columns: Vec<usize> = (0..lines[0].len())
                    .filter(|&i| columns::TRIALS.column(&lines[0][i]).is_some_and(is_number))
                    .collect();
                let column = columns[at.index(columns.len())];
                for row in &mut lines[1..] {
                    row[column].clone_from(&number);
                }
            }
            let text: Vec<String> = lines.iter().map(|cells| cells.join(",") + "\n").collect();
            fs::write(path.join("trials.csv"), text.concat()).unwrap();
            let run = read(path).unwrap();
            let none = |_: &str| Err("none".to_owned());
            let _ = crate::report::render(&Analysis::of(&run, &[], &none), None);
            let _ = crate::report::terminal(&Analysis::of_rows(&run), None, 80);
            let _ = crate::report::json(&Analysis::of_rows(&run));
            fs::write(path.join("trials.csv"), &good).unwrap();
        });
    }

    /// Wherever a crash tears the file, all whole rows are there, unchanged, and a torn one is
    /// remarked on.
    #[test]
    fn a_file_torn_anywhere_gives_its_whole_rows(cut in any::<prop::sample::Index>()) {
        thread_local!(static RUN: (TempDir, PathBuf, Vec<u8>) = {
            let (dir, path) = written();
            let bytes = fs::read(path.join("trials.csv")).unwrap();
            (dir, path, bytes)
        });
        RUN.with(|(_dir, path, whole)| {
            let bytes = &whole[..cut.index(whole.len() + 1)];
            fs::write(path.join("trials.csv"), bytes).unwrap();
            let run = read(path).unwrap();
            let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
            let expected: Vec<_> = plan().iter().map(trial).collect();
            assert_eq!(run.trials, expected[..lines.saturating_sub(1)]);
            let torn = !bytes.ends_with(b"\n");
            assert_eq!(run.remarks.len(), usize::from(torn), "{:?}", run.remarks);
        });
    }
}
