//! From an experiment to its trials: randomised complete blocks.
//!
//! Block 1 of all families comes before block 2 of any, so that a deadline drops later blocks
//! whole, for all families alike. Within a family's block the arms run in an order of their own,
//! drawn from a seed that depends on nothing but the run's seed, the family's id and the block:
//! adding a family to an experiment leaves the orders inside all others as they were.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::preset::OPEN_REQUESTS;
use super::{
    Arm, Demonstration, Experiment, Family, Load, Open, Preset, Trial, WindowLength, runtime,
};
use crate::strategy::{self, Children, Span};
use crate::workload::{Size, fold};

/// Trials of one plan: more than a week of the shortest ones.
const TRIALS_MAX: u64 = 1_000_000;

/// That a plan of this many blocks can be made.
///
/// # Errors
/// It would have too many trials: how many, and how many there may be.
pub fn check_size(experiment: &Experiment, blocks: u32) -> Result<(), String> {
    let arms: u64 = experiment.families.iter().map(|family| family.arms.len() as u64).sum();
    let trials = arms.saturating_mul(u64::from(blocks));
    if trials <= TRIALS_MAX {
        return Ok(());
    }
    Err(format!(
        "experiment `{}` has {arms} arms, which are {trials} trials in {blocks} blocks; expected \
         at most {TRIALS_MAX}: take fewer with --filter or --blocks",
        experiment.name
    ))
}

/// Every trial in order of execution.
pub fn plan(experiment: &Experiment, blocks: u32, seed: u64) -> Vec<Trial> {
    let mut trials = Vec::new();
    for block in 1..=blocks {
        let families = experiment.families.iter().enumerate();
        for (index, family) in families.filter(|(_, family)| block <= family.blocks(blocks)) {
            let block_seed = block_seed(seed, &family.id, block);
            for (position, arm) in (1..).zip(order(family.arms.len(), block_seed)) {
                trials.push(Trial {
                    id: format!("t{:04}", trials.len() + 1),
                    family: index,
                    arm,
                    block,
                    position,
                    seed: block_seed,
                });
            }
        }
    }
    trials
}

/// How many trials a run makes, those without that are skipped for the preset.
pub fn trials(experiment: &Experiment, preset: &Preset, blocks: u32) -> usize {
    let families = experiment.families.iter().filter(|family| family.left_out(preset).is_none());
    families.map(|family| family.arms.len() * family.blocks(blocks) as usize).sum()
}

/// About how long trials and demonstrations will take, in nanoseconds, were there no deadline.
///
/// An estimate for a person who decides whether to wait: request times are taken from the size,
/// and from whether a runtime has to be started, not from the machine.
pub fn estimated_ns(experiment: &Experiment, preset: &Preset, blocks: u32) -> u64 {
    let families = experiment.families.iter().filter(|family| family.left_out(preset).is_none());
    let family_ns = families.map(|family| {
        let block_ns: u64 = arms_run(family).map(|arm| trial_ns(family, arm, preset)).sum();
        block_ns.saturating_mul(family.blocks(blocks).into())
    });
    let shown_ns: u64 = experiment.demonstrations.iter().map(Demonstration::estimated_ns).sum();
    family_ns.sum::<u64>().saturating_add(shown_ns.saturating_mul(blocks.into()))
}

/// An arm that has no children to be held is skipped in no time.
fn arms_run(family: &Family) -> impl Iterator<Item = &Arm> {
    let holds_some = family.load.children().is_some_and(|children| children > 0);
    let arms = family.arms.iter();
    arms.filter(move |arm| !holds_some || children(arm) != Children::None)
}

fn children(arm: &Arm) -> Children {
    strategy::by_name(&arm.strategy).map_or(Children::None, |kind| kind.children)
}

const MS: u64 = 1_000_000;
/// Start, handshake, stop and reaping.
const AROUND_A_TRIAL_NS: u64 = 70 * MS;
/// Page faults of one MiB that is touched for the first time.
const TOUCH_MIB_NS: u64 = MS / 4;

/// The cores of the smallest machine that is worth it: as many children start at a time.
const AT_A_TIME: u64 = 2;

/// What starting children adds: to every request, and to the whole trial.
fn starts_ns(family: &Family, arm: &Arm) -> (u64, u64) {
    let Some(runtime) = runtime::by_name(&family.runtime) else {
        return (0, 0);
    };
    let children = children(arm);
    let start_ns = runtime.costs.start_ns(children);
    match children.span() {
        None => (0, 0),
        Some(Span::Request) => (start_ns, 0),
        Some(Span::Pool) => {
            let workers: Option<u64> = arm.options.get("workers").and_then(|n| n.parse().ok());
            (0, workers.unwrap_or(0).saturating_mul(start_ns) / AT_A_TIME)
        }
    }
}

