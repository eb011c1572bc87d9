//! The facts that a demonstration prints, one per line, as JSON. Pure.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::record::facts::TOOK_MS;

/// One line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "named as the columns of facts.csv")]
pub struct Fact {
    pub case: String,
    pub fact: String,
    pub value: Option<f64>,
    #[serde(default)]
    pub unit: String,
    #[serde(default)]
    pub text: String,
}

/// Longer texts are other output that got in between.
const TEXT_MAX_CHARS: usize = 300;
const NAME_MAX_CHARS: usize = 60;

/// The facts up to the first line that is none, and what is wrong with that line.
pub fn read(out: &[u8]) -> (Vec<Fact>, Option<String>) {
    let mut facts = Vec::new();
    let mut known = BTreeSet::new();
    for (number, line) in (1..).zip(out.split_inclusive(|&byte| byte == b'\n')) {
        match fact(line) {
            Ok(Fact { case, fact, .. }) if !known.insert((case.clone(), fact.clone())) => {
                let twice = format!("printed `{fact}` of `{case}` twice, again in line {number}");
                return (facts, Some(twice));
            }
            Ok(fact) => facts.push(fact),
            Err(reason) => {
                let start: String = String::from_utf8_lossy(line).chars().take(60).collect();
                let start = start.trim_end().escape_debug();
                let fault =
                    format!("printed an invalid fact in line {number}, `{start}`: {reason}");
                return (facts, Some(fault));
            }
        }
    }
    (facts, None)
}

fn fact(line: &[u8]) -> Result<Fact, String> {
    let line = line.strip_suffix(b"\n").ok_or("the line has no end")?;
    let fact: Fact = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let is_plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '/');
    for (what, name) in [("case", &fact.case), ("fact", &fact.fact)] {
        let fits = (1..=NAME_MAX_CHARS).contains(&name.chars().count());
        if !fits || !name.chars().all(is_plain) {
            return Err(format!(
                "expected `{what}` of lower-case letters, digits, `-`, `_` and `/`"
            ));
        }
    }
    if fact.fact == TOOK_MS {
        return Err("the driver alone records how long a demonstration takes".to_owned());
    }
    let is_long = |text: &str| text.chars().count() > TEXT_MAX_CHARS;
    if is_long(&fact.unit) || is_long(&fact.text) {
        return Err(format!("its text has more than {TEXT_MAX_CHARS} letters"));
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
        let (facts, fault) = read(out.as_bytes());
        let fault = fault.unwrap_or_default();
        assert_eq!(facts.len(), expected_facts, "{out}: {fault}");
        assert_eq!(fault.is_empty(), expected_fault.is_empty(), "{out}: {fault}");
        assert!(fault.contains(expected_fault), "{out}: {fault}");
    }

    const GOOD: &str = "{\"case\":\"process/abort\",\"fact\":\"main_survives\",\"value\":1}\n";

    #[test]
    fn line_is_a_fact_or_an_error_with_its_reason() {
        check("", 0, "");
        check(GOOD, 1, "");
        let full = r#"{"case":"exec","fact":"error","value":1,"unit":"","text":"ERR_X"}"#;
        check(&format!("{GOOD}{full}\n"), 2, "");
        check(&format!("{GOOD}{GOOD}"), 1, "twice, again in line 2");
        check(GOOD.trim_end(), 0, "the line has no end");
        check(&format!("{GOOD}Done.\n{GOOD}"), 1, "in line 2, `Done.`");
        for (line, fault) in [
            (r#"{"case":"a","fact":"b"}"#, "neither a value nor a text"),
            (r#"{"case":"","fact":"b","value":1}"#, "expected `case` of"),
            (r#"{"case":"a","fact":"B c","value":1}"#, "expected `fact` of"),
            (r#"{"case":"a","fact":"took_ms","value":1}"#, "the driver alone"),
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
        fn read_never_panics(out in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&out);
        }
    }
}
