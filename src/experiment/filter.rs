//! Parts of experiments: `--filter KEY=VALUE,VALUE2`.
//!
//! Values of one filter are alternatives; several filters must all hold. Reference and placebo
//! stay under every filter but one on `role`, because ratios need the first and their error bars
//! the second; a family of which only those two are left is dropped, unless its reference was
//! asked for.
//!
//! A demonstration has a name and a runtime and none of the other keys. A filter on a key drops
//! everything that lacks the key: `strategy=pool` leaves no demonstration, `demonstration=crash` no
//! family.

use std::str::FromStr;

use super::nearest::unknown;
use super::{Arm, Demonstration, Experiment, Family, Role};
use crate::workload::options;

/// Which part of an experiment to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    key: Key,
    /// At least one, none empty.
    values: Vec<String>,
}

/// Why a filter was refused: its form, an unknown key, a value that occurs nowhere, or nothing
/// that is left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

crate::words! {
    enum Key {
        Workload = "workload",
        Size = "size",
        Runtime = "runtime",
        Strategy = "strategy",
        Regime = "regime",
        Callers = "callers",
        Children = "children",
        Rate = "rate",
        Placement = "placement",
        PayloadBytes = "payload_bytes",
        BallastMib = "ballast_mib",
        Role = "role",
        Family = "family",
        Demonstration = "demonstration",
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Filter, FilterError> {
        let malformed = || {
            let example = "KEY=VALUE,… such as `strategy=pool,fork`";
            FilterError(format!("expected {example}, found `{text}`"))
        };
        let (name, values) = text.split_once('=').ok_or_else(malformed)?;
        let name = name.trim();
        let key = Key::by_name(name)
            .ok_or_else(|| FilterError(unknown("filter key", name, &Key::ALL.map(Key::name))))?;
        let values: Vec<String> = values.split(',').map(|v| v.trim().to_owned()).collect();
        if values.iter().any(String::is_empty) {
            return Err(malformed());
        }
        Ok(Filter { key, values })
    }
}

impl Filter {
    /// Whether it asks for this runtime by name.
    pub fn names_runtime(&self, name: &str) -> bool {
        self.key == Key::Runtime && self.has(name)
    }

    fn has(&self, value: &str) -> bool {
        self.values.iter().any(|wanted| wanted == value)
    }

    fn keeps_family(&self, family: &Family) -> bool {
        let is_asked = |arm: &Arm| self.has(&arm.strategy);
        match family_value(self.key, family) {
            Some(value) => self.has(&value),
            // Reference and placebo alone do not answer a filter on other strategies.
            None => self.key != Key::Strategy || family.arms.iter().any(is_asked),
        }
    }

    fn keeps_arm(&self, arm: &Arm) -> bool {
        let stays = self.key == Key::Strategy && arm.role != Role::Arm;
        stays || arm_value(self.key, arm).is_none_or(|value| self.has(value))
    }

    fn keeps_demonstration(&self, demonstration: &Demonstration) -> bool {
        demonstration_value(self.key, demonstration).is_some_and(|value| self.has(value))
    }

    /// The values that occur, each once, in order of appearance.
    fn occurring(&self, experiments: &[Experiment]) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        let mut add = |value: &str| {
            if !value.is_empty() && !values.iter().any(|old| old == value) {
                values.push(value.to_owned());
            }
        };
        for family in experiments.iter().flat_map(|e| &e.families) {
            family_value(self.key, family).iter().for_each(|value| add(value));
            family.arms.iter().filter_map(|arm| arm_value(self.key, arm)).for_each(&mut add);
        }
        let demonstrations = experiments.iter().flat_map(|e| &e.demonstrations);
        demonstrations.filter_map(|d| demonstration_value(self.key, d)).for_each(add);
        values
    }

    /// The filter with multiples of the cores resolved, after a check that each value occurs.
    fn resolved(&self, experiments: &[Experiment], cores: u32) -> Result<Filter, FilterError> {
        let occurring = self.occurring(experiments);
        let valid: Vec<&str> = occurring.iter().map(String::as_str).collect();
        let resolve = |value: &String| {
            let number = (self.key == Key::Callers).then(|| options::resolve_cores(value, cores));
            let resolved = number.flatten().map_or_else(|| value.clone(), |n| n.to_string());
            if valid.contains(&resolved.as_str()) {
                return Ok(resolved);
            }
            let message = unknown("value", value, &valid);
            Err(FilterError(format!("filter `{}`: {message}", self.key)))
        };
        let values = self.values.iter().map(resolve).collect::<Result<_, _>>()?;
        Ok(Filter { key: self.key, values })
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.values.join(","))
    }
}

