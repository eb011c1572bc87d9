//! `forkbench run`: everything is read and checked before the first process is started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::alone::Alone;
use super::outcome::complaint;
use super::progress::Bar;
use super::select::Selection;
use super::write_report::{analysed, write_report};
use super::{Failure, here, screen, shell, values};
use crate::driver::run::budget::for_blocks_ns;
use crate::driver::run::{End, Order, Unavailable};
use crate::driver::watcher::Watcher;
use crate::experiment::filter::Filter;
use crate::experiment::fit::fitted;
use crate::experiment::{Experiment, Preset, Slo};
use crate::notes::Answers;
use crate::record::{FactRow, FactStatus, Run};
use crate::sys::limits;
use crate::{driver, record, report};

/// The folder of runs without `--out`.
const DEFAULT_OUT: &str = "results";

/// Arguments of `forkbench run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = include_str!("help/run.txt"))]
pub struct RunArgs {
    /// Which experiments, and how much of them.
    #[command(flatten)]
    pub selection: Selection,

    /// Ends the run in time, dropping whole blocks: 90s, 10m, 1h 30m
    ///
    /// The time runs from the start to the report. Where 10 blocks of `standard` do not fit,
    /// windows become shorter, down to 0.4 s, and the report says so. Blocks are spent on all
    /// families in turn. The first block of each always runs, even if that takes longer than the
    /// budget. A third is kept for the search for the highest rate, where there is one. With
    /// several experiments each has the whole budget. `smoke` has a budget of 20 seconds, `quick`
    /// one of 4 minutes, `standard` none; an experiment may have its own, which `smoke` ignores.
    #[arg(long = "budget", value_name = "TIME", value_parser = values::time_ns)]
    pub budget_ns: Option<u64>,

    /// Objective of open loops: p99<50ms, p90<2s [default: p99 < 10 × unloaded blocking p50]
    ///
    /// The share of offered requests that must be answered ok within a time, counted from their
    /// intended start. `load` looks for the highest rate at which each strategy meets it.
    #[arg(long, value_name = "SLO")]
    pub slo: Option<Slo>,

    /// Says how large a pool fits into so much memory: 512M, 2G [not asked by default]
    ///
    /// Needs memory trials, as of `memory` or `main`. K, M and G are powers of 1024, as are KiB,
    /// MiB and GiB; kB, MB and GB are powers of 1000.
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub memory_budget: Option<u64>,

    /// Smallest difference that matters: 5%, 0.5% [default: 3%]
    ///
    /// A strategy is `faster` or `slower` if the whole 95 % interval of its ratio lies beyond it,
    /// and `equivalent` if it lies within. It is fixed before the run and recorded.
    #[arg(long, value_name = "SHARE", default_value = "3%", hide_default_value = true,
        value_parser = values::share)]
    pub delta: f64,

    /// Directory of the run, which must not exist [default: results/UTC-HOST-EXPERIMENT]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Continue a run that was cut short, by Ctrl-C, a crash or a full disk
    ///
    /// Its directory says what it measures and how long. The interrupted block of a family runs
    /// again whole; all else stays. It is refused if the program, the machine or a runtime has
    /// changed since.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = [
            "experiments", "preset", "blocks", "filters", "seed", "image", "budget_ns", "slo",
            "out", "delta",
        ]
    )]
    pub resume: Option<PathBuf>,

    /// What is printed.
    #[command(flatten)]
    pub output: Output,
}

/// What of the results is printed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Output {
    /// Print the results as JSON instead of tables
    #[arg(long)]
    pub json: bool,

    /// No progress and no tables, only the path of the results
    #[arg(long)]
    pub quiet: bool,
}

/// Runs each experiment that was asked for. Everything is read and checked before the first starts.
///
/// # Errors
/// Bad input, before anything was started; or a run that failed.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    if let Some(dir) = &args.resume {
        return super::resume::resume(dir, args.output);
    }
    let experiments = args.selection.load().map_err(Failure::BadInput)?;
    check_out(args.out.as_deref()).map_err(Failure::BadInput)?;
    let subject = here::subject_program().map_err(Failure::BadInput)?;
    let _watcher = watched(&subject);
    let is_alone = experiments.len() == 1;
    for (experiment, toml) in &experiments {
        let out = match &args.out {
            Some(out) if is_alone => out.clone(),
            Some(out) => out.join(&experiment.name),
            None => Path::new(DEFAULT_OUT).join(record::run_id(&experiment.name)),
        };
        let order = Order {
            experiment,
            toml,
            preset: preset(args, experiment),
            slo: args.slo,
            memory_budget_bytes: args.memory_budget,
            delta_ratio: args.delta,
            seed: args.selection.seed,
            subject: &subject,
            programs: &here::programs(experiment),
            arguments: &std::env::args().skip(1).collect::<Vec<_>>(),
            out,
            resume: false,
            unavailable: Unavailable::of(experiment, here::unavailable, here::lacking),
        };
        measure(&order, &args.selection.filters, args.output).map_err(Failure::Failed)?;
    }
    Ok(())
}

/// The preset with the blocks and the budget that hold (asked for, the experiment's, the
/// preset's), and with windows that let enough blocks fit into the budget.
fn preset(args: &RunArgs, experiment: &Experiment) -> Preset {
    let asked = Preset { blocks: args.selection.blocks(), ..args.selection.preset };
    let own = asked.for_experiment(experiment);
    let budget_ns = args.budget_ns.or(own.budget_ns);
    let preset = Preset { budget_ns, ..own };
    fitted(experiment, preset, for_blocks_ns(experiment, budget_ns))
}

