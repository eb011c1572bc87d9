//! Facts of the build that the program records with every run: what it was made from and how.
//!
//! Nothing here may fail: without git, or unpacked from an archive, the revision is empty.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What decides the two binaries. Exactly this is looked at for changes against the revision, and
/// exactly a change in this looks again; so an edited README makes no build dirty.
const SOURCES: [&str; 6] = ["Cargo.lock", "Cargo.toml", ".cargo", "build.rs", "experiments", "src"];

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    for source in SOURCES.map(|name| root.join(name)) {
        watch(&source);
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
