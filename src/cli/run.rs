//! `forkbench run`: everything is read and checked before the first process is started.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;

use super::alone::Alone;
use super::outcome::complaint;
use super::progress::Bar;
use super::select::Selection;
use super::write_report::{analysed, write_report};
use super::{Failure, here, screen, shell};
use crate::driver::run::budget::for_blocks_ns;
use crate::driver::run::{End, Order, Unavailable};
use crate::driver::watcher::Watcher;
use crate::experiment::filter::Filter;
use crate::experiment::fit::fitted;
use crate::experiment::{Experiment, Preset, Slo};
use crate::record::{FactRow, FactStatus, Run};
use crate::sys::limits;
use crate::{driver, record, report};

/// Below it run directories are made that have no `--out`.
const DEFAULT_OUT: &str = "results";

/// Arguments of `forkbench run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  forkbench run
  forkbench run spawn-cost --filter ballast_mib=0,1024
  forkbench run main --preset standard --budget 10m
  forkbench run my.toml --filter strategy=pool,fork --filter callers=2x
  forkbench run --resume results/20261123T081500Z-host-main
  forkbench run --preset smoke --out /tmp/try

Exit codes: 0 measured, 1 the run failed or nothing was answered ok, 2 it could not be started as asked.")]
pub struct RunArgs {
    /// Which experiments, and how much of them.
    #[command(flatten)]
    pub selection: Selection,

    /// Ends the run in time, dropping whole blocks: 90s, 10m, 1h 30m
    ///
    /// All is counted, from the start to the report. Where 10 blocks of `standard` do not fit,
    /// windows are shortened, to 0.4 s at least, and the report says so. Blocks are
    /// spent on all families in turn. The first block of each is always run, even if that takes
    /// longer than the budget. Where a search for the highest rate follows, a third is kept for
    /// it. With several experiments each has the whole budget. `smoke` has a budget of 20 seconds,
    /// `quick` one of 4 minutes, `standard` none; an experiment may have its own, which `smoke`
    /// does not heed.
    #[arg(long, value_name = "TIME", value_parser = budget)]
    pub budget: Option<SignedDuration>,

    /// Objective of open loops: p99<50ms, p90<2s [default: p99 < 10 × unloaded blocking p50]
    ///
    /// The share of offered requests that is to be answered ok within a time, counted from when
    /// they were meant to be sent. `load` looks for the highest rate at which each strategy
    /// still meets it.
    #[arg(long, value_name = "SLO")]
    pub slo: Option<Slo>,

    /// Says how large a pool fits into so much memory: 512M, 2G [not asked by default]
    ///
    /// Needs memory trials, as of `memory` or `main`. K, M and G are powers of 1024, as are KiB,
    /// MiB and GiB; kB, MB and GB are powers of 1000.
    #[arg(long, value_name = "SIZE", value_parser = super::size::bytes)]
    pub memory_budget: Option<u64>,

    /// Smallest difference that matters: 5%, 0.5% [default: 3%]
    ///
    /// A strategy is `faster` or `slower` if the whole 95 % interval of its ratio lies beyond it,
    /// and `equivalent` if it lies within. It is fixed before the run, and recorded.
    #[arg(long, value_name = "SHARE", default_value = "3%", hide_default_value = true,
        value_parser = delta)]
    pub delta: f64,

    /// Directory of the run, which must not exist [default: results/UTC-HOST-EXPERIMENT]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Continue a run that was cut short, by Ctrl-C, a crash or a full disk
    ///
    /// What it measures, and how long, is in its directory. A family's block that was
    /// interrupted is run again whole; all else stays. Refused if the program, the
    /// machine, or a runtime is not the one that it began with.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = [
            "experiments", "preset", "blocks", "filters", "seed", "image", "budget", "slo", "out",
            "delta",
        ]
    )]
    pub resume: Option<PathBuf>,

    /// Print the results as JSON instead of tables
    #[arg(long)]
    pub json: bool,

    /// No progress and no tables, only where the results are
    #[arg(long)]
    pub quiet: bool,
}

