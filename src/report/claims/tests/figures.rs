//! Figures are the numbers of the files that they name, and tables show them.

use std::collections::BTreeMap;

use super::*;
use crate::record::columns::{CLAIMS as COLUMNS, Kind, Presence};
use crate::report::notes::{self, NotesTable};
use crate::report::{derived, sample};

/// A line of a file by column.
type Line = BTreeMap<String, String>;

fn lines(text: &str) -> Vec<Line> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn answers() -> Answers {
    answers_of(&run(), claims())
}

#[test]
fn a_figure_is_the_one_row_of_the_file_that_it_names() {
    let rendered = sample::render(&run());
    let files = [
        ("cells.csv", lines(&rendered.cells_csv), "estimate ci_low ci_high"),
        ("comparisons.csv", lines(&rendered.comparisons_csv), "ratio ratio_ci_low ratio_ci_high"),
        (
            "fits.csv",
            lines(&rendered.fits_csv),
            "slope_bytes slope_ci_low_bytes slope_ci_high_bytes",
        ),
    ];
    let mut text = CLAIMS.to_owned();
    // A figure of each kind, and children by one.
    text = text.replace(", children = 10 }\nrss", " }\nrss").replace(
        "[figure]",
        "[figure]\nown = { family = \"noop\", runtime = \"rust\", strategy = \"spawn\", metric = \
         \"service_p90_ns\" }",
    );
    let answers = answers_of(&run(), read::parse(&text, "claims.toml").unwrap());
    let mut found = Vec::new();
    for measured in answers.figures.iter().flatten() {
        let source = &measured.source;
        let Some((file, rows, columns)) = files.iter().find(|f| f.0 == source.file) else {
            continue;
        };
        let keys: Vec<(&str, &str)> =
            source.rows.split(", ").map(|pair| pair.split_once('=').unwrap()).collect();
        let is_it = |line: &&Line| keys.iter().all(|(name, value)| line[*name] == *value);
        let own: Vec<&Line> = rows.iter().filter(is_it).collect();
        assert_eq!(own.len(), 1, "{source:?}");
        let interval = measured.interval.unwrap();
        let numbers = [measured.estimate, interval.low, interval.high];
        for (name, number) in columns.split(' ').zip(numbers) {
            assert_eq!(own[0][name], number.to_string(), "{source:?}");
        }
        assert_eq!(own[0]["n_blocks"], measured.n_blocks.to_string());
        found.push(*file);
    }
    found.dedup();
    assert_eq!(found, ["cells.csv", "comparisons.csv", "fits.csv"]);
}

#[test]
fn values_of_two_families_are_paired_by_the_pass() {
    let text = CLAIMS.replace(
        "metric = \"response_p50_ns\", over = { strategy = \"blocking\" } }\nsum-spawn",
        "metric = \"response_p50_ns\", over = { family = \"sum\", runtime = \"node\" } }\nsum-spawn",
    );
    let claims = || read::parse(&text, "claims.toml").unwrap();
    let mut data = run();
    // A block's own pace is no part of the ratio.
    for row in &mut data.trials {
        scale(row, f64::from(row.block));
    }
    let paired = answers_of(&data, claims()).figures[0].clone().unwrap();
    assert_eq!(paired.source.pairing, Some(measured::Pairing::Pass));
    assert_eq!(paired.source.file, "trials.csv");
    assert!(paired.source.over.contains("random-sum-s-node-closed4"));
    let plain = answers_of(&run(), claims()).figures[0].clone().unwrap();
    assert!((paired.estimate / plain.estimate - 1.0).abs() < 1e-4);
    assert_eq!(paired.n_blocks, 6);
    // Blocks that only one of the two has are no pairs.
    data.trials.retain(|row| row.runtime != "node" || row.block > 3);
    data.trials.retain(|row| row.runtime == "node" || row.block <= 3);
    let none = answers_of(&data, claims()).figures[0].clone().unwrap_err();
    assert!(none.reason.contains("no block has both"), "{none}");
}

#[test]
fn times_are_not_divided_by_rates() {
    let text = CLAIMS.replace(
        "over = { strategy = \"blocking\" } }\nsum-spawn",
        "over = { metric = \"throughput_per_s\" } }\nsum-spawn",
    );
    let answers = answers_of(&run(), read::parse(&text, "claims.toml").unwrap());
    let missing = answers.figures[0].clone().unwrap_err();
    assert_eq!(missing.reason, "ns cannot be divided by 1/s");
}

