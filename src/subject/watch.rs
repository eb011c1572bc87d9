//! The watcher: ends the processes of a run when its driver ends, in any way.
//!
//! A driver that is killed can clean up no more, and no way to die with one's parent reaches all:
//! PR_SET_PDEATHSIG asks for code in each program and passes over grandchildren, and the end of a
//! socket is not read by a process that computes or hangs. So a run has one process that does
//! nothing but wait for the end of a pipe whose other end only the driver holds.
//!
//! What belongs to the run is told by its name alone. Every process that the driver starts has it
//! in its environment, in [`VARIABLE`], and hands it on. A process between fork
//! and exec in the driver has not, but holds the driver's end of the pipe until it has.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use crate::sys::clock::{now_ns, sleep_until_ns};
use crate::sys::process;

/// The mode's name.
pub const MODE: &str = "watch";

/// The variable that has a run's name, in every process of a run but driver and watcher.
pub const VARIABLE: &str = "FORKBENCH_RUN";

/// Where named semaphores and shared memory are.
pub const SHARED_MEMORY: &str = "/dev/shm";

const PREFIX: &str = "forkbench-";

/// How often nothing must be found before nothing is left: a process that is in the middle of an
/// exec has no environment.
const CLEAN_LOOKS: u32 = 4;

/// The time between two looks.
const LOOK_NS: u64 = 50_000_000;

/// A process that is not gone by then cannot be ended.
const PATIENCE_NS: u64 = 60_000_000_000;

/// The name of the run of a driver of this process id that started at this time. All names are
/// equally long: the size of its environment moves what a process has on its stack.
pub fn name_of(pid: u32, started_ns: u64) -> String {
    format!("{PREFIX}{pid:07}-{started_ns:016x}")
}

/// The driver's process id, in a name that begins with a run's.
pub fn pid_in(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

/// The driver's process id, if this process is of a run.
pub fn driver() -> Option<u32> {
    pid_in(std::env::var_os(VARIABLE)?.to_str()?)
}

/// Waits for the end of standard input, then ends the processes of the run `NAME` and removes
/// everything with its name in one of the folders.
pub fn watch(args: &[String]) -> Result<(), String> {
    let Some((name, dirs)) = args.split_first() else {
        return Err(super::USAGE.to_owned());
    };
    process::outlive_terminal();
    process::ignore_broken_pipes();
    // It must not keep the folder from being removed.
    let _ = std::env::set_current_dir("/");
    let says_ready = std::io::stdout().write_all(b".").and_then(|()| std::io::stdout().flush());
    says_ready.map_err(|error| format!("say that this watches: {error}"))?;
    // Nothing is written to the pipe.
    while !matches!(std::io::stdin().read(&mut [0]), Ok(0)) {}
    end(name, dirs).map_err(|error| format!("end what is left of {name}: {error}"))
}

fn end(name: &str, dirs: &[String]) -> std::io::Result<()> {
    let until_ns = now_ns() + PATIENCE_NS;
    let variable = format!("{VARIABLE}={name}");
    let mut clean_looks = 0;
    while clean_looks < CLEAN_LOOKS && now_ns() < until_ns {
        let killed = kill_all(variable.as_bytes())?;
        // A control group can be removed only when no process is left in it.
        let removed: u32 = dirs.iter().map(|dir| remove_named(name, dir.as_ref())).sum();
        let kept = dirs.iter().any(|dir| !named(name, dir.as_ref()).is_empty());
        let is_clean = killed == 0 && removed == 0 && !kept;
        clean_looks = if is_clean { clean_looks + 1 } else { 0 };
        sleep_until_ns(now_ns() + LOOK_NS)?;
    }
    Ok(())
}

/// Kills every process that has this line in its environment; how many there were.
fn kill_all(variable: &[u8]) -> std::io::Result<usize> {
    // Another user's cannot be read, and is not of this run.
    let is_of_run = |pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|line| line == variable)
    };
    Ok(process::all()?.into_iter().filter(|&pid| process::kill_if(pid, is_of_run)).count())
}

/// Removes files and empty folders in `dir` that have a run's name in theirs; how many there were.
pub fn remove_named(name: &str, dir: &Path) -> u32 {
    let mut removed = 0;
    for path in named(name, dir) {
        let gone = match path.is_dir() {
            true => fs::remove_dir(&path),
            false => fs::remove_file(&path),
        };
        removed += u32::from(gone.is_ok());
    }
    removed
}

fn named(name: &str, dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_named = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().contains(name);
    entries.filter(is_named).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_names_are_equally_long_and_have_the_drivers_id() {
        let short = name_of(7, 1);
        let long = name_of(4_194_304, u64::MAX);
        assert_eq!(short.len(), long.len());
        assert_eq!(pid_in(&short), Some(7));
        assert_eq!(pid_in(&format!("{long}-b01-t003")), Some(4_194_304));
        assert_eq!(pid_in("forkbench-subject"), None);
        assert_eq!(pid_in("other-7-1"), None);
    }

    #[test]
    fn remove_named_leaves_what_has_another_name() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let (own, other) = (name_of(7, 1), name_of(7, 2));
        fs::write(at(&format!("sem.{own}-abc")), "").unwrap();
        fs::create_dir(at(&format!("{own}-trial"))).unwrap();
        fs::write(at(&format!("sem.{other}-abc")), "").unwrap();
        assert_eq!(remove_named(&own, dir.path()), 2);
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].file_name().to_string_lossy(), format!("sem.{other}-abc"));
        assert_eq!(remove_named(&own, Path::new("/nonexistent")), 0);
    }
}
