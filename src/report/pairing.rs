//! The two estimators that the report uses: a median over blocks, and a ratio paired by block.
//! They stand alone so that the report can take others without being touched elsewhere.

/// The median; the mean of the middle two for an even number. `None` when there is nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// `exp(median(ln(arm / reference)))` over blocks, and how many blocks there were. Pairs without a
/// positive value on both sides have no logarithm and are left out.
pub(super) fn paired_ratio(pairs: &[(f64, f64)]) -> Option<(f64, u32)> {
    let logs: Vec<f64> = pairs
        .iter()
        .filter(|(arm, reference)| *arm > 0.0 && *reference > 0.0)
        .map(|(arm, reference)| (arm / reference).ln())
        .collect();
    Some((median(&logs)?.exp(), u32::try_from(logs.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn the_ratio_is_paired_by_block_not_a_ratio_of_medians() {
        // A drift that doubles everything leaves each block's ratio at 2.
        let pairs = [(2.0, 1.0), (4.0, 2.0), (8.0, 4.0), (200.0, 100.0)];
        let (ratio, blocks) = paired_ratio(&pairs).unwrap();
        assert!((ratio - 2.0).abs() < 1e-12);
        assert_eq!(blocks, 4);
        assert_eq!(paired_ratio(&[(0.0, 1.0), (1.0, 0.0)]), None);
    }
}
