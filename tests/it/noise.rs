//! Noise on the real machine: what is others' is told from what is our own.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use forkbench::driver::noise::Monitor;
use forkbench::driver::noise::judge::{Flag, Group, JUDGED_NS, Level};
use forkbench::driver::noise::signal::Signal;
use forkbench::driver::noise::sources::Sources;
use forkbench::record::NoiseLabel;
use forkbench::sys::clock::{now_ns, sleep_until_ns};
use forkbench::sys::process;

/// A program that uses one core until it is dropped; it ends by itself if that never happens.
struct Spinner(Child);

impl Spinner {
    fn start() -> Spinner {
        let mut command = Command::new("timeout");
        command.args(["30", "sh", "-c", "while :; do :; done"]);
        Spinner(command.process_group(0).spawn().unwrap())
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        process::kill_tree(self.0.id());
        let _ = self.0.wait();
    }
}

/// Not reaped while the trial is watched, so not one of ours. That nothing is flagged without it
/// cannot be held against a machine that may be busy otherwise.
#[test]
fn a_foreign_program_that_spins_disturbs_a_trial() {
    let mut monitor = Monitor::start().unwrap();
    let spinner = Spinner::start();
    monitor.before_trial(Group::Block(0, 1));
    sleep_until_ns(now_ns() + JUDGED_NS).unwrap();
    let noise = monitor.after_trial().unwrap();
    drop(spinner);
    assert_eq!(noise.label, NoiseLabel::Disturbed, "{noise:?}");
    let foreign = |flag: &&Flag| flag.signal == Signal::ForeignCpu;
    let flag = noise.flags.iter().find(foreign);
    assert_eq!(flag.map(|flag| flag.level), Some(Level::Disturbed), "{noise:?}");
}

/// What was reaped is our own, to the microsecond: whatever it used is not foreign.
#[test]
fn what_a_reaped_tree_used_is_our_own() {
    let sources = Sources::open();
    let before = sources.all();
    let script = "(i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done); :";
    let children = process::usage_children();
    let status = Command::new("sh").args(["-c", script]).status().unwrap();
    assert!(status.success());
    let used = process::usage_children().since(children);
    let span = sources.all().since(&before);
    let used_ns = used.cpu_user_ns + used.cpu_system_ns;
    assert!(used_ns > 0);
    assert!(span.counts.own_cpu_ns >= used_ns, "{} < {used_ns}", span.counts.own_cpu_ns);
    assert!(span.wall_ns > 0);
}