/// A run about which nothing can be bad input any more.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Each with the text it was read from; at least one.
    pub experiments: Vec<(Experiment, String)>,
    /// With the blocks that were asked for.
    pub preset: Preset,
    /// The budget that was asked for: no experiment's own takes its place.
    pub asked_budget_ns: Option<u64>,
    /// The objective of open loops, instead of the default.
    pub slo: Option<Slo>,
    /// What a pool is to fit into.
    pub memory_budget_bytes: Option<u64>,
    /// The smallest difference that matters.
    pub delta_ratio: f64,
    /// What of the experiments was asked for.
    pub filters: Vec<Filter>,
    /// Of inputs and orders.
    pub seed: u64,
    /// What `"1x"` was.
    pub cores: u32,
    /// Directory of each run, in the order of the experiments; `None` is the default's place.
    pub out: Vec<Option<PathBuf>>,
    /// The Rust subject.
    pub subject: PathBuf,
    /// The command line after the program's name.
    pub arguments: Vec<String>,
}

/// Runs what was asked for.
///
/// # Errors
/// Bad input, before anything was started; or a run that failed.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let shown = Shown { json: args.json, quiet: args.quiet };
    if let Some(dir) = &args.resume {
        return super::resume::resume(dir, shown);
    }
    let prepared = prepare(args).map_err(Failure::BadInput)?;
    execute(&prepared, shown).map_err(Failure::Failed)
}

/// What of the results is printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    /// As JSON instead of tables.
    pub(super) json: bool,
    /// No progress and no tables.
    pub(super) quiet: bool,
}

/// The one place where the command line meets the driver.
fn execute(prepared: &Prepared, shown: Shown) -> Result<()> {
    let _watcher = watched(&prepared.subject);
    for ((experiment, toml), out) in prepared.experiments.iter().zip(&prepared.out) {
        let out = match out {
            Some(out) => out.clone(),
            None => Path::new(DEFAULT_OUT).join(record::run_id(&experiment.name)),
        };
        let order = Order {
            experiment,
            toml,
            preset: budgeted(prepared, experiment),
            slo: prepared.slo,
            memory_budget_bytes: prepared.memory_budget_bytes,
            delta_ratio: prepared.delta_ratio,
            seed: prepared.seed,
            subject: &prepared.subject,
            programs: &here::programs(experiment),
            arguments: &prepared.arguments,
            out,
            resume: false,
            unavailable: Unavailable::of(experiment, here::unavailable, here::lacking),
        };
        measure(&order, &prepared.filters, shown)?;
    }
    Ok(())
}

/// Sees to it that nothing stays behind if this program is killed; says so where it cannot.
pub(super) fn watched(subject: &Path) -> Option<Watcher> {
    let watcher = Watcher::start(subject);
    watcher
        .inspect_err(|error| {
            screen::note(&format!("{error:#}; if it is killed, its processes may stay"));
        })
        .ok()
}

/// Runs, writes the derived files, and prints what was found.
pub(super) fn measure(order: &Order<'_>, filters: &[Filter], shown: Shown) -> Result<()> {
    // Where there are no such sockets nothing is known of other runs.
    let alone = Alone::claim("forkbench-run");
    if let (Ok(None), false) = (&alone, shown.quiet) {
        screen::note(
            "another run is under way on this machine; the two disturb each other, and neither's \
             times are those of an idle machine",
        );
    }
    if !shown.quiet
        && let Some(said) = shortened(&order.preset)
    {
        screen::note(&said);
    }
    let bar = Bar::new(shown.quiet);
    let end = driver::run::run(order, |progress| bar.draw(&progress));
    drop(bar);
    drop(alone);
    let shown = end.and_then(|end| show(&order.out, end, shown).map(|run| (end, run)));
    let (end, run) = shown.map_err(|error| with_limit(error, &order.out))?;
    if let End::Interrupted { .. } = end {
        let out = shell::quoted(&order.out);
        bail!("interrupted; what was measured is in {out}; go on: forkbench run --resume {out}");
    }
    match complaint(&run, filters) {
        Some(complaint) => bail!("{complaint}"),
        None => Ok(()),
    }
}

