//! `claims.csv`: what became of the claims of a document, a row for each figure that decides.

use crate::record::columns::CLAIMS;

use super::super::claims::{Judged, JudgedTest, Pairing};
use super::{Row, csv, float, level};

/// The whole file.
pub(in crate::report) fn claims(run_id: &str, judged: &[Judged]) -> String {
    let rows: Vec<Row> = judged
        .iter()
        .flat_map(|judged| {
            let tests = (1..).zip(&judged.tests);
            let rows: Vec<Row> =
                tests.map(|(number, test)| row(run_id, judged, number, Some(test))).collect();
            match rows.is_empty() {
                true => vec![row(run_id, judged, 0, None)],
                false => rows,
            }
        })
        .collect();
    csv(&CLAIMS, &rows)
}

fn row(run_id: &str, judged: &Judged, number: u32, test: Option<&JudgedTest>) -> Row {
    let text = |get: fn(&JudgedTest) -> &str| test.map_or("", get).to_owned();
    let measured = test.and_then(|test| test.measured.as_ref());
    let interval = measured.and_then(|measured| measured.interval);
    let source = measured.map(|measured| &measured.source);
    vec![
        ("run_id", run_id.to_owned()),
        ("claim_id", judged.id.clone()),
        ("test", number.to_string()),
        ("section", judged.section.clone()),
        ("place", judged.place.clone()),
        ("words", judged.words.clone()),
        ("verdict", judged.verdict.name().to_owned()),
        ("strength", strength(judged).to_owned()),
        ("condition", text(|test| &test.on)),
        ("outcome", text(|test| test.outcome.name())),
        (
            "reason",
            match test {
                Some(test) => test.reason.clone(),
                None => judged.said.clone(),
            },
        ),
        ("figure", text(|test| &test.figure)),
        ("figure_is", text(|test| &test.describes)),
        ("runtime", text(|test| &test.runtime)),
        ("estimate", float(measured.map(|measured| measured.estimate))),
        ("ci_low", float(interval.map(|interval| interval.low))),
        ("ci_high", float(interval.map(|interval| interval.high))),
        ("ci_level", level(interval)),
        ("unit", measured.map_or_else(String::new, |measured| measured.unit.name().to_owned())),
        ("n_blocks", measured.map_or(0, |measured| measured.n_blocks).to_string()),
        ("confirmed_when", text(|test| &test.confirmed_when)),
        ("refuted_when", text(|test| &test.refuted_when)),
        ("source", source.map_or_else(String::new, |source| source.file.to_owned())),
        ("source_rows", source.map_or_else(String::new, |source| source.rows.clone())),
        ("source_rows_over", source.map_or_else(String::new, |source| source.over.clone())),
        ("pairing", source.and_then(|source| source.pairing).map_or("", Pairing::name).to_owned()),
        ("confirms", judged.confirms.clone()),
        ("refutes", judged.refutes.clone()),
    ]
}

/// What a verdict is worth; nothing of what is not decided.
fn strength(judged: &Judged) -> &'static str {
    match (judged.is_decided(), judged.is_indication) {
        (false, _) => "",
        (true, true) => "indication",
        (true, false) => "verdict",
    }
}
