//! The sources of the subjects that are scripts. They are taken only from folders that no other
//! user can have changed, and only if they are those that this program was built with.
//!
//! The sources are run, perhaps as root. So a folder counts only next to this program or in the
//! repository that it was built in, if it and all above it belong to root or the user and no
//! other may write there, and its files must be, byte for byte, the embedded ones. Packages and
//! an interpreter next to them are that owner's.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::experiment::subjects::Sources;
use crate::sys::files::{Dir, read_named};
use crate::workload::fold_bytes;

/// Where subjects lie in a repository, and beside an installed program.
const BELOW: &str = "subjects";

/// The repository that this program was built in.
const BUILT_IN: &str = env!("CARGO_MANIFEST_DIR");

/// A folder of the build, four levels below the one that programs are put into.
const OUT_DIR: &str = env!("OUT_DIR");

const GROUP_OR_OTHERS_MAY_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// The folder of the sources: next to this program, the repository's if this program lies in the
/// one it was built in, or a copy of the embedded ones in the user's cache.
///
/// # Errors
/// A folder there cannot be trusted or is not of this build, or the copy cannot be written.
pub fn folder(sources: &Sources, cache: impl FnOnce() -> Result<PathBuf>) -> Result<PathBuf> {
    let driver = std::env::current_exe().context("find this program's own file")?;
    let build = Path::new(OUT_DIR).ancestors().nth(3);
    let is_as_built = driver.starts_with(BUILT_IN) || build.is_some_and(|b| driver.starts_with(b));
    let built_in = is_as_built.then_some(Path::new(BUILT_IN));
    match found_at(sources, &driver, built_in) {
        Some(dir) => {
            checked(sources, &dir)?;
            Ok(dir)
        }
        None => unpacked(sources, &cache()?),
    }
}

/// A folder that may be taken, of root's or the user's. One of a stranger's is none: where this
/// program was built, there may be something else by now.
fn found_at(sources: &Sources, driver: &Path, built_in: Option<&Path>) -> Option<PathBuf> {
    let candidates = driver.parent().into_iter().chain(built_in);
    let mut dirs = candidates.map(|dir| dir.join(BELOW).join(sources.dir));
    dirs.find(|dir| {
        let entry = fs::metadata(dir.join(sources.files[0].0));
        entry.is_ok_and(|file| file.is_file() && is_ours(file.uid()))
    })
}

fn checked(sources: &Sources, dir: &Path) -> Result<()> {
    let attempt = || format!("take the subject from {}", dir.display());
    nobody_else_may_change(dir).map_err(anyhow::Error::msg).with_context(attempt)?;
    match difference(sources, dir) {
        Some(reason) => Err(anyhow::Error::msg(reason)).with_context(attempt),
        None => Ok(()),
    }
}

