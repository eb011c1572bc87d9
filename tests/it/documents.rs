//! The documents name what is there, all of it, and nothing else.

use std::collections::BTreeSet;

use clap::CommandFactory;

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
fn the_readme_has_every_workload_in_order() {
    let readme = read("README.md");
    let names: Vec<_> = workload::ALL.iter().map(|workload| workload.name()).collect();
    assert_eq!(first_column(section(&readme, "Workloads")), names);
}

#[test]
fn the_readme_has_every_experiment() {
    let readme = read("README.md");
    let names: Vec<_> = experiment::builtin::ALL.iter().map(|builtin| builtin.name).collect();
    assert_eq!(first_column(section(&readme, "Experiments")), names);
}

#[test]
fn the_documents_have_every_demonstration() {
    let all = experiment::demonstration::ALL.iter();
    let names: Vec<_> = all.map(|kind| kind.name).collect();
    let (readme, results) = (read("README.md"), read("results/README.md"));
    let demonstrations = section(&readme, "Demonstrations");
    assert_eq!(first_column(demonstrations), names);
    for kind in experiment::demonstration::ALL {
        let row = format!("| `{}` | {} | ", kind.name, kind.summary);
        assert!(demonstrations.contains(&row), "{row}");
    }
    let (facts, _) = section(&results, "`facts.csv`").split_once("<!--").unwrap();
    assert_eq!(first_column(facts), names);
}

#[test]
fn the_readme_has_every_verb_and_option() {
    let readme = read("README.md");
    let commands = section(&readme, "Commands");
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
fn the_readme_shows_a_family_that_is_right() {
    let readme = read("README.md");
    let (_, below) = readme.split_once("```toml\n").unwrap();
    let family = below.split("```").next().unwrap();
    let text = format!("name = \"readme\"\nquestion = \"Is it right?\"\n{family}");
    let experiment = experiment::wire::parse(&text, "README.md", 4, 1).unwrap();
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
