//! The Rust subject: the server that a trial measures, and the modes in which it is its own
//! children's program.
//!
//! `forkbench-subject` has no options for people: without arguments it serves the socket that is
//! its standard input; the other modes are started by strategies and by the driver.

use std::path::Path;

use crate::sys::process;
use crate::workload::Spec;

mod demonstrations;
mod host;
mod requests;
mod serve;
mod task;
pub mod watch;
mod worker;

/// What the program may be asked to do.
const USAGE: &str = "forkbench-subject is started by forkbench, not by hand.
modes: (none) serve the socket on standard input
       task ID TASK WORKLOAD SIZE SEED PAYLOAD_BYTES [NAME=VALUE]... one task, answer as text
       ipc WORKLOAD SIZE SEED PAYLOAD_BYTES [NAME=VALUE]...          one task, answer as a frame
       worker WORKLOAD SIZE SEED PAYLOAD_BYTES [NAME=VALUE]...       tasks until the socket closes
       answer WORKLOAD SIZE SEED PAYLOAD_BYTES [NAME=VALUE]...       one whole request's checksum
       calibrate WORKLOAD SIZE SEED PAYLOAD_BYTES [NAME=VALUE]...    how much work a millisecond is
       watch NAME DIR...                                             ends what a driver leaves
       demonstration NAME                                            facts, a line each
       input DIR WORKLOAD SIZE SEED PAYLOAD_BYTES [NAME=VALUE]...    write input, print its path";

pub use demonstrations::NAMES as DEMONSTRATIONS;

/// The whole program, to its exit code: `started` is the stamp of its first instruction.
pub fn main(started: u64) -> i32 {
    let is_watcher = std::env::args_os().nth(1).is_some_and(|mode| mode == watch::MODE);
    if !is_watcher {
        // Before anything else: a child must not outlive what started it.
        process::die_with_parent();
    }
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    if is_of_driver(&args) && watch::driver().is_some_and(|pid| !process::descends_from(pid)) {
        // The driver ended before it could be asked for.
        return 1;
    }
    let result = match args.split_first() {
        None => serve::serve(),
        Some((mode, rest)) => match mode.as_str() {
            "task" => task::task(rest, started),
            "ipc" => worker::ipc(rest, started),
            "worker" => worker::worker(rest),
            "answer" => answer(rest),
            "calibrate" => calibrate(rest),
            "input" => input(rest),
            "demonstration" => demonstrations::demonstration(rest),
            watch::MODE => watch::watch(rest),
            _ => Err(USAGE.to_owned()),
        },
    };
    match result {
        Ok(()) => 0,
        Err(reason) => {
            eprintln!("forkbench-subject: {reason}");
            1
        }
    }
}

/// Whether it is the driver that starts this mode, and not another subject.
fn is_of_driver(args: &[String]) -> bool {
    let mode = args.first().map_or("", String::as_str);
    matches!(mode, "" | "answer" | "input" | "demonstration")
}

/// Computes one request inline and prints its checksum: what every strategy has to answer.
fn answer(args: &[String]) -> Result<(), String> {
    let spec = Spec::from_args(args)?;
    let workload = spec.workload()?;
    if let Some(checksum) = workload.known_answer(&spec)? {
        println!("{checksum}");
        return Ok(());
    }
    let input = workload.prepare(&spec)?;
    let checksums = (0..workload.tasks(&spec)?)
        .map(|task| Ok(input.run(task, vec![0; spec.payload_bytes as usize])?.checksum))
        .collect::<Result<Vec<u64>, String>>()?;
    println!("{}", workload.join(&checksums));
    Ok(())
}

/// Prints how much of the workload a millisecond is in this runtime.
fn calibrate(args: &[String]) -> Result<(), String> {
    let spec = Spec::from_args(args)?;
    println!("{}", spec.workload()?.calibrate()?);
    Ok(())
}

/// Writes the input that all subjects of a run share and prints its path; nothing if there is
/// none.
fn input(args: &[String]) -> Result<(), String> {
    let Some((dir, spec)) = args.split_first() else {
        return Err(USAGE.to_owned());
    };
    let spec = Spec::from_args(spec)?;
    if let Some(path) = spec.workload()?.materialise(&spec, Path::new(dir))? {
        println!("{}", path.display());
    }
    Ok(())
}
