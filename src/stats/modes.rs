//! Whether values fall into two groups, such as a machine that has two speeds or a program that is
//! compiled in two ways. A median between two modes is a time that no block had.

use super::quantile::median_of_sorted;

/// Each mode has this many values, or more.
const MEMBERS_MIN: usize = 3;
/// Each mode has this share of the values, or more.
const MEMBERS_MIN_RATIO: f64 = 0.2;
/// The medians of the modes are this far apart, as a ratio, or farther.
const APART_MIN_RATIO: f64 = 1.5;
/// The gap between the modes is this large, as a ratio, or larger.
const GAP_MIN_RATIO: f64 = 1.25;
/// The gap is this many times as large as the distance between the quartiles of either mode, or
/// more. Of unimodal noise up to 5 % of samples pass, of narrow noise none (simulated).
const GAP_MIN_SPREADS: f64 = 3.0;

/// Two groups of values with a gap between them.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoModes {
    /// Places of the lower values, ascending.
    pub low: Vec<usize>,
    /// Places of the others, ascending.
    pub high: Vec<usize>,
}

/// Splits values at the largest gap that leaves enough of them on either side; `None` if they have
/// one mode. Of logarithms, without NaN.
pub fn two_modes(logs: &[f64]) -> Option<TwoModes> {
    let mut order: Vec<usize> = (0..logs.len()).collect();
    order.sort_by(|&a, &b| logs[a].total_cmp(&logs[b]));
    let sorted: Vec<f64> = order.iter().map(|&place| logs[place]).collect();
    let members_min = MEMBERS_MIN.max((MEMBERS_MIN_RATIO * logs.len() as f64).ceil() as usize);
    let gap = |place: &usize| sorted[*place] - sorted[*place - 1];
    let places = members_min..=logs.len().checked_sub(members_min)?;
    let split = places.max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
    let (low, high) = sorted.split_at(split);
    let apart = median_of_sorted(high)? - median_of_sorted(low)?;
    let spread = between_quartiles(low).max(between_quartiles(high));
    let is_gap = gap(&split) >= GAP_MIN_RATIO.ln() && gap(&split) > GAP_MIN_SPREADS * spread;
    (is_gap && apart >= APART_MIN_RATIO.ln()).then(|| {
        let ascending = |places: &[usize]| {
            let mut places = places.to_vec();
            places.sort_unstable();
            places
        };
        TwoModes { low: ascending(&order[..split]), high: ascending(&order[split..]) }
    })
}

/// The distance between the quartiles of at least one value, interpolated as NumPy does.
fn between_quartiles(sorted: &[f64]) -> f64 {
    let at = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        sorted[below] + (place - place.floor()) * (sorted[above] - sorted[below])
    };
    at(0.75) - at(0.25)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(values: &[f64]) -> Option<(Vec<usize>, Vec<usize>)> {
        let logs: Vec<f64> = values.iter().map(|x| x.ln()).collect();
        two_modes(&logs).map(|modes| (modes.low, modes.high))
    }

    #[test]
    fn two_speeds_are_told_apart_by_block() {
        let found = modes(&[29.0, 58.0, 57.0, 30.0, 59.0, 28.0, 60.0, 29.5]);
        assert_eq!(found, Some((vec![0, 3, 5, 7], vec![1, 2, 4, 6])));
    }

    #[test]
    fn one_speed_is_no_two() {
        // Few values, narrow noise, two wild blocks, a steady rise.
        assert_eq!(modes(&[1.0, 1.0, 2.0, 2.0, 2.0]), None);
        assert_eq!(modes(&[1.0, 1.01, 1.02, 1.3, 1.31, 1.32]), None);
        assert_eq!(modes(&[1.0, 1.1, 1.0, 1.05, 1.02, 1.04, 9.0, 8.0]), None);
        assert_eq!(modes(&[1.0, 1.2, 1.5, 1.8, 2.2, 2.6, 3.1, 3.8]), None);
        assert_eq!(modes(&[]), None);
    }
}
