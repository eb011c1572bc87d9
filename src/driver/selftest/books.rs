//! Little's law in every open load of the other checks: requests in flight as counted are those
//! that their own stamps make. Books that lose or double a request break it.

use super::Findings;

/// Judges the law over all open loads so far.
pub fn judge(ratios: &[f64]) -> Findings {
    let off = ratios.iter().map(|ratio| (ratio - 1.0).abs());
    let worst = off.fold(0.0, f64::max);
    let found = format!("{:.3} % off, of {} loads", worst * 100.0, ratios.len());
    let mut findings = Findings::default();
    findings.line("worst", found, "within 2 %", !ratios.is_empty() && worst <= 0.02);
    findings.figure("worst_difference_ratio", worst);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    #[test]
    fn one_load_whose_books_are_wrong_fails() {
        let state = |ratios: &[f64]| judge(ratios).lines[0].state;
        assert_eq!(state(&[1.0, 0.99, 1.019]), State::Pass);
        assert_eq!(state(&[1.0, 1.03, 1.0]), State::Fail);
        assert_eq!(state(&[1.0, 0.97]), State::Fail);
        assert_eq!(state(&[]), State::Fail);
    }
}
