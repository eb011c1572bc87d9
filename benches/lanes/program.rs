//! Floors of strategies that start a program per request: programs that do nothing.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use forkbench::sys::clock::now_ns;
use forkbench::sys::floor;

use crate::lane::{Lane, Result, Site};

const SOURCES: [(&str, &str, &[&str]); 3] = [
    ("static_noop", include_str!("../programs/static_noop.c"), &["-O2", "-static"]),
    ("static_wait", include_str!("../programs/static_wait.c"), &["-O2", "-static"]),
    (
        "smallest",
        include_str!("../programs/smallest.c"),
        &["-O2", "-static", "-nostdlib", "-ffreestanding", "-Wl,--build-id=none"],
    ),
];

/// Compiles the programs into `dir`.
///
/// # Errors
/// There is no C compiler, or it cannot link statically; as a sentence for the table.
pub(crate) fn compile(dir: &Path) -> std::result::Result<(), String> {
    for (name, source, flags) in SOURCES {
        let file = dir.join(name).with_extension("c");
        std::fs::write(&file, source).map_err(|e| format!("write {}: {e}", file.display()))?;
        let output = Command::new("cc")
            .args(flags)
            .arg("-o")
            .arg(dir.join(name))
            .arg(&file)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("no C compiler (`cc`: {error})"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said.lines().next().unwrap_or_default().to_owned();
            return Err(format!("the C compiler cannot make {name}: {first}"));
        }
    }
    Ok(())
}

/// vfork + exec + wait of the static C program that does nothing.
pub(crate) fn exec_static(site: &Site) -> Result<Box<dyn Lane>> {
    exec(&[&site.dir.join("static_noop")])
}

/// vfork + exec + wait of the smallest program.
pub(crate) fn exec_smallest(site: &Site) -> Result<Box<dyn Lane>> {
    exec(&[&site.dir.join("smallest")])
}

/// The same of `sh -c` of the static C program.
pub(crate) fn shell_static(site: &Site) -> Result<Box<dyn Lane>> {
    let program = site.dir.join("static_noop");
    exec(&[Path::new("/bin/sh"), Path::new("-c"), &quoted(&program)])
}

/// The same of `sh -c` of `/bin/true`.
pub(crate) fn shell_true(_: &Site) -> Result<Box<dyn Lane>> {
    exec(&["/bin/sh", "-c", "/bin/true"].map(Path::new))
}

/// The same of `sh -c` of nothing but a builtin.
pub(crate) fn shell_builtin(_: &Site) -> Result<Box<dyn Lane>> {
    exec(&["/bin/sh", "-c", ":"].map(Path::new))
}

/// `std::process::Command` of the static C program.
pub(crate) fn command_static(site: &Site) -> Result<Box<dyn Lane>> {
    command(site.dir.join("static_noop"))
}

/// `std::process::Command` of the smallest program.
pub(crate) fn command_smallest(site: &Site) -> Result<Box<dyn Lane>> {
    command(site.dir.join("smallest"))
}

/// `std::process::Command` of `/bin/true`.
pub(crate) fn command_true(_: &Site) -> Result<Box<dyn Lane>> {
    command("/bin/true".into())
}

fn exec(arguments: &[&Path]) -> Result<Box<dyn Lane>> {
    let arguments = arguments
        .iter()
        .map(|a| CString::new(a.as_os_str().as_bytes()))
        .collect::<std::result::Result<Vec<CString>, _>>()?;
    Ok(Box::new(move || {
        let borrowed: Vec<&CStr> = arguments.iter().map(CString::as_c_str).collect();
        let start = now_ns();
        let exit = floor::run_program(&borrowed)?;
        let ns = now_ns() - start;
        match exit.status.success() {
            true => Ok(ns),
            false => Err(format!("{arguments:?} {}", exit.status).into()),
        }
    }))
}

fn command(program: PathBuf) -> Result<Box<dyn Lane>> {
    Ok(Box::new(move || {
        let start = now_ns();
        let status = Command::new(&program).status()?;
        let ns = now_ns() - start;
        match status.success() {
            true => Ok(ns),
            false => Err(format!("{}: {status}", program.display()).into()),
        }
    }))
}

/// For a path of the benches' own, which has no quotes.
fn quoted(path: &Path) -> PathBuf {
    format!("'{}'", path.display()).into()
}
