//! How it is shown.

use super::*;

fn two() -> (Run, Run) {
    let a = sample::standard();
    let mut b = again(&a, "b", 0.5);
    slow_arm(&mut b, "noop", "pool", 1.4);
    b.environment.facts.insert("cpu_governor".to_owned(), "<powersave>".into());
    b.environment.facts.insert("ulimit_core_bytes".to_owned(), 0.into());
    b.manifest.preset = "quick".to_owned();
    b.remarks.push(format!("trials.csv:7: {}", sample::HOSTILE));
    (a, b)
}

#[test]
fn the_page_is_whole_needs_nothing_and_escapes_what_it_is_told() {
    let (a, b) = two();
    let html = compare(&a, &b).unwrap().html();
    check_markup(&html);
    assert!(html[..1024].contains("<meta name=\"generator\" content=\"forkbench compare\">"));
    for foreign in ["<link", "src=", "url(", "@import", "https:"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    assert_eq!(html.matches("<script").count(), 1);
    for said in [
        "&lt;powersave&gt;",
        "&lt;script&gt;alert",
        "ulimit_core_bytes",
        "Does the same advice hold?",
        "a third run on either machine",
        "inconclusive",
    ] {
        assert!(html.contains(said), "{said}");
    }
    assert!(html.len() < 1 << 20, "{}", html.len());
}

#[test]
fn the_same_runs_give_the_same_bytes() {
    let (a, b) = two();
    let [one, two] = [(); 2].map(|()| compare(&a, &b).unwrap());
    assert_eq!(one.html(), two.html());
    assert_eq!(one.terminal(80), two.terminal(80));
    assert_eq!(one.json(), two.json());
    assert_eq!(one.csv().unwrap(), two.csv().unwrap());
}

#[test]
fn the_terminal_is_as_wide_as_it_is() {
    let (a, b) = two();
    for (a, b) in [(a, b), {
        let a = sample_memory::run();
        let b = memory_again(&a, 1.3);
        (a, b)
    }] {
        let compared = compare(&a, &b).unwrap();
        for width in [80, 120] {
            for line in compared.terminal(width).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn what_differs_stands_above_the_tables() {
    let (a, b) = two();
    let compared = compare(&a, &b).unwrap();
    let text = compared.terminal(100);
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    let table = place("noop 64 B");
    for what in ["cpu_governor", "preset", "started", "ulimit_core_bytes"] {
        assert!(place(what) < table, "{what}");
    }
    assert!(!compared.differs.iter().any(|one| one.what == "cpu_model"));
}

#[test]
fn rows_are_as_described_and_those_of_the_tables() {
    let (a, b) = two();
    let compared = compare(&a, &b).unwrap();
    let text = compared.csv().unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let lines: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(lines.len(), compared.cells.len());
    let mut keys = std::collections::BTreeSet::new();
    for line in &lines {
        for column in COMPARE.columns {
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
        let key: Vec<&str> = COMPARE.key.iter().map(|name| line[*name].as_str()).collect();
        assert!(keys.insert(key), "twice: {line:?}");
        // Exactly one of the three.
        let said = ["verdict", "indication", "withheld"];
        let said = said.iter().filter(|name| !line[**name].is_empty()).count();
        assert_eq!(said, 1, "{line:?}");
    }
    let pool = cell(&compared, "noop", "pool", P50);
    let line = lines.iter().find(|line| {
        line["strategy"] == "pool" && line["workload"] == "noop" && line["metric"] == P50
    });
    let number = |name: &str| line.unwrap()[name].parse::<f64>().unwrap();
    assert_eq!(number("ratio"), pool.absolute.across().unwrap().ratio.unwrap());
    assert_eq!(number("a"), pool.values[0].estimate.unwrap());
    assert_eq!(line.unwrap()["relative_verdict"], "slower");
    // And the table shows them, rounded.
    let shown = conclusions_of(pool);
    assert!(compared.html().contains(&shown), "{shown}");
}

/// `0.70 [0.70, 0.71] faster`
fn conclusions_of(cell: &Cell) -> String {
    let ratio = document::ratio(cell.absolute.across().unwrap()).unwrap();
    crate::report::ratios::text(&ratio)
}

/// Not a check: leaves pages below `target/` for somebody to look at.
#[test]
#[ignore = "writes files to look at"]
fn leave_pages_to_look_at() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sample-compare");
    std::fs::create_dir_all(&root).unwrap();
    let (a, b) = two();
    let memory = sample_memory::run();
    let quick = memory_again(&memory, 1.3);
    for (name, a, b) in [("standard", a, b), ("quick", memory, quick)] {
        let compared = compare(&a, &b).unwrap();
        std::fs::write(root.join(format!("{name}.html")), compared.html()).unwrap();
        for width in [80, 120] {
            let text = compared.terminal(width);
            std::fs::write(root.join(format!("{name}-{width}.txt")), text).unwrap();
        }
    }
}