fn trial_ns(family: &Family, arm: &Arm, preset: &Preset) -> u64 {
    let spec = &family.spec;
    let sized = spec.workload().is_ok_and(|workload| !workload.takes_payload());
    let request_ns = match (sized, spec.size) {
        (false, _) | (true, Size::S) => MS / 2,
        (true, Size::M) => 8 * MS,
        (true, Size::L) => 120 * MS,
    };
    let (each_ns, once_ns) = starts_ns(family, arm);
    let around_ns = AROUND_A_TRIAL_NS + preset.cool_down_ns;
    let callers = match &family.load {
        Load::Open(open) => return around_ns + once_ns + open_ns(open, request_ns, preset),
        Load::Memory { children } => return around_ns + memory_ns(family, *children),
        Load::Closed { callers } => u64::from(*callers),
    };
    let request_ns = request_ns + each_ns / callers.clamp(1, AT_A_TIME);
    let window_ns = (preset.min_requests.saturating_mul(request_ns))
        .max(preset.min_window_ns)
        .min(preset.max_window_ns);
    // Two requests of each caller, one after the other, before the window and in it.
    let warm_up_ns = callers.saturating_mul(2 * request_ns);
    // Requests in flight at the window's end are waited for.
    let window_ns = window_ns.max(warm_up_ns).saturating_add(callers.saturating_mul(request_ns));
    let ballast_ns = (family.ballast_bytes >> 20).saturating_mul(TOUCH_MIB_NS);
    around_ns
        .saturating_add(once_ns)
        .saturating_add(preset.warm_up_ns.max(warm_up_ns))
        .saturating_add(window_ns)
        .saturating_add(ballast_ns)
}

/// Starting the children, holding them, reading each a few times.
fn memory_ns(family: &Family, children: u32) -> u64 {
    let runtime = runtime::by_name(&family.runtime);
    let child_ns = runtime.map_or(0, |runtime| runtime.costs.held_child_ns);
    let touched = family.spec.options.get("touch_mib");
    let touched_mib: u64 = touched.and_then(|mib| mib.parse().ok()).unwrap_or(0);
    let ballast_ns = (family.ballast_bytes >> 20).saturating_mul(TOUCH_MIB_NS);
    u64::from(children)
        .saturating_mul(child_ns + touched_mib.saturating_mul(TOUCH_MIB_NS))
        .saturating_add(ballast_ns)
}

/// Half a window of probes alone where there are any, a fifth of it to warm up, and the window:
/// as long as its requests take, within the preset's bounds.
fn open_ns(open: &Open, request_ns: u64, preset: &Preset) -> u64 {
    let [min_ns, max_ns] = preset.open_window_ns;
    let rate_per_s = open.rate.per_s().or(open.rate.share().map(|s| s * 1e9 / request_ns as f64));
    let wanted_ns =
        rate_per_s.map_or(max_ns, |rate_per_s| (OPEN_REQUESTS * 1e9 / rate_per_s) as u64);
    match (open.window, open.probe) {
        (WindowLength::Shortest, Some(_)) => min_ns * 17 / 10,
        (WindowLength::Shortest, None) => min_ns * 6 / 5,
        (WindowLength::AsNeeded, Some(_)) => max_ns * 17 / 10,
        (WindowLength::AsNeeded, None) => wanted_ns.clamp(min_ns, max_ns) * 6 / 5,
    }
}

/// The seed that all arms of a family's block share.
fn block_seed(seed: u64, family_id: &str, block: u32) -> u64 {
    let id = family_id.bytes().map(u64::from);
    let parts: Vec<u64> = [seed, u64::from(block)].into_iter().chain(id).collect();
    // FNV alone leaves the high bits of similar texts alike; one draw of a generator that is
    // seeded through SplitMix64 spreads them.
    Xoshiro256PlusPlus::seed_from_u64(fold(&parts)).next_u64()
}

