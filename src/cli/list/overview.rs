//! The overview: everything that has a name, and what of it is missing here.

use anyhow::Result;

use crate::cli::columns::Columns;
use crate::cli::select::Selection;
use crate::cli::{here, screen};
use crate::experiment::plan::{estimated_ns, trials};
use crate::experiment::{Preset, builtin, demonstration, runtime, wire};
use crate::workload::options::{OptionDef, Values};
use crate::{strategy, workload};

/// A name, and a text that may be long.
type Row = (String, String);

/// Everything that has a name.
pub fn overview(selection: &Selection, width: u16) -> Result<String> {
    let sections = [
        ("Experiments", table(&experiments(selection)?, width)),
        ("Presets", table(&Preset::ALL.map(|preset| row(preset.name, preset.summary)), width)),
        ("Workloads", table(&workloads(), width)),
        ("Strategies", table(&strategies(), width)),
        ("Demonstrations", table(&demonstrations(), width)),
        ("Runtimes", runtimes(width)),
        ("Not available here", unavailable(width)),
    ];
    let sections = sections.map(|(title, text)| format!("{title}\n{text}"));
    Ok(sections.join("\n"))
}

fn row(name: &str, text: &str) -> Row {
    (name.to_owned(), text.to_owned())
}

fn table(rows: &[Row], width: u16) -> String {
    let mut columns = Columns::labelled(width, 2);
    rows.iter().for_each(|(name, text)| columns.row([name, text]));
    columns.text()
}

fn experiments(selection: &Selection) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for builtin in builtin::ALL {
        let experiment = wire::parse(builtin.text, builtin.path, here::cores(), selection.seed)?;
        let blocks = selection.blocks();
        let shown = match experiment.demonstrations.len() * blocks as usize {
            0 => String::new(),
            n => format!(", {n} demonstrations"),
        };
        rows.push(row(builtin.name, &experiment.question));
        let size = format!(
            "{} families, {} trials{shown} at `{}`, about {}",
            experiment.families.len(),
            trials(&experiment, &selection.preset, blocks),
            selection.preset.name,
            screen::duration(estimated_ns(&experiment, &selection.preset, blocks))
        );
        rows.push(row("", &size));
    }
    Ok(rows)
}

fn workloads() -> Vec<Row> {
    let named = |workload: &&dyn workload::Workload| {
        let own = row(workload.name(), workload.summary());
        std::iter::once(own).chain(workload.options().iter().map(option))
    };
    workload::ALL.iter().flat_map(named).collect()
}

fn strategies() -> Vec<Row> {
    let named = |kind: &strategy::Kind| {
        let own = row(kind.name, kind.summary);
        std::iter::once(own).chain(kind.options.iter().map(option))
    };
    strategy::ALL.iter().flat_map(named).collect()
}

/// An option, indented below its owner. That a text is a text goes without saying.
fn option(def: &OptionDef) -> Row {
    let default = if def.default.is_empty() { "empty" } else { def.default };
    let values = match def.values {
        Values::Text => String::new(),
        _ => format!("{}; ", def.values.describe()),
    };
    (format!("  {}", def.name), format!("{} ({values}default {default})", def.help))
}

fn demonstrations() -> Vec<Row> {
    let named = |kind: &demonstration::Kind| {
        let runtimes: Vec<_> = kind.runtimes.iter().map(|(name, _)| *name).collect();
        [row(kind.name, kind.summary), row("", &format!("in {}", runtimes.join(", ")))]
    };
    demonstration::ALL.iter().flat_map(named).collect()
}

fn runtimes(width: u16) -> String {
    let mut text = String::new();
    for runtime in runtime::ALL {
        text += &table(&[row(runtime.name, runtime.summary)], width);
        // Not a cell: a path that is wrapped cannot be copied.
        if let Ok(program) = here::runtime_program(runtime) {
            text += &format!("{:20}{}\n", "", program.command[0].display());
        }
    }
    text
}

/// What is missing here, and why.
fn unavailable(width: u16) -> String {
    let mut rows = Vec::new();
    for runtime in runtime::ALL {
        rows.extend(here::runtime_program(runtime).err().map(|error| row(runtime.name, &error)));
        let unsupported = runtime.unsupported.iter();
        rows.extend(
            unsupported.map(|(name, why)| row(&format!("{name} in {}", runtime.name), why)),
        );
    }
    for kind in strategy::ALL {
        let reason = here::strategy_unavailable(kind.name);
        rows.extend(reason.map(|reason| row(kind.name, &reason)));
    }
    if rows.is_empty() { "  nothing is missing\n".to_owned() } else { table(&rows, width) }
}
