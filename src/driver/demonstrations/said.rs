//! What a demonstration prints: a fact per line, as JSON. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;

/// One line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fact {
    pub(super) case: String,
    pub(super) fact: String,
    pub(super) value: Option<f64>,
    #[serde(default)]
    pub(super) unit: String,
    #[serde(default)]
    pub(super) text: String,
}

/// Longer texts are no facts but output that got in between.
const TEXT_MAX_CHARS: usize = 300;
const NAME_MAX_CHARS: usize = 60;

/// The facts up to the first line that is none, and what was wrong with that one.
pub(super) fn facts(out: &[u8]) -> (Vec<Fact>, Option<String>) {
    let mut facts = Vec::new();
    let mut known = BTreeSet::new();
    for (number, line) in (1..).zip(out.split_inclusive(|&byte| byte == b'\n')) {
        match fact(line) {
            Ok(fact) if !known.insert((fact.case.clone(), fact.fact.clone())) => {
                let twice = format!(
                    "said `{}` of `{}` twice, in line {number} again",
                    fact.fact, fact.case
                );
                return (facts, Some(twice));
            }
            Ok(fact) => facts.push(fact),
            Err(reason) => {
                let start: String = String::from_utf8_lossy(line).chars().take(60).collect();
                let start = start.trim_end().escape_debug();
                let fault = format!("said `{start}` in line {number}, which is no fact: {reason}");
                return (facts, Some(fault));
            }
        }
    }
    (facts, None)
}

fn fact(line: &[u8]) -> Result<Fact, String> {
    let line = line.strip_suffix(b"\n").ok_or("it has no end")?;
    let fact: Fact = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let is_plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '/');
    for (what, name) in [("case", &fact.case), ("fact", &fact.fact)] {
        let fits = (1..=NAME_MAX_CHARS).contains(&name.chars().count());
        if !fits || !name.chars().all(is_plain) {
            return Err(format!(
                "`{what}` is to be of lower-case letters, digits, `-`, `_` and `/`"
            ));
        }
    }
    if fact.fact == crate::record::facts::TOOK_MS {
        return Err("how long it takes is the driver's to say".to_owned());
    }
    let is_long = |text: &str| text.chars().count() > TEXT_MAX_CHARS;
    if is_long(&fact.unit) || is_long(&fact.text) {
        return Err(format!("it has more than {TEXT_MAX_CHARS} letters"));
    }
    if fact.value.is_none() && fact.text.is_empty() {
        return Err("it has neither a value nor a text".to_owned());
    }
    Ok(fact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(out: &str, expected_facts: usize, expected_fault: &str) {
        let (facts, fault) = facts(out.as_bytes());
        let fault = fault.unwrap_or_default();
        assert_eq!(facts.len(), expected_facts, "{out}: {fault}");
        assert_eq!(fault.is_empty(), expected_fault.is_empty(), "{out}: {fault}");
        assert!(fault.contains(expected_fault), "{out}: {fault}");
    }

    const GOOD: &str = "{\"case\":\"process/abort\",\"fact\":\"main_survives\",\"value\":1}\n";

    #[test]
    fn a_line_is_a_fact_or_says_why_it_is_none() {
        check("", 0, "");
        check(GOOD, 1, "");
        let full = r#"{"case":"exec","fact":"error","value":1,"unit":"","text":"ERR_X"}"#;
        check(&format!("{GOOD}{full}\n"), 2, "");
        check(&format!("{GOOD}{GOOD}"), 1, "twice, in line 2 again");
        check(GOOD.trim_end(), 0, "it has no end");
        check(&format!("{GOOD}Done.\n{GOOD}"), 1, "`Done.` in line 2");
        for (line, fault) in [
            (r#"{"case":"a","fact":"b"}"#, "neither a value nor a text"),
            (r#"{"case":"","fact":"b","value":1}"#, "`case` is to be"),
            (r#"{"case":"a","fact":"B c","value":1}"#, "`fact` is to be"),
            (r#"{"case":"a","fact":"took_ms","value":1}"#, "the driver's"),
            (r#"{"case":"a","fact":"b","value":NaN}"#, "expected value"),
            (r#"{"case":"a","fact":"b","value":1e999}"#, "out of range"),
            (r#"{"case":"a","fact":"b","value":"1"}"#, "invalid type"),
            (r#"{"case":"a","fact":"b","valu":1}"#, "unknown field"),
        ] {
            check(&format!("{line}\n"), 0, fault);
        }
        let long = "x".repeat(TEXT_MAX_CHARS + 1);
        let line = format!("{{\"case\":\"a\",\"fact\":\"b\",\"value\":1,\"text\":\"{long}\"}}\n");
        check(&line, 0, "more than 300 letters");
    }

    proptest! {
        #[test]
        fn no_output_is_a_panic(out in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = facts(&out);
        }
    }
}
