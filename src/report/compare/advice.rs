//! Whether the best strategy is the same on both machines, and the cost in B of choosing the one that
//! is best in A.

use crate::record::Role;
use serde::Serialize;

use crate::stats::choice::{self, Choice};
use crate::stats::paired::{WalshAverages, log_ratios};
use crate::stats::verdict::INTERVAL_BLOCKS_MIN;

use super::cells::Own;
use super::pairing::{both_arms, label_of};
use crate::analysis::cells::Analysed;
use crate::analysis::families::ArmRows;
use crate::analysis::metrics::RESPONSE_P50;
use crate::analysis::summary::State;

/// The lowest median response of a family among the arms that both runs have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// In words.
    pub family: String,
    /// Label of the best arm in A and in B.
    pub best: [String; 2],
    /// In B, and in the same block: the best of A over the best of B. `None` if that is
    /// the same arm. B's best was found by the same blocks, so that this is rather too much.
    pub cost_ratio: Option<f64>,
    /// By A's best against each of the others, not against B's best alone.
    pub holds: Holds,
}

/// Whether A's advice is good in B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// The same arm has the lowest median: one would choose it again.
    Same,
    /// Another has, but no other is faster by more than δ, or by more than a quarter.
    AsGood,
    /// Some other is faster in B by more than δ.
    No,
    /// The same, from too few blocks for a verdict.
    MaybeNot,
    /// Neither could be shown.
    Inconclusive,
    /// Too few blocks, no placebo, or one that differs.
    Withheld,
}

impl Holds {
    /// In a table.
    pub fn words(self) -> &'static str {
        match self {
            Holds::Same => "yes: lowest in both",
            Holds::AsGood => "yes: as good, within δ",
            Holds::No => "no",
            Holds::MaybeNot => "no? (indication)",
            Holds::Inconclusive => "inconclusive",
            Holds::Withheld => "nothing is concluded",
        }
    }
}

impl From<Choice> for Holds {
    fn from(choice: Choice) -> Holds {
        match choice {
            Choice::AsGood => Holds::AsGood,
            Choice::Beaten => Holds::No,
            Choice::MaybeBeaten => Holds::MaybeNot,
            Choice::Inconclusive => Holds::Inconclusive,
            Choice::TooFewBlocks => Holds::Withheld,
        }
    }
}

/// Of each family of which both runs have at least two arms to choose from.
pub fn of(pairs: &[[&Analysed<'_>; 2]], delta_ratio: f64) -> Vec<Advice> {
    pairs.iter().filter_map(|pair| of_family(*pair, delta_ratio)).collect()
}

/// The blocks of an arm in A and in B.
struct Candidate {
    label: String,
    blocks: [Vec<Option<f64>>; 2],
}

impl Candidate {
    /// Whether both runs have enough blocks of it to say anything.
    fn is_known(&self) -> bool {
        self.blocks.iter().all(|blocks| blocks.iter().flatten().count() >= INTERVAL_BLOCKS_MIN)
    }
}

fn of_family(families: [&Analysed<'_>; 2], delta_ratio: f64) -> Option<Advice> {
    let candidates = candidates(families);
    if candidates.len() < 2 {
        return None;
    }
    let best = [best(&candidates, 0)?, best(&candidates, 1)?];
    let in_b = |place: usize| candidates[place].blocks[1].as_slice();
    let is_same = best[0] == best[1];
    let cost = (!is_same).then(|| log_ratio(in_b(best[0]), in_b(best[1]))).flatten();
    let holds = match may_conclude(families) && candidates[best[0]].is_known() {
        false => Holds::Withheld,
        true if is_same => Holds::Same,
        true => {
            let others = (0..candidates.len()).filter(|place| *place != best[0]);
            let others: Vec<&[Option<f64>]> = others.map(in_b).collect();
            let delta_log = delta_ratio.ln_1p();
            choice::judge(in_b(best[0]), &others, delta_log).into()
        }
    };
    Some(Advice {
        family: families[0].rows.title.clone(),
        best: best.map(|place| candidates[place].label.clone()),
        cost_ratio: cost.map(f64::exp),
        holds,
    })
}

fn log_ratio(blocks: &[Option<f64>], reference: &[Option<f64>]) -> Option<f64> {
    WalshAverages::of(&log_ratios(blocks, reference)).estimate()
}

/// Arms that are sound in both, the reference among them; not the placebo, which is the reference.
fn candidates(families: [&Analysed<'_>; 2]) -> Vec<Candidate> {
    let is_sound = |arm: &ArmRows<'_>| arm.state == State::Ok && arm.key.role() != Role::Placebo;
    let sound = both_arms(families).filter(|arms| arms.iter().all(|arm| is_sound(arm)));
    let candidates = sound.filter_map(|[a, b]| {
        let own = [Own::of(families[0], a, RESPONSE_P50)?, Own::of(families[1], b, RESPONSE_P50)?];
        let blocks = own.map(|own| own.blocks(own.arm));
        Some(Candidate { label: label_of(families, a), blocks })
    });
    candidates.collect()
}

/// The place of the one whose ratio to the first is the lowest.
fn best(candidates: &[Candidate], side: usize) -> Option<usize> {
    let reference = &candidates.first()?.blocks[side];
    let known = candidates.iter().enumerate().filter_map(|(place, candidate)| {
        Some((place, log_ratio(&candidate.blocks[side], reference)?))
    });
    let best = known.min_by(|a, b| a.1.total_cmp(&b.1));
    best.map(|(place, _)| place)
}

/// In both runs a placebo checks the family, and it does not differ.
fn may_conclude(families: [&Analysed<'_>; 2]) -> bool {
    families.iter().all(|family| {
        let response = family.results.iter().find(|result| result.metric.name == RESPONSE_P50);
        response.is_some_and(|response| response.is_checked && !response.is_grey)
    })
}
