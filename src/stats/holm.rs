//! Holm's adjustment: many arms against one reference, and still at most 5 % of families with a
//! false difference.
//!
//! Uniformly better than Bonferroni and valid under every dependence, which matters here: all arms
//! of a block share one reference value.

use super::safeguards::{Safeguard, holds};

/// The p values adjusted for their number, in the order given. Each is the smallest level at which
/// its hypothesis would be rejected by the step-down procedure; at most 1, and never below the
/// value it comes from.
pub fn adjust(p_values: &[f64]) -> Vec<f64> {
    if !holds(Safeguard::Holm) {
        return p_values.to_vec();
    }
    let mut by_size: Vec<usize> = (0..p_values.len()).collect();
    by_size.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut floor = 0.0_f64;
    for (smaller, &index) in by_size.iter().enumerate() {
        let left = (p_values.len() - smaller) as f64;
        // A larger p may not end up more significant than a smaller one.
        floor = floor.max((left * p_values[index]).min(1.0));
        adjusted[index] = floor;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(p_values: &[f64], expected: &[f64]) {
        let adjusted = adjust(p_values);
        assert_eq!(adjusted.len(), expected.len());
        for (got, want) in adjusted.iter().zip(expected) {
            assert!((got - want).abs() < 1e-12, "{adjusted:?} is not {expected:?}");
        }
    }

    #[test]
    fn steps_down_and_stays_in_order() {
        check(&[], &[]);
        check(&[0.04], &[0.04]);
        check(&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]);
        check(&[0.4, 0.6, 0.5], &[1.0, 1.0, 1.0]);
        check(&[0.02, 0.02], &[0.04, 0.04]);
    }
}
