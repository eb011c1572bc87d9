//! What can be measured here: a table of rules over the machine's facts and what was tried.

use serde::Serialize;
use serde_json::Value;

use super::probe::Probe;
use crate::record::Environment;

/// How well something can be measured here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Yes,
    /// With a restriction, which the detail names.
    Partly,
    /// Not at all; the detail says why.
    No,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Yes => "yes",
            State::Partly => "partly",
            State::No => "no",
        }
    }
}

/// The result of one rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub state: State,
    pub detail: String,
    /// What to change.
    pub advice: Option<&'static str>,
}

/// Something to look at.
struct Rule {
    name: &'static str,
    /// What is there, in words, or why it is not.
    look: fn(&Facts<'_>) -> Result<String, String>,
    /// What to do where it is not there; empty if nothing can be done.
    remedy: &'static str,
    /// What restricts it, the worst first.
    obstacles: &'static [Obstacle],
}

/// A test, what it means for the measurement, and the remedy; empty if nothing can be done.
type Obstacle = (fn(&Facts<'_>) -> bool, &'static str, &'static str);

/// Everything, in the order in which it is shown.
pub fn all(env: &Environment, probe: &Probe) -> Vec<Finding> {
    let facts = Facts { env, probe };
    let mut findings: Vec<Finding> = RULES.iter().map(|rule| rule.finding(&facts)).collect();
    findings.extend(probe.runtimes.iter().map(|(name, found)| {
        let (state, detail) = match found {
            Ok(version) => (State::Yes, version),
            Err(reason) => (State::No, reason),
        };
        Finding { name, state, detail: detail.clone(), advice: None }
    }));
    findings
}

impl Rule {
    fn finding(&self, facts: &Facts<'_>) -> Finding {
        let name = self.name;
        let advice = |remedy: &'static str| Some(remedy).filter(|remedy| !remedy.is_empty());
        let found = match (self.look)(facts) {
            Ok(found) => found,
            Err(detail) => {
                return Finding { name, state: State::No, detail, advice: advice(self.remedy) };
            }
        };
        match self.obstacles.iter().find(|(is_there, ..)| is_there(facts)) {
            None => Finding { name, state: State::Yes, detail: found, advice: None },
            Some((_, meaning, remedy)) => Finding {
                name,
                state: State::Partly,
                detail: format!("{found}; {meaning}"),
                advice: advice(remedy),
            },
        }
    }
}

struct Facts<'a> {
    env: &'a Environment,
    probe: &'a Probe,
}

impl Facts<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.env.facts.get(name)
    }

    /// As text, or why there is none.
    fn text(&self, name: &str) -> Result<String, String> {
        match (self.get(name), self.env.unavailable.get(name)) {
            (Some(Value::String(text)), _) => Ok(text.clone()),
            (Some(value), _) => Ok(value.to_string()),
            (None, Some(reason)) => Err(reason.clone()),
            (None, None) => Err(format!("`{name}` was not looked for")),
        }
    }

