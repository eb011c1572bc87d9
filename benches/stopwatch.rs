//! Timing in a process of its own: Criterion's has threads, and a process with threads must not
//! fork. The benches' program starts itself again before any lane is set up; the copy has one
//! thread, sets up a lane and its floor, and takes orders for laps on its standard input.
//!
//! The two take turns within each measurement, so that a drift (clock rate, neighbours, free
//! memory) affects both.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use forkbench::driver::samples::nearest_rank;
use forkbench::sys::{affinity, process};

use crate::lane::{self, Lane, Result, Scale, Site};
use crate::races::{self, Race};

/// The argument that makes the program a timing process: `… MODE RACE LANE SCALE DIR`.
pub(crate) const MODE: &str = "--time-lanes";

/// The argument that makes it run the long loop: `… SOAK REQUESTS DIR`.
pub(crate) const SOAK: &str = "--soak";

/// Times of some laps of a lane and of as many laps of its floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub(crate) laps: u64,
    pub(crate) lane: Laps,
    pub(crate) floor: Laps,
}

/// Times of some laps, in ns.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Laps {
    pub(crate) total_ns: u64,
    pub(crate) p50_ns: u64,
}

/// A running timing process; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A copy of this program for `arguments`, which is given the list of cores.
pub(crate) fn copy_of_self(arguments: &[&str], dir: &Path) -> Result<Command> {
    let cores: Vec<String> = affinity::allowed()?.iter().map(u32::to_string).collect();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).arg(dir).env(lane::CORES, cores.join(","));
    Ok(command)
}

impl Stopwatch {
    /// Sets the lane and its floor up.
    pub(crate) fn start(race: &Race, lane: &str, scale: Scale, dir: &Path) -> Result<Stopwatch> {
        let scale = match scale {
            Scale::Bench => "bench",
            Scale::Test => "test",
        };
        let mut child = copy_of_self(&[MODE, race.name, lane, scale], dir)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Stopwatch { child, orders, answers })
    }

    /// Runs this many laps.
    pub(crate) fn time(&mut self, laps: u64) -> Result<Sample> {
        let orders = self.orders.as_mut().ok_or("no standard input")?;
        writeln!(orders, "{laps}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let numbers = line
            .split_whitespace()
            .map(str::parse)
            .collect::<std::result::Result<Vec<u64>, _>>()?;
        let [lane_total, lane_p50, floor_total, floor_p50] = numbers[..] else {
            return Err("the timing process ended; it has said why".into());
        };
        Ok(Sample {
            laps,
            lane: Laps { total_ns: lane_total, p50_ns: lane_p50 },
            floor: Laps { total_ns: floor_total, p50_ns: floor_p50 },
        })
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        // Without orders it ends by itself, and its subject with it.
        self.orders = None;
        let _ = self.child.wait();
    }
}

/// The timing process: `RACE LANE SCALE DIR`.
pub(crate) fn serve(arguments: &[String]) -> ExitCode {
    process::die_with_parent();
    match try_serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn try_serve(arguments: &[String]) -> Result<()> {
    let [race, lane, scale, dir] = arguments else {
        return Err("expected RACE LANE SCALE DIR".into());
    };
    let race = races::ALL.iter().find(|r| r.name == *race).ok_or("no such race")?;
    let entry = race.entries().find(|e| e.name == *lane).ok_or("no such lane")?;
    let site = Site {
        dir: dir.into(),
        scale: if scale == "test" { Scale::Test } else { Scale::Bench },
        cores: race.cores,
    };
    site.cores.pin_asking()?;
    // The floor first: it must fork before a lane has threads.
    let mut floor = race.floor.start.start(&site)?;
    let mut lane = match entry.name == race.floor.name {
        true => None,
        false => Some(entry.start.start(&site)?),
    };
    for line in std::io::stdin().lines() {
        let laps: u64 = line?.parse()?;
        let [lane, floor] = take_turns(laps, race.batch, lane.as_mut(), &mut *floor)?;
        println!("{} {} {} {}", lane.total_ns, lane.p50_ns, floor.total_ns, floor.p50_ns);
    }
    Ok(())
}

/// This many laps of both. A floor that is timed for itself is its own lane.
fn take_turns(
    laps: u64,
    batch: u64,
    mut lane: Option<&mut Box<dyn Lane>>,
    floor: &mut dyn Lane,
) -> Result<[Laps; 2]> {
    let (mut of_lane, mut of_floor) = (Vec::new(), Vec::new());
    let mut left = laps;
    while left > 0 {
        let now = left.min(batch);
        left -= now;
        if let Some(lane) = &mut lane {
            for _ in 0..now {
                of_lane.push(lane.lap()?);
            }
        }
        for _ in 0..now {
            of_floor.push(floor.lap()?);
        }
    }
    let of_floor = summary(of_floor);
    match lane {
        Some(_) => Ok([summary(of_lane), of_floor]),
        None => Ok([of_floor, of_floor]),
    }
}

fn summary(mut laps: Vec<u64>) -> Laps {
    laps.sort_unstable();
    Laps { total_ns: laps.iter().sum(), p50_ns: nearest_rank(&laps, 0.5).unwrap_or(0) }
}