/// The error with the limit of the system behind it, if there is one, and how the run goes on.
fn with_limit(error: anyhow::Error, out: &Path) -> anyhow::Error {
    let Some(limit) = limits::behind_any(&error) else {
        return error;
    };
    let shown = shell::quoted(out);
    error.context(match out.join("manifest.json").exists() {
        true => format!(
            "{limit}, then go on: forkbench run --resume {shown}; all that was measured is there"
        ),
        false => format!("{limit}, then begin again"),
    })
}

/// That windows are shorter than the preset's, if they are, and why.
fn shortened(preset: &Preset) -> Option<String> {
    let own = Preset::by_name(preset.name)?;
    let second = |ns: u64| ns as f64 / 1e9;
    preset.is_shortened().then(|| {
        format!(
            "windows of {} s instead of {} to {} s, so that 10 blocks fit into the budget",
            second(preset.min_window_ns),
            second(own.min_window_ns),
            second(own.max_window_ns)
        )
    })
}

/// The preset with the budget that holds (asked for, the experiment's, the preset's), and with
/// windows that let enough blocks fit into it.
fn budgeted(prepared: &Prepared, experiment: &Experiment) -> Preset {
    let preset = prepared.preset.for_experiment(experiment);
    let preset = Preset { budget_ns: prepared.asked_budget_ns.or(preset.budget_ns), ..preset };
    let for_blocks_ns = for_blocks_ns(experiment, preset.budget_ns);
    fitted(experiment, preset, for_blocks_ns)
}

/// Writes the derived files and prints what was found.
fn show(out: &Path, end: End, shown: Shown) -> Result<Run> {
    let run = record::read(out)?;
    let analysis = analysed(out, &run);
    write_report(out, out, &analysis)?;
    if shown.json {
        screen::print(&format!("{:#}\n", report::json(&analysis)))?;
    } else if shown.quiet {
        screen::print(&format!("{}\n", out.display()))?;
    } else {
        screen::print(&report::terminal(&analysis, usize::from(screen::width())))?;
        super::report::print_places(out, out)?;
    }
    if shown.quiet {
        return Ok(run);
    }
    for line in demonstrations(&run.facts) {
        screen::note(&line);
    }
    match end {
        End::Complete => {}
        End::NothingLeft => screen::note("this run is complete; nothing was left to run"),
        End::OutOfBudget { dropped: 0 } => screen::note(
            "the budget was spent; the demonstrations of the last blocks were not run \
             (more: --budget TIME)",
        ),
        End::OutOfBudget { dropped } => screen::note(&format!(
            "the budget was spent; {dropped} trials, the last blocks of families or the \
             last steps of a search, were not run (more: --budget TIME)"
        )),
        End::Interrupted { missing } => {
            screen::note(&format!("interrupted; {missing} trials were not run"));
        }
    }
    Ok(run)
}

/// A line per demonstration: that it was shown and what it took, or the first reason why it was
/// not.
fn demonstrations(facts: &[FactRow]) -> Vec<String> {
    let mut ends: Vec<(&FactRow, Vec<&FactRow>)> = Vec::new();
    for row in facts.iter().filter(|row| row.is_last()) {
        let same = |(first, _): &&mut (&FactRow, _)| {
            (&first.demonstration, &first.runtime) == (&row.demonstration, &row.runtime)
        };
        match ends.iter_mut().find(same) {
            Some((_, of_same)) => of_same.push(row),
            None => ends.push((row, vec![row])),
        }
    }
    let line = |(first, of_same): (&FactRow, Vec<&FactRow>)| {
        let name = format!("demonstration {} in {}", first.demonstration, first.runtime);
        let wrong = |row: &&&FactRow| row.status != FactStatus::Ok;
        let wrongs = of_same.iter().filter(wrong).count();
        match of_same.iter().find(wrong) {
            Some(row) => format!(
                "{name}: {} in {wrongs} of {} blocks: {}",
                row.status.name(),
                of_same.len(),
                row.reason
            ),
            None => {
                let longest_ms = of_same.iter().filter_map(|row| row.value).fold(0.0, f64::max);
                let longest = screen::duration((longest_ms * 1e6) as u64);
                format!("{name}: shown {} times, within {longest} each", of_same.len())
            }
        }
    };
    ends.into_iter().map(line).collect()
}