/// The family's value of a key; `None` for the keys that arms have. A family that lacks the key
/// has the empty value, which no filter asks for.
fn family_value(key: Key, family: &Family) -> Option<String> {
    let number = |value: Option<u32>| value.map_or_else(String::new, |n| n.to_string());
    Some(match key {
        Key::Workload => family.spec.workload.clone(),
        Key::Size => family.spec.size.name().to_owned(),
        Key::Runtime => family.runtime.clone(),
        Key::Regime => family.load.regime().to_owned(),
        Key::Callers => number(family.load.callers()),
        Key::Children => number(family.load.children()),
        Key::Rate => family.load.open().map(|open| open.rate.label()).unwrap_or_default(),
        Key::Placement => family.placement.name().to_owned(),
        Key::PayloadBytes => family.spec.payload_bytes.to_string(),
        Key::BallastMib => (family.ballast_bytes >> 20).to_string(),
        Key::Family => family.id.clone(),
        Key::Demonstration => String::new(),
        Key::Strategy | Key::Role => return None,
    })
}

/// The arm's value of a key; `None` for the keys that it lacks.
fn arm_value(key: Key, arm: &Arm) -> Option<&str> {
    match key {
        Key::Strategy => Some(&arm.strategy),
        Key::Role => Some(arm.role.name()),
        _ => None,
    }
}

/// The demonstration's value of a key; `None` for the keys that it lacks.
fn demonstration_value(key: Key, demonstration: &Demonstration) -> Option<&str> {
    match key {
        Key::Demonstration => Some(&demonstration.name),
        Key::Runtime => Some(&demonstration.runtime),
        _ => None,
    }
}

/// The parts of the experiments that match every filter; experiments without a match are dropped.
///
/// # Errors
/// A value that occurs in none of the experiments, or nothing left to run.
pub fn apply(
    filters: &[Filter],
    mut experiments: Vec<Experiment>,
    cores: u32,
) -> Result<Vec<Experiment>, FilterError> {
    let filters: Vec<Filter> = filters
        .iter()
        .map(|filter| filter.resolved(&experiments, cores))
        .collect::<Result<_, _>>()?;
    for experiment in &mut experiments {
        experiment.families.retain_mut(|family| {
            family.arms.retain(|arm| filters.iter().all(|filter| filter.keeps_arm(arm)));
            !family.arms.is_empty() && filters.iter().all(|filter| filter.keeps_family(family))
        });
        keep_demonstrations(&filters, experiment);
    }
    experiments.retain(|e| !e.families.is_empty() || !e.demonstrations.is_empty());
    if experiments.is_empty() {
        let all: Vec<String> = filters.iter().map(Filter::to_string).collect();
        let message = "the filters leave nothing to run: no arm matches";
        return Err(FilterError(format!("{message} {}", all.join(" and "))));
    }
    Ok(experiments)
}

