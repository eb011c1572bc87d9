//! The overview: what there is by name, and what of it is missing here.

use anyhow::Result;

use crate::cli::columns::Columns;
use crate::cli::select::Selection;
use crate::cli::{here, screen};
use crate::experiment::plan::{estimated_ns, trials};
use crate::experiment::{Preset, builtin, demonstration, runtime, wire};
use crate::workload::options::{OptionDef, Values};
use crate::{strategy, workload};

/// Everything that has a name.
pub(super) fn overview(selection: &Selection, width: u16) -> Result<String> {
    let sections = [
        ("Experiments", experiments(selection, width)?),
        ("Presets", presets(width)),
        ("Workloads", workloads(width)),
        ("Strategies", strategies(width)),
        ("Demonstrations", demonstrations(width)),
        ("Runtimes", runtimes(width)),
        ("Not available here", unavailable(width)),
    ];
    let sections = sections.map(|(title, text)| format!("{title}\n{text}"));
    Ok(sections.join("\n"))
}

fn experiments(selection: &Selection, width: u16) -> Result<String> {
    let mut columns = Columns::labelled(width, 2);
    for builtin in builtin::ALL {
        let experiment = wire::parse(builtin.text, builtin.path, here::cores(), selection.seed)?;
        let blocks = selection.blocks();
        let trials = trials(&experiment, &selection.preset, blocks);
        let time_ns = estimated_ns(&experiment, &selection.preset, blocks);
        columns.row([builtin.name, &experiment.question]);
        let shown = match experiment.demonstrations.len() * blocks as usize {
            0 => String::new(),
            n => format!(", {n} demonstrations"),
        };
        let size = format!(
            "{} families, {} trials{shown} at `{}`, about {}",
            experiment.families.len(),
            trials,
            selection.preset.name,
            screen::duration(time_ns)
        );
        columns.row(["", &size]);
    }
    Ok(columns.text())
}

fn presets(width: u16) -> String {
    let mut columns = Columns::labelled(width, 2);
    for preset in Preset::ALL {
        columns.row([preset.name, preset.summary]);
    }
    columns.text()
}

fn workloads(width: u16) -> String {
    let mut columns = Columns::labelled(width, 2);
    for workload in workload::ALL {
        columns.row([workload.name(), workload.summary()]);
        options(&mut columns, workload.options());
    }
    columns.text()
}

fn strategies(width: u16) -> String {
    let mut columns = Columns::labelled(width, 2);
    for kind in strategy::ALL {
        columns.row([kind.name, kind.summary]);
        options(&mut columns, kind.options);
    }
    columns.text()
}

fn demonstrations(width: u16) -> String {
    let mut columns = Columns::labelled(width, 2);
    for kind in demonstration::ALL {
        let runtimes: Vec<_> = kind.runtimes.iter().map(|(name, _)| *name).collect();
        columns.row([kind.name, kind.summary]);
        columns.row(["", &format!("in {}", runtimes.join(", "))]);
    }
    columns.text()
}

/// One line per option, indented below its owner.
fn options(columns: &mut Columns, defs: &[OptionDef]) {
    for def in defs {
        let default = match def.default {
            "" => "empty",
            default => default,
        };
        // That a text is a text goes without saying.
        let values = match def.values {
            Values::Text => String::new(),
            _ => format!("{}; ", def.values.describe()),
        };
        let text = format!("{} ({values}default {default})", def.help);
        columns.row([&format!("  {}", def.name), &text]);
    }
}

fn runtimes(width: u16) -> String {
    let mut text = String::new();
    for runtime in runtime::ALL {
        let mut columns = Columns::labelled(width, 2);
        columns.row([runtime.name, runtime.summary]);
        text += &columns.text();
        // Not a cell: a path that is wrapped cannot be copied.
        if let Ok(program) = here::runtime_program(runtime) {
            text += &format!("{:20}{}\n", "", program.command[0].display());
        }
    }
    text
}

/// What is missing here, and why.
fn unavailable(width: u16) -> String {
    let mut columns = Columns::labelled(width, 2);
    let mut none = true;
    let mut row = |name: &str, reason: &str| {
        columns.row([name, reason]);
        none = false;
    };
    for runtime in runtime::ALL {
        if let Err(error) = here::runtime_program(runtime) {
            row(runtime.name, &error);
        }
        for (strategy, reason) in runtime.unsupported {
            row(&format!("{strategy} in {}", runtime.name), reason);
        }
        for (workload, reason) in runtime.unsupported_workloads {
            row(&format!("{workload} in {}", runtime.name), reason);
        }
    }
    for kind in strategy::ALL {
        if let Some(reason) = here::strategy_unavailable(kind.name) {
            row(kind.name, &reason);
        }
    }
    if none {
        return "  nothing is missing\n".to_owned();
    }
    columns.text()
}
