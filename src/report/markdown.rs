//! `tables.md`: the tables of the terminal with every column.

use crate::notes::shim;
use crate::notes::{self, Answers};
use crate::record::Run;

use super::conclusions;
use super::memory;
use super::open::Section;
use super::table::{self, Extent, Table};
use super::{caveats, watched, words};
use crate::analysis::Analysis;
use crate::analysis::summary::{FamilySummary, Summary};

pub(super) fn render(analysis: &Analysis<'_>, answers: Option<&Answers>) -> String {
    let Analysis { run, summary, open, .. } = analysis;
    let mut out = format!("# {}\n\n", text(&run.manifest.experiment));
    for paragraph in [
        run.manifest.question.clone(),
        words::scope(run, summary),
        "↓ lower is better, ↑ higher is better. Medians over blocks. *response*: from the \
         intended start to the answer's arrival at the driver; *service*: all of \
         it that the server makes a caller wait for."
            .to_owned(),
        format!(
            "Ratios are to {} in the same block, with their 95 % intervals: below 1 is faster for \
             times, above 1 is faster for throughput.",
            run.manifest.reference
        ),
        conclusions::legend(summary).join(" "),
    ] {
        let escaped = if paragraph.contains("*response*") { paragraph } else { text(&paragraph) };
        out.push_str(&escaped);
        out.push_str("\n\n");
    }
    for note in watched::notes(run) {
        out.push_str(&format!("{}\n\n", text(&note)));
    }
    if let Some(answers) = answers {
        push_claims(&mut out, answers);
    }
    for section in open.sections(Extent::Full) {
        push_section(&mut out, &section);
    }
    for (family, caveats) in summary.families.iter().zip(caveats::of_families(analysis)) {
        push_family(&mut out, run, family, &caveats);
    }
    push_memory(&mut out, run, summary);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// A document's tables, and all of its claims.
fn push_claims(out: &mut String, answers: &Answers) {
    push_notes(out, &notes::section(answers), "##");
}

fn push_notes(out: &mut String, section: &shim::Section, depth: &str) {
    out.push_str(&format!("{depth} {}\n\n", text(&section.title)));
    for block in &section.blocks {
        match block {
            shim::Block::Text(words) | shim::Block::Note(words) => {
                out.push_str(&format!("{}\n\n", text(words)));
            }
            shim::Block::Table(_, table) => push_table(out, &table.at(shim::Extent::Full)),
        }
    }
    for line in &section.legend {
        out.push_str(&format!("{}\n\n", text(line)));
    }
    for part in &section.sections {
        push_notes(out, part, "###");
    }
}

fn push_family(out: &mut String, run: &Run, family: &FamilySummary, caveats: &[String]) {
    out.push_str(&format!(
        "## {}\n\n{}\n\n",
        text(&family.title),
        text(&words::family_scope(run, family))
    ));
    if let Some(placebo) = conclusions::of_placebo(family) {
        out.push_str(&format!("{}.\n\n", text(&placebo)));
    }
    for caveat in caveats {
        out.push_str(&format!("{}\n\n", text(caveat)));
    }
    push_table(out, &table::of_family(family, Extent::Full));
}

fn push_section(out: &mut String, section: &Section) {
    out.push_str(&format!("## {}\n\n{}\n\n", text(&section.title), text(&section.answer)));
    for (caption, table) in &section.tables {
        out.push_str(&format!("{}\n\n", text(caption)));
        push_table(out, table);
    }
    out.push_str(&format!("{}\n\n", text(&section.legend)));
}

/// Rows, then the notes on them.
fn push_table(out: &mut String, table: &Table) {
    push_rows(out, table);
    out.push('\n');
    for (i, note) in table.notes.iter().enumerate() {
        out.push_str(&format!("{}. {}\n", i + 1, text(note)));
    }
    if !table.notes.is_empty() {
        out.push('\n');
    }
}

fn push_memory(out: &mut String, run: &Run, summary: &Summary) {
    let memory = &summary.memory;
    for group in &memory.groups {
        let title = format!("memory · {}", group.title);
        let scope = memory::scope(group);
        out.push_str(&format!("## {}\n\n{}.\n\n", text(&title), text(&scope)));
        push_table(out, &memory::of_group(group, Extent::Full));
        if let Some(table) = memory::notes_table(group, Extent::Full) {
            out.push_str(&format!("{}.\n\n", text(memory::NOTES_SCOPE)));
            push_table(out, &table);
        }
    }
    if let Some(table) = memory::ballast(memory) {
        out.push_str(&format!("{}.\n\n", text(memory::BALLAST_SCOPE)));
        push_table(out, &table);
    }
    for sentence in memory::sizings(memory, run.manifest.memory_budget_bytes) {
        out.push_str(&format!("{}\n\n", text(&sentence)));
    }
}

fn push_rows(out: &mut String, table: &Table) {
    push_row(out, table.head.iter().map(|head| text(&head.text)));
    push_row(
        out,
        table.head.iter().map(|head| {
            let rule = if head.numeric { "---:" } else { "---" };
            rule.to_owned()
        }),
    );
    for row in &table.rows {
        push_row(out, row.iter().map(|cell| text(cell)));
    }
}

fn push_row(out: &mut String, cells: impl Iterator<Item = String>) {
    out.push('|');
    for cell in cells {
        out.push_str(&format!(" {cell} |"));
    }
    out.push('\n');
}

/// Text that Markdown shows as it is, in a table cell too.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '~' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_stays_in_its_cell_and_is_no_markup() {
        assert_eq!(super::text("a|b <script>\n*x*"), "a\\|b &lt;script> \\*x\\*");
    }
}
