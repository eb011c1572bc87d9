//! A worker crashes. Does the server survive, what becomes of the requests that others are working
//! on, and how long does it take until a new worker gives a right answer? The server is a forked
//! copy of this process, because some of what happens to a worker happens to it as well. Where the
//! server is gone, starting another is part of the time to recover.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{failed, say};
use crate::sys::clock::now_ns;
use crate::sys::process::{self, Block, Fork, SingleThreaded};

/// What a worker is, by name.
const WHERE: [(&str, Kind); 2] = [("process", Kind::Process), ("thread", Kind::Thread)];

const HOW: [(&str, How); 5] = [
    ("abort", How::Abort),
    ("segfault", How::Segfault),
    ("panic", How::Panic),
    ("exit", How::Exit),
    ("out-of-memory", How::OutOfMemory),
];

const OTHERS: usize = 3;

/// How many numbers below 1000 are primes: what a worker is asked, and what is right.
const RIGHT: u8 = 168;

/// So much more than it has may a process have that is to run out of memory.
const HEADROOM_BYTES: u64 = 64 << 20;

const MIB: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Process,
    Thread,
}

#[derive(Clone, Copy)]
enum How {
    Abort,
    Segfault,
    Panic,
    Exit,
    OutOfMemory,
}

// Orders and answers are a byte each; a worker's answer to BEGIN is the order itself.
const BEGIN: u8 = b'b';
const ANSWER: u8 = b'a';
const FINISH: u8 = b'f';
const END: u8 = b'e';
/// A crash is its place in [`HOW`], counted from here.
const CRASH: u8 = b'0';

pub(super) fn show() -> Result<(), String> {
    for (place, kind) in WHERE {
        for (order, (name, _)) in (CRASH..).zip(HOW) {
            show_one(&format!("{place}/{name}"), kind, order)?;
        }
    }
    Ok(())
}

