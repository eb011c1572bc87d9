//! What to start as the subject of a runtime: finds the interpreter behind whatever name it has
//! in PATH, asks for its version, and puts the sources where it can read them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::output::{self, How, OUT_MAX_BYTES, Output};
use super::sources;
use super::target::{TargetError, subject_environment};
use crate::experiment::runtime::Script;
use crate::sys::clock::now_ns;
use crate::sys::limits;

/// How long an interpreter may take to say what it is.
const PROBE_NS: u64 = 20_000_000_000;

/// A subject that can be started here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubjectProgram {
    /// The program and its arguments.
    pub command: Vec<PathBuf>,
    /// Variables beside those of every subject.
    pub environment: Vec<(String, String)>,
    /// What it says it is made of, name to version; empty for a package that is not installed.
    pub versions: BTreeMap<String, String>,
}

impl SubjectProgram {
    /// A program that needs nothing but itself.
    pub fn compiled(path: PathBuf) -> SubjectProgram {
        SubjectProgram { command: vec![path], ..SubjectProgram::default() }
    }
}

/// Finds the interpreter of a script and asks it what it is.
///
/// # Errors
/// There is none, it is too old or does not say how old it is: with what to install.
pub fn find(script: &Script) -> Result<SubjectProgram> {
    let dir = sources::folder(&script.sources, cache_dir)?;
    let named = std::env::var_os(script.variable);
    let own = Some(dir.join(script.own)).filter(|path| !script.own.is_empty() && path.is_file());
    let interpreter = match (named, own) {
        (Some(named), _) => PathBuf::from(named),
        (None, Some(own)) => own,
        (None, None) => PathBuf::from(script.command),
    };
    let (install, variable) = (script.install, script.variable);
    let advice = || format!("install {install}, or name it in {variable}");
    let mut probe = Command::new(&interpreter);
    probe.args(script.probe).env_clear().envs(probe_environment());
    // An interpreter that cannot be started now may well be installed.
    let said = output_of(probe).map_err(|error| match limits::behind_any(&error) {
        Some(limit) => error.context(limit),
        None => error.context(advice()),
    })?;
    let (path, version) = match said.lines().collect::<Vec<_>>()[..] {
        [path, version] if path.starts_with('/') => (PathBuf::from(path), version),
        _ => bail!(
            "`{}` did not say its path and version but `{}`; {}",
            interpreter.display(),
            said.chars().take(100).collect::<String>(),
            advice()
        ),
    };
    match major_and_minor(version) {
        Some(found) if found >= script.oldest => {}
        _ => bail!("{} is version `{version}`; {}", path.display(), advice()),
    }
    let entry = dir.join(script.sources.files[0].0);
    let environment = environment(script)?;
    let mut versions = Command::new(&path);
    versions.arg(&entry).arg("versions");
    versions.env_clear().envs(subject_environment());
    versions.envs(environment.iter().map(|(k, v)| (k, v)));
    let said = output_of(versions)?;
    let versions = serde_json::from_str(&said)
        .with_context(|| format!("read the versions of `{}`", entry.display()))?;
    Ok(SubjectProgram { command: vec![path, entry], environment, versions })
}

/// That of a subject. What is in PATH may be a shim, which finds the real program by these two.
fn probe_environment() -> impl Iterator<Item = (OsString, OsString)> {
    let subjects = subject_environment().into_iter().map(|(k, v)| (k.into(), v.into()));
    let users = ["PATH", "HOME"].into_iter().filter_map(|k| Some((k.into(), std::env::var_os(k)?)));
    subjects.chain(users)
}

fn environment(script: &Script) -> Result<Vec<(String, String)>> {
    let mut environment: Vec<_> = script
        .environment
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some((variable, folder)) = script.cache {
        let cache = cache_dir()?.join(folder);
        environment.push((variable.to_owned(), cache.to_string_lossy().into_owned()));
    }
    Ok(environment)
}

/// `3.11.7` is (3, 11).
fn major_and_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Standard output of a command that ends well and in time.
fn output_of(command: Command) -> Result<String> {
    let attempt = format!("run `{}`", command.get_program().display());
    let Some(Output { how, out, err }) = output::run(command, now_ns() + PROBE_NS)? else {
        return Err(TargetError::Interrupted.into());
    };
    match how {
        How::Exited(status) if status.success() => {
            Ok(String::from_utf8_lossy(&out).trim().to_owned())
        }
        How::Exited(status) => {
            bail!("{attempt}: {status}; it said: {}", error_in(&String::from_utf8_lossy(&err)))
        }
        How::Late => bail!("{attempt}: no answer within {} s", PROBE_NS / 1_000_000_000),
        How::Flooded => bail!("{attempt}: it wrote more than {OUT_MAX_BYTES} bytes"),
    }
}

