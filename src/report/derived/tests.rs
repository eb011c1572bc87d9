//! The derived files of a run that never was.

use std::collections::BTreeMap;

use super::super::{Rendered, sample, sample_memory};
use crate::analysis::metrics;
use crate::record::columns::{CELLS, COMPARISONS, FITS, Kind, Presence, Table};
use crate::record::{NoiseLabel, Role, Run};

/// A line of a file by column.
type Line = BTreeMap<String, String>;

fn lines(text: &str) -> Vec<Line> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn rendered(run: &Run) -> (Vec<Line>, Vec<Line>) {
    let Rendered { cells_csv, comparisons_csv, .. } = sample::render(run);
    (lines(&cells_csv), lines(&comparisons_csv))
}

/// The line of an arm of the first family for response p50.
fn of<'l>(lines: &'l [Line], strategy: &str, role: &str) -> &'l Line {
    lines
        .iter()
        .find(|l| {
            l["strategy"] == strategy && l["role"] == role && l["metric"] == "response_p50_ns"
        })
        .unwrap()
}

#[test]
fn every_row_has_the_columns_that_are_described_and_what_they_may_hold() {
    let run = sample::standard();
    let rendered = sample::render(&run);
    for (table, text) in [(&CELLS, &rendered.cells_csv), (&COMPARISONS, &rendered.comparisons_csv)]
    {
        let header: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(text.lines().next().unwrap(), header.join(","));
        let lines = lines(text);
        assert!(lines.len() > 200);
        for line in &lines {
            check_cells(table, line);
        }
        let mut keys: Vec<Vec<&str>> = lines
            .iter()
            .map(|line| table.key.iter().map(|name| line[*name].as_str()).collect())
            .collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), lines.len(), "a key twice in {}", table.file);
    }
}

#[track_caller]
fn check_cells(table: &Table, line: &Line) {
    for column in table.columns {
        let cell = &line[column.name];
        if cell.is_empty() {
            assert_eq!(column.presence, Presence::Optional, "{}", column.name);
            continue;
        }
        let fits = match column.kind {
            Kind::Text | Kind::Utc => true,
            Kind::Word(words) => words.contains(&cell.as_str()),
            Kind::Integer => cell.parse::<u64>().is_ok(),
            Kind::Signed => cell.parse::<f64>().is_ok_and(f64::is_finite),
            Kind::Number => cell.parse::<f64>().is_ok_and(|n| n.is_finite() && n >= 0.0),
        };
        assert!(fits, "`{}` is `{cell}`", column.name);
    }
}

/// A pivot on `label` that forgets the role would else mix the placebo into the reference.
#[test]
fn label_tells_every_arm_of_a_family_from_the_others() {
    let mut run = sample::run();
    for row in run.trials.iter_mut().filter(|row| row.strategy == "thread") {
        row.strategy = "pool".to_owned();
        row.options = row.options.replace("workers=2", "") + "workers=1";
    }
    run.plan.clear();
    let (cells, comparisons) = rendered(&run);
    for lines in [cells, comparisons] {
        let mut arms: BTreeMap<[&str; 2], Vec<[&str; 3]>> = BTreeMap::new();
        for line in &lines {
            let arm = ["role", "strategy", "options"].map(|name| line[name].as_str());
            let of_label = arms.entry([&line["family_id"], &line["label"]]).or_default();
            if !of_label.contains(&arm) {
                of_label.push(arm);
            }
        }
        assert!(arms.values().all(|arms| arms.len() == 1), "{arms:?}");
        let labels: Vec<&str> = arms.keys().map(|[_, label]| *label).collect();
        for label in ["blocking (placebo)", "pool workers=1", "pool workers=2"] {
            assert!(labels.contains(&label), "{label}: {labels:?}");
        }
    }
}

#[test]
fn lines_through_memory_are_a_file_of_their_own() {
    let text = sample::render(&sample_memory::run()).fits_csv;
    let header: Vec<&str> = FITS.columns.iter().map(|column| column.name).collect();
    assert_eq!(text.lines().next().unwrap(), header.join(","));
    let lines = lines(&text);
    // Six strategies are held, three pools have three phases; seven metrics each.
    assert_eq!(lines.len(), (6 + 3 * 3) * 7);
    let mut keys = std::collections::BTreeSet::new();
    for line in &lines {
        check_cells(&FITS, line);
        let key: Vec<String> = FITS.key.iter().map(|name| line[*name].clone()).collect();
        assert!(keys.insert(key), "{line:?}");
    }
    let is_pool = |l: &&Line| l["strategy"] == "pool" && l["phase"] == "hundred";
    let of = |metric: &str| {
        let line = lines.iter().filter(is_pool).find(|l| l["metric"] == metric);
        let number = |name: &str| line.unwrap()[name].parse::<f64>().unwrap();
        (number("slope_bytes").round(), line.unwrap()["ci_level"].clone())
    };
    assert_eq!(of("pss_and_page_tables_bytes"), (270_000.0, "0.95".to_owned()));
    assert_eq!(of("rss_bytes"), (243_000.0 + 1_500_000.0, String::new()));
    let Some(Kind::Word(words)) = FITS.column("metric").map(|column| column.kind) else {
        panic!("a metric is a word")
    };
    assert!(lines.iter().all(|line| words.contains(&line["metric"].as_str())));
}

#[test]
fn the_metrics_are_those_that_are_described() {
    let Some(Kind::Word(words)) = CELLS.column("metric").map(|column| column.kind) else {
        panic!("a metric is a word")
    };
    let names: Vec<&str> = metrics::METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names, words);
    for metric in metrics::METRICS {
        let suffix = metric.name.rsplit('_').next().unwrap();
        assert_eq!(metric.unit, if suffix == "s" { "1/s" } else { suffix });
    }
}