/// That the run's directory is not there and can be made. Permissions alone do not tell, since a
/// file system may be read-only or full: it is made as far as it is missing, and removed again.
fn check_out(out: Option<&Path>) -> Result<()> {
    if let Some(out) = out.filter(|out| out.symlink_metadata().is_ok()) {
        bail!("--out `{}` exists; a run is never overwritten, name a new directory", out.display());
    }
    let out = out.unwrap_or(Path::new(DEFAULT_OUT));
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

/// Ends all processes of the run if this program is killed; notes it where that is not possible.
pub fn watched(subject: &Path) -> Option<Watcher> {
    let watcher = Watcher::start(subject);
    let warn = |error: &anyhow::Error| {
        screen::note(&format!("{error:#}; if this program is killed, its processes may stay"));
    };
    watcher.inspect_err(warn).ok()
}

/// Runs, writes the derived files, and prints what was found.
pub fn measure(order: &Order<'_>, filters: &[Filter], output: Output) -> Result<()> {
    // Without such sockets nothing is known of other runs.
    let alone = Alone::claim("forkbench-run");
    if let (Ok(None), false) = (&alone, output.quiet) {
        screen::note(
            "another run is under way on this machine; the two disturb each other, and neither's \
             times are those of an idle machine",
        );
    }
    if !output.quiet
        && let Some(said) = shortened(&order.preset)
    {
        screen::note(&said);
    }
    let bar = Bar::new(output.quiet);
    let end = driver::run::run(order, |progress| bar.draw(&progress));
    drop(bar);
    drop(alone);
    let shown = end.and_then(|end| show(&order.out, end, output).map(|run| (end, run)));
    let (end, run) = shown.map_err(|error| with_limit(error, &order.out))?;
    if let End::Interrupted { .. } = end {
        let out = shell::quoted(&order.out);
        bail!(
            "interrupted; the results so far are in {out}; continue with: \
             forkbench run --resume {out}"
        );
    }
    match complaint(&run, filters) {
        Some(complaint) => bail!("{complaint}"),
        None => Ok(()),
    }
}

/// The error with the system's limit behind it, if there is one, and how to continue.
fn with_limit(error: anyhow::Error, out: &Path) -> anyhow::Error {
    let Some(limit) = limits::behind_any(&error) else {
        return error;
    };
    let shown = shell::quoted(out);
    error.context(match out.join("manifest.json").exists() {
        true => format!(
            "{limit}, then continue with: forkbench run --resume {shown}; all results so far are \
             there"
        ),
        false => format!("{limit}, then start again"),
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

/// Writes the derived files and prints what was found.
fn show(out: &Path, end: End, output: Output) -> Result<Run> {
    let run = record::read(out)?;
    let analysis = analysed(out, &run);
    let answers = Answers::of(&analysis);
    write_report(out, out, &analysis, answers.as_ref())?;
    if output.json {
        let mut json = report::json(&analysis);
        if let Some(answers) = &answers {
            json["claims"] = serde_json::json!(answers.judged);
        }
        screen::print(&format!("{json:#}\n"))?;
    } else if output.quiet {
        screen::print(&format!("{}\n", out.display()))?;
    } else {
        let preface = answers.as_ref().map(Answers::preface);
        screen::print(&report::terminal(&analysis, preface, usize::from(screen::width())))?;
        super::report::print_places(out, out)?;
    }
    if !output.quiet {
        let ended = ended(end);
        demonstrations(&run.facts).iter().chain(&ended).for_each(|line| screen::note(line));
    }
    Ok(run)
}

/// Why the run ended before its plan did, or that nothing was left of it.
fn ended(end: End) -> Option<String> {
    match end {
        End::Complete => None,
        End::NothingLeft => Some("this run is complete; nothing was left to run".to_owned()),
        End::OutOfBudget { dropped: 0 } => Some(
            "the budget is spent; the demonstrations of the last blocks did not run \
             (more: --budget TIME)"
                .to_owned(),
        ),
        End::OutOfBudget { dropped } => Some(format!(
            "the budget is spent; {dropped} trials, the last blocks of families or the last steps \
             of a search, did not run (more: --budget TIME)"
        )),
        End::Interrupted { missing } => Some(format!("interrupted; {missing} trials did not run")),
    }
}

/// A line per demonstration: in how many blocks it was shown, or the first reason why it was not.
fn demonstrations(facts: &[FactRow]) -> Vec<String> {
    let mut ends: BTreeMap<_, Vec<&FactRow>> = BTreeMap::new();
    for row in facts.iter().filter(|row| row.is_last()) {
        ends.entry((&row.demonstration, &row.runtime)).or_default().push(row);
    }
    let line = |((name, runtime), rows): ((&String, &String), Vec<&FactRow>)| {
        let failed: Vec<_> = rows.iter().filter(|row| row.status != FactStatus::Ok).collect();
        let blocks = rows.len();
        let said = match failed.first() {
            None => format!("shown in {blocks} of {blocks} blocks"),
            Some(row) => format!(
                "{} in {} of {blocks} blocks: {}",
                row.status.name(),
                failed.len(),
                row.reason
            ),
        };
        format!("demonstration {name} in {runtime}: {said}")
    };
    ends.into_iter().map(line).collect()
}
