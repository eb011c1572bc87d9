//! Continues a run that was cut short: everything follows from the rows on disk, after it was made
//! sure that they were measured by the same programs on the same machine.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::Order;
use crate::experiment::runtime;
use crate::record::{self, CalibrationRow, Environment, FactRow, PlanRow, Run, RunDir, TrialRow};

/// A run that cannot be continued as asked: nothing was started, nothing changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot resume {dir}: {reason}")]
pub struct Refused {
    dir: String,
    reason: String,
}

impl Refused {
    fn because(dir: &Path, reason: String) -> anyhow::Error {
        let dir = dir.display().to_string();
        Refused { dir, reason }.into()
    }
}

/// What a run has measured before; nothing if it begins.
#[derive(Debug, Default)]
pub struct Past {
    pub trials: Vec<TrialRow>,
    pub calibration: Vec<CalibrationRow>,
    /// Of demonstrations that are over.
    pub facts: Vec<FactRow>,
    /// The last attempt at a memory trial of which there is a snapshot: it may have been cut short
    /// before it had a row of its own.
    pub last_snapshots: BTreeMap<String, u32>,
    /// How long it was watched, idle time included.
    pub spent_ns: u64,
    pub environment: Environment,
}

/// Facts that numbers of one run must share, in addition to those of its runtimes.
const SAME: [&str; 15] = [
    "forkbench_hash",
    "subject_hash",
    "subject_is_copied",
    "build_rustc",
    "kernel_release",
    "kernel_version",
    "arch",
    "cpu_model",
    "cpu_microcode",
    "cpu_mitigations",
    "cpus_online",
    "cpus_available",
    "cpu_affinity_list",
    "cgroup_cpu_quota_cores",
    "sh_target",
];

/// Opens the run's directory for this process alone, and reads what is in it.
pub fn open(
    order: &Order<'_>,
    plan: &[PlanRow],
    now: &Environment,
) -> Result<(RunDir, String, Past)> {
    let refuse = |reason: String| Refused::because(&order.out, reason);
    // Differences are reported before the directory is touched.
    let before = record::read(&order.out)?;
    if let Some(reason) = difference(&before, plan, now) {
        return Err(refuse(reason));
    }
    let mut dir = RunDir::reopen(&order.out)?;
    // Anew, because a torn row is gone, and another process may have written until just now.
    let mut run = record::read(&order.out)?;
    if let Some(remark) = run.remarks.first() {
        let advice = "a run is continued only as it was written; `forkbench report` uses the rest";
        return Err(refuse(format!("{remark}; {advice}")));
    }
    dir.keep_requests_of(&run.trials)?;
    dir.keep_whole_demonstrations_of(&mut run.facts)?;
    let (noise, _) = record::read_noise(&order.out);
    let mut last_snapshots: BTreeMap<String, u32> = BTreeMap::new();
    for row in &run.memory {
        let attempt = last_snapshots.entry(row.trial_id.clone()).or_default();
        *attempt = row.attempt.max(*attempt);
    }
    let past = Past {
        last_snapshots,
        calibration: record::read_calibration(&order.out),
        spent_ns: noise.iter().map(|row| row.interval_ns).sum(),
        environment: run.environment,
        facts: run.facts,
        trials: run.trials,
    };
    Ok((dir, run.manifest.run_id, past))
}

/// Why new measurements could not be compared with those of the run's beginning.
fn difference(run: &Run, plan: &[PlanRow], now: &Environment) -> Option<String> {
    if let Some(fact) = changed_fact(&run.environment, now) {
        return Some(fact);
    }
    if run.plan != plan {
        let differs = |(a, b): &(&PlanRow, &PlanRow)| a != b;
        let first = run.plan.iter().zip(plan).find(differs);
        let what = match first {
            Some((then, now)) => format!(
                "trial `{}` was `{}` of `{}` and would now be `{}` of `{}`",
                then.trial_id, then.strategy, then.family_id, now.strategy, now.family_id
            ),
            None => format!("it has {} trials and would now have {}", run.plan.len(), plan.len()),
        };
        return Some(format!(
            "its plan.csv is not what its experiment.toml and seed plan: {what}; put back what \
             was changed"
        ));
    }
    None
}

fn changed_fact(then: &Environment, now: &Environment) -> Option<String> {
    let of_runtime = |name: &&String| {
        let mut names = runtime::ALL.iter().map(|runtime| runtime.name);
        names.any(|runtime| name.starts_with(&format!("{runtime}_")))
    };
    let names = SAME.into_iter().map(str::to_owned);
    let runtimes = then.facts.keys().chain(now.facts.keys()).filter(of_runtime);
    let said = |facts: &Environment, name: &str| match facts.facts.get(name) {
        Some(value) => value.to_string(),
        None => "unknown".to_owned(),
    };
    names.chain(runtimes.cloned()).find_map(|name| {
        let (then, now) = (said(then, &name), said(now, &name));
        (then != now).then(|| {
            format!(
                "`{name}` was {then} when it began and is {now} now, so that the two parts could \
                 not be compared; begin anew without --resume"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(facts: &[(&str, &str)]) -> Environment {
        let mut environment = Environment::default();
        for (name, value) in facts {
            environment.record(name, Ok(*value));
        }
        environment
    }

    #[test]
    fn a_fact_that_changed_is_named_with_then_and_now() {
        let then = environment(&[("kernel_release", "6.1.0"), ("uptime_s", "5")]);
        let same = environment(&[("kernel_release", "6.1.0"), ("uptime_s", "9")]);
        assert_eq!(changed_fact(&then, &same), None);
        for name in SAME {
            let then = environment(&[(name, "A")]);
            for now in [environment(&[(name, "B")]), Environment::default()] {
                let said = changed_fact(&then, &now).unwrap();
                assert!(said.contains(name) && said.contains("\"A\""), "{said}");
            }
        }
        let node = |version| environment(&[("node_version", version)]);
        let said = changed_fact(&node("v20"), &node("v22")).unwrap();
        assert!(said.contains("node_version") && said.contains("v22"), "{said}");
    }
}
