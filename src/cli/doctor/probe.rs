//! What only trying tells: whether the subject runs, whether a child's memory can be read, which
//! runtimes are installed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::here;
use crate::driver::target::{Launch, Target, subject_environment};
use crate::experiment::runtime;
use crate::protocol::Configure;
use crate::workload::options::Options;
use crate::workload::{Size, Spec};

/// What was tried, each with its result or the reason of its failure.
#[derive(Debug, Clone)]
pub struct Probe {
    /// How long the subject took to become ready, in ns.
    pub subject_ready_ns: Result<u64, String>,
    /// Memory of a child by `smaps_rollup`, in bytes.
    pub child_pss_bytes: Result<u64, String>,
    /// The file in which a control group keeps its highest memory.
    pub memory_peak_file: Result<&'static str, String>,
    /// The version of each interpreted runtime, by the runtime's title.
    pub runtimes: Vec<(&'static str, Result<String, String>)>,
}

impl Probe {
    /// Tries everything once.
    pub fn of_this_machine(subject: Result<&Path, &anyhow::Error>) -> Probe {
        let (subject_ready_ns, child_pss_bytes) = match subject {
            Ok(path) => try_subject(path),
            Err(_) => {
                let missing = || Err("there is no subject to try it with".to_owned());
                (missing(), missing())
            }
        };
        let scripts = runtime::ALL.iter().filter(|runtime| runtime.script().is_some());
        let version = |runtime: &runtime::Runtime| -> Result<String, String> {
            let program = here::runtime_program(runtime)?;
            Ok(program.versions.get(runtime.versions_key).cloned().unwrap_or_default())
        };
        Probe {
            subject_ready_ns,
            child_pss_bytes,
            memory_peak_file: memory_peak_file(),
            runtimes: scripts.map(|runtime| (runtime.title, version(runtime))).collect(),
        }
    }
}

fn try_subject(path: &Path) -> (Result<u64, String>, Result<u64, String>) {
    let launch = Launch {
        command: vec![path.to_owned()],
        environment: subject_environment(),
        stderr: PathBuf::from("/dev/null"),
    };
    let spec = Spec {
        workload: "noop".to_owned(),
        size: Size::S,
        seed: 0,
        payload_bytes: 0,
        options: Options::default(),
    };
    let configure = Configure {
        spec,
        strategy: "blocking".to_owned(),
        strategy_options: Options::default(),
        ballast_bytes: 0,
        deadline_ms: 1_000,
        child_program: None,
    };
    let target = match Target::start(&launch, &configure) {
        Ok(target) => target,
        Err(error) => {
            return (Err(error.to_string()), Err("the subject does not run".to_owned()));
        }
    };
    let ready_ns = target.ready_ns - target.started_ns;
    let pss_bytes = pss_bytes(target.ready.pid);
    let stopped = target.stop().map(|_| ready_ns);
    (stopped.map_err(|error| error.to_string()), pss_bytes)
}

fn pss_bytes(pid: u32) -> Result<u64, String> {
    // Without the process id, which differs at every look.
    let fail = |why: &str| format!("/proc/PID/smaps_rollup: {why}");
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .map_err(|error| fail(&error.to_string()))?;
    let kib = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.and_then(|kib| kib.checked_mul(1024)).ok_or_else(|| fail("has no `Pss:`"))
}

/// The file that keeps the highest memory of a group, where there is a group that shows one.
fn memory_peak_file() -> Result<&'static str, String> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"));
    let v2 = format!("/sys/fs/cgroup/{}/memory.peak", own.unwrap_or_default());
    for (path, name) in [
        (v2.as_str(), "memory.peak (v2)"),
        ("/sys/fs/cgroup/memory/memory.max_usage_in_bytes", "memory.max_usage_in_bytes (v1)"),
    ] {
        if fs::read_to_string(path).is_ok() {
            return Ok(name);
        }
    }
    Err("no memory controller keeps a peak".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_process_that_is_gone_is_an_error() {
        let own = pss_bytes(std::process::id()).unwrap();
        assert!(own > 0);
        assert!(pss_bytes(u32::MAX).is_err());
    }
}
