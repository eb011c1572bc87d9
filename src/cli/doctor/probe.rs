//! What only trying tells: whether the subject runs, whether a child's memory can be read, which
//! programs there are and whether they start.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::here;
use crate::driver::target::{Launch, Target, subject_environment};
use crate::experiment::runtime;
use crate::protocol::Configure;
use crate::sys::poller::Poller;
use crate::sys::process;
use crate::workload::options::Options;
use crate::workload::{Size, Spec};

/// What was tried, each with what came of it or why nothing did.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    /// How long the subject took to become ready, in ns.
    pub(super) subject_ready_ns: Result<u64, String>,
    /// Memory of a child as `smaps_rollup` tells it, in bytes.
    pub(super) child_pss_bytes: Result<u64, String>,
    /// Whether a control group keeps its highest memory, and in which file.
    pub(super) memory_peak_file: Result<&'static str, String>,
    /// Whether a program can be traced.
    pub(super) strace: Result<String, String>,
    /// Versions.
    pub(super) node: Result<String, String>,
    pub(super) python: Result<String, String>,
    pub(super) chromium: Result<String, String>,
}

/// How long any program may take to say its version; a browser's first start is slow.
const PATIENCE_NS: u64 = 10_000_000_000;

impl Probe {
    /// Tries everything once. `subject` is `None` if there is none.
    pub(super) fn of_this_machine(subject: Option<&Path>) -> Probe {
        let (subject_ready_ns, child_pss_bytes) = match subject {
            Some(path) => try_subject(path),
            None => {
                let missing = || Err("there is no subject to try it with".to_owned());
                (missing(), missing())
            }
        };
        let traced = ["-qq", "-o", "/dev/null", "/bin/sh", "-c", ":"];
        Probe {
            subject_ready_ns,
            child_pss_bytes,
            memory_peak_file: memory_peak_file(),
            strace: find("strace").and_then(|path| {
                first_line(&path, &traced)?;
                Ok("traces a program of ours".to_owned())
            }),
            node: interpreter("node"),
            python: interpreter("python"),
            chromium: version(&["chromium", "chromium-browser", "google-chrome"]),
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
            return (Err(error.to_string()), Err("the subject does not run".into()));
        }
    };
    let ready_ns = target.ready_ns - target.started_ns;
    let pss_bytes = pss_bytes(target.ready.pid);
    let stopped = target.stop().map(|_| ready_ns);
    (stopped.map_err(|error| error.to_string()), pss_bytes)
}

fn pss_bytes(pid: u32) -> Result<u64, String> {
    // Without the id: it is another one at every look.
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

/// The same question that a run asks.
fn interpreter(runtime: &str) -> Result<String, String> {
    let runtime = runtime::by_name(runtime).ok_or("no such runtime")?;
    let program = here::runtime_program(runtime)?;
    Ok(program.versions.get(runtime.name).cloned().unwrap_or_default())
}

fn version(names: &[&str]) -> Result<String, String> {
    let found = names.iter().map(|name| find(name));
    let path = found.reduce(Result::or).unwrap_or_else(|| Err(String::new()))?;
    first_line(&path, &["--version"])
}

fn find(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|f| f.is_file() && f.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(is_program)
        .ok_or_else(|| format!("there is no `{name}` in PATH"))
}

/// The first line that a program prints, which must end well and in time.
fn first_line(path: &Path, args: &[&str]) -> Result<String, String> {
    let name = path.file_name().unwrap_or(path.as_os_str()).display();
    let fail = |why: String| format!("`{name} {}`: {why}", args.join(" "));
    let mut child = Command::new(path)
        .args(args)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| fail(error.to_string()))?;
    let in_time = wait_for_end(child.id());
    // Whether or not it has ended: what it left in its group may hold the pipe open.
    process::kill_tree(child.id());
    let status = child.wait().map_err(|error| fail(error.to_string()))?;
    if !status.success() {
        return Err(fail(match in_time {
            Ok(true) => status.to_string(),
            Ok(false) => "did not end in time".to_owned(),
            Err(error) => error.to_string(),
        }));
    }
    let mut text = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        // Bounded: nobody prints this much of a version.
        stdout.take(4096).read_to_end(&mut text).map_err(|error| fail(error.to_string()))?;
    }
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or_default().trim();
    Ok(line.chars().filter(|c| !c.is_control()).take(60).collect())
}

/// Whether it ended in time.
fn wait_for_end(pid: u32) -> std::io::Result<bool> {
    let poller = Poller::new()?;
    // Held until the wait is over: a descriptor that is closed is no longer waited for.
    let pidfd = process::pidfd(pid)?;
    poller.add(&pidfd, 0)?;
    let mut events = Vec::new();
    poller.wait(&mut events, Some(PATIENCE_NS))?;
    Ok(!events.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_its_line_or_why_not() {
        let sh = Path::new("/bin/sh");
        let line = first_line(sh, &["-c", "echo ' one '; echo two"]);
        assert_eq!(line.as_deref(), Ok("one"));
        let error = first_line(sh, &["-c", "exit 3"]).unwrap_err();
        assert!(error.starts_with("`sh -c exit 3`: exit status: 3"), "{error}");
        let error = version(&["no-such-program", "nor-this-one"]).unwrap_err();
        assert_eq!(error, "there is no `nor-this-one` in PATH");
    }

    #[test]
    fn memory_of_a_process_that_is_gone_is_an_error() {
        let own = pss_bytes(std::process::id()).unwrap();
        assert!(own > 0);
        assert!(pss_bytes(u32::MAX).is_err());
    }
}
