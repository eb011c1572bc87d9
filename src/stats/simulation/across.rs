//! Two runs of the same experiment: how often a whole table calls equal cells different, and whether
//! it finds real differences.

use super::{DRIFTING, Draws, Machine};
use crate::experiment::DELTA_RATIO;
use crate::stats::across::{Across, Pair, judge};
use crate::stats::paired::log_ratios;
use crate::stats::safeguards::{Safeguard, without};
use crate::stats::two_sample::Drift;
use crate::stats::verdict::{Better, Conclusion, Verdict};

/// A machine of one's own.
const CALM: Machine = Machine { ramp: 0.02, wander: 0.01, noise: 0.02 };

/// A machine that wanders, so that one of two runs is slower by chance.
const WANDERING: Machine = Machine { ramp: 0.0, wander: 0.05, noise: 0.02 };

const FAMILIES: usize = 3;
/// Besides reference and placebo.
const ARMS: usize = 6;

/// Values of every family of a run, by arm and block; the reference first, the placebo second.
type Values = Vec<Vec<Vec<Option<f64>>>>;

/// A run in which everything takes `pace` times as long, and the last arm `last` times more.
fn run(machine: &Machine, blocks: usize, (pace, last): (f64, f64), draws: &mut Draws) -> Values {
    let mut arms = vec![pace; 2 + ARMS];
    arms[1 + ARMS] *= last;
    (0..FAMILIES).map(|_| machine.measure(&arms, blocks, draws)).collect()
}

/// All cells of a table whose numbers are taken from a family by `of`, for each of these arms.
fn table(
    [a, b]: [&Values; 2],
    drift: Drift,
    arms: std::ops::Range<usize>,
    of: impl Fn(&[Vec<Option<f64>>], usize) -> Vec<f64>,
) -> Vec<Across> {
    let mut pairs = Vec::new();
    for (a, b) in a.iter().zip(b) {
        for arm in arms.clone() {
            pairs.push(Pair {
                a: of(a, arm),
                b: of(b, arm),
                drift,
                better: Better::Lower,
                delta_log: DELTA_RATIO.ln_1p(),
                is_checked: true,
            });
        }
    }
    judge(&pairs)
}

/// Each arm itself.
fn absolute(runs: [&Values; 2]) -> Vec<Across> {
    let logs = |family: &[Vec<Option<f64>>], arm: usize| {
        family[arm].iter().flatten().map(|x| x.ln()).collect()
    };
    table(runs, Drift::Possible, 0..2 + ARMS, logs)
}

/// Each arm over the reference of its block.
fn relative(runs: [&Values; 2]) -> Vec<Across> {
    let ratios = |family: &[Vec<Option<f64>>], arm: usize| log_ratios(&family[arm], &family[0]);
    table(runs, Drift::Removed, 1..2 + ARMS, ratios)
}

/// Tables in which nothing differs, and in how many of them something is said to.
#[derive(Debug, Default)]
struct Alarms {
    /// An adjusted p is below 0.05.
    flagged: u32,
    /// A cell is called faster or slower.
    verdicts: u32,
}

impl Alarms {
    fn count(&mut self, table: &[Across]) {
        let is_flagged = |one: &Across| one.p_adjusted.is_some_and(|p| p < 0.05);
        self.flagged += u32::from(table.iter().any(is_flagged));
        let is_wrong = |one: &Across| one.conclusion.is_difference();
        self.verdicts += u32::from(table.iter().any(is_wrong));
    }
}

const TABLES: u32 = 1_000;
/// Nominal 5 % and 2.33 standard errors more, so that one right procedure in a hundred fails.
const FLAGGED_MAX: u32 = 66;
/// Of p alone where nothing is divided out: 20 blocks cannot show how little they resemble their
/// neighbors where the machine wanders by no more than its noise, so that the interval is not
/// stretched enough. 71 were counted on the calm machine. What is *said* needs δ as well.
const FLAGGED_ABSOLUTE_MAX: u32 = 100;

/// Two runs of one machine at different times.
fn alarms(machine: &Machine, blocks: usize) -> [Alarms; 2] {
    let mut draws = Draws::new(31);
    let mut alarms = [Alarms::default(), Alarms::default()];
    for _ in 0..TABLES {
        let [a, b] = [(); 2].map(|()| run(machine, blocks, (1.0, 1.0), &mut draws));
        alarms[0].count(&absolute([&a, &b]));
        alarms[1].count(&relative([&a, &b]));
    }
    println!("{blocks} blocks: [absolute, relative] {alarms:?}");
    alarms
}

#[test]
fn two_runs_of_one_machine_are_rarely_told_apart() {
    for machine in [DRIFTING, CALM] {
        for blocks in [10, 20] {
            let [absolute, relative] = alarms(&machine, blocks);
            for found in [&absolute, &relative] {
                assert!(found.verdicts <= FLAGGED_MAX, "{blocks} blocks: {found:?}");
            }
            assert!(absolute.flagged <= FLAGGED_ABSOLUTE_MAX, "{absolute:?}");
            assert!(relative.flagged <= FLAGGED_MAX, "{relative:?}");
        }
    }
}

#[test]
fn without_its_safeguards_a_table_calls_too_much_different() {
    let off = Safeguard::AutocorrelationInflation;
    let [absolute, _] = without(off, || alarms(&WANDERING, 20));
    assert!(absolute.flagged > FLAGGED_MAX, "{absolute:?}");
    let [_, relative] = without(Safeguard::Holm, || alarms(&CALM, 20));
    assert!(relative.flagged > FLAGGED_MAX, "{relative:?}");
}

/// Not a check: what the stretching leaves of the false alarms on a machine that wanders. Of 1000
/// tables of 10 blocks 282 called something different in B over A, of 20 blocks 108; of ratios to
/// the reference 6 and 2. `README.md` says this, because the blocks of one run cannot.
#[test]
#[ignore = "prints numbers to look at"]
fn print_what_wandering_leaves() {
    alarms(&WANDERING, 10);
    alarms(&WANDERING, 20);
}

#[test]
fn faster_machine_is_found_and_the_advice_stays_the_same() {
    let mut draws = Draws::new(32);
    let (mut found, mut advice) = (0, Alarms::default());
    for _ in 0..50 {
        let a = run(&DRIFTING, 10, (1.0, 1.0), &mut draws);
        let b = run(&DRIFTING, 10, (0.4, 1.0), &mut draws);
        let faster = Conclusion::Verdict(Verdict::Faster);
        let table = absolute([&a, &b]);
        found += u32::from(table.iter().all(|one| one.conclusion == faster));
        advice.count(&relative([&a, &b]));
    }
    println!("faster in all cells in {found} of 50; relative {advice:?}");
    assert!(found >= 45, "{found}");
    assert!(advice.verdicts <= 5, "{advice:?}");
}

#[test]
fn arm_that_costs_more_on_one_machine_is_found_on_every_pair_of_machines() {
    let mut draws = Draws::new(33);
    let mut found = 0;
    for _ in 0..50 {
        let a = run(&CALM, 20, (1.0, 1.0), &mut draws);
        let b = run(&CALM, 20, (0.4, 1.1), &mut draws);
        let table = relative([&a, &b]);
        let slower = |one: &Across| one.conclusion == Conclusion::Verdict(Verdict::Slower);
        let places: Vec<usize> = (0..table.len()).filter(|i| slower(&table[*i])).collect();
        found += u32::from(places == [ARMS, 2 * ARMS + 1, 3 * ARMS + 2]);
    }
    println!("10 % more found in all families and nowhere else in {found} of 50");
    assert!(found >= 45, "{found}");
}
