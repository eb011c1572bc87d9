//! Facts of the machine, the process and the build, for `env.json`: those that explain the numbers,
//! and those that must be equal in two runs that are compared.
//!
//! A fact that cannot be read is listed with the reason. Nothing private is recorded: no paths of
//! the user's, no values of environment variables.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Environment;

mod binary;
mod build;
mod cpu;
mod kernel;
mod memory;
mod process;

pub use binary::is_static;
pub use build::GIT_REVISION;
pub(super) use cpu::cpus_available;

/// All facts of this machine. `subject` is the program whose trials are measured.
pub fn collect(subject: &Path) -> Environment {
    let mut environment = collect_from(&Host::default());
    binary::facts(subject, &mut environment);
    environment
}

/// The machine's name on the network.
///
/// # Errors
/// Why it has none.
pub fn hostname() -> Result<String, String> {
    sysinfo::System::host_name().map_err(|error| error.to_string())
}

impl Environment {
    /// Records a fact under a name that ends with its unit, or why there is none.
    pub fn record<T: Into<Value>>(&mut self, name: &str, found: Result<T, String>) {
        match found {
            Ok(value) => {
                self.facts.insert(name.to_owned(), value.into());
            }
            Err(reason) => {
                self.unavailable.insert(name.to_owned(), reason);
            }
        }
    }
}

fn collect_from(host: &Host) -> Environment {
    let mut environment = Environment::default();
    cpu::facts(host, &mut environment);
    memory::facts(host, &mut environment);
    kernel::facts(host, &mut environment);
    process::facts(host, &mut environment);
    build::facts(&mut environment);
    environment
}

/// Where the kernel's files are; tests put others in their place.
#[derive(Debug)]
struct Host {
    root: PathBuf,
}

impl Default for Host {
    fn default() -> Host {
        Host { root: PathBuf::from("/") }
    }
}

impl Host {
    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The file's text without surrounding blanks; the error names the file.
    fn text(&self, path: &str) -> Result<String, String> {
        let bytes = fs::read(self.path(path)).map_err(|error| format!("/{path}: {error}"))?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn number(&self, path: &str) -> Result<i64, String> {
        let text = self.text(path)?;
        text.parse().map_err(|_| format!("/{path}: holds `{text}`, not a number"))
    }

    /// The chosen one of alternatives such as `always [madvise] never`.
    fn choice(&self, path: &str) -> Result<String, String> {
        let text = self.text(path)?;
        let chosen = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        Ok(chosen.map_or(text.clone(), |(chosen, _)| chosen.to_owned()))
    }

    /// The value behind `key:` in files such as `/proc/self/status`.
    fn field(&self, path: &str, key: &str) -> Result<String, String> {
        self.text(path)?
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.trim() == key)
            .map(|(_, value)| value.trim().to_owned())
            .ok_or_else(|| format!("/{path}: has no `{key}`"))
    }

    fn field_number(&self, path: &str, key: &str) -> Result<u64, String> {
        let value = self.field(path, key)?;
        value.parse().map_err(|_| format!("/{path}: `{key}` is `{value}`, not a number"))
    }

    /// Names in a directory, sorted.
    fn names(&self, path: &str) -> Result<Vec<String>, String> {
        let entries = fs::read_dir(self.path(path)).map_err(|error| format!("/{path}: {error}"))?;
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }
}

#[cfg(test)]
mod tests;
