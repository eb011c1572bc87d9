//! Figures are numbers of the files that they name, and tables show them.

use std::collections::BTreeMap;

use super::measure::Pairing;
use super::*;
use crate::analysis::Analysis;
use crate::record::columns::{CLAIMS as COLUMNS, Kind, Presence};
use crate::report::document::{Block, Section};
use crate::report::table::{Cell, Table, Tone};
use crate::report::{format, sample};

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
fn figure_is_the_one_row_of_the_file_that_it_names() {
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
    let answers = answers_of(&run(), check::parse(&text, "claims.toml").unwrap());
    let mut found = BTreeSet::new();
    for measured in answers.figures.values().flatten() {
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
        found.insert(*file);
    }
    assert_eq!(found, BTreeSet::from(["cells.csv", "comparisons.csv", "fits.csv"]));
}

#[test]
fn values_of_two_families_are_paired_by_the_pass() {
    let text = CLAIMS.replace(
        "metric = \"response_p50_ns\", over = { strategy = \"blocking\" } }\nsum-spawn",
        "metric = \"response_p50_ns\", over = { family = \"sum\", runtime = \"node\" } }\nsum-spawn",
    );
    let claims = || check::parse(&text, "claims.toml").unwrap();
    let mut data = run();
    // A block's own pace is no part of the ratio.
    for row in &mut data.trials {
        scale(row, f64::from(row.block));
    }
    let paired = answers_of(&data, claims()).figures["spawn"].clone().unwrap();
    assert_eq!(paired.source.pairing, Some(Pairing::Pass));
    assert_eq!(paired.source.file, "trials.csv");
    assert!(paired.source.over.contains("random-sum-s-node-closed4"));
    let plain = answers_of(&run(), claims()).figures["spawn"].clone().unwrap();
    assert!((paired.estimate / plain.estimate - 1.0).abs() < 1e-4);
    assert_eq!(paired.n_blocks, 6);
    // Blocks that only one of the two has are no pairs.
    data.trials.retain(|row| row.runtime != "node" || row.block > 3);
    data.trials.retain(|row| row.runtime == "node" || row.block <= 3);
    let none = answers_of(&data, claims()).figures["spawn"].clone().unwrap_err();
    assert!(none.reason.contains("no block has both"), "{none}");
}

#[test]
fn times_are_not_divided_by_rates() {
    let text = CLAIMS.replace(
        "over = { strategy = \"blocking\" } }\nsum-spawn",
        "over = { metric = \"throughput_per_s\" } }\nsum-spawn",
    );
    let answers = answers_of(&run(), check::parse(&text, "claims.toml").unwrap());
    let missing = answers.figures["spawn"].clone().unwrap_err();
    assert_eq!(missing.reason, "ns cannot be divided by 1/s");
}

#[test]
fn claims_csv_has_the_columns_that_are_described() {
    let answers = answers();
    let text = answers.csv("sample");
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

/// The only table of a section.
fn table_of(section: &Section) -> Table {
    let tables: Vec<&Table> = section
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Table(_, table) => Some(table),
            _ => None,
        })
        .collect();
    assert_eq!(tables.len(), 1, "{section:?}");
    tables[0].clone()
}

/// The document's only table in a report on this run.
fn document_table(run: &Run) -> Table {
    let section = tables::section(&answers_of(run, claims()));
    assert_eq!(section.sections.len(), 1);
    assert_eq!(section.sections[0].id, "notes-table");
    table_of(&section.sections[0])
}

fn texts(cells: &[Cell]) -> Vec<&str> {
    cells.iter().map(|cell| cell.text.as_str()).collect()
}

#[test]
fn document_table_has_verdicts_and_figures_behind_the_notes_words() {
    let table = document_table(&run());
    let heads: Vec<&str> = table.head.iter().map(|head| head.text.as_str()).collect();
    assert_eq!(heads, ["What", "Says", "verdict", "is", "was"]);
    let ratio = format::ratio(answers().figures["spawn"].clone().unwrap().estimate);
    let first = texts(&table.rows[0]);
    assert_eq!(first[..2], ["spawn", "slower"]);
    assert_eq!(first[2], "ratio: confirmed (indication), two: confirmed (indication)");
    assert_eq!(first[3], format!("{ratio} that of <blocking>"));
    assert!(first[4].ends_with("survives: yes said in 6"), "{first:?}");
    let second = texts(&table.rows[1]);
    assert_eq!(second[2..], ["opinion: not a matter of measurement", "", "yes of 0"]);
    let tones: Vec<Tone> = table.rows.iter().map(|row| row[2].tone).collect();
    assert_eq!(tones, [Tone::Good, Tone::Plain]);
    assert_eq!(table.notes, [""; 0]);
}

