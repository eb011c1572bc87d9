//! What can be measured here, from facts and from what was tried: a list of rules, each of which
//! looks at a few facts and says one thing.

use serde_json::{Value, json};

use super::probe::Probe;
use crate::record::Environment;

/// How well something can be measured here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Yes,
    /// With a restriction, which the detail names.
    Partly,
    /// Not at all; the detail says why.
    No,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Yes => "yes",
            State::Partly => "partly",
            State::No => "no",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) name: &'static str,
    pub(super) state: State,
    pub(super) detail: String,
    /// What to change, where something should be.
    pub(super) advice: Option<String>,
}

impl Finding {
    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "state": self.state.name(),
            "detail": self.detail,
            "advice": self.advice,
        })
    }

    fn new(name: &'static str, state: State, detail: impl Into<String>) -> Finding {
        Finding { name, state, detail: detail.into(), advice: None }
    }

    fn advise(mut self, advice: impl Into<String>) -> Finding {
        self.advice = Some(advice.into());
        self
    }

    /// `Yes` with what was found, or another state with why nothing was.
    fn tried(name: &'static str, found: &Result<String, String>, otherwise: State) -> Finding {
        match found {
            Ok(detail) => Finding::new(name, State::Yes, detail),
            Err(reason) => Finding::new(name, otherwise, reason),
        }
    }
}

/// Everything, in the order in which it is shown.
pub(super) fn all(env: &Environment, probe: &Probe) -> Vec<Finding> {
    let facts = Facts(env);
    vec![
        subject(&facts, probe),
        cores(&facts),
        virtualization(&facts),
        clock(&facts),
        frequency(&facts),
        pressure(&facts),
        memory_of_children(probe),
        memory_of_groups(&facts, probe),
        memory(&facts),
        huge_pages(&facts),
        system_calls(probe),
        Finding::new(
            "perf counters",
            State::Yes,
            "not needed: every time is a difference of two clock reads",
        ),
        limit(&facts, "open files", "ulimit_nofile_soft", "ulimit -n"),
        limit(&facts, "processes", "ulimit_nproc_soft", "ulimit -u"),
        process_ids(&facts),
        scheduling(&facts),
        Finding::tried("Node.js", &probe.node, State::No),
        Finding::tried("Python", &probe.python, State::No),
        browser(probe),
    ]
}

struct Facts<'a>(&'a Environment);

impl Facts<'_> {
    /// As text, or why there is none.
    fn text(&self, name: &str) -> Result<String, String> {
        match (self.0.facts.get(name), self.0.unavailable.get(name)) {
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
        self.0.facts.get(name)?.as_u64()
    }

    fn is(&self, name: &str, value: impl Into<Value>) -> bool {
        self.0.facts.get(name) == Some(&value.into())
    }
}

fn subject(facts: &Facts<'_>, probe: &Probe) -> Finding {
    const NAME: &str = "the Rust subject";
    let ready_ns = match &probe.subject_ready_ns {
        Ok(ready_ns) => *ready_ns as f64,
        Err(reason) => {
            return Finding::new(NAME, State::No, reason)
                .advise("build the subject: `cargo build --release`");
        }
    };
    let ready = format!("ready after {:.1} ms", ready_ns / 1e6);
    if !facts.is("build_profile", "release") {
        return Finding::new(NAME, State::Partly, format!("{ready}; not optimised")).advise(
            "measure with the optimised build: `cargo build --release`; times of any other say \
             nothing",
        );
    }
    if !facts.is("subject_is_static", true) {
        return Finding::new(NAME, State::Partly, format!("{ready}; not linked statically"))
            .advise("link the subject statically: a dynamic one makes `spawn` look slower");
    }
    Finding::new(NAME, State::Yes, format!("static, {ready}"))
}

fn cores(facts: &Facts<'_>) -> Finding {
    const NAME: &str = "cores";
    let (online, available) = (facts.number("cpus_online"), facts.number("cpus_available"));
    let quota = facts.text("cgroup_cpu_quota_cores").ok();
    let quota = quota.filter(|quota| quota != "unlimited");
    let model = facts.shown("cpu_model");
    let detail =
        format!("{} of {}, {model}", facts.shown("cpus_available"), facts.shown("cpus_online"));
    if let Some(quota) = quota {
        return Finding::new(NAME, State::Partly, format!("{detail}; a quota of {quota} cores"))
            .advise(
                "lift the CPU quota of the control group: when it is spent everything stops for \
                 the rest of a period, which looks like slow requests",
            );
    }
    match available {
        Some(0 | 1) => Finding::new(NAME, State::Partly, detail).advise(
            "give it two cores or more: on one, nothing runs in parallel and every strategy \
             shares it with the driver",
        ),
        _ if available < online => Finding::new(
            NAME,
            State::Partly,
            format!("{detail}; programs on the others are noise too"),
        ),
        _ => Finding::new(NAME, State::Yes, detail),
    }
}

fn virtualization(facts: &Facts<'_>) -> Finding {
    let what = facts.shown("virtualization");
    if what == "none" {
        return Finding::new("bare metal", State::Yes, "no hypervisor below");
    }
    let detail = format!("{what}; what it takes away is watched as steal and pauses");
    Finding::new("bare metal", State::Partly, detail)
}

fn clock(facts: &Facts<'_>) -> Finding {
    let source = facts.shown("clocksource");
    if ["hpet", "acpi_pm", "jiffies"].contains(&source.as_str()) {
        return Finding::new("clock", State::Partly, format!("{source}: slow to read")).advise(
            "boot with a clock source that is read without a system call (tsc or kvm-clock)",
        );
    }
    Finding::new("clock", State::Yes, source)
}

