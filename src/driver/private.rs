//! The run's own copies of the programs that it starts.
//!
//! How a program's file came to be decides how the page cache holds it: a linker writes through a
//! mapping, page by page, and every child that is exec'd from there maps small pieces one by one.
//! A file written in one go is held in large pieces, however it was built or installed. So all
//! trials of all runs start from such a copy, as the benches do.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::StatVfsMountFlags;

use super::programs::SubjectProgram;
use crate::record::environment;

/// Whether programs may be run from where a run's directory is to be made.
pub fn may_run_below(out: &Path) -> bool {
    let out = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let mount = out.ancestors().find_map(|dir| rustix::fs::statvfs(dir).ok());
    mount.is_some_and(|mount| !mount.f_flag.contains(StatVfsMountFlags::NOEXEC))
}

/// Copies programs into `dir`, and says what to start instead. Only those that are one static
/// file and nothing else: any other may look for its libraries or sources next to itself.
///
/// # Errors
/// A copy could not be written.
pub fn copies(
    programs: &BTreeMap<String, SubjectProgram>,
    dir: &Path,
) -> Result<BTreeMap<String, SubjectProgram>> {
    let copied = programs.iter().map(|(runtime, program)| {
        let mut program = program.clone();
        if let [file] = &mut program.command[..]
            && environment::is_static(file)
        {
            *file = copy(file, &dir.join(runtime))?;
        }
        Ok((runtime.clone(), program))
    });
    copied.collect()
}

/// Copies `file` into `dir` under its own name: the kernel's name for a process is its file's.
fn copy(file: &Path, dir: &Path) -> Result<PathBuf> {
    let to = dir.join(file.file_name().unwrap_or(file.as_os_str()));
    // Not `fs::copy`, which lets the file system share the original's blocks, or copies in pieces.
    let copied = fs::create_dir_all(dir)
        .and_then(|()| open_to_all(dir))
        .and_then(|()| fs::write(&to, fs::read(file)?))
        .and_then(|()| fs::set_permissions(&to, fs::metadata(file)?.permissions()));
    copied.with_context(|| format!("copy {} to {}", file.display(), to.display()))?;
    Ok(to)
}

/// Makes the folder and the one it is in readable, with any umask: a child that has given up
/// its rights still finds its program.
fn open_to_all(dir: &Path) -> std::io::Result<()> {
    let both = dir.ancestors().take(2).filter(|dir| !dir.as_os_str().is_empty());
    for dir in both {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_static_programs_are_copied_and_stay_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("script");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        let own = std::env::current_exe().unwrap();
        let programs = BTreeMap::from([
            ("own".to_owned(), SubjectProgram::compiled(own.clone())),
            ("script".to_owned(), SubjectProgram::compiled(script)),
            (
                "interpreted".to_owned(),
                SubjectProgram {
                    command: vec![own.clone(), "subject.py".into()],
                    ..SubjectProgram::default()
                },
            ),
        ]);
        let below = dir.path().join("programs");
        // As a strict umask makes it.
        fs::create_dir(&below).unwrap();
        fs::set_permissions(&below, fs::Permissions::from_mode(0o700)).unwrap();
        let copies = copies(&programs, &below).unwrap();
        for dir in [&below, &below.join("own")] {
            assert_eq!(fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o755);
        }
        assert_eq!(copies["script"], programs["script"]);
        assert_eq!(copies["interpreted"], programs["interpreted"]);
        let copy = &copies["own"].command[0];
        assert!(copy.starts_with(dir.path()));
        assert_eq!(copy.file_name(), own.file_name());
        assert!(fs::read(copy).unwrap() == fs::read(&own).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions();
        assert_eq!(mode(copy), mode(&own));
    }

    #[test]
    fn programs_may_not_run_from_a_mount_without_exec() {
        // /proc is mounted without the right to run programs wherever it is the kernel's default.
        let proc = rustix::fs::statvfs("/proc").unwrap().f_flag;
        let expected = !proc.contains(StatVfsMountFlags::NOEXEC);
        assert_eq!(may_run_below(Path::new("/proc/not/there")), expected);
        assert!(may_run_below(&std::env::current_exe().unwrap()));
    }
}
