//! Little's law in every open load of the other checks: requests under way as counted are those
//! that their own stamps make. Books that lose or double a request break it.

use anyhow::Result;

use super::bench::Bench;
use super::{Check, Findings, Line};

pub(super) const CHECK: Check = Check {
    name: "Little's law",
    asked: |_| {
        "requests under way, counted and by their stamps, in all open loads above".to_owned()
    },
    run,
};

fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    Ok(judge(&bench.littles_law_ratios))
}

fn judge(ratios: &[f64]) -> Findings {
    let off = ratios.iter().map(|ratio| (ratio - 1.0).abs());
    let worst = off.fold(0.0, f64::max);
    Findings {
        lines: vec![Line::new(
            "worst",
            format!("{:.3} % off, of {} loads", worst * 100.0, ratios.len()),
            "within 2 %",
            !ratios.is_empty() && worst <= 0.02,
        )],
        figures: vec![("worst_difference_ratio".to_owned(), worst)],
    }
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