#[test]
fn an_arm_that_failed_has_a_row_without_a_ratio_and_says_why() {
    let (cells, comparisons) = rendered(&sample::run());
    let in_family = |lines: &[Line], family: &str, strategy: &str| -> Vec<Line> {
        let is = |l: &&Line| l["family_id"].starts_with(family) && l["strategy"] == strategy;
        lines.iter().filter(is).cloned().collect()
    };
    for (family, strategy, why, flag) in [
        ("primes", "exec", "arm_failed", "arm_flawed"),
        ("random-sum", "fork", "arm_skipped", "arm_skipped"),
    ] {
        let rows = in_family(&comparisons, family, strategy);
        assert_eq!(rows.len(), metrics::METRICS.len());
        for row in rows {
            assert_eq!((row["ratio"].as_str(), row["withheld"].as_str()), ("", why));
            assert_eq!((row["verdict"].as_str(), row["indication"].as_str()), ("", ""));
        }
        for row in in_family(&cells, family, strategy) {
            assert!(row["flags"].split(';').any(|f| f == flag), "{row:?}");
        }
    }
    assert!(comparisons.iter().all(|row| row["role"] != "reference"));
}

#[test]
fn exactly_one_of_verdict_indication_and_reason_is_given() {
    for (run, verdicts, indications) in
        [(sample::run(), false, true), (sample::standard(), true, false)]
    {
        let (_, comparisons) = rendered(&run);
        for row in &comparisons {
            let given = ["verdict", "indication", "withheld"].map(|name| !row[name].is_empty());
            assert_eq!(given.iter().filter(|g| **g).count(), 1, "{row:?}");
        }
        let any = |name: &str| comparisons.iter().any(|row| !row[name].is_empty());
        assert_eq!((any("verdict"), any("indication")), (verdicts, indications));
        let first = of(&comparisons, "spawn", "arm");
        let word = if verdicts { "verdict" } else { "indication" };
        assert_eq!(first[word], "slower");
    }
}

#[test]
fn a_quantile_that_a_block_lacks_has_neither_estimate_nor_ratio() {
    let mut run = sample::run();
    run.trials[0].response_p99_ns = None;
    let (cells, comparisons) = rendered(&run);
    let reference = cells
        .iter()
        .find(|row| row["role"] == "reference" && row["metric"] == "response_p99_ns")
        .unwrap();
    assert_eq!(reference["estimate"], "");
    assert_eq!(reference["flags"], "missing_blocks");
    let arm = comparisons
        .iter()
        .find(|row| row["strategy"] == "pool" && row["metric"] == "response_p99_ns")
        .unwrap();
    assert_eq!((arm["ratio"].as_str(), arm["withheld"].as_str()), ("", "too_few_blocks"));
}

#[test]
fn a_placebo_that_differs_takes_the_conclusions_of_its_metric_back() {
    let mut run = sample::standard();
    for row in run.trials.iter_mut().filter(|row| row.role == Role::Placebo) {
        row.response_p50_ns = row.response_p50_ns.map(|ns| ns + ns / 5);
    }
    let (_, comparisons) = rendered(&run);
    assert_eq!(of(&comparisons, "blocking", "placebo")["verdict"], "slower");
    let spawn = of(&comparisons, "spawn", "arm");
    assert_eq!(spawn["withheld"], "placebo_differs");
    assert_eq!(spawn["flags"], "placebo_differs");
    assert!(spawn["ratio"].parse::<f64>().unwrap() > 10.0, "the numbers stay");
    let service = comparisons
        .iter()
        .find(|row| row["strategy"] == "spawn" && row["metric"] == "service_p50_ns")
        .unwrap();
    assert_eq!(service["verdict"], "slower");
}

#[test]
fn noise_silences_no_comparison() {
    let quiet = rendered(&sample::standard()).1;
    let mut run = sample::standard();
    let facts = &mut run.environment.facts;
    facts.insert("noise_when_idle".to_owned(), "noisy".into());
    for row in &mut run.trials {
        row.noise_label = Some(NoiseLabel::Disturbed);
    }
    let noisy = rendered(&run).1;
    let said = |lines: &[Line]| {
        let columns = ["ratio", "verdict", "withheld", "delta_ratio"];
        let of_line = |line: &Line| columns.map(|column| line[column].clone());
        lines.iter().map(of_line).collect::<Vec<_>>()
    };
    assert_eq!(said(&quiet), said(&noisy));
    assert_eq!(of(&noisy, "pool", "arm")["verdict"], "slower");
    assert_eq!(of(&noisy, "pool", "arm")["flags"], "disturbed_over_20_percent");
}

#[test]
fn family_without_placebo_rows_is_checked_by_nothing() {
    let mut run = sample::standard();
    run.trials.retain(|row| row.role != Role::Placebo);
    run.plan.retain(|row| row.role != Role::Placebo);
    let comparisons = rendered(&run).1;
    let pool = of(&comparisons, "pool", "arm");
    assert_eq!((pool["verdict"].as_str(), pool["withheld"].as_str()), ("", "no_placebo"));
    let text = sample::terminal(&run, 120);
    assert!(text.contains("No placebo: nothing checked this family"), "{text}");
}

#[test]
fn delta_of_the_manifest_is_that_of_the_verdicts() {
    let mut run = sample::standard();
    run.manifest.delta_ratio = 1000.0;
    let comparisons = rendered(&run).1;
    assert_eq!(of(&comparisons, "spawn", "arm")["delta_ratio"], "1000");
    assert_eq!(of(&comparisons, "spawn", "arm")["verdict"], "inconclusive");
}