/// Reads and checks all that the run needs; leaves nothing behind.
///
/// # Errors
/// Bad input of any kind, or a missing subject.
pub fn prepare(args: &RunArgs) -> Result<Prepared> {
    let experiments = load_experiments(args)?;
    let out = out_dirs(args.out.as_deref(), &experiments)?;
    check_can_be_made(args.out.as_deref().unwrap_or(Path::new(DEFAULT_OUT)))?;
    let mut preset = args.selection.preset;
    preset.blocks = args.selection.blocks();
    let budget_ns = |budget: SignedDuration| budget.as_nanos().try_into().unwrap_or(u64::MAX);
    let asked_budget_ns = args.budget.map(budget_ns);
    Ok(Prepared {
        experiments,
        preset,
        asked_budget_ns,
        slo: args.slo,
        memory_budget_bytes: args.memory_budget,
        delta_ratio: args.delta,
        filters: args.selection.filters.clone(),
        seed: args.selection.seed,
        cores: here::cores(),
        out,
        subject: here::subject_program()?,
        arguments: std::env::args().skip(1).collect(),
    })
}

/// The experiments with the text they were read from, as far as the filters leave them.
///
/// # Errors
/// See [`Selection::load`].
pub fn load_experiments(args: &RunArgs) -> Result<Vec<(Experiment, String)>> {
    args.selection.load()
}

/// `--out` itself for one experiment, a directory below it for each of several.
fn out_dirs(
    out: Option<&Path>,
    experiments: &[(Experiment, String)],
) -> Result<Vec<Option<PathBuf>>> {
    let Some(out) = out else {
        return Ok(vec![None; experiments.len()]);
    };
    // Also a dangling link is something that somebody put there.
    if out.symlink_metadata().is_ok() {
        bail!("--out `{}` exists; a run is never overwritten, name a new directory", out.display());
    }
    if let [_] = experiments {
        return Ok(vec![Some(out.to_owned())]);
    }
    let below = experiments.iter().map(|(e, _)| Some(out.join(&e.name)));
    Ok(below.collect())
}

/// Makes the directory as far as it is missing, or one inside of it if it is there, and removes it
/// again. Permissions alone do not tell: a file system may be read-only or full.
fn check_can_be_made(out: &Path) -> Result<()> {
    let inside = out.join(format!(".forkbench-{}", std::process::id()));
    let missing = inside
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .last()
        .unwrap_or(&inside);
    let made = fs::create_dir(missing).and_then(|()| fs::remove_dir(missing));
    made.with_context(|| {
        format!(
            "make the run's directory in `{}`, which is not possible; name another by --out DIR",
            out.display()
        )
    })
}

/// A duration such as `10m`, above zero.
fn budget(text: &str) -> Result<SignedDuration, String> {
    const EXPECTED: &str = "expected a time above zero such as 90s, 10m or 1h30m";
    let budget: SignedDuration = text.parse().map_err(|_| EXPECTED.to_owned())?;
    if budget <= SignedDuration::ZERO {
        return Err(EXPECTED.to_owned());
    }
    Ok(budget)
}

/// A share such as `5%`, above zero and at most one.
fn delta(text: &str) -> Result<f64, String> {
    const EXPECTED: &str = "expected a share above 0% and up to 100%, such as 5% or 0.5%";
    let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
    let is_share = |percent: &f64| *percent > 0.0 && *percent <= 100.0;
    let percent = percent.filter(is_share).ok_or(EXPECTED)?;
    Ok(percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_times_above_zero() {
        assert_eq!(budget("10m"), Ok(SignedDuration::from_mins(10)));
        assert_eq!(budget("1h 30m"), Ok(SignedDuration::from_mins(90)));
        for bad in ["0s", "-5m", "ten", "10", ""] {
            assert!(budget(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn delta_is_a_share_above_zero() {
        assert_eq!(delta("3%"), Ok(crate::experiment::DELTA_RATIO), "the default");
        assert_eq!(delta("5%"), Ok(0.05));
        assert_eq!(delta(" 0.5 % "), Ok(0.005));
        assert_eq!(delta("100%"), Ok(1.0));
        for bad in ["0%", "-3%", "3", "0.03", "101%", "NaN%", "%", ""] {
            assert!(delta(bad).is_err(), "{bad}");
        }
    }
}
