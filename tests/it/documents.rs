//! The documents name what is there, all of it, and nothing else.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::common::files::{files, read, root};
use forkbench::cli::Cli;
use forkbench::{experiment, strategy, workload};

/// The text below a heading, as far as the next one.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, below) = text.split_once(&format!("\n## {heading}\n")).expect(heading);
    below.split("\n## ").next().unwrap()
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names in the first column of a table.
fn first_column(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn the_readme_has_every_strategy_in_order() {
    let readme = read("README.md");
    let names: Vec<_> = strategy::ALL.iter().map(|kind| kind.name).collect();
    assert_eq!(first_column(section(&readme, "Strategies")), names);
}

#[test]
fn usage_has_every_workload_in_order() {
    let usage = read("docs/usage.md");
    let names: Vec<_> = workload::ALL.iter().map(|workload| workload.name()).collect();
    assert_eq!(first_column(section(&usage, "Workloads")), names);
}

#[test]
fn usage_has_every_experiment() {
    let usage = read("docs/usage.md");
    let names: Vec<_> = experiment::builtin::ALL.iter().map(|builtin| builtin.name).collect();
    assert_eq!(first_column(section(&usage, "Experiments")), names);
}

#[test]
fn the_documents_have_every_demonstration() {
    let all = experiment::demonstration::ALL.iter();
    let names: Vec<_> = all.map(|kind| kind.name).collect();
    let (notes, results) = (read("docs/study-notes.md"), read("results/README.md"));
    let demonstrations = section(&notes, "Demonstrations");
    assert_eq!(first_column(demonstrations), names);
    for kind in experiment::demonstration::ALL {
        let row = format!("| `{}` | {} | ", kind.name, kind.summary);
        assert!(demonstrations.contains(&row), "{row}");
    }
    let (facts, _) = section(&results, "`facts.csv`").split_once("<!--").unwrap();
    assert_eq!(first_column(facts), names);
}

#[test]
fn usage_has_every_verb_and_option() {
    let usage = read("docs/usage.md");
    let commands = section(&usage, "Commands");
    for verb in Cli::command().get_subcommands() {
        let name = verb.get_name();
        assert!(commands.contains(&format!("forkbench {name}")), "forkbench {name}");
        for option in verb.get_arguments().filter_map(|argument| argument.get_long()) {
            let words =
                |text: &str| text.split([' ', '=']).any(|word| word == format!("--{option}"));
            assert!(quoted(commands).any(words), "forkbench {name} --{option}");
        }
    }
}

#[test]
fn usage_shows_a_family_that_is_right() {
    let usage = read("docs/usage.md");
    let (_, below) = usage.split_once("```toml\n").unwrap();
    let family = below.split("```").next().unwrap();
    let text = format!("name = \"usage\"\nquestion = \"Is it right?\"\n{family}");
    let experiment = experiment::wire::parse(&text, "docs/usage.md", 4, 1).unwrap();
    // Sizes, chunks, callers, ballast and placement multiply out.
    assert_eq!(experiment.families.len(), 2 * 2 * 2 * 2 * 3);
}

/// `[text](target)` and `src="target"`, as far as they point into the repository.
fn links(text: &str) -> Vec<&str> {
    let markdown = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    let html = text.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let all = markdown.chain(html).map(|target| target.split('#').next().unwrap());
    all.filter(|target| !target.is_empty() && !target.contains("://")).collect()
}

#[test]
fn links_lead_somewhere() {
    let documents = files("", ".md");
    assert!(documents.iter().any(|path| path.as_os_str() == "README.md"), "{documents:?}");
    for path in documents {
        for target in links(&read(&path)) {
            let file = root().join(&path).with_file_name(target);
            assert!(file.exists(), "{}: {target}", path.display());
        }
    }
}

/// Paths in backticks, such as `src/sys/`.
#[test]
fn the_code_map_is_the_code() {
    let text = read("ARCHITECTURE.md");
    for path in quoted(&text).filter(|name| name.contains('/') && !name.contains([' ', '*'])) {
        // Files of a run are named there as well.
        let is_ours = ["src/", "tests/", "scripts/", "experiments/", "results/", ".cargo/"];
        if is_ours.iter().any(|folder| path.starts_with(folder)) {
            assert!(root().join(path).exists(), "{path}");
        }
    }
    let modules = files("src", "mod.rs");
    for module in modules.iter().filter(|path| path.components().count() == 3) {
        let folder = format!("{}/", module.parent().unwrap().display());
        assert!(text.contains(&format!("`{folder}`")), "{folder} is not in the code map");
    }
}

/// Every test's name, from the sources: what stands behind `fn` below `#[test]`, or in a
/// `proptest!`.
fn tests() -> BTreeSet<String> {
    let sources = ["src", "tests"].into_iter().flat_map(|folder| files(folder, ".rs"));
    let mut names = BTreeSet::new();
    for path in sources {
        let text = read(path);
        for below in text.split("#[test]").skip(1) {
            let Some((_, rest)) = below.split_once("fn ") else {
                continue;
            };
            names.extend(rest.split('(').next().map(str::to_owned));
        }
    }
    names
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let tests = tests();
    let text = read("ARCHITECTURE.md");
    let invariants: Vec<_> = section(&text, "Invariants").split("\n* **").skip(1).collect();
    assert!(invariants.len() > 10, "{invariants:?}");
    for invariant in invariants {
        let title = invariant.split("**").next().unwrap();
        let rest = invariant.split("\n###").next().unwrap();
        let is_test = |name: &&str| name.matches('_').count() >= 2 || tests.contains(*name);
        let named: Vec<_> = quoted(rest).filter(is_test).collect();
        let files = quoted(rest).any(|name| name.starts_with("tests/"));
        assert!(files || !named.is_empty(), "no test holds: {title}");
        for name in named {
            assert!(tests.contains(name), "{title} names `{name}`, which is no test");
        }
    }
}

/// As a shell splits a line into words, for the commands of documents.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            '#' if !is_quoted && words.last().is_some_and(String::is_empty) => break,
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Commands of forkbench in code blocks, indented blocks and inline code.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut is_fenced = false;
    let mut found: Vec<&str> = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced || line.starts_with("    ") {
            found.push(line.trim_start().trim_start_matches("$ "));
        } else {
            found.extend(quoted(line));
        }
    }
    found.into_iter().filter(|line| line.starts_with("forkbench ")).map(words).collect()
}

#[test]
fn commands_in_documents_parse() {
    let mut parsed = 0;
    let documents = ["README.md", "CONTRIBUTING.md", "results/README.md"].map(PathBuf::from);
    for path in documents.into_iter().chain(files("docs", ".md")) {
        for command in commands(&read(&path)) {
            // A text may name a verb and its options without what it takes.
            let is_name = command[2..].iter().all(|word| word.starts_with('-'));
            if let Err(error) = Cli::try_parse_from(&command) {
                let is_incomplete = is_name && error.kind() == ErrorKind::MissingRequiredArgument;
                let is_fine = is_incomplete || !error.use_stderr();
                assert!(is_fine, "{}: {command:?}: {error}", path.display());
            }
            parsed += 1;
        }
    }
    assert!(parsed > 20, "{parsed}");
    assert!(Cli::try_parse_from(words("forkbench run --slow 'p99<50ms'")).is_err());
}

#[test]
fn readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 150, "{lines} lines; move details to docs/");
}
