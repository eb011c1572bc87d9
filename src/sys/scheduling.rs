//! Which of two threads on one core goes first.

use std::io;

/// The calling thread goes before all ordinary threads of the machine until this is dropped.
///
/// The lowest of the real-time priorities is above all that are not. Nothing that the thread starts
/// meanwhile inherits it, and no other thread of the process is touched. Unless that is switched
/// off (−1 in `/proc/sys/kernel/sched_rt_runtime_us`), the kernel leaves ordinary threads a
/// share of each second in any case, so one that never sleeps cannot stop the machine.
#[derive(Debug)]
pub struct RealTime {
    before: libc::c_int,
}

impl RealTime {
    /// Begins it.
    ///
    /// # Errors
    /// It is refused: neither `CAP_SYS_NICE` nor a limit `RLIMIT_RTPRIO` of one or more, or a
    /// control group without real-time shares. Or the thread has a real-time policy already, which
    /// is its owner's choice.
    pub fn begin() -> io::Result<RealTime> {
        let before = policy()?;
        if !matches!(
            before & !libc::SCHED_RESET_ON_FORK,
            libc::SCHED_OTHER | libc::SCHED_BATCH | libc::SCHED_IDLE
        ) {
            let text = format!("the thread has scheduling policy {before} already");
            return Err(io::Error::other(text));
        }
        set(libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, 1)?;
        Ok(RealTime { before })
    }
}

impl Drop for RealTime {
    fn drop(&mut self) {
        // Who may not raise a priority may not take the flag back either, but may lower it with the
        // flag kept; all that does is to keep a raised niceness from children.
        if set(self.before, 0).is_err() {
            let _ = set(self.before | libc::SCHED_RESET_ON_FORK, 0);
        }
    }
}

/// The calling thread's policy, with the flag if it has it.
fn policy() -> io::Result<libc::c_int> {
    // SAFETY: takes a number, gives a number; 0 is the calling thread.
    check(unsafe { libc::sched_getscheduler(0) })
}

fn set(policy: libc::c_int, priority: libc::c_int) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: the kernel reads the parameters, which outlive the call; 0 is the calling thread.
    check(unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) }).map(drop)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::{Command, Stdio};

    use super::*;

    /// Priority and policy of a thread, fields 40 and 41 of proc(5)'s `stat`.
    fn scheduled(stat: &str) -> (u32, u32) {
        // The name, field 2, may hold anything, but ends with the last parenthesis.
        let rest = stat.rsplit_once(')').unwrap().1;
        let field = |n: usize| rest.split_whitespace().nth(n - 3).unwrap().parse().unwrap();
        (field(40), field(41))
    }

    fn this_thread() -> (u32, u32) {
        scheduled(&fs::read_to_string("/proc/thread-self/stat").unwrap())
    }

    #[test]
    fn a_thread_goes_first_only_while_it_should_and_its_children_never_do() {
        const ORDINARY: (u32, u32) = (0, 0);
        const FIRST: (u32, u32) = (1, 1);
        let before = policy().unwrap();
        assert_eq!(this_thread(), ORDINARY);
        let first = match RealTime::begin() {
            Ok(first) => first,
            Err(error) => return eprintln!("proves nothing: {error}"),
        };
        assert_eq!(this_thread(), FIRST);
        // `stat` does not show the flag.
        assert_eq!(policy().unwrap(), libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK);
        assert!(RealTime::begin().is_err());
        assert_eq!(this_thread(), FIRST);
        let child =
            Command::new("cat").arg("/proc/self/stat").stderr(Stdio::inherit()).output().unwrap();
        assert_eq!(scheduled(&String::from_utf8(child.stdout).unwrap()), ORDINARY);
        let thread = std::thread::spawn(this_thread);
        assert_eq!(thread.join().unwrap(), ORDINARY);
        drop(first);
        assert_eq!(this_thread(), ORDINARY);
        // Only the privileged get rid of the flag.
        if rustix::process::geteuid().is_root() {
            assert_eq!(policy().unwrap(), before);
        }
    }

    #[test]
    fn a_thread_that_panics_goes_first_no_longer() {
        let unwound: std::thread::Result<()> = std::panic::catch_unwind(|| {
            let first = RealTime::begin();
            if let Err(error) = &first {
                eprintln!("proves nothing: {error}");
            }
            // Without the hook, so that no report of a panic is printed.
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(unwound.is_err());
        assert_eq!(this_thread(), (0, 0));
    }
}
