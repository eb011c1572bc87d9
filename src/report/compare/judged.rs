//! From drafts to what may be said: all cells of a view are one table, and adjusted for each other.

use serde::Serialize;

use crate::stats::across::{Across, Pair, judge};
use crate::stats::verdict::{Conclusion, Reason, Verdict};

use super::{Cell, Compared, Draft, Refusal, Said};

/// Judges both views, each as one table.
pub(super) fn judged(drafts: Vec<Draft>) -> Vec<Cell<Across>> {
    let absolute = view(&drafts, |draft| Some(&draft.absolute));
    let relative = view(&drafts, |draft| draft.relative.as_ref());
    let mut cells: Vec<Cell<Across>> = Vec::new();
    for (draft, (absolute, relative)) in drafts.into_iter().zip(absolute.into_iter().zip(relative))
    {
        // Every draft has an absolute view.
        let Some(absolute) = absolute else { continue };
        cells.push(Cell {
            absolute,
            relative,
            group: draft.group,
            arm: draft.arm,
            metric: draft.metric,
            values: draft.values,
            delta_ratio: draft.delta_ratio,
            said: draft.said,
            is_grey: draft.is_grey,
        });
    }
    grey_out(&mut cells);
    cells
}

type View<V> = Result<V, Refusal>;

/// What came of each draft that has this view.
fn view(drafts: &[Draft], of: impl Fn(&Draft) -> Option<&View<Pair>>) -> Vec<Option<View<Across>>> {
    let pairs: Vec<Pair> =
        drafts.iter().filter_map(|draft| of(draft)?.as_ref().ok()).cloned().collect();
    let mut judged = judge(&pairs).into_iter();
    drafts
        .iter()
        .map(|draft| match of(draft)? {
            Ok(_) => judged.next().map(Ok),
            Err(refusal) => Some(Err(refusal.clone())),
        })
        .collect()
}

/// Where the placebo differs from the reference that it is, in a run or from one run to the other,
/// whatever moved it may have moved the others.
fn grey_out(cells: &mut [Cell<Across>]) {
    let is_placebo = |cell: &Cell<Across>| cell.arm.role == "placebo";
    let differs = |cell: &&Cell<Across>| {
        let relative = cell.relative.as_ref().and_then(|view| view.as_ref().ok());
        is_placebo(cell) && relative.is_some_and(|across| across.conclusion.is_difference())
    };
    let grey: Vec<(usize, &'static str)> =
        cells.iter().filter(differs).map(|cell| (cell.group, cell.metric.name)).collect();
    for cell in cells {
        cell.is_grey |= grey.contains(&(cell.group, cell.metric.name));
        if !cell.is_grey {
            continue;
        }
        if let Ok(across) = &mut cell.absolute {
            across.grey_out();
        }
        match &mut cell.relative {
            // What it says is why.
            Some(Ok(across)) if cell.arm.role != "placebo" => across.grey_out(),
            _ => {}
        }
    }
}

/// Whether two runs, each by itself, say the same of an arm against the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Agreement {
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
    pub(super) fn name(self) -> &'static str {
        match self {
            Agreement::Same => "same",
            Agreement::Opposite => "opposite",
            Agreement::Different => "different",
            Agreement::Open => "open",
        }
    }

    pub(super) fn of(said: &[Said; 2]) -> Agreement {
        let verdict = |said: &Said| match said.conclusion {
            Conclusion::Verdict(verdict) | Conclusion::Indication(verdict) => Some(verdict),
            Conclusion::Withheld(_) => None,
        };
        match (verdict(&said[0]), verdict(&said[1])) {
            (None | Some(Verdict::Inconclusive), _) | (_, None | Some(Verdict::Inconclusive)) => {
                Agreement::Open
            }
            (Some(a), Some(b)) if a == b => Agreement::Same,
            (Some(a), Some(b)) if a.is_difference() && b.is_difference() => Agreement::Opposite,
            _ => Agreement::Different,
        }
    }
}

/// How many cells of a view say what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Counts {
    pub(super) faster: usize,
    pub(super) slower: usize,
    pub(super) equivalent: usize,
    pub(super) inconclusive: usize,
    /// Of the four: those that are indications and no verdicts.
    pub(super) indications: usize,
    /// Numbers, of which nothing may be concluded: too few blocks.
    pub(super) too_few_blocks: usize,
    /// The same, because of the placebo.
    pub(super) withheld: usize,
    /// No numbers.
    pub(super) not_compared: usize,
}

impl Counts {
    /// B against A.
    pub(super) fn absolute(compared: &Compared) -> Counts {
        let cells = compared.cells.iter().filter(|cell| cell.arm.role != "placebo");
        Counts::of(cells.map(|cell| &cell.absolute))
    }

    /// The same of ratios to the reference.
    pub(super) fn relative(compared: &Compared) -> Counts {
        let cells = compared.cells.iter().filter(|cell| cell.arm.role != "placebo");
        Counts::of(cells.filter_map(|cell| cell.relative.as_ref()))
    }

    fn of<'c>(views: impl Iterator<Item = &'c View<Across>>) -> Counts {
        let mut counts = Counts::default();
        for view in views {
            let conclusion = view.as_ref().map(|across| across.conclusion);
            counts.indications += usize::from(matches!(conclusion, Ok(Conclusion::Indication(_))));
            *match conclusion {
                Ok(Conclusion::Verdict(verdict) | Conclusion::Indication(verdict)) => match verdict
                {
                    Verdict::Faster => &mut counts.faster,
                    Verdict::Slower => &mut counts.slower,
                    Verdict::Equivalent => &mut counts.equivalent,
                    Verdict::Inconclusive => &mut counts.inconclusive,
                },
                Ok(Conclusion::Withheld(Reason::TooFewBlocks)) => &mut counts.too_few_blocks,
                Ok(Conclusion::Withheld(_)) => &mut counts.withheld,
                Err(_) => &mut counts.not_compared,
            } += 1;
        }
        counts
    }

    /// Cells that say something, be it that nothing could be shown.
    pub(super) fn concluded(self) -> usize {
        self.faster + self.slower + self.equivalent + self.inconclusive
    }

    /// All cells.
    pub(super) fn total(self) -> usize {
        self.concluded() + self.too_few_blocks + self.withheld + self.not_compared
    }
}
