//! Windows that let enough blocks fit into a budget. Pure: decided from plan and budget alone,
//! before the first trial, so that every block of a run is measured alike.
//!
//! Verdicts rest on blocks, not on requests: a budget that pays for four blocks of long windows buys
//! no verdict at all, and one that pays for ten blocks of shorter ones does. The price is the
//! quantiles of slow arms, which need a thousand requests.

use super::plan::estimated_ns;
use super::{Experiment, Preset};

/// Below this a window says more about the machine's moment than about the strategy.
pub const WINDOW_MIN_NS: u64 = 400 * MS;

/// Verdicts begin here.
const BLOCKS: u32 = 10;

const MS: u64 = 1_000_000;

/// Watching the idle machine, inputs, calibration and the report.
const AROUND_A_RUN_NS: u64 = 12_000 * MS;

/// What of the budget is planned for: the rest is for re-runs, and for requests that take longer
/// than their size says. If it is left, further blocks spend it.
const PLANNED_SHARE: f64 = 0.75;

/// Enough for a median.
const REQUESTS_MIN: u64 = 20;

/// The preset with windows (and warm-up) as much shorter as it takes for 10 blocks to fit into
/// what the budget leaves for blocks, but no window below [`WINDOW_MIN_NS`]. A preset whose
/// windows are as short as that anyway stays as it is, and so does one whose blocks fit.
#[must_use]
pub fn fitted(experiment: &Experiment, preset: Preset, budget_ns: Option<u64>) -> Preset {
    let Some(budget_ns) = budget_ns else {
        return preset;
    };
    let blocks = BLOCKS.min(preset.blocks);
    let limit_ns = budget_ns.saturating_sub(AROUND_A_RUN_NS) as f64 * PLANNED_SHARE;
    let fits = |preset: &Preset| estimated_ns(experiment, preset, blocks) as f64 <= limit_ns;
    if preset.min_window_ns <= WINDOW_MIN_NS || fits(&preset) {
        return preset;
    }
    // In steps of 20 ms, which is fine enough.
    let steps = (preset.min_window_ns - WINDOW_MIN_NS) / (20 * MS);
    (0..=steps)
        .map(|step| with_window(preset, preset.min_window_ns - step * 20 * MS))
        .find(fits)
        .unwrap_or_else(|| with_window(preset, WINDOW_MIN_NS))
}

/// Every window as long as this, those of open loops and the warm-up in proportion.
fn with_window(preset: Preset, window_ns: u64) -> Preset {
    let share = window_ns as f64 / preset.min_window_ns as f64;
    let scaled = |ns: u64, min_ns: u64| ((ns as f64 * share) as u64).max(min_ns.min(ns));
    Preset {
        min_window_ns: window_ns,
        max_window_ns: window_ns,
        min_requests: preset.min_requests.min(REQUESTS_MIN),
        warm_up_ns: scaled(preset.warm_up_ns, 50 * MS),
        open_window_ns: preset.open_window_ns.map(|ns| scaled(ns, 1_000 * MS)),
        ..preset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{builtin, wire};

    const MINUTE_NS: u64 = 60_000 * MS;

    fn experiment(name: &str) -> Experiment {
        let builtin = builtin::by_name(name).unwrap();
        wire::parse(builtin.text, builtin.path, 2, 1).unwrap()
    }

    fn preset(name: &str) -> Preset {
        Preset::by_name(name).unwrap()
    }

    #[test]
    fn half_an_hour_is_enough_for_verdicts_of_main() {
        let main = experiment("main");
        let fitted = fitted(&main, preset("standard"), Some(30 * MINUTE_NS));
        assert!(fitted.min_window_ns > WINDOW_MIN_NS, "{fitted:?}");
        assert!(fitted.min_window_ns < preset("standard").min_window_ns);
        let planned_ns = estimated_ns(&main, &fitted, 10);
        assert!(planned_ns * 4 <= 30 * MINUTE_NS * 3, "{planned_ns}");
        // Not shorter than it must be.
        assert!(planned_ns * 10 >= 30 * MINUTE_NS * 7, "{planned_ns}");
    }

    /// A thousand children included, with a fifth left for re-runs and for what takes longer.
    #[test]
    fn the_notes_fit_their_budgets() {
        let notes = experiment("notes");
        let standard = preset("standard").for_experiment(&notes);
        assert_eq!(standard.budget_ns, Some(50 * MINUTE_NS));
        let fitted = fitted(&notes, standard, standard.budget_ns);
        let planned_ns = estimated_ns(&notes, &fitted, 10);
        assert!(planned_ns * 5 <= 50 * MINUTE_NS * 4, "{} s", planned_ns / 1_000 / MS);
        let quick = preset("quick").for_experiment(&notes);
        let planned_ns = estimated_ns(&notes, &quick, quick.blocks.min(BLOCKS));
        assert!(planned_ns <= 10 * MINUTE_NS, "{} s", planned_ns / 1_000 / MS);
    }

    /// Where the shortest window may stay as it is, the longest may not, which is said as well.
    #[test]
    fn a_preset_that_lost_its_long_windows_only_is_shortened() {
        let (main, standard) = (experiment("main"), preset("standard"));
        assert!(!standard.is_shortened());
        let fitted = (30..600)
            .map(|minutes| fitted(&main, standard, Some(minutes * MINUTE_NS)))
            .filter(|fitted| *fitted != standard);
        let mut same_minimum = 0;
        for fitted in fitted {
            assert!(fitted.is_shortened(), "{fitted:?}");
            same_minimum += u32::from(fitted.min_window_ns == standard.min_window_ns);
        }
        assert!(same_minimum > 0);
    }

    #[test]
    fn what_fits_and_what_is_short_anyway_stays() {
        let main = experiment("main");
        for name in ["smoke", "quick"] {
            assert_eq!(fitted(&main, preset(name), Some(MINUTE_NS)), preset(name));
        }
        let standard = preset("standard");
        assert_eq!(fitted(&main, standard, None), standard);
        assert_eq!(fitted(&main, standard, Some(600 * MINUTE_NS)), standard);
    }

    #[test]
    fn no_window_falls_below_the_floor() {
        for budget_ns in [0, 1, MINUTE_NS] {
            let fitted = fitted(&experiment("main"), preset("standard"), Some(budget_ns));
            assert_eq!(fitted.min_window_ns, WINDOW_MIN_NS);
            assert!(fitted.max_window_ns >= fitted.min_window_ns);
            assert!(fitted.warm_up_ns >= 50 * MS);
            assert!(fitted.open_window_ns[0] >= 1_000 * MS);
        }
    }

    #[test]
    fn a_smaller_budget_never_makes_windows_longer() {
        let main = experiment("main");
        let windows: Vec<u64> = (1..120)
            .map(|minutes| {
                let budget_ns = Some(minutes * MINUTE_NS);
                fitted(&main, preset("standard"), budget_ns).min_window_ns
            })
            .collect();
        assert!(windows.is_sorted(), "{windows:?}");
    }
}
