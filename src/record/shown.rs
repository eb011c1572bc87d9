//! Texts of other programs, made safe to show: bounded, and without characters that a terminal
//! obeys.

use std::borrow::Cow;
use std::fmt::Write;

/// Characters of a reason; the last words of a failing program are seldom longer.
pub const MAX_CHARACTERS: usize = 500;

/// A sentence of at most [`MAX_CHARACTERS`]. A longer one is cut and ends with its length.
pub fn bounded(text: &str) -> Cow<'_, str> {
    bounded_to(text, MAX_CHARACTERS)
}

/// The same with another limit.
pub fn bounded_to(text: &str, characters: usize) -> Cow<'_, str> {
    if text.len() <= characters || is_cut(text, characters) {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(characters) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}… ({} bytes)", &text[..end], text.len())),
    }
}

/// Whether it has been cut to this limit before: it is not cut a second time.
fn is_cut(text: &str, characters: usize) -> bool {
    let Some((before, bytes)) = text.rsplit_once("… (") else {
        return false;
    };
    let number = bytes.strip_suffix(" bytes)").unwrap_or_default();
    number.parse::<u64>().is_ok() && number.len() < 20 && before.chars().count() <= characters
}

/// A text as a cell holds it: bounded, on one line, escaped.
pub fn sentence(text: &str) -> Cow<'_, str> {
    match on_a_line(text) {
        Cow::Borrowed(text) => bounded(text),
        Cow::Owned(text) => Cow::Owned(bounded(&text).into_owned()),
    }
}

/// The text with each character that a terminal obeys escaped, as `\u001b`; line ends stay. Inside a
/// string of JSON the escape means the same character.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_obeyed(c) {
            true => {
                // A string takes any text.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The same for a text that must stay on its line.
pub fn on_a_line(text: &str) -> Cow<'_, str> {
    match text.contains('\n') {
        true => Cow::Owned(escaped(&text.replace('\n', "\\n")).into_owned()),
        false => escaped(text),
    }
}

/// Control characters, and those that turn the direction of the following text.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_reason_is_cut_at_a_character_and_ends_with_its_length() {
        let long = "ü".repeat(2_000_000);
        let cut = bounded(&long).into_owned();
        assert_eq!(cut, format!("{}… (4000000 bytes)", "ü".repeat(500)));
        assert_eq!(bounded(&cut), cut);
        assert_eq!(bounded("short"), "short");
        assert_eq!(bounded(&"ü".repeat(500)), "ü".repeat(500));
    }

    #[test]
    fn control_characters_are_escaped() {
        let evil = "\u{1b}]0;title\u{7} a\u{9b}31m\r\nb\u{202e}c\u{7f}";
        let expected = "\\u001b]0;title\\u0007 a\\u009b31m\\u000d\nb\\u202ec\\u007f";
        assert_eq!(escaped(evil), expected);
        assert_eq!(on_a_line("a\nb\u{1b}"), "a\\nb\\u001b");
        assert_eq!(escaped("größer → ok\n"), "größer → ok\n");
    }

    proptest! {
        #[test]
        fn any_text_is_shown_bounded_and_without_control(text in "\\PC{0,50}|(?s).{0,1200}") {
            let shown = on_a_line(&text).into_owned();
            prop_assert!(!shown.contains(char::is_control));
            let cut = sentence(&text).into_owned();
            prop_assert_eq!(sentence(&cut).into_owned(), cut.clone());
            prop_assert!(cut.chars().count() <= MAX_CHARACTERS + 40);
            prop_assert_eq!(bounded(&cut).into_owned(), cut.clone());
        }

        #[test]
        fn escaped_json_is_the_same_json(text in "(?s).{0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&escaped(&json)).unwrap(), text);
        }
    }
}