    fn shown(&self, name: &str) -> String {
        self.text(name).unwrap_or_else(|_| "unknown".to_owned())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    fn is(&self, name: &str, value: impl Into<Value>) -> bool {
        self.get(name) == Some(&value.into())
    }

    fn gib(&self, name: &str) -> String {
        let gib = |bytes| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
        self.number(name).map_or_else(|| "unknown".to_owned(), gib)
    }

    /// Whether a limit is below what a hundred children at a time need, several times over.
    fn is_low(&self, name: &str) -> bool {
        self.number(name).is_some_and(|limit| limit < 1_024)
    }
}

/// A rule without a remedy or obstacles.
const PLAIN: Rule = Rule { name: "", look: |_| Ok(String::new()), remedy: "", obstacles: &[] };

const SLOW_CLOCKS: [&str; 3] = ["hpet", "acpi_pm", "jiffies"];

const RULES: &[Rule] = &[
    Rule {
        name: "the Rust subject",
        look: |facts| {
            let ready_ns = facts.probe.subject_ready_ns.clone()?;
            Ok(format!("ready after {:.1} ms", ready_ns as f64 / 1e6))
        },
        remedy: "build the subject: `cargo build --release`",
        obstacles: &[
            (
                |facts| !facts.is("build_profile", "release"),
                "not optimised",
                "measure with the optimised build: `cargo build --release`",
            ),
            (
                |facts| !facts.is("subject_is_static", true),
                "not linked statically",
                "link the subject statically: a dynamic one makes `spawn` look slower",
            ),
        ],
    },
    Rule {
        name: "cores",
        look: |facts| {
            let [available, online] = ["cpus_available", "cpus_online"].map(|n| facts.shown(n));
            Ok(format!("{available} of {online}, {}", facts.shown("cpu_model")))
        },
        obstacles: &[
            (
                |facts| facts.text("cgroup_cpu_quota_cores").is_ok_and(|q| q != "unlimited"),
                "limited by a CPU quota",
                "lift the CPU quota of the control group: when it is spent, everything stops for \
                 the rest of a period, which looks like slow requests",
            ),
            (
                |facts| facts.number("cpus_available").is_some_and(|cores| cores < 2),
                "nothing runs in parallel",
                "give it two cores or more: on one, every strategy shares it with the driver",
            ),
            (
                |facts| facts.number("cpus_available") < facts.number("cpus_online"),
                "programs on the other cores are noise too",
                "",
            ),
        ],
        ..PLAIN
    },
    Rule {
        name: "virtualization",
        look: |facts| Ok(facts.shown("virtualization")),
        obstacles: &[(
            |facts| !facts.is("virtualization", "none"),
            "time that the hypervisor takes shows as steal and vm_pause",
            "",
        )],
        ..PLAIN
    },
    Rule {
        name: "clock",
        look: |facts| Ok(facts.shown("clocksource")),
        obstacles: &[(
            |facts| SLOW_CLOCKS.contains(&facts.shown("clocksource").as_str()),
            "slow to read",
            "boot with a clock source that is read without a system call (tsc or kvm-clock)",
        )],
        ..PLAIN
    },
    Rule {
        name: "CPU frequency",
        look: |facts| match facts.text("cpu_governor") {
            Ok(governor) => Ok(format!("governor {governor}")),
            Err(_) => Err("not shown here; the canary still finds a slower clock".to_owned()),
        },
        obstacles: &[(
            |facts| !facts.is("cpu_governor", "performance"),
            "the frequency follows the load",
            "fix the frequency: `echo performance | sudo tee \
             /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`",
        )],
        ..PLAIN
    },
    Rule {
        name: "pressure (PSI)",
        look: |facts| match facts.is("pressure_is_counted", true) {
            true => Ok("memory, io and cpu in /proc/pressure".to_owned()),
            false => Err("no /proc/pressure".to_owned()),
        },
        remedy: "boot with `psi=1`, so that waiting for memory and disks shows",
        ..PLAIN
    },
    Rule {
        name: "memory per child",
        look: |facts| {
            let mib = facts.probe.child_pss_bytes.clone()? as f64 / f64::from(1 << 20);
            Ok(format!("smaps_rollup is readable: the subject's PSS is {mib:.1} MiB"))
        },
        ..PLAIN
    },
    Rule {
        name: "memory of groups",
        look: |facts| {
            let groups = format!("control groups {}", facts.shown("cgroup_version"));
            let file = facts.probe.memory_peak_file.clone();
            file.map(|file| format!("{file}; {groups}"))
                .map_err(|reason| format!("{reason}; {groups}; peaks are sampled instead"))
        },
        ..PLAIN
    },
    Rule {
        name: "memory",
        look: |facts| {
            let [free, total] =
                ["memory_available_bytes", "memory_total_bytes"].map(|name| facts.gib(name));
            Ok(format!("{free} free of {total}; overcommit {}", facts.shown("overcommit_memory")))
        },
        obstacles: &[
            (
                |facts| facts.is("overcommit_memory", 2),
                "a large process cannot be forked",
                "allow overcommit: `sudo sysctl vm.overcommit_memory=0`",
            ),
            (
                |facts| facts.number("swap_total_bytes") > facts.number("swap_free_bytes"),
                "swap is in use",
                "free some memory: swapped pages must be read back before they can be measured",
            ),
        ],
        ..PLAIN
    },
    Rule {
        name: "open files",
        look: |facts| Ok(format!("limit: {}", facts.shown("ulimit_nofile_soft"))),
        obstacles: &[(
            |facts| facts.is_low("ulimit_nofile_soft"),
            "too few for many children at a time",
            "raise the limit of open files: `ulimit -n 1024` or more",
        )],
        ..PLAIN
    },
    Rule {
        name: "processes",
        look: |facts| Ok(format!("limit: {}", facts.shown("ulimit_nproc_soft"))),
        obstacles: &[(
            |facts| facts.is_low("ulimit_nproc_soft"),
            "too few for many children at a time",
            "raise the limit of processes: `ulimit -u 1024` or more",
        )],
        ..PLAIN
    },
    Rule {
        name: "process ids",
        look: |facts| Ok(format!("up to {}", facts.shown("pid_max"))),
        obstacles: &[(
            |facts| facts.is_low("cgroup_pids_limit"),
            "the control group allows too few for many children at a time",
            "raise the control group's `pids.max`",
        )],
        ..PLAIN
    },
    Rule {
        name: "scheduling",
        look: |facts| Ok(format!("sched_autogroup: {}", facts.shown("sched_autogroup"))),
        obstacles: &[
            (
                |facts| facts.get("nice").and_then(Value::as_i64).is_some_and(|nice| nice > 0),
                "other programs go first",
                "run without `nice`",
            ),
            (
                |facts| facts.text("may_be_real_time").is_err(),
                "no real-time thread",
                "run open loops as root, or with `ulimit -r 1` where the hard limit allows it, \
                 outside control groups without real-time shares: their generator may be late \
                 where all cores work",
            ),
        ],
        ..PLAIN
    },
];

#[cfg(test)]
pub mod tests;
