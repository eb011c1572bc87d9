//! `forkbench list`: everything that can be run, or what a run would do. Starts nothing.

use std::fmt::Write as _;

use super::columns::Columns;
use super::select::Selection;
use super::{Failure, screen};
use crate::experiment::plan::{estimated_ns, plan, trials as trials_of};
use crate::experiment::{Arm, Experiment, Family, Preset, Role, Trial, demonstration};

mod overview;

/// Arguments of `forkbench list`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = include_str!("help/list.txt"))]
pub struct ListArgs {
    /// Which experiments, and how much of them.
    #[command(flatten)]
    pub selection: Selection,

    /// Every trial that a run would make, in order
    #[arg(long)]
    pub trials: bool,
}

/// Prints what was asked for.
///
/// # Errors
/// An experiment, a filter or a file that is wrong; standard output that takes no text.
pub fn list(args: &ListArgs) -> Result<(), Failure> {
    let selection = &args.selection;
    let width = screen::width();
    let named = !selection.experiments.is_empty() || !selection.filters.is_empty();
    let text = if args.trials || named {
        let experiments = selection.load().map_err(Failure::BadInput)?;
        let texts = experiments.iter().map(|(experiment, _)| {
            let listed = match args.trials {
                true => trials(experiment, selection, width),
                false => families(experiment, width),
            };
            heading(experiment, width) + &listed + &estimate(experiment, selection)
        });
        texts.collect::<Vec<_>>().join("\n\n")
    } else {
        overview::overview(selection, width).map_err(Failure::BadInput)?
    };
    screen::print(&text).map_err(|error| Failure::Failed(error.into()))
}

fn heading(experiment: &Experiment, width: u16) -> String {
    let mut columns = Columns::new(width, 0);
    columns.row([&format!("{}: {}", experiment.name, experiment.question)]);
    columns.text() + "\n"
}

/// Each family with its arms.
fn families(experiment: &Experiment, width: u16) -> String {
    let mut text = String::new();
    for family in &experiment.families {
        let arms: Vec<_> = family.arms.iter().zip(family.labels()).filter_map(brief).collect();
        let mut columns = Columns::new(width, 2);
        columns.row([&arms.join(", ")]);
        let _ = writeln!(text, "{}{}\n{}", family.id, limits(family), columns.text());
    }
    if !experiment.demonstrations.is_empty() {
        let _ = writeln!(text, "demonstrations\n{}", shown(experiment, width));
    }
    text
}

/// `  (at most 6 blocks, from preset standard on)`, where the family has such limits.
fn limits(family: &Family) -> String {
    let most = family.blocks_max.map(|most| screen::plural(most as usize, "block"));
    let blocks = most.map(|most| format!("at most {most}"));
    let is_from = family.from_preset != Preset::ALL[0].name;
    let preset = is_from.then(|| format!("from preset {} on", family.from_preset));
    let said: Vec<String> = blocks.into_iter().chain(preset).collect();
    if said.is_empty() { String::new() } else { format!("  ({})", said.join(", ")) }
}

/// A line per demonstration, in the order of the file: its name, its runtime, what it shows.
fn shown(experiment: &Experiment, width: u16) -> String {
    let mut columns = Columns::new(width, 2);
    for one in &experiment.demonstrations {
        let summary = demonstration::by_name(&one.name).map_or("", |kind| kind.summary);
        columns.row([&one.name, &one.runtime, summary]);
    }
    columns.text()
}

/// The label; `blocking (reference and placebo)`: nothing for the placebo, which the reference
/// mentions.
fn brief((arm, label): (&Arm, String)) -> Option<String> {
    match arm.role {
        Role::Reference => Some(format!("{label} (reference and placebo)")),
        Role::Placebo => None,
        Role::Arm => Some(label),
    }
}

/// Every trial in order, under a heading per family and block.
fn trials(experiment: &Experiment, selection: &Selection, width: u16) -> String {
    let trials = plan(experiment, selection.blocks(), selection.seed);
    let mut text = String::new();
    let same = |a: &Trial, b: &Trial| (a.block, a.family) == (b.block, b.family);
    for block in trials.chunk_by(same) {
        let family = &experiment.families[block[0].family];
        let _ = writeln!(text, "block {}  {}", block[0].block, family.id);
        let mut columns = Columns::new(width, 2);
        for trial in block {
            let arm = &family.arms[trial.arm];
            let role = if arm.role == Role::Reference { arm.role.name() } else { "" };
            columns.row([trial.id.as_str(), &family.label(arm), role]);
        }
        text += &columns.text();
        text.push('\n');
    }
    if !experiment.demonstrations.is_empty() {
        let shown = shown(experiment, width);
        let _ = writeln!(text, "behind each block: demonstrations\n{shown}");
    }
    text
}

/// ``264 trials in 6 blocks at `quick`: about 2 min``, and what a deadline does to that.
fn estimate(experiment: &Experiment, selection: &Selection) -> String {
    let preset = &selection.preset.for_experiment(experiment);
    let blocks = selection.blocks();
    let trials = trials_of(experiment, preset, blocks);
    let time_ns = estimated_ns(experiment, preset, blocks);
    let late = match preset.budget_ns {
        Some(budget_ns) if budget_ns < time_ns => format!(
            "\nThe budget of `{}` is {}: later blocks are dropped whole.",
            preset.name,
            screen::duration(budget_ns)
        ),
        _ => String::new(),
    };
    let demonstrations = match experiment.demonstrations.len() * blocks as usize {
        0 => String::new(),
        n => format!(" and {}", screen::plural(n, "demonstration")),
    };
    format!(
        "{}{demonstrations} in {} at `{}`: about {}{late}\n",
        screen::plural(trials, "trial"),
        screen::plural(blocks as usize, "block"),
        preset.name,
        screen::duration(time_ns)
    )
}
