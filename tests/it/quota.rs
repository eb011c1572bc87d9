//! A run below a real CPU quota says that it was spent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::FORKBENCH;

/// A control group that may use a fifth of a core; gone when dropped.
struct Group(PathBuf);

impl Group {
    /// Below the root of what is mounted.
    ///
    /// # Errors
    /// Why there can be none here.
    fn with_quota() -> Result<Group, String> {
        let name = format!("forkbench-test-{}", std::process::id());
        let v1 = Path::new("/sys/fs/cgroup/cpu");
        let v2 = Path::new("/sys/fs/cgroup");
        // Short periods: a process that shares its core with many others still gets more than
        // 2 ms at a time, and so spends the quota on a busy machine too.
        let v1_files = [("cpu.cfs_period_us", "10000"), ("cpu.cfs_quota_us", "2000")];
        let v2_files = [("cpu.max", "2000 10000")];
        let (root, files) = match v1.join("cpu.cfs_quota_us").exists() {
            true => (v1, &v1_files[..]),
            false => (v2, &v2_files[..]),
        };
        let dir = root.join(name);
        let attempt = |what: &str, done: std::io::Result<()>| {
            done.map_err(|error| format!("{what} {}: {error}", dir.display()))
        };
        attempt("create", fs::create_dir(&dir))?;
        let group = Group(dir.clone());
        for (file, value) in files {
            attempt("set the quota of", fs::write(dir.join(file), value))?;
        }
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that has just been reaped may still be counted.
        while let Err(error) = fs::remove_dir(&self.0) {
            let text = fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
            if error.kind() != std::io::ErrorKind::ResourceBusy || !text.trim().is_empty() {
                eprintln!("remove {}: {error}", self.0.display());
                return;
            }
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_run_below_a_quota_that_is_spent_says_so() {
    let group = match Group::with_quota() {
        Ok(group) => group,
        Err(reason) => {
            eprintln!("skipped: {reason}");
            return;
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("quota.toml"), dir.path().join("out"));
    let text = "name = \"quota\"\nquestion = \"Is it seen?\"\n[[family]]\nworkload = \"primes\"\n\
                size = \"m\"\nstrategy = [\"blocking\"]\nload = { closed = { callers = 2 } }\n";
    fs::write(&file, text).unwrap();
    let said = Command::new("/bin/sh")
        .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
        .arg(group.0.join("cgroup.procs"))
        .args([FORKBENCH, "run"])
        .arg(&file)
        .args(["--preset", "smoke", "--budget", "10m", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{stderr}");
    let run = forkbench::record::read(&out).unwrap();
    assert_eq!(run.environment.facts["cgroup_cpu_quota_cores"], 0.2);
    assert_eq!(run.environment.facts["cgroup_cpu_quota_ns"], 2_000_000);
    let spent: Vec<_> =
        run.trials.iter().filter(|row| row.throttled_periods.is_some_and(|n| n > 0)).collect();
    assert!(!spent.is_empty(), "{:?}", run.trials);
    for row in &run.trials {
        let flagged = row.noise_flags.split(';').any(|flag| flag == "quota_throttled:disturbed");
        assert_eq!(flagged, row.throttled_periods.unwrap() > 0, "{row:?}");
        assert!(row.throttled_ns.is_some());
    }
    let one_line = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let trials = run.trials.len();
    let spent = match spent.len() {
        n if n == trials => format!("all {n} trials"),
        n => format!("{n} of {trials} trials"),
    };
    let expected = format!("A CPU quota of 0.2 cores was in force and was spent in {spent}");
    assert!(one_line.contains(&expected), "{stdout}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("A CPU quota of 0.2 cores was in force and was spent in"));
    let path = group.0.clone();
    drop(group);
    assert!(!path.exists());
}
