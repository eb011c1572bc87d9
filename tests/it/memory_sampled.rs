//! Where the kernel keeps no high-water mark: the highest of all looks stands for it, and says so.
//!
//! One test, because a trial ends by killing whatever child this process has.

use forkbench::record::Phase;
use std::path::Path;

use crate::common::SUBJECT;
use forkbench::driver::memory::Grouping;
use forkbench::driver::oracle::Oracle;
use forkbench::driver::programs::SubjectProgram;
use forkbench::driver::target::subject_environment;
use forkbench::driver::trial::{self, Setting};
use forkbench::experiment::{Preset, plan, wire};

const EXPERIMENT: &str = "
    name = 'sampled'
    question = 'How much?'
    [[family]]
    workload = 'hold'
    options = { touch_mib = 16 }
    strategy = 'spawn'
    load = { memory = { children = 2 } }";

#[test]
fn a_peak_without_a_mark_of_the_kernel_s_is_flagged() {
    forkbench::sys::process::adopt_orphans().unwrap();
    let experiment = wire::parse(EXPERIMENT, "test", 1, 1).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let environment = subject_environment();
    let program = SubjectProgram { command: vec![SUBJECT.into()], ..SubjectProgram::default() };
    let setting = Setting {
        run_id: "run",
        experiment: &experiment,
        preset: Preset::by_name("smoke").unwrap(),
        programs: &[("rust".to_owned(), program)].into(),
        environment: &environment,
        scratch: scratch.path(),
        preexisting: &[],
        budget_end_ns: None,
    };
    let trials = plan::plan(&experiment, 1, 1);
    let spawn = trials.iter().find(|trial| trial.arm == 2).unwrap();
    let mut oracle = Oracle::new(Path::new(SUBJECT), scratch.path());
    let prepared = oracle.prepare(&experiment.families[0].spec, 1).unwrap();
    let ran = trial::run_grouped(&setting, spawn, &prepared, Grouping::Never).unwrap();
    assert_eq!((ran.row.status.name(), ran.row.flags.as_str()), ("ok", ""));
    let peak = ran.memory.last().unwrap();
    assert_eq!((peak.phase.name(), peak.flags.as_str()), ("peak", "peak_sampled"));
    assert_eq!(peak.cgroup_reason, "none was asked for");
    assert!(peak.pss_bytes >= Some(32 << 20), "{:?}", peak.pss_bytes);
    assert_eq!(peak.cgroup_peak_bytes, None);
    let unflagged = ran.memory.iter().filter(|row| row.phase != Phase::Peak);
    assert!(unflagged.map(|row| row.flags.as_str()).all(str::is_empty));
}
