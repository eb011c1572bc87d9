//! A run as text for a terminal: one table per family. Plain characters, no escape sequences.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as Grid, TableStyle,
};

use crate::notes::shim::{self, Block};
use crate::notes::{self, Answers};
use crate::record::Run;

use super::conclusions;
use super::doubts;
use super::memory;
use super::open::Section;
use super::table::{self, Extent, Head, Table};
use super::{caveats, watched, words};
use crate::analysis::Analysis;
use crate::analysis::summary::{FamilySummary, Summary};

/// Below this the table leaves columns out.
const WIDE: usize = 112;

const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

pub(super) fn render(analysis: &Analysis<'_>, answers: Option<&Answers>, width: usize) -> String {
    let Analysis { run, summary, open, .. } = analysis;
    let mut out = String::new();
    push_wrapped(&mut out, &words::scope(run, summary), width, "");
    if let Some(broken) = doubts::laws(run) {
        push_wrapped(&mut out, &broken, width, "  ");
    }
    for note in watched::notes(run) {
        push_wrapped(&mut out, &note, width, "");
    }
    if let Some(answers) = answers {
        out.push('\n');
        push_claims(&mut out, answers, width);
    }
    for section in open.sections(extent(width)) {
        out.push('\n');
        push_section(&mut out, &section, width);
    }
    for (family, caveats) in summary.families.iter().zip(caveats::of_families(analysis)) {
        out.push('\n');
        push_family(&mut out, run, family, &caveats, width);
    }
    push_memory(&mut out, run, summary, width);
    out.push('\n');
    for line in legend(run, summary) {
        push_wrapped(&mut out, &line, width, "  ");
    }
    out
}

/// How many claims came out how, and those that did; the figures are in the files.
fn push_claims(out: &mut String, answers: &Answers, width: usize) {
    for block in &notes::section(answers).blocks {
        match block {
            Block::Text(words) | Block::Note(words) => push_wrapped(out, words, width, "  "),
            Block::Table(_, table) if table.rows_in_terminal == Some(0) => {}
            Block::Table(_, table) => push_table(out, &table.at(shim::Extent::Narrow), width),
        }
    }
    let more = "The notes' tables with figures are in tables.md, every figure with its interval in \
                claims.csv.";
    push_wrapped(out, more, width, "  ");
}

fn push_family(
    out: &mut String,
    run: &Run,
    family: &FamilySummary,
    caveats: &[String],
    width: usize,
) {
    push_wrapped(out, &family.title, width, "  ");
    push_wrapped(out, &words::family_scope(run, family), width, "  ");
    if let Some(placebo) = conclusions::of_placebo(family) {
        push_wrapped(out, &placebo, width, "  ");
    }
    for caveat in caveats {
        push_wrapped(out, caveat, width, "  ");
    }
    push_table(out, &table::of_family(family, extent(width)), width);
}

fn push_section(out: &mut String, section: &Section, width: usize) {
    push_wrapped(out, &section.title, width, "  ");
    push_wrapped(out, &section.answer, width, "  ");
    for (caption, table) in &section.tables {
        out.push('\n');
        push_wrapped(out, caption, width, "  ");
        push_table(out, table, width);
    }
    push_wrapped(out, &section.legend, width, "  ");
}

pub(super) fn extent(width: usize) -> Extent {
    if width >= WIDE { Extent::Wide } else { Extent::Narrow }
}

pub(super) fn push_table(out: &mut String, table: &Table, width: usize) {
    for line in grid(table, width).lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for (i, note) in table.notes.iter().enumerate() {
        push_wrapped(out, &format!("[{}] {note}", i + 1), width, "    ");
    }
}

