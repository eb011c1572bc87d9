//! The tables of two runs, once for terminal and page.

use crate::stats::across::Across;

use super::super::conclusions;
use super::super::human;
use super::super::table::{Extent, Head, NONE, Table};
use super::advice::Advice;
use super::differs::Differing;
use super::judged::{Agreement, Counts};
use super::matched::{Left, Only};
use super::{Cell, Compared, Refusal, Side, words};

/// The view in which the blocks of the two runs are compared.
pub(super) const ABSOLUTE: &str = "ratio, B over A";

/// The view in which their ratios to the reference are.
pub(super) const RELATIVE: &str = "relative ratio";

/// What differs.
pub(super) fn differing(differs: &[Differing]) -> Table {
    let head = ["what", "A", "B"].map(|text| Head::new(text, false));
    let row = |one: &Differing| vec![one.what.clone(), one.a.clone(), one.b.clone()];
    Table::new(head.into(), differs.iter().map(row))
}

/// How many cells say what.
pub(super) fn counts(compared: &Compared, extent: Extent) -> Table {
    let mut head = vec![Head::new("", false)];
    let narrow = extent == Extent::Narrow;
    let columns = match narrow {
        true => ["better", "worse", "equiv.", "inconcl.", "few", "held", "none"],
        false => [
            "better in B",
            "worse in B",
            "equivalent",
            "inconclusive",
            "too few blocks",
            "withheld",
            "no number",
        ],
    };
    head.extend(columns.map(|text| Head::new(text, true)));
    let row = |name: String, counts: Counts| -> Vec<String> {
        let numbers = [
            counts.faster,
            counts.slower,
            counts.equivalent,
            counts.inconclusive,
            counts.too_few_blocks,
            counts.withheld,
            counts.not_compared,
        ];
        let cells = numbers.map(|n| n.to_string());
        std::iter::once(name).chain(cells).collect()
    };
    let relative = Counts::relative(compared);
    let mut rows: Vec<Vec<String>> = vec![row(ABSOLUTE.into(), Counts::absolute(compared))];
    if relative.total() > 0 {
        rows.push(row(RELATIVE.into(), relative));
    }
    Table::new(head, rows)
}

/// Whether the best of A is the best of B.
pub(super) fn advice(all: &[Advice]) -> Table {
    let head = [
        ("family", false),
        ("best in A", false),
        ("best in B", false),
        ("ratio of A's best to B's, in B", true),
        ("does A's advice hold in B?", false),
    ];
    let cost = |advice: &Advice| advice.cost_ratio.map_or("1".to_owned(), human::number);
    let row = |advice: &Advice| {
        let [a, b] = advice.best.clone();
        let family = advice.family.clone();
        vec![family, a, b, cost(advice), advice.holds.words().to_owned()]
    };
    let head = head.map(|(text, numeric)| Head::new(text, numeric));
    Table::new(head.into(), all.iter().map(row))
}

/// One family or group of memory trials; cells without a number in either run are left out, those
/// of one that has them are notes.
pub(super) fn of_group(compared: &Compared, group: usize, extent: Extent) -> Table {
    let cells: Vec<&Cell<Across>> = compared.of_group(group).filter(|c| is_shown(c)).collect();
    let has_relative = cells.iter().any(|cell| cell.relative.is_some());
    let columns = Columns { extent, has_relative };
    let mut notes = Vec::new();
    let mut rows = Vec::new();
    let mut above: Option<&Cell<Across>> = None;
    for cell in cells {
        let is_new = above.is_none_or(|above| above.arm != cell.arm);
        rows.push(columns.row(cell, is_new, &mut notes));
        above = Some(cell);
    }
    Table { notes, ..Table::new(columns.head(), rows) }
}

/// A quantile that neither run has is nothing to read.
fn is_shown(cell: &Cell<Across>) -> bool {
    let is_missing = matches!(cell.absolute, Err(Refusal::NoValue(_)));
    !is_missing || cell.values.iter().any(Option::is_some)
}

struct Columns {
    extent: Extent,
    has_relative: bool,
}

impl Columns {
    fn is_terminal(&self) -> bool {
        self.extent < Extent::Page
    }

    fn has_values(&self) -> bool {
        self.extent > Extent::Narrow
    }

