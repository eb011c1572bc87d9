//! When to stop measuring: when intervals are narrow, wherever they lie.
//!
//! Stopping on a p value or a verdict would stop on chance differences that happen to look large. A
//! width does not tell which arm is faster. It is judged at a higher level than the reported one,
//! because a narrow interval is more often a lucky one; a simulation in the test suite holds that the
//! reported interval still contains the truth as often as it says.

use super::Level;
use super::paired::{WalshAverages, log_ratios};

/// Whether the ratio of arm to reference, by block, is known to `limit_ratio` of itself: half the
/// width of its 98 % interval, on the logarithmic scale. Not with too few blocks for an interval.
pub fn is_narrow(arm: &[Option<f64>], reference: &[Option<f64>], limit_ratio: f64) -> bool {
    let differences = log_ratios(arm, reference);
    let interval = WalshAverages::of(&differences).interval(Level::P98);
    interval.is_some_and(|interval| interval.half_width().exp_m1() <= limit_ratio)
}
