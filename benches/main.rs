//! `cargo bench`: every strategy on `noop` with its floor, the least that the system charges for the
//! same; the kernels; the instrument itself. It ends with one table of ratios.
//!
//! `cargo bench -- fork` runs the races and lanes with `fork` in their names. As a test
//! (`cargo test`), every lane runs one lap. Times go through Criterion, which keeps its estimates
//! below `target/criterion`; the ratios in the table are of medians of single laps, taken in turns
//! within each sample, because a machine drifts more between two benches than the bars allow.
//!
//! All is one program, so that it is linked once; see `stopwatch` for the processes it starts.

use std::cell::RefCell;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use criterion::{Criterion, SamplingMode};
use forkbench::sys::affinity;

mod lane;
mod lanes;
mod races;
mod soak;
mod stopwatch;
mod table;

use lane::Scale;
use races::{Entry, Race, Start};
use stopwatch::Stopwatch;
use table::Results;

const SAMPLES: usize = 15;
const WARM_UP: Duration = Duration::from_millis(200);
const MEASURE: Duration = Duration::from_millis(1_500);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        // Before Criterion has started any thread.
        Some((mode, rest)) if mode == stopwatch::MODE => stopwatch::serve(rest),
        Some((mode, rest)) if mode == stopwatch::SOAK => finish(soak::serve(rest)),
        _ => finish(run(&arguments)),
    }
}

fn finish(result: lane::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> lane::Result<()> {
    let given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let measuring =
        given("--bench") && !["--test", "--list", "--profile-time"].iter().any(|f| given(f));
    let scale = if measuring { Scale::Bench } else { Scale::Test };
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    lanes::subject::install(dir.path(), scale)?;
    let compiled = lanes::program::compile(dir.path());
    if let Err(reason) = &compiled {
        eprintln!("lanes of compiled programs are left out: {reason}");
    }
    let results = RefCell::new(Results::default());
    let mut criterion = Criterion::default()
        .sample_size(SAMPLES)
        .warm_up_time(WARM_UP)
        .measurement_time(MEASURE)
        .configure_from_args();
    let cores = affinity::allowed()?.len();
    for race in races::ALL {
        let reason = match (race.floor.start, race.obstacle(cores), &compiled) {
            (_, Some(reason), _) => reason,
            (Start::Compiled(_), _, Err(reason)) => reason,
            _ => {
                run_race(&mut criterion, race, scale, dir.path(), compiled.is_ok(), &results);
                continue;
            }
        };
        eprintln!("race `{}` is left out: {reason}", race.name);
    }
    criterion.final_summary();
    if measuring {
        let mut rows = results.into_inner().rows();
        // A filtered run should not wait for the long loop.
        if arguments.iter().all(|argument| argument.starts_with('-')) && cores >= 2 {
            rows.push(soak::run(dir.path())?);
        }
        println!("\n{}", table::render(rows));
    }
    Ok(())
}

fn run_race(
    criterion: &mut Criterion,
    race: &'static Race,
    scale: Scale,
    dir: &Path,
    has_compiled: bool,
    results: &RefCell<Results>,
) {
    let mut group = criterion.benchmark_group(race.name);
    group.sampling_mode(SamplingMode::Flat);
    for entry in race.entries() {
        if matches!(entry.start, Start::Compiled(_)) && !has_compiled {
            continue;
        }
        // Set up at the first lap, so that a filtered-out lane costs nothing.
        let mut stopwatch = None;
        group.bench_function(entry.name, |bencher| {
            bencher.iter_custom(|laps| {
                let stopwatch = stopwatch.get_or_insert_with(|| start(race, entry, scale, dir));
                match stopwatch.time(laps) {
                    Ok(sample) => {
                        results.borrow_mut().add(race, entry, sample);
                        Duration::from_nanos(sample.lane.total_ns)
                    }
                    // Criterion has no other way to fail.
                    Err(error) => panic!("{}/{}: {error}", race.name, entry.name),
                }
            });
        });
    }
    group.finish();
}

fn start(race: &Race, entry: &Entry, scale: Scale, dir: &Path) -> Stopwatch {
    match Stopwatch::start(race, entry.name, scale, dir) {
        Ok(stopwatch) => stopwatch,
        Err(error) => panic!("start the timing process of {}/{}: {error}", race.name, entry.name),
    }
}