    fn head(&self) -> Vec<Head> {
        let mut head = vec![Head::new("strategy", false), Head::new("metric", false)];
        if self.has_values() {
            head.extend(["A", "B"].map(|text| Head::new(text, true)));
        }
        let mut ratio = |text: &str| {
            head.push(Head::new(text, true));
            if self.is_terminal() {
                head.push(Head::new("", false));
            }
        };
        ratio(ABSOLUTE);
        if self.has_relative {
            ratio(RELATIVE);
        }
        if self.has_relative && self.has_values() {
            if !self.is_terminal() {
                head.extend(["ratio in A", "ratio in B"].map(|text| Head::new(text, true)));
            }
            head.push(Head::new("A and B say", false));
        }
        head
    }

    fn row(&self, cell: &Cell<Across>, is_new: bool, notes: &mut Vec<String>) -> Vec<String> {
        let name = match is_new || !self.is_terminal() {
            false => String::new(),
            true => cell.arm.label.clone(),
        };
        let mut cells = vec![name, self.metric(cell)];
        if self.has_values() {
            let shown = |value: &Option<super::Value>| {
                value.map_or(NONE.to_owned(), |v| words::value(cell.metric, v.estimate))
            };
            cells.extend(cell.values.iter().map(shown));
        }
        self.push(&mut cells, cell, Some(&cell.absolute), notes);
        if self.has_relative {
            self.push(&mut cells, cell, cell.relative.as_ref(), notes);
        }
        if self.has_relative && self.has_values() {
            if !self.is_terminal() {
                let said = |side: usize| {
                    let said = cell.said.map(|said| words::said(&said[side]));
                    said.unwrap_or_else(|| NONE.to_owned())
                };
                cells.extend([said(0), said(1)]);
            }
            let agreement = cell.said.map(|said| Agreement::of(&said).name());
            cells.push(agreement.unwrap_or_default().to_owned());
        }
        cells
    }

    /// Short where there is little room.
    fn metric(&self, cell: &Cell<Across>) -> String {
        let word = cell.metric.word;
        if self.is_terminal() {
            word.trim_start_matches("response ").to_owned()
        } else {
            word.to_owned()
        }
    }

    /// A ratio with its sign, in one cell or in two.
    fn push(
        &self,
        cells: &mut Vec<String>,
        cell: &Cell<Across>,
        view: Option<&Result<Across, Refusal>>,
        notes: &mut Vec<String>,
    ) {
        let (numbers, sign) = match view {
            None => (String::new(), String::new()),
            Some(Ok(across)) => match words::ratio(across) {
                None => (NONE.to_owned(), String::new()),
                Some(ratio) => {
                    (conclusions::numbers(&ratio), words::sign(cell.metric, &ratio).to_owned())
                }
            },
            Some(Err(refusal)) => (note(cell, refusal, notes), String::new()),
        };
        if self.is_terminal() {
            cells.extend([numbers, sign]);
        } else {
            cells.push(format!("{numbers} {sign}").trim_end().to_owned());
        }
    }
}

/// The mark of the note that says why there is no number; one note for all metrics of an arm that
/// failed.
fn note(cell: &Cell<Across>, refusal: &Refusal, notes: &mut Vec<String>) -> String {
    let what = match refusal {
        Refusal::NoValue(_) => format!("{}, {}", cell.arm.label, cell.metric.word),
        _ => cell.arm.label.clone(),
    };
    let text = format!("{what}: {}", refusal.words());
    let place = notes.iter().position(|known| *known == text);
    let place = place.unwrap_or_else(|| {
        notes.push(text);
        notes.len() - 1
    });
    format!("{NONE} [{}]", place + 1)
}

/// What only one has, and what is not compared, in lines.
pub(super) fn missing(compared: &Compared) -> Vec<String> {
    let mut lines = Vec::new();
    for side in Side::BOTH {
        let only = compared.only.iter().filter(|only| only.side == side);
        lines.extend(only.map(of_only));
    }
    let reasons = |left: &Left| format!("{}: {}", left.name, left.reason);
    lines.extend(compared.left.iter().map(reasons));
    if !compared.hint.is_empty() {
        lines.push(format!("{}.", compared.hint));
    }
    if !compared.unchecked.is_empty() {
        lines.push(format!("{}.", compared.unchecked));
    }
    lines
}

fn of_only(only: &Only) -> String {
    let side = only.side.letter();
    match only.families.as_slice() {
        [] => format!("only in {side}: {}", only.name),
        [family] => format!("only in {side}: {} in {family}", only.name),
        families => format!("only in {side}: {} in {}", only.name, human::families(families.len())),
    }
}