/// Leaves the demonstrations that every filter matches. For a run that is resumed: [`apply`]
/// checked the filters when it began.
pub fn keep_demonstrations(filters: &[Filter], experiment: &mut Experiment) {
    let demonstrations = &mut experiment.demonstrations;
    demonstrations.retain(|d| filters.iter().all(|filter| filter.keeps_demonstration(d)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::wire;

    /// Two experiments of the tests' own, so that a new built-in one changes nothing here.
    const TEXTS: [&str; 2] = [
        r#"
        name = "main"
        question = "?"
        reference = "blocking"
        [[family]]
        workload = "noop"
        payload_bytes = 64
        strategy = "*"
        load = { closed = { callers = [1, "2x"] } }
        [[family]]
        workload = "random-sum"
        size = "m"
        strategy = "*"
        load = { closed = { callers = "2x" } }
        [[family]]
        workload = "primes"
        size = "m"
        options = { chunks = "1x", split = "interleaved" }
        strategy = "*"
        load = { closed = { callers = "2x" } }
        "#,
        r#"
        name = "spawn-cost"
        question = "?"
        reference = "blocking"
        [[family]]
        workload = "noop"
        payload_bytes = 64
        strategy = ["thread", "spawn", "fork"]
        ballast_mib = [0, 64, 1024]
        load = { closed = { callers = 1 } }
        "#,
    ];

    fn experiments() -> Vec<Experiment> {
        TEXTS.map(|text| wire::parse(text, "test.toml", 2, 1).unwrap()).into()
    }

    /// `experiment family: role strategy, ...` of all that is left, or the error.
    fn check(filters: &[&str], expected: &str) {
        let left = || -> Result<String, FilterError> {
            let filters: Vec<Filter> =
                filters.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
            let mut lines = Vec::new();
            for experiment in apply(&filters, experiments(), 2)? {
                for family in &experiment.families {
                    let arms = family.arms.iter();
                    let arms: Vec<_> = arms.map(|a| format!("{} {}", a.role, a.strategy)).collect();
                    lines.push(format!("{} {}: {}", experiment.name, family.id, arms.join(", ")));
                }
            }
            Ok(lines.join("\n"))
        };
        let found = left().unwrap_or_else(|error| error.to_string());
        assert_eq!(found, expected, "{filters:?}");
    }

    #[test]
    fn reference_and_placebo_stay_with_a_strategy() {
        check(
            &["strategy=pool", "workload=random-sum,primes", "regime=closed"],
            "main random-sum-m-rust-closed4: reference blocking, placebo blocking, arm pool\n\
             main primes-m-chunks2-split-interleaved-rust-closed4: \
             reference blocking, placebo blocking, arm pool",
        );
        check(
            &["strategy=blocking", "workload=random-sum", "regime=closed"],
            "main random-sum-m-rust-closed4: reference blocking, placebo blocking",
        );
        check(
            &["role=arm", "strategy=pool", "workload=random-sum", "callers=2x"],
            "main random-sum-m-rust-closed4: arm pool",
        );
    }

    #[test]
    fn families_without_the_strategy_are_dropped_and_multiples_resolve() {
        check(
            &["strategy=pool", "callers=1"],
            "main noop-64B-rust-closed1: reference blocking, placebo blocking, arm pool",
        );
        check(
            &["strategy=fork", "callers=0.5x", "ballast_mib=1024"],
            "spawn-cost noop-64B-rust-closed1-ballast1024MiB: \
             reference blocking, placebo blocking, arm fork",
        );
        check(
            &["family=noop-64B-rust-closed4", "strategy=fork , thread"],
            "main noop-64B-rust-closed4: \
             reference blocking, placebo blocking, arm thread, arm fork",
        );
    }

    #[test]
    fn a_rate_keeps_the_families_that_are_offered_it() {
        let load = crate::experiment::builtin::by_name("load").unwrap();
        let load = vec![wire::parse(load.text, load.path, 2, 1).unwrap()];
        let kept = |filter: &str| apply(&[filter.parse().unwrap()], load.clone(), 2);
        let left = kept("rate=0.4cap").unwrap();
        assert_eq!(left[0].families[0].id, "random-sum-m-rust-open0.4cap");
        assert_eq!(left[0].families.len(), 1);
        let error = kept("callers=1").unwrap_err().to_string();
        assert!(error.contains("unknown value `1`"), "{error}");
    }

    #[test]
    fn demonstrations_stay_where_a_filter_names_what_they_have() {
        let text = format!("{}[[demonstration]]\nname = [\"crash\", \"max-buffer\"]\n", TEXTS[1]);
        let left = |filters: &[&str]| {
            let filters: Vec<Filter> = filters.iter().map(|text| text.parse().unwrap()).collect();
            let all = vec![wire::parse(&text, "test.toml", 2, 1).unwrap()];
            let left = apply(&filters, all, 2).map_err(|error| error.to_string())?;
            let shown = left[0].demonstrations.iter();
            let shown: Vec<_> = shown.map(|d| format!("{} {}", d.name, d.runtime)).collect();
            Ok::<_, String>((left[0].families.len(), shown.join(", ")))
        };
        let all = "crash node, crash rust, crash python, max-buffer node";
        for (filters, families, shown) in [
            (&[][..], 3, all),
            (&["runtime=rust"], 3, "crash rust"),
            (&["strategy=fork"], 3, ""),
            (&["demonstration=crash"], 0, "crash node, crash rust, crash python"),
            (&["demonstration=crash", "runtime=node,python"], 0, "crash node, crash python"),
        ] {
            let expected = (families, shown.to_owned());
            assert_eq!(left(filters), Ok(expected), "{filters:?}");
        }
        let error = left(&["demonstration=crush"]).unwrap_err();
        assert!(error.contains("did you mean `crash`?"), "{error}");
        assert!(left(&["demonstration=crash", "strategy=fork"]).is_err());
    }

    #[test]
    fn what_matches_nothing_is_refused() {
        check(&["callers=3"], "filter `callers`: unknown value `3`; valid: 1, 4");
        check(
            &["placement=same-core"],
            "filter `placement`: unknown value `same-core`; valid: unpinned",
        );
        check(
            &["role=placbo"],
            "filter `role`: unknown value `placbo`; did you mean `placebo`? \
             valid: reference, placebo, arm",
        );
        check(
            &["ballast_mib=64", "workload=primes"],
            "the filters leave nothing to run: no arm matches ballast_mib=64 and workload=primes",
        );
    }

    #[test]
    fn malformed_filters_are_refused() {
        check(
            &["stratgy=pool"],
            "unknown filter key `stratgy`; did you mean `strategy`? valid: workload, size, \
             runtime, strategy, regime, callers, children, rate, placement, payload_bytes, \
             ballast_mib, \
             role, family, demonstration",
        );
        for text in ["pool", "strategy=", "strategy=pool,,fork", "strategy=pool,"] {
            check(
                &[text],
                &format!("expected KEY=VALUE,… such as `strategy=pool,fork`, found `{text}`"),
            );
        }
    }
}