/// The line that names the error, else the last one: Node.js ends with its version.
fn error_in(said: &str) -> &str {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let named = lines().find(|line| line.starts_with("Error") || line.contains("Error:"));
    named.or_else(|| lines().next_back()).unwrap_or("nothing")
}

/// A folder of this program's that nobody else may write: in the user's cache, or among the
/// temporary files where there is no such place.
fn cache_dir() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let user = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache")));
    let user_id = rustix::process::geteuid().as_raw();
    let temporary = std::env::temp_dir().join(format!("forkbench-{user_id}"));
    match user.map(|user| own_dir(user.join("forkbench"))) {
        Some(Ok(dir)) => Ok(dir),
        Some(Err(_)) | None => own_dir(temporary),
    }
}

/// The folder, made if need be, that this user owns and may write into.
fn own_dir(dir: PathBuf) -> Result<PathBuf> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    // Of the name itself: anyone may have put a link there.
    let made = builder.create(&dir).and_then(|()| fs::symlink_metadata(&dir));
    let found = made.with_context(|| format!("create the folder {}", dir.display()))?;
    if !found.is_dir() {
        bail!("{} is a link or a file; its programs are not run", dir.display());
    }
    // What runtimes have compiled lies there as well.
    sources::nobody_else_may_change(&dir).map_err(anyhow::Error::msg)?;
    let probe = dir.join(format!(".probe-{}", std::process::id()));
    fs::write(&probe, "")
        .and_then(|()| fs::remove_file(&probe))
        .with_context(|| format!("write into the folder {}", dir.display()))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;
    use crate::experiment::subjects;

    fn script(command: &'static str, probe: &'static [&'static str]) -> Script {
        Script {
            command,
            variable: "FORKBENCH_NO_SUCH_VARIABLE",
            own: "",
            probe,
            oldest: (20, 0),
            install: "Something 20 or later",
            sources: subjects::NODE,
            environment: &[],
            cache: None,
        }
    }

    #[test]
    fn what_cannot_be_measured_says_what_to_install() {
        const ADVICE: &str = "install Something 20 or later, or name it in FORKBENCH_NO_SUCH";
        for (command, probe, said) in [
            ("/nonexistent/node", &[][..], "/nonexistent/node"),
            ("echo", &["/bin/node\n18.20.4"], "version `18.20.4`"),
            ("echo", &["/bin/node\nnightly"], "version `nightly`"),
            ("echo", &["hello"], "did not say its path and version"),
            ("false", &[], "exited with 1"),
        ] {
            let error = find(&script(command, probe)).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.contains(ADVICE) && error.contains(said), "{error}");
        }
    }

    #[test]
    fn interpreter_that_says_much_is_read_and_its_error_quoted() {
        let flood = "head -c 1000000 /dev/zero | tr '\\0' x >&2; ";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{flood} echo fine")]);
        assert_eq!(output_of(command).unwrap(), "fine");
        let mut command = Command::new("/bin/sh");
        let said = "echo \"Error: Cannot find module 'x'\" >&2; echo Node.js v20 >&2; exit 1";
        command.args(["-c", said]);
        let error = format!("{:#}", output_of(command).unwrap_err());
        assert!(error.ends_with("it said: Error: Cannot find module 'x'"), "{error}");
    }

    #[test]
    fn folder_that_cannot_be_written_or_is_open_to_others_is_no_cache() {
        let dir = tempfile::tempdir().unwrap();
        let made = own_dir(dir.path().join("a/b")).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o700);
        std::os::unix::fs::symlink(&made, dir.path().join("link")).unwrap();
        assert!(own_dir(dir.path().join("link")).is_err());
        fs::set_permissions(&made, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(own_dir(made.clone()).is_err());
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(own_dir(dir.path().join("file/below")).is_err());
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(major_and_minor("20.20.2"), Some((20, 20)));
        assert!(major_and_minor("3.9.18") < Some((3, 11)));
        assert_eq!(major_and_minor("3.14.0rc1"), Some((3, 14)));
        assert_eq!(major_and_minor("three"), None);
    }
}
