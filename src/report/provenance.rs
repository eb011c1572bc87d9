//! Where numbers are from: the machine, the program, the command.

use serde_json::Value;

use super::document::Item;
use super::format;
use super::table::{Head, Table};
use crate::record::Run;

/// What the number of cores may be called in the facts.
const CORES: [&str; 2] = ["cpus_available", "cpus_online"];

/// The strip under the headline: the facts without which a number is a rumour.
pub fn strip(run: &Run) -> Vec<Item> {
    let manifest = &run.manifest;
    let machine = [
        ("machine", ["cpu_model", "cpu_vendor"]),
        ("cores", CORES),
        ("memory", ["memory_total_bytes", "memory_limit_bytes"]),
        ("kernel", ["kernel_release", "kernel_version"]),
    ];
    let mut strip: Vec<Item> = machine
        .into_iter()
        .map(|(name, keys)| {
            let known = keys.iter().find_map(|key| {
                let value = run.environment.facts.get(*key)?;
                Some(shown(key, value))
            });
            Item::new(name, &known.unwrap_or_else(|| "unknown".to_owned()))
        })
        .collect();
    strip.push(Item::new("noise while idle", &when_idle(run)));
    let planned = format!("{}, {} blocks planned", manifest.preset, manifest.blocks);
    strip.extend([
        Item::new("date", &manifest.started_utc),
        Item::new("preset", &planned),
        Item::new("seed", &manifest.seed.to_string()),
        Item::new("forkbench", &program(run)),
    ]);
    strip.extend(runtimes(run));
    strip.push(Item::new("command", &command(run)));
    strip
}

/// What the machine was like before the first trial.
pub fn when_idle(run: &Run) -> String {
    let label = run.environment.facts.get("noise_when_idle");
    label.map_or_else(|| "not measured".to_owned(), |label| shown("", label))
}

/// Version and revision; and that it was built without optimisation, if so.
pub fn program(run: &Run) -> String {
    let mut text = run.manifest.forkbench_version.clone();
    if let Some(short) = short(&run.manifest.git_revision) {
        text.push_str(&format!(" ({short})"));
    }
    let profile = run.environment.facts.get("build_profile");
    if let Some(profile) = profile.and_then(Value::as_str).filter(|p| *p != "release") {
        text.push_str(&format!(", not a release build ({profile})"));
    }
    text
}

/// A revision's first twelve digits, and whether there was more than it; whole in the facts.
fn short(revision: &str) -> Option<String> {
    let (digits, rest) = match revision.split_once('-') {
        Some((digits, rest)) => (digits, format!("-{rest}")),
        None => (revision, String::new()),
    };
    let digits: String = digits.chars().take(12).collect();
    (!digits.is_empty()).then(|| format!("{digits}{rest}"))
}

/// The versions of the runtimes that trials ran in.
fn runtimes(run: &Run) -> Option<Item> {
    let ran = |name: &str| run.trials.iter().any(|row| row.runtime == name);
    let known = [
        ("rust", "", "build_rustc"),
        ("node", "Node.js ", "node_version"),
        ("python", "CPython ", "python_version"),
    ];
    let versions: Vec<String> = known
        .into_iter()
        .filter(|(name, ..)| ran(name))
        .filter_map(|(_, called, key)| {
            let version = run.environment.facts.get(key)?.as_str()?;
            // Without the compiler's own revision.
            let version = version.split(" (").next()?;
            Some(format!("{called}{version}"))
        })
        .collect();
    (!versions.is_empty()).then(|| Item::new("runtimes", &versions.join(", ")))
}

/// All that was recorded; a fact of several parts is a row for each.
pub fn facts(run: &Run) -> Table {
    let mut rows = Vec::new();
    for (name, value) in &run.environment.facts {
        push(&mut rows, name, value);
    }
    Table::new(Head::words(["fact", "value"]), rows)
}

fn push(rows: &mut Vec<Vec<String>>, name: &str, value: &Value) {
    match value {
        Value::Object(parts) => {
            for (part, value) in parts {
                push(rows, &format!("{name}.{part}"), value);
            }
        }
        Value::Array(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| shown("", part)).collect();
            rows.push(vec![name.to_owned(), parts.join(", ")]);
        }
        value => rows.push(vec![name.to_owned(), shown(name, value)]),
    }
}

/// A fact's value as text; bytes in their binary unit.
pub fn shown(name: &str, value: &Value) -> String {
    match (value.as_str(), value.as_u64()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(n)) if name.ends_with("_bytes") => format::bytes(n),
        _ => value.to_string(),
    }
}

/// The command that starts the same plan again: with the seed, if it was drawn and not given, and
/// without the name of the folder, which is taken.
pub fn command(run: &Run) -> String {
    let arguments = &run.manifest.arguments;
    let mut words = vec!["forkbench".to_owned()];
    let mut before = "";
    for word in arguments {
        if word != "--out" && before != "--out" && !word.starts_with("--out=") {
            words.push(quoted(word));
        }
        before = word;
    }
    let is_seed = |word: &String| word == "--seed" || word.starts_with("--seed=");
    if !arguments.iter().any(is_seed) {
        words.push(format!("--seed {}", run.manifest.seed));
    }
    words.join(" ")
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_command_can_be_pasted_into_a_shell() {
        let mut run = sample::run();
        assert_eq!(command(&run), "forkbench run main --preset quick --seed 7");
        run.manifest.arguments = vec!["run".into(), "it's $x".into(), "--seed=9".into()];
        assert_eq!(command(&run), "forkbench run 'it'\\''s $x' --seed=9");
        let named = ["run", "--out", "a b", "--out=c", "main", "--seed", "9"];
        run.manifest.arguments = named.map(str::to_owned).to_vec();
        assert_eq!(command(&run), "forkbench run main --seed 9");
    }

    #[test]
    fn the_strip_says_which_program_ran_on_what_and_how_quiet_it_was() {
        let mut run = sample::run();
        run.manifest.git_revision = format!("{}-dirty", "0123456789".repeat(4));
        let facts = &mut run.environment.facts;
        facts.insert("build_profile".to_owned(), "dev".into());
        facts.insert("noise_when_idle".to_owned(), "quiet".into());
        facts.insert("node_version".to_owned(), "22.1.0".into());
        facts.insert("python_version".to_owned(), "3.12.1".into());
        facts.insert("build_rustc".to_owned(), "rustc 1.95.0 (abc)".into());
        let strip = strip(&run);
        let value = |name: &str| {
            let named = strip.iter().find(|fact| fact.lead == name);
            named.map(|fact| fact.text.as_str())
        };
        let version = &run.manifest.forkbench_version;
        let program = format!("{version} (012345678901-dirty), not a release build (dev)");
        assert_eq!(value("forkbench"), Some(program.as_str()));
        assert_eq!(value("noise while idle"), Some("quiet"));
        // Nothing ran in Python.
        assert_eq!(value("runtimes"), Some("rustc 1.95.0, Node.js 22.1.0"));
    }

    #[test]
    fn a_fact_of_several_parts_is_a_row_for_each() {
        let mut run = sample::run();
        let parts = serde_json::json!({ "b_bytes": 2048, "list": ["x", 1] });
        run.environment.facts.clear();
        run.environment.facts.insert("a".to_owned(), parts);
        let rows = facts(&run).rows;
        let texts: Vec<&str> = rows.iter().flatten().map(|cell| cell.text.as_str()).collect();
        assert_eq!(texts, ["a.b_bytes", "2 KiB", "a.list", "x, 1"]);
    }
}
