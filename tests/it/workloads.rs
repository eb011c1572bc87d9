//! The workloads' answers against those of an independent script, `vectors/make_workloads.py`,
//! which any other runtime can be held against as well.

use std::collections::{BTreeMap, BTreeSet};

use forkbench::workload::options;
use forkbench::workload::{self, Size, Spec};
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    folds: Vec<Fold>,
    draws: Vec<Draws>,
    datasets: Vec<DatasetFile>,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fold {
    numbers: Vec<String>,
    checksum: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draws {
    seed: String,
    numbers: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetFile {
    size: Size,
    seed: String,
    bytes: usize,
    checksum: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    workload: String,
    size: Size,
    seed: String,
    options: BTreeMap<String, String>,
    tasks: Vec<String>,
    checksum: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/workloads.json")).expect("the vectors parse")
}

fn spec(workload: &str, size: Size, seed: &str, given: &BTreeMap<String, String>) -> Spec {
    let defs = workload::by_name(workload).expect("the workload exists").options();
    Spec {
        workload: workload.to_owned(),
        size,
        seed: seed.parse().expect("a seed is a number"),
        payload_bytes: 0,
        options: options::resolve(defs, given, 2).expect("the options are valid"),
    }
}

#[test]
fn folds_and_draws() {
    for fold in vectors().folds {
        let numbers: Vec<u64> = fold.numbers.iter().map(|n| n.parse().unwrap()).collect();
        let checksum = workload::fold(&numbers).to_string();
        assert_eq!(checksum, fold.checksum, "{numbers:?}");
    }
    for draws in vectors().draws {
        let mut generator = Xoshiro128PlusPlus::seed_from_u64(draws.seed.parse().unwrap());
        let numbers: Vec<u32> = draws.numbers.iter().map(|_| generator.next_u32()).collect();
        assert_eq!(numbers, draws.numbers, "seed {}", draws.seed);
    }
}

#[test]
fn dataset_files() {
    let dir = tempfile::tempdir().unwrap();
    for expected in vectors().datasets {
        let spec = spec("analytics", expected.size, &expected.seed, &BTreeMap::new());
        let workload = spec.workload().unwrap();
        let path = workload.materialise(&spec, dir.path()).unwrap().unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(bytes.len(), expected.bytes);
        let checksum = workload::fold_bytes(&bytes).to_string();
        assert_eq!(checksum, expected.checksum, "seed {}", expected.seed);
    }
}

#[test]
fn answers() {
    let mut seen = BTreeSet::new();
    for expected in vectors().answers {
        let spec = spec(&expected.workload, expected.size, &expected.seed, &expected.options);
        let workload = spec.workload().unwrap();
        let input = workload.prepare(&spec).unwrap();
        let checksums: Vec<u64> = (0..workload.tasks(&spec).unwrap())
            .map(|task| input.run(task, Vec::new()).unwrap().checksum)
            .collect();
        let tasks: Vec<String> = checksums.iter().map(u64::to_string).collect();
        assert_eq!(tasks, expected.tasks, "{spec:?}");
        let joined = workload.join(&checksums).to_string();
        assert_eq!(joined, expected.checksum, "{spec:?}");
        seen.insert((expected.workload, expected.size));
    }
    // Every size of every workload whose answer follows from its parameters alone.
    for name in ["random-sum", "primes", "analytics", "orders"] {
        for size in Size::ALL {
            assert!(seen.contains(&(name.to_owned(), size)), "{name} {size:?}");
        }
    }
}
