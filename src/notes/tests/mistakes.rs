//! Every mistake in a file of claims has a place and a hint.

use super::*;

/// Reads the file with one piece of it replaced.
#[track_caller]
fn refused(from: &str, to: &str, expected: &str) {
    assert!(CLAIMS.contains(from), "{from}");
    let text = CLAIMS.replacen(from, to, 1);
    let error = check::parse(&text, "claims.toml").unwrap_err();
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
        (", size = \"s\"", "", "expected `size`"),
        ("payload_bytes = 64, ", "", "expected `payload_bytes`"),
        ("callers = \"2x\"", "callers = \"many\"", "`callers` is `many`"),
        (", callers = \"2x\"", "", "exactly one of `callers`"),
        (figure, "spawn = { family = \"nop\"", "did you mean `noop`"),
        ("runtime = \"rust\"", "runtime = \"rusty\"", "did you mean `rust`"),
        ("strategy = \"spawn\"", "strategy = \"spwan\"", "did you mean `spawn`"),
        ("\"response_p50_ns\"", "\"response_p51_ns\"", "did you mean `response_p50_ns`"),
        ("metric = \"creation_p50_ns\"", "fact = \"x\"", "unknown key `family`"),
        ("of = \"child\"", "of = \"aunt\"", "unknown part of a tree"),
        (figure, "spawn = { children = 3, family = \"noop\"", "unknown key `children`"),
        ("id = \"two\"", "id = \"ratio\"", "`ratio` is there twice"),
        ("figure = \"spawn\"", "figure = \"spwan\"", "did you mean `spawn`"),
        ("{ at_least = 1.03 }", "{ at_least = 1, at_most = 2 }", "expected one of { at_least"),
        ("{ from = 1.5e6, to = 2e6 }", "{ from = 3, to = 2 }", "`from` is the lower one"),
        ("{ at_most = 1.1 }", "{ at_most = 2 }", "expected the two apart"),
        ("confirms = \"It takes longer.\"\n", "", "needs `confirms` and `refutes`"),
        ("not_yet_measured = \"No workload does.\"", "", "expected exactly one of [[claim.test]]"),
        ("\"{spawn} that", "\"{spooon} that", "unknown figure `spooon`"),
        ("\"{spawn} that", "\"{spawn that", "without its `}`"),
        ("[\"spawn\", \"slower\"]", "[\"spawn\"]", "expected 2 in `words`, found 1"),
        ("cells = [\"\", ", "cells = [", "expected 2 in `cells`, found 1"),
        ("[\"ratio\", \"two\"]", "[\"ratios\"]", "did you mean `ratio`"),
        (
            "over = { strategy",
            "over = { over = { strategy = \"exec\" }, strategy",
            "unknown key `over`",
        ),
    ] {
        refused(from, to, expected);
    }
}