fn frequency(facts: &Facts<'_>) -> Finding {
    const NAME: &str = "CPU frequency";
    match facts.text("cpu_governor") {
        Ok(governor) if governor == "performance" => {
            Finding::new(NAME, State::Yes, "governor performance")
        }
        Ok(governor) => Finding::new(NAME, State::Partly, format!("governor {governor}")).advise(
            "keep the clock from following the load: \
             `echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`",
        ),
        Err(_) => Finding::new(
            NAME,
            State::No,
            "not shown here; the canary finds a slower clock all the same",
        ),
    }
}

fn pressure(facts: &Facts<'_>) -> Finding {
    const NAME: &str = "pressure (PSI)";
    if facts.is("pressure_is_counted", true) {
        return Finding::new(NAME, State::Yes, "memory, io and cpu in /proc/pressure");
    }
    Finding::new(NAME, State::No, "no /proc/pressure")
        .advise("boot with `psi=1`, so that waiting for memory and disks can be told")
}

fn memory_of_children(probe: &Probe) -> Finding {
    const NAME: &str = "memory per child";
    match &probe.child_pss_bytes {
        Ok(bytes) => {
            let mib = *bytes as f64 / f64::from(1 << 20);
            let detail = format!("smaps_rollup can be read: the subject's PSS is {mib:.1} MiB");
            Finding::new(NAME, State::Yes, detail)
        }
        Err(reason) => Finding::new(NAME, State::No, reason),
    }
}

fn memory_of_groups(facts: &Facts<'_>, probe: &Probe) -> Finding {
    let version = facts.shown("cgroup_version");
    let name = "memory of groups";
    match &probe.memory_peak_file {
        Ok(file) => Finding::new(name, State::Yes, format!("{file}; control groups {version}")),
        Err(reason) => {
            let detail = format!("{reason}; control groups {version}; peaks are sampled instead");
            Finding::new(name, State::No, detail)
        }
    }
}

fn memory(facts: &Facts<'_>) -> Finding {
    let gib = |name: &str| match facts.number(name) {
        Some(bytes) => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
        None => "unknown".to_owned(),
    };
    let detail = format!(
        "{} free of {}; overcommit {}",
        gib("memory_available_bytes"),
        gib("memory_total_bytes"),
        facts.shown("overcommit_memory"),
    );
    if facts.is("overcommit_memory", 2) {
        return Finding::new("memory", State::Partly, detail).advise(
            "allow overcommit (`sudo sysctl vm.overcommit_memory=0`): without it a large process \
             cannot be forked at all",
        );
    }
    let swap = facts.number("swap_total_bytes") > facts.number("swap_free_bytes");
    if swap {
        return Finding::new("memory", State::Partly, format!("{detail}; swap is in use"))
            .advise("free some memory: what is in swap must come back before it can be measured");
    }
    Finding::new("memory", State::Yes, detail)
}

fn huge_pages(facts: &Facts<'_>) -> Finding {
    let detail = format!(
        "{}, recorded: they make forking a large process several times cheaper",
        facts.shown("thp_enabled")
    );
    Finding::new("huge pages", State::Yes, detail)
}

fn system_calls(probe: &Probe) -> Finding {
    let finding = Finding::tried("system calls", &probe.strace, State::No);
    match finding.state {
        State::Yes => finding,
        _ => finding.advise(
            "install strace and allow it to trace, to see with your own eyes that what is called \
             fork forks; nothing else needs it",
        ),
    }
}

/// What a hundred children at a time need, several times over.
const ENOUGH: u64 = 1_024;

fn limit(facts: &Facts<'_>, name: &'static str, fact: &str, command: &str) -> Finding {
    let detail = match facts.shown(fact) {
        number if facts.number(fact).is_some() => format!("at most {number}"),
        word => word,
    };
    match facts.number(fact) {
        Some(limit) if limit < ENOUGH => Finding::new(name, State::Partly, detail).advise(format!(
            "raise the limit of {name} (`{command} {ENOUGH}` or more): many children at a time \
             would be refused"
        )),
        _ => Finding::new(name, State::Yes, detail),
    }
}

fn process_ids(facts: &Facts<'_>) -> Finding {
    let name = "process ids";
    let detail = format!("up to {}", facts.shown("pid_max"));
    match facts.number("cgroup_pids_limit") {
        Some(limit) if limit < ENOUGH => {
            Finding::new(name, State::Partly, format!("{detail}; the group has {limit}"))
                .advise("raise the control group's `pids.max`: many children would be refused")
        }
        _ => Finding::new(name, State::Yes, detail),
    }
}

fn scheduling(facts: &Facts<'_>) -> Finding {
    let name = "scheduling";
    let autogroup = match facts.number("sched_autogroup") {
        Some(1) => "autogroup on: other terminals' programs count as one each",
        Some(_) => "autogroup off",
        None => "autogroup unknown",
    };
    match facts.0.facts.get("nice").and_then(Value::as_i64) {
        Some(nice) if nice > 0 => {
            Finding::new(name, State::Partly, format!("{autogroup}; nice {nice}"))
                .advise("run without `nice`: other programs go first")
        }
        _ => match facts.text("may_be_real_time") {
            Ok(_) => Finding::new(name, State::Yes, autogroup),
            Err(reason) => {
                let detail = format!("{autogroup}; no real-time thread: {reason}");
                Finding::new(name, State::Partly, detail).advise(
                    "run open loops as root, or with `ulimit -r 1` where the hard limit allows it, \
                     outside control groups without real-time shares: their generator may be late \
                     where all cores work",
                )
            }
        },
    }
}

fn browser(probe: &Probe) -> Finding {
    match &probe.chromium {
        Ok(version) => Finding::new("Chromium", State::Yes, version),
        Err(reason) => {
            let detail = format!("{reason}; only looking at the page in tests needs it");
            Finding::new("Chromium", State::No, detail)
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
