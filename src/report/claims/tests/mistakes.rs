//! A file of claims that is wrong is refused with a place and a hint.

use super::*;

/// Reads the file with one piece of it replaced.
#[track_caller]
fn refused(from: &str, to: &str, expected: &str) {
    assert!(CLAIMS.contains(from), "{from}");
    let text = CLAIMS.replacen(from, to, 1);
    let error = read::parse(&text, "claims.toml").unwrap_err();
    assert!(error.line > 1 && error.column > 0, "{error}");
    let said = error.to_string();
    assert!(said.starts_with("claims.toml:") && said.contains(expected), "{said}");
}

#[test]
fn every_mistake_in_a_file_of_claims_has_a_place_and_a_hint() {
    let figure = "spawn = { family = \"noop\"";
    for (from, to, expected) in [
        ("section = \"s\"", "sektion = \"s\"", "did you mean `section`"),
        ("workload = \"noop\"", "workload = \"nop\"", "did you mean `noop`"),
        ("size = \"s\"", "size = \"xl\"", "unknown size"),
        (", size = \"s\"", "", "expected a `size`"),
        ("payload_bytes = 64, ", "", "expected `payload_bytes`"),
        ("callers = \"2x\"", "callers = \"many\"", "`callers` is `many`"),
        (", callers = \"2x\"", "", "exactly one of `callers`"),
        (figure, "spawn = { family = \"nop\"", "did you mean `noop`"),
        ("runtime = \"rust\"", "runtime = \"rusty\"", "did you mean `rust`"),
        ("strategy = \"spawn\"", "strategy = \"spwan\"", "did you mean `spawn`"),
        ("\"response_p50_ns\"", "\"response_p51_ns\"", "did you mean `response_p50_ns`"),
        ("metric = \"creation_p50_ns\"", "fact = \"x\"", "`family` says nothing here"),
        ("of = \"child\"", "of = \"aunt\"", "unknown part of a tree"),
        (figure, "spawn = { children = 3, family = \"noop\"", "`children` says nothing here"),
        (figure, "Spawn = { family = \"noop\"", "lower-case letters"),
        ("id = \"two\"", "id = \"ratio\"", "`ratio` is there twice"),
        ("figure = \"spawn\"", "figure = \"spwan\"", "did you mean `spawn`"),
        ("{ at_least = 1.03 }", "{ at_least = 1, at_most = 2 }", "expected one of { at_least"),
        ("{ from = 1.5e6, to = 2e6 }", "{ from = 3, to = 2 }", "the first is lower"),
        ("{ at_most = 1.1 }", "{ at_most = 2 }", "expected the two apart"),
        ("confirms = \"It takes longer.\"\n", "", "needs `confirms` and `refutes`"),
        ("not_yet_measured = \"No workload does.\"", "", "expected exactly one of [[claim.test]]"),
        ("\"{spawn} that", "\"{spooon} that", "unknown figure `spooon`"),
        ("\"{spawn} that", "\"{spawn that", "without its `}`"),
        ("[\"spawn\", \"slower\"]", "[\"spawn\"]", "1 words in a table of 2"),
        ("cells = [\"\", ", "cells = [", "1 measured cells in a table of 2"),
        ("[\"ratio\", \"two\"]", "[\"ratios\"]", "did you mean `ratio`"),
        (
            "over = { strategy",
            "over = { over = { strategy = \"exec\" }, strategy",
            "`over` says only",
        ),
    ] {
        refused(from, to, expected);
    }
}
