//! Facts of the build that the program records with every run: what it was made from and how.
//!
//! Nothing here may fail: without git, or unpacked from an archive, the revision is empty.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What decides the two binaries. Exactly this is looked at for changes against the revision, and
/// exactly a change in this looks again; so an edited README makes no build dirty.
const SOURCES: [&str; 6] = ["Cargo.lock", "Cargo.toml", ".cargo", "build.rs", "experiments", "src"];

/// The folder of the subjects that are scripts.
const SUBJECTS: &str = "subjects";

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    for source in SOURCES.map(|name| root.join(name)) {
        watch(&source);
    }
    for (runtime, entry) in [("node", "subject.mjs"), ("python", "subject.py")] {
        embed(&root.join(SUBJECTS), runtime, entry);
    }
    let revision = git_revision(&root).unwrap_or_default();
    set("GIT_REVISION", &revision);

    let rustc = Command::new(variable("RUSTC")).arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    set("RUSTC_VERSION", &rustc.unwrap_or_default());
    set("TARGET", &variable("TARGET"));
    set("PROFILE", &variable("PROFILE"));
    set("OPT_LEVEL", &variable("OPT_LEVEL"));
    set("TARGET_FEATURES", &variable("CARGO_CFG_TARGET_FEATURE"));
    // Separated by a character that no terminal shows.
    let flags = variable("CARGO_ENCODED_RUSTFLAGS").replace('\x1f', " ");
    set("RUSTFLAGS", &flags);
}

/// Writes the list of a runtime's sources, path and text, as an expression that the program
/// includes. `entry`, the file to run, comes first.
fn embed(subjects: &Path, runtime: &str, entry: &str) {
    let dir = subjects.join(runtime);
    let mut paths = Vec::new();
    list(&dir, &dir, &mut paths);
    paths.sort_by_key(|path| (path != entry, path.clone()));
    assert!(paths.first().is_some_and(|path| path == entry), "no {entry} in {}", dir.display());
    let lines = paths.iter().map(|path| {
        format!("    ({path:?}, include_str!({:?})),\n", dir.join(path).display().to_string())
    });
    let list = format!("&[\n{}]", lines.collect::<String>());
    let out = Path::new(&variable("OUT_DIR")).join(format!("subject-{runtime}.rs"));
    fs::write(&out, list).unwrap_or_else(|error| panic!("write {}: {error}", out.display()));
}

/// The sources below `dir`, relative to `root`; what the set-up installs there is none.
fn list(root: &Path, dir: &Path, paths: &mut Vec<String>) {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            if !["node_modules", "__pycache__"].contains(&&*name) && !name.starts_with('.') {
                list(root, &path, paths);
            }
        } else if [".mjs", ".py", ".json", ".txt"].iter().any(|ext| name.ends_with(ext)) {
            paths.extend(path.strip_prefix(root).map(|path| path.display().to_string()));
        }
    }
}

/// The revision, with `-dirty` where a source differs from it; `None` without git, or where the
/// repository around these sources is somebody else's.
fn git_revision(root: &Path) -> Option<String> {
    let top = PathBuf::from(git(root, &["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    // What changes when the revision does: another branch, a commit on this one, its ref packed.
    let mut names = vec!["HEAD".to_owned(), "logs/HEAD".into(), "packed-refs".into()];
    names.extend(git(root, &["symbolic-ref", "-q", "HEAD"]));
    for name in names {
        if let Some(path) = git(root, &["rev-parse", "--git-path", &name]) {
            watch(&root.join(path));
        }
    }
    let revision = git(root, &["rev-parse", "HEAD"])?;
    let mut arguments = vec!["status", "--porcelain", "--"];
    arguments.extend(SOURCES);
    let changes = git(root, &arguments)?;
    let dirty = if changes.is_empty() { "" } else { "-dirty" };
    Some(revision + dirty)
}

/// What git says. It must not take the locks that it would like for its cache of the tree: an
/// editor or another build may be using them.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("--no-optional-locks")
        .arg("-C")
        .arg(root)
        .args(arguments)
        // Set while git runs a hook of whatever repository is being worked on.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Cargo takes a path that does not exist for one that always changes.
fn watch(path: &Path) {
    if path.exists() {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

fn set(name: &str, value: &str) {
    println!("cargo::rustc-env=FORKBENCH_{name}={value}");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
