//! The rows of a run's CSV files, a file per table. Field order is column order, and the unit is
//! the end of the name: `_ns`, `_bytes`, `_per_s`. Empty means missing.

pub mod compare;
pub mod derived;
pub mod facts;
mod load;
mod memory;
mod noise;
mod plan;
mod requests;
mod trials;

pub use facts::{FACTS, FactRow};
pub use load::{CALIBRATION, CalibrationRow, LOAD_POINTS, LoadPointRow};
pub use memory::{MEMORY, MemoryRow};
pub use noise::{NOISE, NoiseRow};
pub use plan::{PLAN, PlanRow, plan_rows};
pub use requests::{REQUESTS, RequestOf, RequestRow};
pub use trials::{TRIALS, TrialRow};

/// The three inputs of a workload.
const SIZES: &[&str] = &["s", "m", "l"];
