//! A worker crashes. Does the server survive, are the requests of other workers lost, and how long
//! does it take until a new worker gives a right answer? The server is a forked copy of this
//! process, because some crashes of a worker end the server too. Then starting another server is
//! part of the time to recover.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{failed, say};
use crate::sys::clock::now_ns;
use crate::sys::process::{self, Block, Fork, SingleThreaded};

/// The kinds of workers, by name.
const WHERE: [(&str, Kind); 2] = [("process", Kind::Process), ("thread", Kind::Thread)];

/// Ends this process; its last stamp goes over the socket.
type Crash = fn(UnixStream) -> !;

/// The ways to crash, by name. Each gets the socket for signs of life.
const HOW: [(&str, Crash); 5] = [
    ("abort", |_| -> ! { std::process::abort() }),
    ("segfault", |_| -> ! { process::raise_segfault() }),
    ("panic", |_| -> ! { panic!("a panic that no code catches") }),
    ("exit", |_| -> ! { std::process::exit(3) }),
    ("out-of-memory", fill_memory),
];

const OTHERS: usize = 3;

/// The right answer of a worker, which counts the primes below 1000.
const RIGHT: u8 = 168;

/// Address space left to a process that is to run out of memory.
const HEADROOM_BYTES: u64 = 64 << 20;

const MIB: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Process,
    Thread,
}

// Orders and answers are a byte each; a worker's answer to BEGIN is the order itself.
const BEGIN: u8 = b'b';
const ANSWER: u8 = b'a';
const FINISH: u8 = b'f';
const END: u8 = b'e';
/// A crash is its place in [`HOW`], counted from here.
const CRASH: u8 = b'0';

pub fn show() -> Result<(), String> {
    for (place, kind) in WHERE {
        for (order, (name, _)) in (CRASH..).zip(HOW) {
            show_one(&format!("{place}/{name}"), kind, order)?;
        }
    }
    Ok(())
}

