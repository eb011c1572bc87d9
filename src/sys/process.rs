//! Processes: fork, kill, wait, resources.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, Signal};

use super::usage::Usage;

/// Proof that this process had one thread when it was asked. Its holder must not start threads:
/// then, and only then, a fork's child may run ordinary code instead of the few functions that are
/// safe after a fork from among threads.
#[derive(Debug)]
pub struct SingleThreaded(());

impl SingleThreaded {
    /// Counts this process's threads.
    ///
    /// # Errors
    /// There is more than one thread, or they cannot be counted.
    pub fn assert() -> io::Result<SingleThreaded> {
        match thread_count()? {
            1 => Ok(SingleThreaded(())),
            n => {
                Err(io::Error::other(format!("fork needs a process with one thread, this has {n}")))
            }
        }
    }
}

/// How many threads this process has.
///
/// # Errors
/// `/proc` is not mounted.
pub fn thread_count() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    /// The process that forked, and its child's id.
    Parent(u32),
    /// The copy. It must leave through [`exit_now`].
    Child,
}

/// POSIX `fork(2)`, without exec.
///
/// # Errors
/// The system has no process or memory to give (EAGAIN, ENOMEM).
pub fn fork(_proof: &SingleThreaded) -> io::Result<Fork> {
    // SAFETY: fork's danger is a lock held by another thread at the moment of the copy. `_proof`
    // says that there is no other thread, so no lock can be held by one.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid as u32)),
    }
}

/// Ends this process at once: no destructors, no flushing of buffers that are the parent's too.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions and does not return.
    unsafe { libc::_exit(code) }
}

/// Dies of SIGSEGV, as a program with a wild pointer does.
pub fn raise_segfault() -> ! {
    // SAFETY: both calls only touch this process's own signal state. The default action is
    // restored first, because the standard library installs a handler that looks for stack
    // overflows.
    unsafe {
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
        libc::raise(libc::SIGSEGV);
    }
    exit_now(139)
}

