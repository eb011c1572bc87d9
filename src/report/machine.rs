//! What the machine and the driver did to a run, in sentences: laws that trials broke, noise, flags,
//! shared cores, a CPU quota, and signals that nothing watched.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::record::laws::{self, Law};
use crate::record::{NoiseLabel, Run, TrialRow, Validity};

use super::format;

/// How many trials broke a law, and which.
pub fn laws(run: &Run) -> Option<String> {
    let mut counts: BTreeMap<Law, u64> = BTreeMap::new();
    let mut trials = 0;
    for row in &run.trials {
        let mut broken: Vec<Law> = laws::named_in(&row.flags).collect();
        broken.sort_unstable();
        broken.dedup();
        trials += u64::from(!broken.is_empty());
        broken.into_iter().for_each(|law| *counts.entry(law).or_default() += 1);
    }
    let named: Vec<String> =
        counts.iter().map(|(law, n)| format!("{} ({n})", law.meaning())).collect();
    let counts = if trials == 1 { "counts" } else { "count" };
    (trials > 0).then(|| {
        format!(
            "{} broke a law that every measurement obeys, and {counts} for nothing: {}.",
            format::plural(trials, "trial"),
            named.join("; ")
        )
    })
}

/// What the driver takes of the cores that it measures on.
pub fn shared_cores(run: &Run, rows: &[&TrialRow]) -> Option<String> {
    let cores = run.environment.facts.get("cpus_available")?.as_u64()?;
    let (mut driver_ns, mut subject_ns) = (0.0, 0.0);
    for row in rows {
        let cpu = (row.cpu_user_ns, row.cpu_system_ns, row.driver_cpu_ns);
        if let (Some(user), Some(system), Some(driver)) = cpu {
            subject_ns += user as f64 + system as f64;
            driver_ns += driver as f64;
        }
    }
    let used = driver_ns + subject_ns;
    let share = match used > 0.0 {
        true => format!(
            " It used {} of the CPU time that both used together.",
            format::percent(driver_ns / used)
        ),
        false => String::new(),
    };
    Some(format!(
        "The driver shares {} with the subject.{share} It does so for every strategy alike, but the \
         gain from parallelism looks smaller than on a machine with cores to spare.",
        format::plural(cores, "core")
    ))
}

/// How many trials the rest of the machine disturbed, and by what.
pub fn noise(run: &Run, rows: &[&TrialRow]) -> Vec<String> {
    let of = |label| rows.iter().filter(|row| row.noise_label == Some(label)).count() as u64;
    let (warned, disturbed) = (of(NoiseLabel::Warn), of(NoiseLabel::Disturbed));
    let judged = of(NoiseLabel::Quiet) + warned + disturbed;
    let mut sentences = Vec::new();
    if judged > 0 {
        let signals = counted(rows.iter().flat_map(|row| words_of(&row.noise_flags)));
        let by = if signals.is_empty() { signals } else { format!(" ({signals})") };
        sentences.push(format!(
            "The rest of the machine disturbed {} of {} that could be judged, after re-runs, and \
             stirred in {} more{by}. They count like the others: their noise is in the intervals. \
             Each family says what would be concluded without them.",
            format::count(disturbed),
            format::plural(judged, "trial"),
            format::count(warned)
        ));
    }
    let when_idle = run.environment.facts.get("noise_when_idle");
    if when_idle.is_some_and(|label| label == "noisy") {
        sentences.push(
            "The machine was noisy even while it was idle, so intervals may be wide.".to_owned(),
        );
    }
    sentences
}

/// How many of the trials that count carry which flag.
pub fn flags(rows: &[&TrialRow]) -> Option<String> {
    let kept: Vec<&&TrialRow> =
        rows.iter().filter(|row| row.validity != Validity::Invalid).collect();
    let flagged = kept.iter().filter(|row| words_of(&row.flags).next().is_some()).count() as u64;
    let trials = format::plural(kept.len() as u64, "trial");
    let named = counted(kept.iter().flat_map(|row| words_of(&row.flags)));
    match (kept.len(), flagged) {
        (0, _) => None,
        (_, 0) => Some(format!("None of {trials} carries a flag.")),
        (_, 1) => Some(format!("1 of {trials} carries flags and was kept: {named}.")),
        (_, n) => {
            Some(format!("{} of {trials} carry flags and were kept: {named}.", format::count(n)))
        }
    }
}

