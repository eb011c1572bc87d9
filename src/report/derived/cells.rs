//! `cells.csv`: every arm's own numbers.

use crate::record::columns::CELLS;
use crate::stats::verdict::INTERVAL_BLOCKS_MIN;

use super::{Row, csv, factors, float, level, state_flag};
use crate::analysis::cells::{Analysed, Cell, MetricResult};
use crate::analysis::families::ArmRows;

/// From so many blocks the interval keeps its level even if the machine drifts, as simulated.
const COVERAGE_BLOCKS_MIN: usize = 20;

/// The whole file.
pub(in crate::report) fn cells(run_id: &str, families: &[Analysed<'_>]) -> String {
    let rows: Vec<Row> = families
        .iter()
        .flat_map(|family| {
            family.rows.arms.iter().enumerate().flat_map(move |(i, arm)| {
                family
                    .results
                    .iter()
                    .map(move |result| row(factors(run_id, family, arm), arm, result, i))
            })
        })
        .collect();
    csv(&CELLS, &rows)
}

fn row(factors: Row, arm: &ArmRows<'_>, result: &MetricResult, place: usize) -> Row {
    let cell = result.cells[place];
    let mut row = factors;
    row.extend([
        ("metric", result.metric.name.to_owned()),
        ("unit", result.metric.unit.to_owned()),
        ("estimate", float(cell.estimate)),
        ("ci_low", float(cell.interval.map(|interval| interval.low))),
        ("ci_high", float(cell.interval.map(|interval| interval.high))),
        ("ci_level", level(cell.interval)),
        ("n_blocks", cell.n_blocks.to_string()),
        ("flags", flags(arm, cell)),
        ("label", arm.label.clone()),
    ]);
    row
}

fn flags(arm: &ArmRows<'_>, cell: Cell) -> String {
    let mut flags = Vec::from_iter(state_flag(arm.state));
    match cell.n_blocks {
        0 => {}
        n if n < INTERVAL_BLOCKS_MIN => flags.push("too_few_blocks"),
        n if n < COVERAGE_BLOCKS_MIN => flags.push("coverage_below_20_blocks"),
        _ => {}
    }
    if cell.n_missing > 0 {
        flags.push("missing_blocks");
    }
    flags.join(";")
}