/// Makes writing to a pipe without a reader an error instead of the end of this process.
pub fn ignore_broken_pipes() {
    // SAFETY: ignoring a signal installs no handler, so nothing can run at a bad moment.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Closes every descriptor but standard input, output, error and `keep`. For a forked child: it
/// must hold neither its parent's sockets, whose other ends would wait for it to end, nor its
/// siblings'. After this, nothing that owned a closed descriptor may be used or dropped: the
/// caller leaves through [`exit_now`] without returning to them.
pub fn close_all_but(keep: BorrowedFd<'_>) {
    let keep = keep.as_raw_fd() as libc::c_uint;
    for (first, last) in [(3, keep.saturating_sub(1)), (keep + 1, libc::c_uint::MAX)] {
        if first <= last {
            // SAFETY: closing a descriptor touches no memory. Owners of the closed ones live in
            // the parent's frames of this forked copy, which are never returned to, as the
            // function's contract says.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
    }
}

/// Sleeps until a signal arrives.
pub fn sleep_until_signal() {
    // SAFETY: `pause` has no preconditions.
    unsafe { libc::pause() };
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// What it ended with.
    pub status: ExitStatus,
    /// What it and its waited-for children used. Peak memory is not in here on purpose: Linux
    /// starts a child's at its parent's.
    pub usage: Usage,
}

/// What a child ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    /// Whether it exited with 0.
    pub fn success(self) -> bool {
        self == ExitStatus::Code(0)
    }
}

impl std::fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExitStatus::Code(code) => write!(f, "exited with {code}"),
            ExitStatus::Signal(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

/// Reaps this process's own child `pid`; `None` if it still runs and `block` is [`Block::No`].
///
/// # Errors
/// It is no child of this process, or was reaped before.
pub fn wait(pid: u32, block: Block) -> io::Result<Option<Exit>> {
    wait4(pid as libc::pid_t, block).map(|found| found.map(|(_, exit)| exit))
}

/// Reaps one of this process's own children that has ended, whichever; `None` if there is none.
/// Only for a process all of whose children are known to its caller: others would lose theirs.
///
/// # Errors
/// Never seen on Linux.
pub fn wait_any() -> io::Result<Option<(u32, Exit)>> {
    match wait4(-1, Block::No) {
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        found => found,
    }
}

/// Whether to wait for what has not happened yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Wait.
    Yes,
    /// Look only.
    No,
}

fn wait4(pid: libc::pid_t, block: Block) -> io::Result<Option<(u32, Exit)>> {
    let options = if block == Block::No { libc::WNOHANG } else { 0 };
    let mut status = 0;
    let mut usage = MaybeUninit::zeroed();
    let found = loop {
        // SAFETY: both pointers are to locals of the right types that outlive the call.
        let found = unsafe { libc::wait4(pid, &raw mut status, options, usage.as_mut_ptr()) };
        if found != -1 {
            break found;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    };
    if found == 0 {
        return Ok(None);
    }
    // SAFETY: `rusage` is plain integers, zeroed above and then filled in by the kernel.
    let usage = usage_from(&unsafe { usage.assume_init() });
    let status = if libc::WIFEXITED(status) {
        ExitStatus::Code(libc::WEXITSTATUS(status))
    } else {
        ExitStatus::Signal(libc::WTERMSIG(status))
    };
    Ok(Some((found as u32, Exit { status, usage })))
}

/// What this process has used so far.
pub fn usage_self() -> Usage {
    getrusage(libc::RUSAGE_SELF)
}

/// What this process's waited-for children have used, and theirs.
pub fn usage_children() -> Usage {
    getrusage(libc::RUSAGE_CHILDREN)
}

fn getrusage(who: i32) -> Usage {
    let mut usage = MaybeUninit::zeroed();
    // SAFETY: the pointer is to a local of the right type; `who` is one of two valid constants,
    // so the call cannot fail, and what it fills in is plain integers.
    let usage = unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    };
    usage_from(&usage)
}

fn usage_from(usage: &libc::rusage) -> Usage {
    let ns = |t: libc::timeval| t.tv_sec as u64 * 1_000_000_000 + t.tv_usec as u64 * 1_000;
    Usage {
        cpu_user_ns: ns(usage.ru_utime),
        cpu_system_ns: ns(usage.ru_stime),
        faults_minor: usage.ru_minflt as u64,
        faults_major: usage.ru_majflt as u64,
        ctx_voluntary: usage.ru_nvcsw as u64,
        ctx_involuntary: usage.ru_nivcsw as u64,
    }
}

/// CPU time of the process `pid`, of all its threads that are and were, in ns. What it has reaped is
/// not in it.
///
/// # Errors
/// There is no such process, or it may not be asked.
pub fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls write one local of the right type each, and the second is made only with
    // a clock that the first has found.
    let error = unsafe {
        match libc::clock_getcpuclockid(pid as libc::pid_t, &mut clock) {
            0 if libc::clock_gettime(clock, &mut time) != 0 => {
                return Err(io::Error::last_os_error());
            }
            error => error,
        }
    };
    match error {
        0 => Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// A descriptor that becomes readable when the process `pid` ends. Unless it is this process's own,
/// not yet reaped child, the number may have become another process's.
///
/// # Errors
/// There is no such process, or there are too many descriptors.
pub fn pidfd(pid: u32) -> io::Result<OwnedFd> {
    Ok(rustix::process::pidfd_open(pid_of(pid)?, PidfdFlags::empty())?)
}

/// Kills the child `pid` and the group it leads, if it leads one. The caller must not have
/// reaped it yet: until then the number cannot belong to anybody else.
pub fn kill_tree(pid: u32) {
    let Ok(pid) = pid_of(pid) else { return };
    // A group that does not exist (yet), or a process that is gone, needs no signal.
    let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    let _ = rustix::process::kill_process(pid, Signal::KILL);
}

/// Kills the child `pid` alone. As for [`kill_tree`], it must not have been reaped.
pub fn kill(pid: u32) {
    if let Ok(pid) = pid_of(pid) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

/// Stops the child `pid` until [`go_on`]. As for [`kill_tree`], it must not have been reaped.
///
/// # Errors
/// There is no such process.
pub fn stop(pid: u32) -> io::Result<()> {
    Ok(rustix::process::kill_process(pid_of(pid)?, Signal::STOP)?)
}

/// Lets a child that was stopped go on. As for [`kill_tree`], it must not have been reaped.
///
/// # Errors
/// There is no such process.
pub fn go_on(pid: u32) -> io::Result<()> {
    Ok(rustix::process::kill_process(pid_of(pid)?, Signal::CONT)?)
}

/// Makes this process the leader of a group of its own, so that it can be killed with all that
/// it starts.
pub fn lead_group() {
    // Fails only for a session leader, which leads its own group already.
    let _ = rustix::process::setpgid(None, None);
}

/// Lets the child `pid`, and all that it starts from now on, leave no core file. As for
/// [`kill_tree`], it must not have been reaped.
///
/// The limit is 1 byte and not 0: of a size below a page no file is written either, and where cores
/// go to a program through a pipe the kernel heeds no other limit than this one (`do_coredump` in
/// its `fs/coredump.c`). Such a program would take longer than most of what dies.
pub fn dump_no_core(pid: u32) {
    let limit = rustix::process::Rlimit { current: Some(1), maximum: Some(1) };
    // A limit can always be lowered; a child that has ended meanwhile leaves nothing more.
    if let Ok(pid) = pid_of(pid) {
        let _ = rustix::process::prlimit(Some(pid), rustix::process::Resource::Core, limit);
    }
}

/// Has the kernel kill the child `pid`, or what it starts from now on, before this process when
/// memory runs out.
pub fn prefer_in_shortage(pid: u32) {
    const MORE: i32 = 200;
    const MOST: i32 = 1000;
    let own = std::fs::read_to_string("/proc/self/oom_score_adj");
    let own: i32 = own.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    // A child that has ended meanwhile needs none.
    let _ =
        std::fs::write(format!("/proc/{pid}/oom_score_adj"), (own + MORE).min(MOST).to_string());
}

/// Asks the kernel to kill this process when the thread that created it ends. For a parent that has
/// already gone it is too late: see [`descends_from`].
pub fn die_with_parent() {
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
}

/// Whether `pid` is this process's parent, or its parent's, and so on. A parent that has ended is
/// none any more.
pub fn descends_from(pid: u32) -> bool {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // A name may itself have spaces and parentheses.
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    let first = Some(std::os::unix::process::parent_id());
    std::iter::successors(first, |&of| parent(of)).any(|ancestor| ancestor == pid)
}

/// Makes this process survive what a user or a terminal ends a program with: it gets a session of
/// its own and ignores SIGHUP, SIGINT, SIGQUIT and SIGTERM.
pub fn outlive_terminal() {
    // Fails only for the leader of a group, which is never started this way.
    let _ = rustix::process::setsid();
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: ignoring a signal installs no handler, so nothing can run at a bad moment.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Whether this process was started with `signal` ignored, as `nohup` does with SIGHUP.
pub fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: no new action is given, so nothing changes; the pointer is to a local of the right
    // type, whose zeroed bytes are a valid `sigaction` also where the call fails.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// The ids of all processes that may be seen.
///
/// # Errors
/// `/proc` cannot be read.
pub fn all() -> io::Result<Vec<u32>> {
    let mut pids = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        pids.extend(entry?.file_name().to_string_lossy().parse::<u32>().ok());
    }
    Ok(pids)
}

/// Kills the process `pid`, anybody's child, if it passes `test`; whether it did. Between the test
/// and the signal its number cannot become another process's.
pub fn kill_if(pid: u32, test: impl Fn(u32) -> bool) -> bool {
    let Ok(held) = pidfd(pid) else { return false };
    if !test(pid) {
        return false;
    }
    // It may have ended by now, which is as good.
    let _ = rustix::process::pidfd_send_signal(held, Signal::KILL);
    true
}

/// Makes this process the one that adopts the orphans among its descendants.
///
/// # Errors
/// The kernel is older than 3.4.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Whether there is a process of this id, visible or not.
pub fn exists(pid: u32) -> bool {
    let tested = pid_of(pid).map(rustix::process::test_kill_process);
    // Any other error means that the process is there.
    !matches!(tested, Err(_) | Ok(Err(rustix::io::Errno::SRCH)))
}

fn pid_of(pid: u32) -> io::Result<Pid> {
    // rustix panics at a negative number.
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the id of no process"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descends_from_every_ancestor_and_nothing_else() {
        assert!(descends_from(std::os::unix::process::parent_id()));
        assert!(!descends_from(std::process::id()));
        assert!(!descends_from(u32::MAX));
    }

    #[test]
    fn kill_if_spares_what_fails_its_test() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        assert!(!kill_if(child.id(), |_| false));
        assert!(child.try_wait().unwrap().is_none());
        assert!(kill_if(child.id(), |pid| pid == child.id()));
        assert!(!child.wait().unwrap().success());
        assert!(!kill_if(u32::MAX, |_| true));
    }

    #[test]
    fn signals_that_were_ignored_before_are_told() {
        // The C library's programs ignore nothing; Rust's ignore SIGPIPE before `main`.
        assert!(is_ignored(libc::SIGPIPE));
        assert!(!is_ignored(libc::SIGUSR1));
    }
}