/// The words of a cell that are joined by `;`.
fn words_of(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|word| !word.is_empty())
}

/// `late: 3, steal: 1`.
fn counted<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    words.for_each(|word| *counts.entry(word).or_default() += 1);
    let named: Vec<String> = counts.iter().map(|(name, n)| format!("{name}: {n}")).collect();
    named.join(", ")
}

/// The signals that may disturb a trial: as in the facts of a run, and in words.
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

/// What the first screen says: a quota, and signals that the idle machine hides.
pub fn warnings(run: &Run) -> Vec<String> {
    quota(run).into_iter().chain(not_watched(|signal| hidden(run, signal))).collect()
}

/// The same, and signals that the machine does not show at all.
pub fn watched(run: &Run) -> Vec<String> {
    let missing = |signal: &str| run.environment.unavailable.get(&format!("noise_{signal}"));
    let why = |signal: &str| hidden(run, signal).or_else(|| missing(signal).map(String::as_str));
    quota(run).into_iter().chain(not_watched(why)).collect()
}

/// The level of the idle machine that hides a signal.
fn hidden<'r>(run: &'r Run, signal: &str) -> Option<&'r str> {
    run.environment.facts.get("noise_not_watched")?.get(signal)?.as_str()
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
    let counted: Vec<u64> = run.trials.iter().filter_map(|row| row.throttled_periods).collect();
    let spent = counted.iter().filter(|n| **n > 0).count();
    let what = match cores {
        Some(1.0) => "A CPU quota of 1 core was in force".to_owned(),
        Some(cores) => format!("A CPU quota of {cores} cores was in force"),
        None if spent > 0 => "A CPU quota was set while the run went on".to_owned(),
        None => return None,
    };
    let trials = counted.len();
    Some(match (trials, spent) {
        (0, _) => format!("{what}; this machine does not count whether it was spent."),
        (n, 0) => format!("{what} and was not spent in {}.", format::any(n, "trial")),
        (n, spent) => format!(
            "{what} and was spent in {} ({}): everything stopped for the rest of the period, and \
             their times contain that.",
            format::part(spent, n, "trial"),
            format::plural(counted.iter().sum(), "period"),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::noise::signal::Signal;
    use crate::report::sample;

    #[test]
    fn signals_all_have_a_name_in_words() {
        assert_eq!(SIGNALS.map(|(signal, _)| signal), Signal::ALL.map(Signal::name));
    }

    #[test]
    fn signal_hidden_by_the_idle_machine_is_named_with_its_level() {
        let mut run = sample::run();
        assert_eq!(warnings(&run), [""; 0]);
        let level = "the idle machine itself is at 60 % of a core";
        let idle = serde_json::json!({ "foreign_cpu": level });
        run.environment.facts.insert("noise_not_watched".to_owned(), idle);
        let expected = "Not watched: foreign CPU, since the idle machine itself is at 60 % of a \
                        core. No trial is flagged for it.";
        assert_eq!(warnings(&run), [expected]);
        // What the machine does not show stands in the section on trust alone.
        let missing = "/sys/x: there is none".to_owned();
        run.environment.unavailable.insert("noise_freq".to_owned(), missing);
        let short = "the machine was not watched before so short a run".to_owned();
        run.environment.unavailable.insert("noise_when_idle".to_owned(), short);
        assert_eq!(warnings(&run), [expected]);
        let said = watched(&run).join("\n");
        assert!(said.contains("of a core; frequency, since /sys/x: there is none. No"), "{said}");
        assert!(!said.contains("so short a run"), "{said}");
    }

    #[test]
    fn quota_is_named_with_whether_it_was_spent() {
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
