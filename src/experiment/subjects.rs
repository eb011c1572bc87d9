//! The sources of the subjects that are scripts, so that an installed program has them without
//! its repository. The packages they may use are not among them. `build.rs` lists the files.

/// Files of one runtime's subject.
#[derive(Debug, Clone, Copy)]
pub struct Sources {
    /// The folder below the folder of all subjects.
    pub dir: &'static str,
    /// Paths below the folder and texts; the first is the one to run.
    pub files: &'static [(&'static str, &'static str)],
}

/// The Node.js subject.
pub const NODE: Sources =
    Sources { dir: "node", files: include!(concat!(env!("OUT_DIR"), "/subject-node.rs")) };

/// The Python subject.
pub const PYTHON: Sources =
    Sources { dir: "python", files: include!(concat!(env!("OUT_DIR"), "/subject-python.rs")) };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_begin_with_the_program_and_hold_nothing_that_was_installed() {
        for (sources, entry) in [(NODE, "subject.mjs"), (PYTHON, "subject.py")] {
            let paths: Vec<_> = sources.files.iter().map(|(path, _)| *path).collect();
            assert_eq!(paths[0], entry);
            assert!(paths[1..].is_sorted() && paths.len() > 40, "{paths:?}");
            for path in paths {
                let parts: Vec<_> = path.split('/').collect();
                let is_own = |part: &&str| !part.starts_with('.') && !part.contains("node_modules");
                assert!(parts.iter().all(is_own), "{path}");
                let ext = path.rsplit('.').next().unwrap();
                assert!(["mjs", "py", "json", "txt"].contains(&ext), "{path}");
            }
        }
    }
}
