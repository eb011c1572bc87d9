//! What of the machine nothing watched while a run measured, and what a CPU quota did to it.
//! Sentences for the terminal, `tables.md` and *Can I trust it?*

use serde_json::Value;

use crate::record::{Run, TrialRow};

use super::human;

/// The signals that may disturb a trial: as in the facts of a run, and as people call them.
const SIGNALS: [(&str, &str); 10] = [
    ("steal", "stolen CPU"),
    ("foreign_cpu", "foreign CPU"),
    ("canary", "speed of fixed work"),
    ("vm_pause", "pauses of the machine"),
    ("freq", "frequency"),
    ("throttle", "throttling for heat"),
    ("mem_pressure", "memory pressure"),
    ("swap_in", "swapping"),
    ("io_pressure", "input and output pressure"),
    ("quota_throttled", "CPU quota"),
];

/// What every table of a run has to say: a quota, and what the idle machine hides.
pub(super) fn notes(run: &Run) -> Vec<String> {
    let idle = |signal: &str| run.environment.facts.get("noise_not_watched")?.get(signal)?.as_str();
    quota(run).into_iter().chain(not_watched(idle)).collect()
}

/// The same, and what the machine does not show at all.
pub(super) fn sentences(run: &Run) -> Vec<String> {
    let why = |signal: &str| {
        let idle = run.environment.facts.get("noise_not_watched");
        let level = idle.and_then(|idle| idle.get(signal)).and_then(Value::as_str);
        let missing = || run.environment.unavailable.get(&format!("noise_{signal}"));
        level.or_else(|| missing().map(String::as_str))
    };
    quota(run).into_iter().chain(not_watched(why)).collect()
}

/// `why` says of a signal why it was not watched, if it was not.
fn not_watched<'a>(why: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let named: Vec<String> = SIGNALS
        .iter()
        .filter_map(|(signal, name)| Some(format!("{name}, since {}", why(signal)?)))
        .collect();
    (!named.is_empty())
        .then(|| format!("Not watched: {}. No trial is flagged for it.", named.join("; ")))
}

/// What a CPU quota did; `None` where there was none.
fn quota(run: &Run) -> Option<String> {
    let cores = run.environment.facts.get("cgroup_cpu_quota_cores").and_then(Value::as_f64);
    let counted = || run.trials.iter().filter(|row| row.throttled_periods.is_some());
    let bitten: Vec<&TrialRow> =
        counted().filter(|row| row.throttled_periods.is_some_and(|n| n > 0)).collect();
    let what = match cores {
        Some(cores) => format!("A CPU quota of {} was in force", of_cores(cores)),
        None if !bitten.is_empty() => "A CPU quota was set while the run went on".to_owned(),
        None => return None,
    };
    let all = counted().count() as u64;
    Some(match (all, bitten.as_slice()) {
        (0, _) => format!("{what}; this machine does not count whether it was spent."),
        (all, []) => format!("{what} and was not spent in any of {}.", human::plural(all, "trial")),
        (all, bitten) => {
            let periods = bitten.iter().filter_map(|row| row.throttled_periods).sum();
            format!(
                "{what} and was spent in {} of {} ({}): everything stopped for the rest of the \
                 period, and their times contain that.",
                human::count(bitten.len() as u64),
                human::plural(all, "trial"),
                human::plural(periods, "period"),
            )
        }
    })
}

fn of_cores(cores: f64) -> String {
    let plural = if (cores - 1.0).abs() < f64::EPSILON { "core" } else { "cores" };
    format!("{cores} {plural}")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::driver::noise::signal::Signal;

    #[test]
    fn every_signal_has_a_name_for_people() {
        assert_eq!(SIGNALS.map(|(signal, _)| signal), Signal::ALL.map(Signal::name));
    }

    #[test]
    fn a_signal_at_the_idle_machine_s_own_level_is_named_with_it() {
        let mut run = sample::run();
        assert_eq!(notes(&run), [""; 0]);
        let level = "the idle machine itself is at 60 % of a core";
        let idle = serde_json::json!({ "foreign_cpu": level });
        run.environment.facts.insert("noise_not_watched".to_owned(), idle);
        let expected = "Not watched: foreign CPU, since the idle machine itself is at 60 % of a \
                        core. No trial is flagged for it.";
        assert_eq!(notes(&run), [expected]);
        // What the machine does not show stands on the page alone.
        let missing = "/sys/x: there is none".to_owned();
        run.environment.unavailable.insert("noise_freq".to_owned(), missing);
        let short = "the machine was not watched before so short a run".to_owned();
        run.environment.unavailable.insert("noise_when_idle".to_owned(), short);
        assert_eq!(notes(&run), [expected]);
        let said = sentences(&run).join("\n");
        assert!(said.contains("of a core; frequency, since /sys/x: there is none. No"), "{said}");
        assert!(!said.contains("so short a run"), "{said}");
    }

    #[test]
    fn a_quota_is_told_with_whether_it_was_spent() {
        let mut run = sample::run();
        let all = run.trials.len();
        let set = |run: &mut Run, cores: f64| {
            run.environment.facts.insert("cgroup_cpu_quota_cores".to_owned(), cores.into());
        };
        set(&mut run, 0.5);
        let said = quota(&run).unwrap();
        assert!(said.ends_with("does not count whether it was spent."), "{said}");
        run.trials.iter_mut().for_each(|row| row.throttled_periods = Some(0));
        let expected = format!(
            "A CPU quota of 0.5 cores was in force and was not spent in any of {all} trials."
        );
        assert_eq!(quota(&run).unwrap(), expected);
        run.trials[0].throttled_periods = Some(31);
        run.trials[1].throttled_periods = Some(1);
        set(&mut run, 1.0);
        let said = quota(&run).unwrap();
        let expected = format!(
            "A CPU quota of 1 core was in force and was spent in 2 of {all} trials (32 periods): "
        );
        assert!(said.starts_with(&expected), "{said}");
        run.environment.facts.insert("cgroup_cpu_quota_cores".to_owned(), "unlimited".into());
        let said = quota(&run).unwrap();
        assert!(said.starts_with("A CPU quota was set while the run went on and was"), "{said}");
        run.trials.iter_mut().for_each(|row| row.throttled_periods = Some(0));
        assert_eq!(quota(&run), None);
    }
}