/// A uniformly drawn permutation of `0..n` (Fisher–Yates).
fn order(n: usize, seed: u64) -> Vec<usize> {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        // Multiplying a 64-bit draw down to `0..=last` favours no index by more than
        // last / 2^64, far below what any number of blocks could show.
        let draw = u128::from(generator.next_u64()) * (last as u128 + 1);
        order.swap(last, (draw >> 64) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{builtin, wire};
    use proptest::prelude::*;
    use std::collections::{BTreeSet, HashMap};

    fn experiment(name: &str) -> Experiment {
        let builtin = builtin::by_name(name).unwrap();
        wire::parse(builtin.text, builtin.path, 2, 1).unwrap()
    }

    fn rows(experiment: &Experiment, blocks: u32, seed: u64) -> String {
        plan(experiment, blocks, seed)
            .iter()
            .map(|trial| {
                let family = &experiment.families[trial.family];
                let arm = &family.arms[trial.arm];
                format!(
                    "{} {} {} {:>2} {:<9} {:<8} {:016x}\n",
                    trial.id,
                    family.id,
                    trial.block,
                    trial.position,
                    arm.role,
                    arm.strategy,
                    trial.seed
                )
            })
            .collect()
    }

    /// A changed order would silently give old seeds a new meaning.
    #[test]
    fn the_plan_of_a_seed_never_changes() {
        let text = r#"
            name = "pinned"
            question = "Which order?"
            [[family]]
            workload = "noop"
            strategy = ["blocking", "thread", "spawn", "fork"]
            load = { closed = { callers = [1, 2] } }
        "#;
        let pinned = wire::parse(text, "pinned.toml", 2, 1).unwrap();
        insta::assert_snapshot!(rows(&pinned, 2, 1));
    }

    #[test]
    fn a_family_keeps_its_orders_when_others_come_or_go() {
        let whole = experiment("main");
        let mut part = whole.clone();
        part.families.remove(0);
        let orders = |experiment: &Experiment| -> HashMap<(String, u32), Vec<(usize, u64)>> {
            let mut orders: HashMap<_, Vec<_>> = HashMap::new();
            for trial in plan(experiment, 3, 9) {
                let id = experiment.families[trial.family].id.clone();
                let order = orders.entry((id, trial.block)).or_default();
                order.push((trial.arm, trial.seed));
            }
            orders
        };
        let whole = orders(&whole);
        for (key, order) in orders(&part) {
            assert_eq!(whole[&key], order, "{key:?}");
        }
    }

    #[test]
    fn every_arm_comes_first_about_equally_often() {
        let arms = 4;
        let mut first = [0u32; 4];
        for block in 0..4_000 {
            let seed = block_seed(1, "noop-64B-rust-closed1", block);
            first[order(arms, seed)[0]] += 1;
        }
        // Six standard deviations of 4000 draws at 1/4.
        assert!(first.iter().all(|&n| n.abs_diff(1_000) < 165), "{first:?}");
    }

    #[test]
    fn a_capped_family_is_planned_in_its_first_blocks_only() {
        let mut capped = experiment("spawn-cost");
        let whole = plan(&capped, 4, 9);
        capped.families[0].blocks_max = Some(2);
        let planned = plan(&capped, 4, 9);
        let blocks = |trials: &[Trial], family| -> BTreeSet<u32> {
            trials.iter().filter(|t| t.family == family).map(|t| t.block).collect()
        };
        assert_eq!(blocks(&planned, 0), [1, 2].into());
        assert_eq!(blocks(&planned, 1), [1, 2, 3, 4].into());
        // What is left is as it was, but for its number.
        let place = |t: &Trial| (t.family, t.arm, t.block, t.position, t.seed);
        let kept: Vec<_> =
            whole.iter().filter(|t| t.family > 0 || t.block < 3).map(place).collect();
        assert_eq!(planned.iter().map(place).collect::<Vec<_>>(), kept);
        let quick = Preset::by_name("quick").unwrap();
        assert_eq!(trials(&capped, &quick, 4), planned.len());
        let long = estimated_ns(&capped, &quick, 4);
        capped.families[0].from_preset = "standard";
        assert!(estimated_ns(&capped, &quick, 4) < long);
        assert!(trials(&capped, &quick, 4) < planned.len());
    }

    #[test]
    fn estimates_follow_the_contract() {
        let estimate_s = |name: &str, preset: &str| {
            let preset = Preset::by_name(preset).unwrap();
            estimated_ns(&experiment(name), &preset, preset.blocks) / 1_000_000_000
        };
        let quick = estimate_s("main", "quick");
        // Its budget, within which it is to stay.
        assert!((60..=240).contains(&quick), "{quick} s");
        assert!(estimate_s("main", "smoke") <= 20);
        assert!(estimate_s("main", "standard") > quick);
    }

    proptest! {
        #[test]
        fn every_arm_runs_exactly_once_per_block(blocks in 0..8u32, seed: u64) {
            let experiment = experiment("spawn-cost");
            let trials = plan(&experiment, blocks, seed);
            prop_assert_eq!(&trials, &plan(&experiment, blocks, seed));
            let per_block: usize = experiment.families.iter().map(|f| f.arms.len()).sum();
            prop_assert_eq!(trials.len(), per_block * blocks as usize);
            let distinct: BTreeSet<_> =
                trials.iter().map(|t| (t.family, t.block, t.arm)).collect();
            prop_assert_eq!(distinct.len(), trials.len());
            for pair in trials.windows(2) {
                let place = |t: &Trial| (t.block, t.family, t.position);
                prop_assert!(place(&pair[0]) < place(&pair[1]), "block by block, in positions");
            }
        }

        #[test]
        fn arms_of_a_block_share_a_seed_and_blocks_do_not(seed: u64) {
            let experiment = experiment("main");
            let mut seeds: HashMap<u64, (usize, u32)> = HashMap::new();
            for trial in plan(&experiment, 6, seed) {
                let block = (trial.family, trial.block);
                prop_assert_eq!(*seeds.entry(trial.seed).or_insert(block), block);
            }
            prop_assert_eq!(seeds.len(), experiment.families.len() * 6);
        }

        #[test]
        fn orders_differ_from_block_to_block(seed: u64) {
            let orders: BTreeSet<_> =
                (0..10).map(|block| order(11, block_seed(seed, "x", block))).collect();
            prop_assert!(orders.len() >= 9, "11! orders, 10 draws");
        }
    }
}
