//! The fixed prose of all documents, which is in `texts.txt`: what columns, signs and methods mean.

use super::document::Item;

const TEXTS: &str = include_str!("texts.txt");

/// The lines of a part, with names in braces replaced.
///
/// # Panics
/// If there is no such part; a test renders every document.
pub fn lines(part: &str, values: &[(&str, &str)]) -> Vec<String> {
    let head = format!("[{part}]");
    let lines = TEXTS.lines().skip_while(|line| *line != head).skip(1);
    let lines: Vec<String> = lines
        .take_while(|line| !line.is_empty())
        .map(|line| {
            values.iter().fold(line.to_owned(), |line, (name, value)| {
                line.replace(&format!("{{{name}}}"), value)
            })
        })
        .collect();
    assert!(!lines.is_empty(), "no part {head} in texts.txt");
    lines
}

/// A part of one line.
pub fn text(part: &str, values: &[(&str, &str)]) -> String {
    lines(part, values).concat()
}

/// A part whose lines are such as `Blocks: all strategies run once per block.`
pub fn items(part: &str, values: &[(&str, &str)]) -> Vec<Item> {
    let lines = lines(part, values);
    let items = lines.iter().filter_map(|line| line.split_once(": "));
    items.map(|(lead, text)| Item::new(lead, text)).collect()
}
