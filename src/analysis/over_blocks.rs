//! A column of an arm's trials over their blocks.

use crate::record::TrialRow;
use crate::stats::quantile::median;

/// A column of `trials.csv`.
pub type Column = fn(&TrialRow) -> Option<u64>;

/// The median of the trials that have a value.
pub fn median_of_known(rows: &[&TrialRow], column: Column) -> Option<f64> {
    let values: Vec<f64> = rows.iter().filter_map(|row| column(row)).map(|n| n as f64).collect();
    median(&values)
}

/// The median, if every trial has a value: trials lack a high quantile when they were slow, so a
/// median of the others would flatter.
pub fn median_of_all(rows: &[&TrialRow], column: Column) -> Option<f64> {
    rows.iter().all(|row| column(row).is_some()).then(|| median_of_known(rows, column))?
}

/// The median throughput of the trials that have one.
pub fn median_rate(rows: &[&TrialRow]) -> Option<f64> {
    let rates: Vec<f64> = rows.iter().filter_map(|row| row.throughput_per_s).collect();
    median(&rates)
}