#[test]
fn cell_without_a_figure_or_with_a_doubtful_one_has_a_note() {
    let mut data = run();
    data.facts.clear();
    let table = document_table(&data);
    assert_eq!(table.rows[1][4].text, "– [1] of – [1]");
    assert_eq!(table.notes, ["not shown in this run"]);
    let ratio = format::ratio(answers().figures["spawn"].clone().unwrap().estimate);
    let mut data = run();
    data.trials.retain(|row| row.role != Role::Placebo);
    let table = document_table(&data);
    assert_eq!(table.rows[0][3].text, format!("{ratio} [1] that of <blocking>"));
    assert!(table.notes[0].contains("few blocks have a placebo"), "{:?}", table.notes);
}

#[test]
fn table_of_claims_shows_decided_ones_first_and_a_terminal_no_others() {
    let mut data = run();
    for row in data.facts.iter_mut().filter(|row| row.fact == "others_lost") {
        row.value = Some(3.0);
    }
    let table = table_of(&tables::section(&answers_of(&data, claims())));
    let shown: Vec<Vec<&str>> = table.rows.iter().map(|row| texts(&row[..2])).collect();
    assert_eq!(shown[0], ["fact", "refuted (indication)"]);
    assert_eq!(table.rows[0][1].tone, Tone::Bad);
    assert_eq!(shown[1], ["ratio", "confirmed (indication)"]);
    let open = [["later", "not yet measured"], ["opinion", "not a matter of measurement"]];
    assert_eq!(shown[shown.len() - 2..], open);
    assert_eq!(table.rows_in_terminal, Some(shown.len() - 2));
}

#[test]
fn tone_is_mixed_unless_all_verdicts_agree() {
    for (verdicts, expected) in [
        (&[][..], Tone::Plain),
        (&[Verdict::NotDecided, Verdict::NotYetMeasured], Tone::Plain),
        (&[Verdict::Confirmed], Tone::Good),
        (&[Verdict::Refuted, Verdict::Refuted], Tone::Bad),
        (&[Verdict::Confirmed, Verdict::Refuted], Tone::Mixed),
        (&[Verdict::Confirmed, Verdict::NotDecided], Tone::Mixed),
        (&[Verdict::Depends], Tone::Mixed),
    ] {
        assert_eq!(tables::tone(verdicts), expected, "{verdicts:?}");
    }
}

#[test]
fn tally_counts_none_one_and_many() {
    let of = |verdicts: &[(Verdict, bool)]| {
        let blank = judged(&run(), "ratio");
        let all = verdicts.iter().map(|(verdict, is_indication)| Judged {
            verdict: *verdict,
            is_indication: *is_indication,
            ..blank.clone()
        });
        words::tally("Notes", &all.collect::<Vec<_>>())
    };
    let (confirmed, depends) = (Verdict::Confirmed, Verdict::Depends);
    assert_eq!(of(&[]), "0 claims of «Notes».");
    assert_eq!(of(&[(depends, false)]), "1 claim of «Notes»: 1 depends on conditions.");
    assert_eq!(
        of(&[(depends, false), (depends, false), (confirmed, false)]),
        "3 claims of «Notes»: 1 confirmed, 2 depend on conditions."
    );
    assert_eq!(
        of(&[(confirmed, true), (confirmed, false)]),
        "2 claims of «Notes»: 2 confirmed. 1 verdict is an indication: it rests on fewer than 10 \
         blocks."
    );
    assert_eq!(
        of(&[(confirmed, true), (depends, true), (confirmed, false)]),
        "3 claims of «Notes»: 2 confirmed, 1 depends on conditions. 2 verdicts are indications: \
         they rest on fewer than 10 blocks."
    );
    assert_eq!(
        of(&[(confirmed, true), (Verdict::NotYetMeasured, false)]),
        "2 claims of «Notes»: 1 confirmed, 1 not yet measured. Every verdict here is an \
         indication: it rests on fewer than 10 blocks."
    );
}

#[test]
fn report_has_claims_only_if_the_experiment_has() {
    let mut data = run();
    assert!(Answers::of(&Analysis::of_rows(&data)).is_none());
    data.manifest.claims = Some("notes".to_owned());
    let analysis = Analysis::of_rows(&data);
    let answers = Answers::of(&analysis).unwrap();
    assert!(answers.csv(&data.manifest.run_id).contains("takeaway-8"));
    let with = crate::report::render(&analysis, Some(answers.preface()));
    assert!(with.html.contains("id=\"notes\"") && with.html.contains("id=\"notes-proof\""));
    assert!(with.tables_md.contains("## What the notes say"));
    let terminal = crate::report::terminal(&analysis, Some(answers.preface()), 80);
    assert!(terminal.contains("claims of «Node.js"));
    // A name that this program does not know is one of a later one.
    data.manifest.claims = Some("others".to_owned());
    assert!(Answers::of(&Analysis::of_rows(&data)).is_none());
}
