//! Conclusions: all cells of a view are one table, and adjusted for each other.

use crate::record::Role;
use serde::Serialize;

use crate::stats::across::{self, Pair};
use crate::stats::verdict::{Conclusion, Reason, Verdict};

use super::cells::{Cell, Said, View};

/// Judges both views, each as one table.
pub fn judge(cells: &mut [Cell]) {
    judge_view(cells.iter_mut().map(|cell| &mut cell.absolute));
    judge_view(cells.iter_mut().filter_map(|cell| cell.relative.as_mut()));
    grey_out(cells);
}

fn judge_view<'c>(views: impl Iterator<Item = &'c mut View>) {
    let mut views: Vec<&mut View> = views.filter(|view| matches!(view, View::Pair(_))).collect();
    let pair = |view: &&mut View| match &**view {
        View::Pair(pair) => Some(pair.clone()),
        View::Judged(_) | View::Refused(_) => None,
    };
    let pairs: Vec<Pair> = views.iter().filter_map(pair).collect();
    for (view, across) in views.iter_mut().zip(across::judge(&pairs)) {
        **view = View::Judged(across);
    }
}

/// Where the placebo differs from the reference, in a run or from one run to the other, its cause
/// may have moved the others.
fn grey_out(cells: &mut [Cell]) {
    let differs = |cell: &&Cell| {
        let across = cell.relative.as_ref().and_then(View::across);
        cell.role == Role::Placebo && across.is_some_and(|across| across.conclusion.is_difference())
    };
    let grey: Vec<(usize, &'static str)> =
        cells.iter().filter(differs).map(|cell| (cell.group, cell.metric.name)).collect();
    for cell in cells {
        cell.is_grey |= grey.contains(&(cell.group, cell.metric.name));
        // What the placebo itself says relative to the reference is why.
        let relative = cell.relative.as_mut().filter(|_| cell.role != Role::Placebo);
        for view in [Some(&mut cell.absolute), relative].into_iter().flatten() {
            if let View::Judged(across) = view
                && cell.is_grey
            {
                across.grey_out();
            }
        }
    }
}

/// Whether two runs, each by itself, say the same of an arm against the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// They do.
    Same,
    /// One says faster, the other slower.
    Opposite,
    /// One says that there is a difference, the other that there is none.
    Different,
    /// At least one of them does not say.
    Open,
}

impl Agreement {
    /// As in the files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Agreement::Same => "same",
            Agreement::Opposite => "opposite",
            Agreement::Different => "different",
            Agreement::Open => "open",
        }
    }

    /// Of what the two say.
    pub fn of(said: &[Said; 2]) -> Agreement {
        let verdict = |said: &Said| match said.conclusion {
            Conclusion::Verdict(verdict) | Conclusion::Indication(verdict) => Some(verdict),
            Conclusion::Withheld(_) => None,
        };
        let known = |said| verdict(said).filter(|verdict| *verdict != Verdict::Inconclusive);
        match (known(&said[0]), known(&said[1])) {
            (Some(a), Some(b)) if a == b => Agreement::Same,
            (Some(a), Some(b)) if a.is_difference() && b.is_difference() => Agreement::Opposite,
            (Some(_), Some(_)) => Agreement::Different,
            (None, _) | (_, None) => Agreement::Open,
        }
    }
}

/// How many cells of a view say what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    pub faster: usize,
    pub slower: usize,
    pub equivalent: usize,
    pub inconclusive: usize,
    /// Of the four: those that are indications and no verdicts.
    pub indications: usize,
    /// Numbers, of which nothing may be concluded: too few blocks.
    pub too_few_blocks: usize,
    /// The same, because of the placebo.
    pub withheld: usize,
    /// No numbers.
    pub not_compared: usize,
}

impl Counts {
    /// B against A. The placebo is not counted.
    pub fn absolute(cells: &[Cell]) -> Counts {
        Counts::of(cells, |cell| Some(&cell.absolute))
    }

    /// The same of ratios to the reference.
    pub fn relative(cells: &[Cell]) -> Counts {
        Counts::of(cells, |cell| cell.relative.as_ref())
    }

    fn of(cells: &[Cell], view: fn(&Cell) -> Option<&View>) -> Counts {
        let mut counts = Counts::default();
        for view in cells.iter().filter(|cell| cell.role != Role::Placebo).filter_map(view) {
            let conclusion = view.across().map(|across| across.conclusion);
            counts.indications +=
                usize::from(matches!(conclusion, Some(Conclusion::Indication(_))));
            *match conclusion {
                Some(Conclusion::Verdict(verdict) | Conclusion::Indication(verdict)) => {
                    match verdict {
                        Verdict::Faster => &mut counts.faster,
                        Verdict::Slower => &mut counts.slower,
                        Verdict::Equivalent => &mut counts.equivalent,
                        Verdict::Inconclusive => &mut counts.inconclusive,
                    }
                }
                Some(Conclusion::Withheld(Reason::TooFewBlocks)) => &mut counts.too_few_blocks,
                Some(Conclusion::Withheld(_)) => &mut counts.withheld,
                None => &mut counts.not_compared,
            } += 1;
        }
        counts
    }

    /// Cells with a conclusion, inconclusive ones among them.
    pub fn concluded(self) -> usize {
        self.faster + self.slower + self.equivalent + self.inconclusive
    }

    /// All cells.
    pub fn total(self) -> usize {
        self.concluded() + self.too_few_blocks + self.withheld + self.not_compared
    }
}
