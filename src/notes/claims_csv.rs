//! `claims.csv`: every claim with its verdict, a row for each figure that decides it.

use super::judge::{Judged, JudgedTest};
use super::measure::Pairing;
use crate::stats::Level;

/// The whole file.
pub fn claims(run_id: &str, judged: &[Judged]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut put = |cells: &[&str]| writer.write_record(cells).expect("memory takes any text");
    let mut is_first = true;
    for judged in judged {
        let tests = (1..).zip(judged.tests.iter().map(Some));
        let without = judged.tests.is_empty().then_some((0, None));
        for (number, test) in tests.chain(without) {
            let row = row(run_id, judged, number, test);
            if std::mem::take(&mut is_first) {
                put(&row.each_ref().map(|(column, _)| *column));
            }
            // Every row is one line.
            let cells = row.map(|(_, cell)| cell.replace(['\n', '\r'], " "));
            put(&cells.each_ref().map(String::as_str));
        }
    }
    let bytes = writer.into_inner().expect("memory takes any text");
    String::from_utf8(bytes).expect("made of texts")
}

fn row(
    run_id: &str,
    judged: &Judged,
    number: u32,
    test: Option<&JudgedTest>,
) -> [(&'static str, String); 28] {
    let claim = &judged.claim;
    let text = |get: fn(&JudgedTest) -> &str| test.map_or("", get).to_owned();
    let float = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    // A test that is missing its figure has the empty cells of none.
    let measured = test.and_then(|test| test.measured.clone());
    let interval = measured.as_ref().and_then(|measured| measured.interval);
    let estimate = measured.as_ref().map(|measured| measured.estimate);
    let measured = measured.unwrap_or_default();
    let strength = match (judged.verdict.is_decided(), judged.is_indication) {
        (false, _) => "",
        (true, true) => "indication",
        (true, false) => "verdict",
    };
    [
        ("run_id", run_id.to_owned()),
        ("claim_id", claim.id.get_ref().clone()),
        ("test", number.to_string()),
        ("section", claim.section.clone()),
        ("place", claim.place.clone()),
        ("words", claim.words.clone()),
        ("verdict", judged.verdict.name().to_owned()),
        ("strength", strength.to_owned()),
        ("condition", text(|test| &test.on)),
        ("outcome", text(|test| test.outcome.name())),
        ("reason", test.map_or(&judged.said, |test| &test.reason).clone()),
        ("figure", text(|test| &test.figure)),
        ("figure_is", text(|test| &test.describes)),
        ("runtime", text(|test| &test.runtime)),
        ("estimate", float(estimate)),
        ("ci_low", float(interval.map(|interval| interval.low))),
        ("ci_high", float(interval.map(|interval| interval.high))),
        ("ci_level", float(interval.map(|_| Level::P95.coverage()))),
        ("unit", measured.unit),
        ("n_blocks", measured.n_blocks.to_string()),
        ("confirmed_when", text(|test| &test.confirmed_when)),
        ("refuted_when", text(|test| &test.refuted_when)),
        ("source", measured.source.file.to_owned()),
        ("source_rows", measured.source.rows),
        ("source_rows_over", measured.source.over),
        ("pairing", measured.source.pairing.map_or("", Pairing::name).to_owned()),
        ("confirms", claim.confirms.clone()),
        ("refutes", claim.refutes.clone()),
    ]
}
