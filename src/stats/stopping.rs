//! When to stop measuring: when intervals are narrow, whatever they say.
//!
//! Stopping on a p value or a verdict would stop on those chance differences that happen to look
//! large. A width says nothing of which arm is faster. It is judged at a higher level than what is
//! reported, because a narrow interval is also more often a lucky one; the simulation in the test
//! suite holds that the reported one still contains the truth as often as it says.

use super::paired::{WalshAverages, log_ratios};
use super::{Level, Safeguards};

/// Whether the ratio of arm to reference, by block, is known to `limit_ratio` of itself: half the
/// width of its 98 % interval, on the logarithmic scale. Not with too few blocks for an interval.
pub fn is_narrow(arm: &[Option<f64>], reference: &[Option<f64>], limit_ratio: f64) -> bool {
    let differences = log_ratios(arm, reference, Safeguards::ALL_ON);
    let interval = WalshAverages::of(&differences).interval(Level::P98);
    interval.is_some_and(|interval| interval.half_width().exp_m1() <= limit_ratio)
}
