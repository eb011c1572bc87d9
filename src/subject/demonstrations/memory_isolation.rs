//! The study notes' memory isolation example: main sets its count to 100, the child sets its count
//! to 999. The child is a forked process, a thread with a copy of the count, and a thread that
//! shares the count. Without a copy or an atomic type the compiler rejects the program.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;

use super::{failed, say};
use crate::sys::process::{self, Block, Fork, SingleThreaded};

pub fn show() -> Result<(), String> {
    in_a_process()?;
    in_a_thread()?;
    in_a_thread_that_shares()
}

fn in_a_process() -> Result<(), String> {
    let alone = SingleThreaded::assert().map_err(failed("count threads"))?;
    let (mut ours, mut theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
    let mut count: u32 = 0;
    match process::fork(&alone).map_err(failed("fork"))? {
        Fork::Child => {
            count += 999;
            let told = theirs.write_all(&count.to_le_bytes());
            process::exit_now(i32::from(told.is_err()))
        }
        Fork::Parent(pid) => {
            drop(theirs);
            count += 100;
            let mut told = [0; 4];
            ours.read_exact(&mut told).map_err(failed("hear the child"))?;
            process::wait(pid, Block::Yes).map_err(failed("reap the child"))?;
            tell("process", count, u32::from_le_bytes(told));
            Ok(())
        }
    }
}

fn in_a_thread() -> Result<(), String> {
    let mut main_count: u32 = 0;
    let mut count = main_count;
    let child = thread::spawn(move || {
        count += 999;
        count
    });
    main_count += 100;
    let count = child.join().map_err(|_| "the thread panicked".to_owned())?;
    tell("thread", main_count, count);
    Ok(())
}

fn in_a_thread_that_shares() -> Result<(), String> {
    let count = Arc::new(AtomicU32::new(0));
    let (may_write, wait) = mpsc::channel();
    let child = thread::spawn({
        let count = Arc::clone(&count);
        move || {
            // Without the wait, the order of the two writes would be random.
            let _ = wait.recv();
            count.store(999, Ordering::SeqCst);
            count.load(Ordering::SeqCst)
        }
    });
    count.store(100, Ordering::SeqCst);
    let _ = may_write.send(());
    let child_count = child.join().map_err(|_| "the thread panicked".to_owned())?;
    tell("thread-shared", count.load(Ordering::SeqCst), child_count);
    Ok(())
}

fn tell(case: &str, main: u32, child: u32) {
    say(case, "main_count", main, "");
    say(case, "child_count", child, "");
}
