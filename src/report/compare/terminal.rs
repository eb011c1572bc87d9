//! Two runs as text for a terminal. Plain characters, no escape sequences.

use super::super::table::{Extent, Table};
use super::super::terminal::{extent, push_table, push_wrapped};
use super::{Compared, tables, words};

pub(super) fn render(compared: &Compared, width: usize) -> String {
    let mut out = String::new();
    let [a, b] = &compared.run_ids;
    let experiment = &compared.experiment;
    push_wrapped(&mut out, &format!("{experiment}: A is {a}, B is {b}."), width, "");
    if let Some(alarm) = compared.alarm() {
        push_wrapped(&mut out, &format!("!!! {alarm}"), width, "!!! ");
    }
    for sentence in words::summary(compared) {
        push_wrapped(&mut out, &sentence, width, "  ");
    }
    push_titled(
        &mut out,
        "What differs besides the numbers",
        &tables::differing(&compared.differs),
        width,
    );
    if !compared.also_differs.is_empty() {
        let names = compared.also_differs.iter().map(|one| one.what.as_str());
        let names: Vec<&str> = names.collect();
        push_wrapped(&mut out, &format!("also: {}", names.join(", ")), width, "  ");
    }
    let counts = tables::counts(compared, extent(width));
    push_titled(&mut out, "Cells by what may be said of them", &counts, width);
    push_groups(&mut out, compared, width);
    if !compared.advice.is_empty() {
        let advice = tables::advice(&compared.advice);
        push_titled(&mut out, "Lowest median response", &advice, width);
        push_wrapped(&mut out, words::ADVICE_TEST, width, "  ");
    }
    let missing = tables::missing(compared);
    if !missing.is_empty() {
        out.push_str("\nNot compared\n");
        for line in missing {
            push_wrapped(&mut out, &line, width, "  ");
        }
    }
    out.push('\n');
    for line in legend(compared) {
        push_wrapped(&mut out, &line, width, "  ");
    }
    out
}

fn push_titled(out: &mut String, title: &str, table: &Table, width: usize) {
    out.push('\n');
    push_wrapped(out, title, width, "  ");
    push_table(out, table, width);
}

fn push_groups(out: &mut String, compared: &Compared, width: usize) {
    let extent: Extent = extent(width);
    for (place, group) in compared.groups.iter().enumerate() {
        let table = tables::of_group(compared, place, extent);
        if table.rows.is_empty() {
            continue;
        }
        push_titled(out, &group.title, &table, width);
        for note in &group.notes {
            push_wrapped(out, note, width, "  ");
        }
    }
}

fn legend(compared: &Compared) -> Vec<String> {
    let reference = &compared.reference;
    let mut lines = vec![format!(
        "{}: the blocks of the one against those of the other, with the 95 % interval of their \
         ratio; {}: the ratio to {reference} in the same block, in B over that in A. p50 and p99 are of the response; below 1 is faster, of requests/s above 1.",
        tables::ABSOLUTE,
        tables::RELATIVE
    )];
    lines.extend(words::legend(compared));
    lines.push(words::LIMIT.to_owned());
    lines
}