/// What memory trials say: a table per group, the notes' table where it was measured, and how
/// large a pool fits.
fn push_memory(out: &mut String, run: &Run, summary: &Summary, width: usize) {
    let memory = &summary.memory;
    // The others are in the table of ballast.
    for group in memory.groups.iter().filter(|group| group.is_plain()) {
        out.push('\n');
        push_wrapped(out, &format!("memory · {}", group.title), width, "  ");
        push_wrapped(out, &memory::scope(group), width, "  ");
        push_table(out, &memory::of_group(group, extent(width)), width);
        if let Some(table) = memory::notes_table(group, extent(width)) {
            out.push('\n');
            push_wrapped(out, memory::NOTES_SCOPE, width, "  ");
            push_table(out, &table, width);
        }
    }
    if let Some(table) = memory::ballast(memory) {
        out.push('\n');
        push_wrapped(out, memory::BALLAST_SCOPE, width, "  ");
        push_table(out, &table, width);
    }
    for sentence in memory::sizings(memory, run.manifest.memory_budget_bytes) {
        out.push('\n');
        push_wrapped(out, &sentence, width, "  ");
    }
}

fn grid(table: &Table, width: usize) -> Grid {
    let mut grid = Grid::new();
    grid.load_style(STYLE)
        // Nothing wraps unless the table would be wider than the terminal.
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(table.head.iter().map(|head| two_lines(&head.text)));
    for row in &table.rows {
        grid.add_row(row.iter().map(|cell| cell.text.as_str()));
    }
    let keeps_numbers = numbers_width(table) + NAMES_WIDTH_MIN <= width;
    for (i, head) in table.head.iter().enumerate() {
        if let Some(column) = grid.column_mut(i) {
            if keeps_numbers && is_number(head) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            // A sign stands close to its number.
            let is_before_sign = table.head.get(i + 1).is_some_and(|next| next.text.is_empty());
            column.set_padding((0, u16::from(!is_before_sign)));
            if head.numeric {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    grid
}

/// Names wrap before numbers do, as long as there is room for the longest word of them.
const NAMES_WIDTH_MIN: usize = 14;

/// A sign belongs to its number.
fn is_number(head: &Head) -> bool {
    head.numeric || head.text.is_empty()
}

/// What the columns of numbers take, unbroken.
fn numbers_width(table: &Table) -> usize {
    let columns = table.head.iter().enumerate().filter(|(_, head)| is_number(head));
    let widest = |(i, head): (usize, &Head)| {
        let cells = table.rows.iter().filter_map(|row| Some(row.get(i)?.chars().count()));
        let heads = two_lines(&head.text);
        let heads = heads.lines().map(|line| line.chars().count());
        cells.chain(heads).max().unwrap_or(0) + 2
    };
    columns.map(widest).sum()
}

/// Broken at the space nearest the middle, so that heads are not wider than their cells.
fn two_lines(head: &str) -> String {
    match head.split_once('/') {
        Some((above, below)) => format!("{above}\n/{below}"),
        None => {
            let middle = head.len() as f64 / 2.0;
            let from_middle = |place: &usize| (2.0 * (*place as f64 - middle)).abs() as usize;
            let spaces = head.match_indices(' ').map(|(place, _)| place);
            match spaces.min_by_key(from_middle) {
                Some(place) => format!("{}\n{}", &head[..place], &head[place + 1..]),
                None => head.to_owned(),
            }
        }
    }
}

fn legend(run: &Run, summary: &Summary) -> Vec<String> {
    let reference = &run.manifest.reference;
    if summary.families.is_empty() && !summary.memory.groups.is_empty() {
        return vec![format!("{}: not measured.", table::NONE)];
    }
    let mut lines = vec![format!(
        "ratio: p50 over that of {reference} in the same block, with its 95 % interval; below \
             1 is faster than {reference}."
    )];
    lines.extend(conclusions::legend(summary));
    lines.extend([
        format!(
            "placebo: {reference} a second time under another name; where the two differ, nothing is \
             concluded."
        ),
        "response: from the intended start to the answer's arrival at the driver; service: \
         all of it that the server makes a caller wait for; ↓ lower is better, ↑ higher is better; medians over blocks."
            .to_owned(),
        format!("{}: not measured, or not comparable.", table::NONE),
    ]);
    lines
}

/// Appends the text in lines of at most `width` characters; later lines begin with `indent`.
pub(super) fn push_wrapped(out: &mut String, text: &str, width: usize, indent: &str) {
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push('\n');
            out.push_str(indent);
            used = indent.chars().count();
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
}
