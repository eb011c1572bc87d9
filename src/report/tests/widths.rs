//! How terminals lay out tables, on a document that was made for it.

use super::super::document::{Document, Section};
use super::super::table::{Cell, Head, Table};
use super::super::{markdown, terminal};
use crate::report::table::Extent;

const LABELS: [&str; 4] =
    ["blocking", "blocking (placebo)", "thread-pool workers=2", "prefork-pool workers=2 [1]"];

/// Two ratios with intervals and signs, columns for wide terminals, words at the end.
fn document() -> Document {
    let mut head = vec![Head::new("strategy", false)];
    head.extend(["response ratio ↓", "service ratio ↓"].map(|text| Head::new(text, true)));
    let wide = ["response p90 ↓", "service p50 ↓", "requests/s ↑"];
    head.extend(wide.map(|text| Head::new(text, true).from(Extent::Wide)));
    head.push(Head::new("outcomes", false).from(Extent::Wide));
    head.push(Head::new("reap", true).from(Extent::Full));
    let ratio = |text: &str| Cell { sign: "slower?", ..Cell::new(text.to_owned(), Some(18.3)) };
    let rows = LABELS.map(|label| {
        let mut row =
            vec![Cell::from(label), ratio("18.3 [17.9, 19.0]"), ratio("1.02 [0.99, 1.06]")];
        let numbers = ["77.9 µs", "29.2 µs", "69.3k"];
        row.extend(numbers.map(|text| Cell::new(text.to_owned(), Some(1.0))));
        row.extend([Cell::from("24 000 ok, 110 unanswered"), Cell::from("7.5")]);
        row
    });
    let mut table = Table::new(head, rows);
    table.notes.push("prefork-pool: flawed".to_owned());
    let section = Section::new("one", "One family").table("results", table);
    Document { title: "Why?".to_owned(), sections: vec![section], ..Document::default() }
}

#[test]
fn rows_break_in_no_interval_and_labels_in_no_word() {
    for width in [80, 100, 120] {
        let text = terminal::render(&document(), width);
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        for interval in ["18.3 [17.9, 19.0] slower?", "1.02 [0.99, 1.06] slower?"] {
            assert_eq!(text.matches(interval).count(), LABELS.len(), "{width}: {text}");
        }
        for word in LABELS.iter().flat_map(|label| label.split(' ')) {
            assert!(text.contains(word), "{width}: {word}: {text}");
        }
        assert!(!text.contains("reap"), "{text}");
    }
}

#[test]
fn labels_are_whole_where_there_is_room() {
    for width in [100, 120, 200] {
        let text = terminal::render(&document(), width);
        for label in LABELS {
            assert!(text.contains(label), "{width}: {label}: {text}");
        }
    }
    assert!(terminal::render(&document(), 200).contains("24 000 ok, 110 unanswered"));
}

#[test]
fn file_has_every_column() {
    let text = markdown::render(&document());
    assert!(text.contains("| reap |") && text.contains("18.3 [17.9, 19.0] slower?"), "{text}");
}