#[test]
fn the_file_of_claims_is_as_it_is_described() {
    let answers = answers();
    let text = derived::claims("sample", &answers.judged);
    let header: Vec<&str> = COLUMNS.columns.iter().map(|column| column.name).collect();
    assert_eq!(text.lines().next().unwrap(), header.join(","));
    let lines = lines(&text);
    // Two claims have two figures, two have none and a row all the same.
    assert_eq!(lines.len(), answers.judged.len() + 2);
    let mut keys = std::collections::BTreeSet::new();
    for line in &lines {
        assert!(keys.insert((line["claim_id"].clone(), line["test"].clone())));
        for column in COLUMNS.columns {
            let cell = line[column.name].as_str();
            let fits = match column.kind {
                _ if cell.is_empty() => column.presence == Presence::Optional,
                Kind::Word(words) => words.contains(&cell),
                Kind::Integer => cell.parse::<u64>().is_ok(),
                Kind::Number | Kind::Signed => cell.parse::<f64>().is_ok_and(f64::is_finite),
                Kind::Text | Kind::Utc => true,
            };
            assert!(fits, "`{}` is `{cell}`", column.name);
        }
    }
    let Some(Kind::Word(words)) = COLUMNS.column("verdict").map(|column| column.kind) else {
        panic!("a verdict is a word")
    };
    assert_eq!(words, Verdict::ALL.map(Verdict::name));
}

#[test]
fn a_table_has_the_notes_words_with_figures_and_verdicts_behind_them() {
    let answers = answers();
    let [table] = notes::tables(&answers).try_into().unwrap_or_else(|_| panic!("one table"));
    let NotesTable { rows, notes, .. } = &table;
    assert_eq!(rows[0].cells[..2], ["spawn".to_owned(), "slower".to_owned()]);
    let ratio = answers.figures[0].clone().unwrap().estimate;
    let expected = format!("{} that of <blocking>", crate::report::human::ratio(ratio));
    assert_eq!(rows[0].cells[2], expected);
    assert!(rows[0].cells[3].ends_with("survives: yes said in 6"), "{rows:?}");
    assert_eq!(rows[1].cells[2..], ["".to_owned(), "yes of 0".to_owned()]);
    let chips: Vec<(&str, &str)> = rows
        .iter()
        .flat_map(|row| &row.chips)
        .map(|chip| (chip.text.as_str(), chip.class.as_str()))
        .collect();
    let confirmed = ("confirmed (indication)", "verdict-confirmed");
    let opinion = ("not a matter of measurement", "verdict-not-a-matter-of-measurement");
    assert_eq!(chips, [confirmed, confirmed, opinion]);
    assert!(notes.is_empty());
    // Without its data a cell has a note.
    let mut data = run();
    data.facts.clear();
    let [table] = notes::tables(&answers_of(&data, claims()))
        .try_into()
        .unwrap_or_else(|_| panic!("one table"));
    assert_eq!(table.rows[1].cells[3], "– [1] of – [1]");
    assert_eq!(table.notes, ["not shown in this run"]);
    // A number in doubt is shown, and its note says why nothing follows from it.
    let mut data = run();
    data.trials.retain(|row| row.role != "placebo");
    let [table] = notes::tables(&answers_of(&data, claims()))
        .try_into()
        .unwrap_or_else(|_| panic!("one table"));
    assert_eq!(
        table.rows[0].cells[2],
        format!("{} [1] that of <blocking>", crate::report::human::ratio(ratio))
    );
    assert!(table.notes[0].contains("no placebo"), "{:?}", table.notes);
}

#[test]
fn only_a_run_with_claims_has_answers_in_its_report() {
    let mut data = run();
    let without = sample::render(&data);
    assert!(without.claims_csv.is_none());
    assert!(
        !without.html.contains("id=\"notes\"") && !without.tables_md.contains("What the notes")
    );
    data.manifest.claims = Some("notes".to_owned());
    let with = sample::render(&data);
    assert!(with.claims_csv.is_some_and(|text| text.contains("takeaway-8")));
    assert!(with.html.contains("<h2 id=\"notes\">"));
    assert!(with.tables_md.contains("## What the notes say"));
    assert!(crate::report::terminal(&data, 80).contains("claims of «Node.js"));
    // A name that this program does not know is one of a later one.
    data.manifest.claims = Some("others".to_owned());
    assert!(sample::render(&data).claims_csv.is_none());
}