fn is_ours(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

/// Checks that only root and this user can have changed a folder, from the root of the file system
/// down. In a folder such as `/tmp` others may make files and cannot replace ours.
///
/// # Errors
/// Which other user could, and how to end that.
pub fn nobody_else_may_change(dir: &Path) -> Result<(), String> {
    let real = fs::canonicalize(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for path in real.ancestors() {
        let shown = path.display();
        let found = fs::symlink_metadata(path).map_err(|error| format!("{shown}: {error}"))?;
        if !is_ours(found.uid()) {
            let uid = found.uid();
            return Err(format!("{shown} belongs to user {uid}, whose files are not run"));
        }
        let held = path != real && found.mode() & STICKY != 0;
        if found.mode() & GROUP_OR_OTHERS_MAY_WRITE != 0 && !held {
            return Err(format!("others may write to {shown}; end that: chmod go-w '{shown}'"));
        }
    }
    Ok(())
}

/// The first source that is not as this program has it.
fn difference(sources: &Sources, dir: &Path) -> Option<String> {
    sources.files.iter().find_map(|(name, text)| {
        let path = dir.join(name);
        let said = match fs::symlink_metadata(&path) {
            Ok(file) if !file.is_file() => "is not a file".to_owned(),
            Ok(file) if !is_ours(file.uid()) => format!("belongs to user {}", file.uid()),
            Ok(file) if file.mode() & GROUP_OR_OTHERS_MAY_WRITE != 0 => {
                "may be written by others; end that with chmod go-w".to_owned()
            }
            Ok(_) => match read_named(&path, text.len() as u64) {
                Ok(found) if found == text.as_bytes() => return None,
                Ok(_) => "is not the one that this program was built with; build it again".into(),
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    "is longer than the one that this program was built with; build it again".into()
                }
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        Some(format!("{name} {said}"))
    })
}

/// Names in a folder and below that are none of the sources: a module there could take the place
/// of one of the runtime's own.
fn has_others(sources: &Sources, dir: &Path, below: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(dir.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let is_folder = entry.file_type()?.is_dir();
        let mut names = sources.files.iter().map(|(name, _)| Path::new(name));
        let known = match is_folder {
            true => names.any(|name| name.starts_with(&path)),
            false => names.any(|name| name == path),
        };
        if !known || (is_folder && has_others(sources, dir, &path)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes the sources below `cache`, unless these very ones are there, and gives their folder.
fn unpacked(sources: &Sources, cache: &Path) -> Result<PathBuf> {
    let texts = sources.files.iter().flat_map(|(path, text)| [path, text]);
    let bytes: Vec<u8> = texts.flat_map(|text| text.bytes().chain([0])).collect();
    let name = format!("{}-{:016x}", sources.dir, fold_bytes(&bytes));
    let dir = cache.join(&name);
    let is_whole = || {
        fs::symlink_metadata(&dir).is_ok_and(|found| found.is_dir())
            && difference(sources, &dir).is_none()
            && matches!(has_others(sources, &dir, Path::new("")), Ok(false))
            && nobody_else_may_change(&dir).is_ok()
    };
    if is_whole() {
        return Ok(dir);
    }
    // A folder with its name and other contents goes.
    let attempt = || format!("create the folder {}", dir.display());
    let held = Dir::open(cache).with_context(attempt)?;
    if held.folder(&name).is_ok() {
        fs::remove_dir_all(&dir).with_context(attempt)?;
    } else {
        held.remove(&name).with_context(attempt)?;
    }
    // Made under another name and renamed: a copy is whole, also when two programs make it at once.
    let fresh = cache.join(format!(".{}-{}", sources.dir, std::process::id()));
    if fs::symlink_metadata(&fresh).is_ok_and(|found| found.is_dir()) {
        fs::remove_dir_all(&fresh).with_context(attempt)?;
    }
    fs::create_dir(&fresh).with_context(attempt)?;
    write(sources, &fresh)?;
    if let Err(error) = fs::rename(&fresh, &dir) {
        let _ = fs::remove_dir_all(&fresh);
        if !is_whole() {
            return Err(error).with_context(attempt);
        }
    }
    if !is_whole() {
        bail!("{}: its contents are not those that were written", attempt());
    }
    Ok(dir)
}

/// Writes the sources so that no other user may change them, with any umask.
fn write(sources: &Sources, dir: &Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true).mode(0o755);
    let mut files = fs::OpenOptions::new();
    files.write(true).create_new(true).mode(0o644);
    for (path, text) in sources.files {
        let path = dir.join(path);
        let parent = path.parent().unwrap_or(dir);
        let written = folders
            .create(parent)
            .and_then(|()| files.open(&path))
            .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
        written.with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::subjects;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn cache() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn sources_are_unpacked_once_and_whole() {
        let cache = cache();
        let dir = unpacked(&subjects::NODE, cache.path()).unwrap();
        for (path, text) in subjects::NODE.files {
            assert_eq!(fs::read_to_string(dir.join(path)).unwrap(), *text);
        }
        let written = fs::metadata(&dir).unwrap().ino();
        assert_eq!(unpacked(&subjects::NODE, cache.path()).unwrap(), dir);
        assert_eq!(fs::metadata(&dir).unwrap().ino(), written);
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_cached_copy_that_was_changed_is_written_anew() {
        let cache = cache();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("kept"), "precious").unwrap();
        let dir = unpacked(&subjects::PYTHON, cache.path()).unwrap();
        let entry = dir.join("subject.py");
        let changes: [&dyn Fn(); 6] = [
            &|| fs::write(&entry, "import os").unwrap(),
            &|| fs::write(dir.join("json.py"), "import os").unwrap(),
            &|| fs::write(dir.join("strategy/x.py"), "").unwrap(),
            &|| fs::remove_file(dir.join("run.py")).unwrap(),
            &|| {
                fs::remove_file(&entry).unwrap();
                symlink(elsewhere.path().join("kept"), &entry).unwrap();
            },
            &|| {
                fs::remove_dir_all(&dir).unwrap();
                symlink(elsewhere.path(), &dir).unwrap();
            },
        ];
        for change in changes {
            change();
            assert_eq!(unpacked(&subjects::PYTHON, cache.path()).unwrap(), dir);
            assert_eq!(difference(&subjects::PYTHON, &dir), None);
            assert!(!has_others(&subjects::PYTHON, &dir, Path::new("")).unwrap());
        }
        assert_eq!(fs::read_to_string(elsewhere.path().join("kept")).unwrap(), "precious");
    }

    #[test]
    fn folders_that_others_may_change_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        fs::create_dir_all(&dir).unwrap();
        nobody_else_may_change(&dir).unwrap();
        for (path, open) in [("a", 0o777), ("a", 0o775), ("a/b", 0o702), ("a/b", 0o1777)] {
            let path = root.path().join(path);
            mode(&path, open);
            let said = nobody_else_may_change(&dir).unwrap_err();
            assert!(said.contains("others may write to") && said.contains("chmod go-w"), "{said}");
            mode(&path, 0o755);
        }
        // As in /tmp: others may add, and not replace.
        mode(&root.path().join("a"), 0o1777);
        nobody_else_may_change(&dir).unwrap();
        // Only root may give files away.
        if std::os::unix::fs::chown(&dir, Some(12_345), None).is_ok() {
            let said = nobody_else_may_change(&dir).unwrap_err();
            assert!(said.contains("belongs to user 12345"), "{said}");
        }
    }

    #[test]
    fn sources_are_looked_for_beside_the_program_and_where_it_was_built() {
        let root = tempfile::tempdir().unwrap();
        let plant = |at: &str| {
            let dir = root.path().join(at).join(BELOW).join("node");
            fs::create_dir_all(&dir).unwrap();
            write(&subjects::NODE, &dir).unwrap();
            dir
        };
        let (above, built) = (plant(""), plant("repository"));
        let repository = root.path().join("repository");
        let found = |driver: &str| {
            let built_in = driver.starts_with("repository").then_some(repository.as_path());
            found_at(&subjects::NODE, &root.path().join(driver), built_in)
        };
        assert_eq!(found("home/bin/forkbench"), None, "not from a folder above");
        assert_eq!(found("repository/target/release/forkbench"), Some(built.clone()));
        let beside = plant("home/bin");
        assert_eq!(found("home/bin/forkbench"), Some(beside.clone()));
        assert_eq!(found("forkbench"), Some(above));
        checked(&subjects::NODE, &built).unwrap();
        fs::write(built.join("host.mjs"), "evil").unwrap();
        let said = format!("{:#}", checked(&subjects::NODE, &built).unwrap_err());
        assert!(
            said.contains("host.mjs is not the one that this program was built with"),
            "{said}"
        );
        if std::os::unix::fs::chown(beside.join("subject.mjs"), Some(12_345), None).is_ok() {
            assert_eq!(found("home/bin/forkbench"), None, "a stranger's");
        }
    }
}
