//! A document as Markdown: `tables.md`, the tables with every column.

use super::document::{Block, Document, Item, Section};
use super::table::Table;

/// Without charts, which are files of their own, and without what only a page has room for.
pub fn render(document: &Document) -> String {
    let mut out = format!("# {}\n\n{}\n\n", text(&document.title), text(&document.subject));
    for sentence in document.alarm.iter().chain(&document.lead) {
        push(&mut out, sentence);
    }
    document.sections.iter().for_each(|section| push_section(&mut out, section, 2));
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn push_section(out: &mut String, section: &Section, depth: usize) {
    if !section.has_text() {
        return;
    }
    out.push_str(&format!("{} {}\n\n", "#".repeat(depth), text(&section.title)));
    for block in &section.blocks {
        match block {
            Block::Text(paragraph) | Block::Note(paragraph) | Block::Code(paragraph) => {
                push(out, paragraph);
            }
            Block::List(items) => push_items(out, items),
            Block::Table(_, table) => push_table(out, table),
            Block::Folded(name, table) => {
                push(out, name);
                push_table(out, table);
            }
            Block::Chart(_) => {}
        }
    }
    section.legend.iter().for_each(|line| push(out, line));
    section.sections.iter().for_each(|part| push_section(out, part, depth + 1));
}

fn push_items(out: &mut String, items: &[Item]) {
    for item in items {
        let lead = match (item.lead.as_str(), &item.href) {
            ("", _) => String::new(),
            (lead, Some(href)) => format!("[{}]({href}): ", text(lead)),
            (lead, None) => format!("**{}**: ", text(lead)),
        };
        out.push_str(&format!("- {lead}{}\n", text(&item.text)));
    }
    out.push('\n');
}

/// A paragraph.
fn push(out: &mut String, paragraph: &str) {
    out.push_str(&format!("{}\n\n", text(paragraph)));
}

/// Rows, then the notes on them.
fn push_table(out: &mut String, table: &Table) {
    push_row(out, table.head.iter().map(|head| text(&head.text)));
    let rule = |is_numeric: bool| if is_numeric { "---:" } else { "---" }.to_owned();
    push_row(out, table.head.iter().map(|head| rule(head.numeric)));
    for row in &table.rows {
        push_row(out, row.iter().map(|cell| text(&cell.whole())));
    }
    out.push('\n');
    for (number, note) in (1..).zip(&table.notes) {
        out.push_str(&format!("{number}. {}\n", text(note)));
    }
    if !table.notes.is_empty() {
        out.push('\n');
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
