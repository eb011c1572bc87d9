//! The experiments that come with the program, so that it runs without its repository.

/// An experiment's text under its name.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// As on the command line; the experiment's own name.
    pub name: &'static str,
    /// For errors.
    pub path: &'static str,
    /// TOML.
    pub text: &'static str,
}

macro_rules! builtin {
    ($name:literal) => {
        Builtin {
            name: $name,
            path: concat!("experiments/", $name, ".toml"),
            text: include_str!(concat!("../../experiments/", $name, ".toml")),
        }
    };
}

/// Every file in `experiments/`, the default one first.
pub const ALL: &[Builtin] = &[
    builtin!("main"),
    builtin!("notes"),
    builtin!("load"),
    builtin!("responsiveness"),
    builtin!("runtimes"),
    builtin!("node"),
    builtin!("python"),
    builtin!("spawn-cost"),
    builtin!("payload"),
    builtin!("ipc"),
    builtin!("placement"),
    builtin!("scaling"),
    builtin!("pool"),
    builtin!("startup"),
    builtin!("memory"),
    builtin!("memory-1000"),
];

/// Every file of claims in `experiments/`, by the name that an experiment gives as `claims`.
pub const CLAIMS: &[Builtin] = &[Builtin {
    name: "notes",
    path: "experiments/notes-claims.toml",
    text: include_str!("../../experiments/notes-claims.toml"),
}];

/// The built-in claims of this name.
pub fn claims_by_name(name: &str) -> Option<&'static Builtin> {
    CLAIMS.iter().find(|builtin| builtin.name == name)
}

/// The built-in experiment of this name.
pub fn by_name(name: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|builtin| builtin.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::wire;
    use std::path::Path;

    #[test]
    fn every_file_is_embedded_and_every_embedded_one_is_a_file() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        let mut files: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        files.sort();
        let claims = CLAIMS.iter().map(|claims| format!("{}-claims", claims.name));
        let names = ALL.iter().map(|builtin| builtin.name.to_owned());
        let mut names: Vec<_> = names.chain(claims).collect();
        names.sort();
        assert_eq!(files, names);
    }

    #[test]
    fn each_parses_on_any_machine_and_is_named_as_its_file() {
        for builtin in ALL {
            for cores in [1, 2, 3, 8, 128] {
                let experiment = wire::parse(builtin.text, builtin.path, cores, 1).unwrap();
                assert_eq!(experiment.name, builtin.name);
                assert!(experiment.question.ends_with('?'), "{}", builtin.name);
            }
        }
    }

    /// Left to the kernel, their blocks have two modes: one core or two.
    #[test]
    fn families_of_main_without_work_run_on_one_core() {
        let main = by_name("main").unwrap();
        let main = wire::parse(main.text, main.path, 2, 1).unwrap();
        let idle: Vec<_> = main.families.iter().filter(|f| f.spec.workload == "noop").collect();
        assert!(!idle.is_empty());
        let same_core = crate::experiment::Placement::SameCore;
        assert!(idle.iter().all(|family| family.placement == same_core));
    }
}