fn show_one(case: &str, kind: Kind, crash: u8) -> Result<(), String> {
    let (mut signs, theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
    let start = || Peer::process(|main| serve(kind, main, &theirs));
    let mut server = start()?;
    let in_flight = server.ask(BEGIN).ok_or("the server did not begin")?;
    let answer = server.ask(crash);
    let (recovered_ns, answered) = match answer {
        Some(answer) => {
            let recovered_ns = right(answer)?;
            (recovered_ns, server.ask(FINISH).ok_or("the server did not finish")?)
        }
        None => {
            let mut next = start()?;
            let answer = next.ask(ANSWER).ok_or("a new server did not answer")?;
            let recovered_ns = right(answer)?;
            next.end()?;
            (recovered_ns, 0)
        }
    };
    server.end()?;
    // This process holds the only other end that is left.
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

/// The time at which the right answer arrived.
fn right(answer: u8) -> Result<u64, String> {
    let now = now_ns();
    match answer {
        RIGHT => Ok(now),
        _ => Err(format!("a new worker answered {answer} instead of {RIGHT}")),
    }
}

/// A process or thread at the other end of a socket: the server as main sees it, or a worker as
/// its server does.
struct Peer {
    link: UnixStream,
    handle: Handle,
}

enum Handle {
    Process(u32),
    Thread(thread::JoinHandle<()>),
}

impl Peer {
    /// A forked copy of this process, which does this part and ends.
    fn process(part: impl FnOnce(UnixStream) -> Result<(), String>) -> Result<Peer, String> {
        let alone = SingleThreaded::assert().map_err(failed("count threads"))?;
        let (link, theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
        match process::fork(&alone).map_err(failed("fork"))? {
            Fork::Parent(pid) => Ok(Peer { link, handle: Handle::Process(pid) }),
            Fork::Child => {
                process::die_with_parent();
                drop(link);
                leave(|| part(theirs))
            }
        }
    }

    /// A thread that does this part.
    fn thread(part: impl FnOnce(UnixStream) + Send + 'static) -> Result<Peer, String> {
        let (link, theirs) = UnixStream::pair().map_err(failed("make a socket pair"))?;
        let started = thread::Builder::new().spawn(move || part(theirs));
        let started = started.map_err(failed("start a thread"))?;
        Ok(Peer { link, handle: Handle::Thread(started) })
    }

    /// The answer to an order; `None` if the other side is gone.
    fn ask(&mut self, order: u8) -> Option<u8> {
        self.link.write_all(&[order]).ok()?;
        let mut answer = [0];
        self.link.read_exact(&mut answer).ok()?;
        Some(answer[0])
    }

    /// Ends it, if it is not gone already, and reaps it.
    fn end(mut self) -> Result<(), String> {
        // A crash has closed the other side.
        let _ = self.link.write_all(&[END]);
        match self.handle {
            Handle::Process(pid) => {
                process::wait(pid, Block::Yes).map(drop).map_err(failed("reap a process"))
            }
            Handle::Thread(thread) => {
                // The message of a panic is on standard error.
                let _ = thread.join();
                Ok(())
            }
        }
    }
}

/// Does a forked copy's part and ends the copy: it must never return to its parent's code.
fn leave(part: impl FnOnce() -> Result<(), String>) -> ! {
    let code = match catch_unwind(AssertUnwindSafe(part)) {
        Ok(Ok(())) => 0,
        Ok(Err(reason)) => {
            eprintln!("forkbench-subject: {reason}");
            1
        }
        // The exit code of every Rust program that panics.
        Err(_) => 101,
    };
    process::exit_now(code)
}

/// The server: some workers with requests in flight, and one more that is told to crash.
fn serve(kind: Kind, mut main: UnixStream, signs: &UnixStream) -> Result<(), String> {
    let start = || worker(kind, signs);
    let mut victim = start()?;
    let others: Result<Vec<Peer>, String> = (0..OTHERS).map(|_| start()).collect();
    let mut others = others?;
    loop {
        let mut order = [0];
        main.read_exact(&mut order).map_err(failed("hear main"))?;
        let answer = match order[0] {
            END => break,
            BEGIN => {
                victim.ask(BEGIN);
                count(&mut others, BEGIN)
            }
            FINISH => count(&mut others, ANSWER),
            order => {
                if order != ANSWER {
                    // Returns when the worker has ended.
                    victim.ask(order);
                }
                let mut new = start()?;
                let answer = new.ask(ANSWER).ok_or("a new worker did not answer")?;
                others.push(new);
                answer
            }
        };
        main.write_all(&[answer]).map_err(failed("answer main"))?;
    }
    others.push(victim);
    others.into_iter().try_for_each(Peer::end)
}

/// The number of answers of the first workers.
fn count(others: &mut [Peer], order: u8) -> u8 {
    let first = others.iter_mut().take(OTHERS);
    first.filter_map(|worker| worker.ask(order)).count() as u8
}

fn worker(kind: Kind, signs: &UnixStream) -> Result<Peer, String> {
    let signs = signs.try_clone().map_err(failed("copy a descriptor"))?;
    match kind {
        Kind::Thread => Peer::thread(move |link| work(link, signs)),
        Kind::Process => Peer::process(move |link| {
            work(link, signs);
            Ok(())
        }),
    }
}

/// The worker, as a process or as a thread: begins a request, answers it, or crashes.
fn work(mut link: UnixStream, mut signs: UnixStream) {
    let mut order = [0];
    while link.read_exact(&mut order).is_ok() {
        let answer = match order[0] {
            END => return,
            ANSWER => (0..1000).filter(|&n| is_prime(n)).count() as u8,
            BEGIN => BEGIN,
            order => match HOW.get(usize::from(order.wrapping_sub(CRASH))) {
                Some((_, crash)) => {
                    sign_of_life(&mut signs);
                    crash(signs)
                }
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

/// Takes one mebibyte after the other until an allocation fails, which aborts. The limit is that of
/// the whole process.
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

/// The time, written at once: nothing may be written after a crash.
fn sign_of_life(signs: &mut UnixStream) {
    let _ = signs.write_all(&now_ns().to_le_bytes());
}