fn show_one(case: &str, kind: Kind, crash: u8) -> Result<(), String> {
    let (mut signs, theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
    let mut server = Server::start(kind, &theirs)?;
    let in_flight = server.told(BEGIN).ok_or("the server did not begin")?;
    let answer = server.told(crash);
    let (recovered_ns, answered) = match answer {
        Some(answer) => {
            let recovered_ns = right(answer)?;
            let answered = server.told(FINISH).ok_or("the server did not finish")?;
            server.end()?;
            (recovered_ns, answered)
        }
        None => {
            let mut next = Server::start(kind, &theirs)?;
            let answer = next.told(ANSWER).ok_or("a new server did not answer")?;
            let recovered_ns = right(answer)?;
            next.end()?;
            server.reap()?;
            (recovered_ns, 0)
        }
    };
    // Everybody who could write is gone but this process.
    drop(theirs);
    let mut stamps = Vec::new();
    let read = signs.read_to_end(&mut stamps);
    read.map_err(failed("read the signs of life"))?;
    let last = stamps.last_chunk().ok_or("there was no sign of life")?;
    let recovery_ns = recovered_ns.saturating_sub(u64::from_le_bytes(*last));
    say(case, "main_survives", u8::from(answer.is_some()), "");
    say(case, "others_in_flight", in_flight, "");
    say(case, "others_lost", in_flight - answered, "");
    say(case, "recovery_ms", recovery_ns as f64 / 1e6, "ms");
    Ok(())
}

/// The time at which a right answer was here.
fn right(answer: u8) -> Result<u64, String> {
    let now = now_ns();
    match answer {
        RIGHT => Ok(now),
        _ => Err(format!("a new worker answered {answer} instead of {RIGHT}")),
    }
}

/// A server, as it is seen from outside.
struct Server {
    pid: u32,
    link: UnixStream,
}

impl Server {
    fn start(kind: Kind, signs: &UnixStream) -> Result<Server, String> {
        let alone = SingleThreaded::assert().map_err(failed("count threads"))?;
        let (ours, theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
        match process::fork(&alone).map_err(failed("fork a server"))? {
            Fork::Child => {
                process::die_with_parent();
                drop(ours);
                leave(|| serve(kind, theirs, signs))
            }
            Fork::Parent(pid) => Ok(Server { pid, link: ours }),
        }
    }

    /// What it says to an order; `None` if it is gone instead.
    fn told(&mut self, order: u8) -> Option<u8> {
        ask(&mut self.link, order)
    }

    fn end(mut self) -> Result<(), String> {
        let _ = self.link.write_all(&[END]);
        self.reap()
    }

    fn reap(self) -> Result<(), String> {
        process::wait(self.pid, Block::Yes).map(drop).map_err(failed("reap the server"))
    }
}

/// Sends an order and waits for what comes back; `None` if the other side is gone instead.
fn ask(link: &mut UnixStream, order: u8) -> Option<u8> {
    link.write_all(&[order]).ok()?;
    let mut answer = [0];
    link.read_exact(&mut answer).ok()?;
    Some(answer[0])
}

/// Runs a forked copy's part to its end, and ends it: it must never return to its parent's code.
fn leave(part: impl FnOnce() -> Result<(), String>) -> ! {
    let code = match catch_unwind(AssertUnwindSafe(part)) {
        Ok(Ok(())) => 0,
        Ok(Err(reason)) => {
            eprintln!("forkbench-subject: {reason}");
            1
        }
        // As any program of Rust that panics.
        Err(_) => 101,
    };
    process::exit_now(code)
}

/// The server: some workers with requests in flight, and one more that is told to crash.
fn serve(kind: Kind, mut main: UnixStream, signs: &UnixStream) -> Result<(), String> {
    let start = || Worker::start(kind, signs);
    let mut victim = start()?;
    let others: Result<Vec<Worker>, String> = (0..OTHERS).map(|_| start()).collect();
    let mut others = others?;
    loop {
        let mut order = [0];
        main.read_exact(&mut order).map_err(failed("hear main"))?;
        let said = match order[0] {
            END => break,
            BEGIN => {
                victim.ask(BEGIN);
                count(&mut others, BEGIN)
            }
            FINISH => count(&mut others, ANSWER),
            order => {
                if order != ANSWER {
                    // Comes back only when the worker has ended.
                    victim.ask(order);
                }
                let mut new = start()?;
                let answer = new.ask(ANSWER).ok_or("a new worker did not answer")?;
                others.push(new);
                answer
            }
        };
        main.write_all(&[said]).map_err(failed("answer main"))?;
    }
    others.push(victim);
    others.into_iter().try_for_each(Worker::end)
}

/// How many of the first workers answer an order.
fn count(others: &mut [Worker], order: u8) -> u8 {
    let first = others.iter_mut().take(OTHERS);
    first.filter_map(|worker| worker.ask(order)).count() as u8
}

/// A worker, as its server sees it: the same socket to both kinds.
struct Worker {
    link: UnixStream,
    handle: Handle,
}

enum Handle {
    Process(u32),
    Thread(thread::JoinHandle<()>),
}

impl Worker {
    fn start(kind: Kind, signs: &UnixStream) -> Result<Worker, String> {
        let (ours, theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
        let signs = signs.try_clone().map_err(failed("copy a descriptor"))?;
        let handle = match kind {
            Kind::Thread => {
                let run = move || work(theirs, signs);
                let started = thread::Builder::new().spawn(run);
                Handle::Thread(started.map_err(failed("start a thread"))?)
            }
            Kind::Process => {
                let alone = SingleThreaded::assert().map_err(failed("count threads"))?;
                match process::fork(&alone).map_err(failed("fork a worker"))? {
                    Fork::Parent(pid) => Handle::Process(pid),
                    Fork::Child => {
                        process::die_with_parent();
                        drop(ours);
                        leave(|| {
                            work(theirs, signs);
                            Ok(())
                        })
                    }
                }
            }
        };
        Ok(Worker { link: ours, handle })
    }

    fn ask(&mut self, order: u8) -> Option<u8> {
        ask(&mut self.link, order)
    }

    fn end(mut self) -> Result<(), String> {
        // A worker that has crashed needs no order.
        let _ = self.link.write_all(&[END]);
        match self.handle {
            Handle::Process(pid) => {
                process::wait(pid, Block::Yes).map(drop).map_err(failed("reap a worker"))
            }
            Handle::Thread(thread) => {
                // A thread that has panicked has said so.
                let _ = thread.join();
                Ok(())
            }
        }
    }
}

/// The worker, as a process or as a thread: begins a request, answers it, or crashes.
fn work(mut link: UnixStream, signs: UnixStream) {
    let mut order = [0];
    while link.read_exact(&mut order).is_ok() {
        let answer = match order[0] {
            END => return,
            ANSWER => (0..1000).filter(|&n| is_prime(n)).count() as u8,
            BEGIN => BEGIN,
            order => match HOW.get(usize::from(order.wrapping_sub(CRASH))) {
                Some((_, how)) => crash(*how, signs),
                None => return,
            },
        };
        if link.write_all(&[answer]).is_err() {
            return;
        }
    }
}

fn is_prime(n: u32) -> bool {
    n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

fn crash(how: How, mut signs: UnixStream) -> ! {
    sign_of_life(&mut signs);
    match how {
        How::Abort => std::process::abort(),
        How::Segfault => process::raise_segfault(),
        How::Panic => panic!("a panic that nobody catches"),
        How::Exit => std::process::exit(3),
        How::OutOfMemory => fill_memory(signs),
    }
}

/// A mebibyte after the other, until there is none. The limit is the whole process's, as is what
/// happens when it is reached: an allocation that fails aborts.
fn fill_memory(mut signs: UnixStream) -> ! {
    let limit =
        Rlimit { current: Some(address_space_bytes() + HEADROOM_BYTES), ..getrlimit(Resource::As) };
    let limited = setrlimit(Resource::As, limit);
    assert!(limited.is_ok(), "limit the address space: {limited:?}");
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(std::hint::black_box(vec![0; MIB]));
        sign_of_life(&mut signs);
    }
}

fn address_space_bytes() -> u64 {
    let mut text = String::new();
    let read = File::open("/proc/self/statm").and_then(|mut file| file.read_to_string(&mut text));
    let pages = text.split(' ').next().and_then(|pages| pages.parse().ok());
    pages.filter(|_| read.is_ok()).map_or(0, |pages: u64| pages * rustix::param::page_size() as u64)
}

/// The time, at once: what is said later may never be.
fn sign_of_life(signs: &mut UnixStream) {
    let _ = signs.write_all(&now_ns().to_le_bytes());
}
