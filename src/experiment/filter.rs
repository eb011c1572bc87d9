//! Parts of experiments: `--filter KEY=VALUE,VALUE2`.
//!
//! Values of one filter are alternatives; several filters must all hold. Reference and placebo
//! stay under every filter but one on `role`, because ratios need the first and their error bars
//! the second; a family of which only those two are left is dropped, unless its reference was
//! asked for.
//!
//! A demonstration has a name and a runtime and none of the other keys, and what has no value of a
//! key matches no filter on it: `strategy=pool` leaves no demonstration, `demonstration=crash` no
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

/// Why a filter was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No `=`, or nothing on one of its sides.
    #[error("expected KEY=VALUE,… such as `strategy=pool,fork`, found `{0}`")]
    Malformed(String),
    /// The key is none of [`Filter::keys`].
    #[error("{0}")]
    UnknownKey(String),
    /// The value occurs nowhere in the experiments.
    #[error("filter `{key}`: {message}")]
    UnknownValue {
        /// What was filtered on.
        key: &'static str,
        /// The value, the nearest one that occurs, and all that do.
        message: String,
    },
    /// Every filter matches something, but nothing matches all of them.
    #[error("the filters leave nothing to run: no arm matches {}", .0.join(" and "))]
    Nothing(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Workload,
    Size,
    Runtime,
    Strategy,
    Regime,
    Callers,
    Children,
    Rate,
    Placement,
    PayloadBytes,
    BallastMib,
    Role,
    Family,
    Demonstration,
}

const KEYS: [(&str, Key); 14] = [
    ("workload", Key::Workload),
    ("size", Key::Size),
    ("runtime", Key::Runtime),
    ("strategy", Key::Strategy),
    ("regime", Key::Regime),
    ("callers", Key::Callers),
    ("children", Key::Children),
    ("rate", Key::Rate),
    ("placement", Key::Placement),
    ("payload_bytes", Key::PayloadBytes),
    ("ballast_mib", Key::BallastMib),
    ("role", Key::Role),
    ("family", Key::Family),
    ("demonstration", Key::Demonstration),
];

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Filter, FilterError> {
        let malformed = || FilterError::Malformed(text.to_owned());
        let (name, values) = text.split_once('=').ok_or_else(malformed)?;
        let name = name.trim();
        let Some((_, key)) = KEYS.iter().find(|(key, _)| *key == name) else {
            let message = unknown("filter key", name, &Filter::keys());
            return Err(FilterError::UnknownKey(message));
        };
        let values: Vec<String> = values.split(',').map(|v| v.trim().to_owned()).collect();
        if values.iter().any(String::is_empty) {
            return Err(malformed());
        }
        Ok(Filter { key: *key, values })
    }
}

impl Filter {
    /// Whether it asks for this runtime by name.
    pub fn names_runtime(&self, name: &str) -> bool {
        self.key == Key::Runtime && self.values.iter().any(|value| value == name)
    }

    /// The valid keys.
    pub fn keys() -> Vec<&'static str> {
        KEYS.iter().map(|(name, _)| *name).collect()
    }

    fn name(&self) -> &'static str {
        let mut keys = KEYS.iter();
        keys.find(|(_, key)| *key == self.key).map_or("", |(name, _)| name)
    }

    fn keeps_family(&self, family: &Family) -> bool {
        match family_value(self.key, family) {
            Some(value) => self.values.contains(&value),
            None => true,
        }
    }

    fn keeps_arm(&self, arm: &Arm) -> bool {
        match self.key {
            Key::Strategy => arm.role != Role::Arm || self.values.contains(&arm.strategy),
            Key::Role => self.values.iter().any(|value| value == arm.role.name()),
            _ => true,
        }
    }

    fn keeps_demonstration(&self, demonstration: &Demonstration) -> bool {
        demonstration_value(self.key, demonstration)
            .is_some_and(|value| self.values.iter().any(|wanted| wanted == value))
    }

    /// Whether anything that was asked for is left, after [`Filter::keeps_arm`].
    fn is_answered_by(&self, family: &Family) -> bool {
        let asked = |arm: &Arm| self.values.contains(&arm.strategy);
        self.key != Key::Strategy || family.arms.iter().any(asked)
    }

    /// The values that occur, each once, in order of appearance.
    fn occurring(&self, experiments: &[Experiment]) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        for family in experiments.iter().flat_map(|e| &e.families) {
            let of_family = family_value(self.key, family).into_iter();
            let of_arms = family.arms.iter().filter_map(|arm| match self.key {
                Key::Strategy => Some(arm.strategy.clone()),
                Key::Role => Some(arm.role.name().to_owned()),
                _ => None,
            });
            for value in of_family.chain(of_arms) {
                if !value.is_empty() && !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        for demonstration in experiments.iter().flat_map(|e| &e.demonstrations) {
            let value = demonstration_value(self.key, demonstration);
            if let Some(value) = value.filter(|value| !values.iter().any(|old| old == value)) {
                values.push(value.to_owned());
            }
        }
        values
    }

    /// The filter with multiples of the cores resolved, after a check that each value occurs.
    fn resolved(&self, experiments: &[Experiment], cores: u32) -> Result<Filter, FilterError> {
        let occurring = self.occurring(experiments);
        let valid: Vec<&str> = occurring.iter().map(String::as_str).collect();
        let mut values = Vec::new();
        for value in &self.values {
            let resolved = match self.key {
                Key::Callers => options::resolve_cores(value, cores).map(|n| n.to_string()),
                _ => None,
            };
            let resolved = resolved.unwrap_or_else(|| value.clone());
            if !valid.contains(&resolved.as_str()) {
                return Err(FilterError::UnknownValue {
                    key: self.name(),
                    message: unknown("value", value, &valid),
                });
            }
            values.push(resolved);
        }
        Ok(Filter { key: self.key, values })
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.name(), self.values.join(","))
    }
}

/// The family's value of a key; `None` for the keys that arms have.
fn family_value(key: Key, family: &Family) -> Option<String> {
    Some(match key {
        Key::Workload => family.spec.workload.clone(),
        Key::Size => family.spec.size.name().to_owned(),
        Key::Runtime => family.runtime.clone(),
        Key::Regime => family.load.regime().to_owned(),
        Key::Callers => of_load(family.load.callers().map(|n| n.to_string())),
        Key::Children => of_load(family.load.children().map(|n| n.to_string())),
        Key::Rate => of_load(family.load.open().map(|open| open.rate.label())),
        Key::Placement => family.placement.name().to_owned(),
        Key::PayloadBytes => family.spec.payload_bytes.to_string(),
        Key::BallastMib => (family.ballast_bytes >> 20).to_string(),
        Key::Family => family.id.clone(),
        Key::Demonstration => String::new(),
        Key::Strategy | Key::Role => return None,
    })
}

/// The demonstration's value of a key; `None` for the keys that it has not.
fn demonstration_value(key: Key, demonstration: &Demonstration) -> Option<&str> {
    match key {
        Key::Demonstration => Some(&demonstration.name),
        Key::Runtime => Some(&demonstration.runtime),
        _ => None,
    }
}

/// The value of a key that not every load has: a family without one matches no value, which is
/// what no value is equal to.
fn of_load(value: Option<String>) -> String {
    value.unwrap_or_default()
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
            let kept =
                |filter: &Filter| filter.keeps_family(family) && filter.is_answered_by(family);
            !family.arms.is_empty() && filters.iter().all(kept)
        });
        keep_demonstrations(&filters, experiment);
    }
    experiments.retain(|e| !e.families.is_empty() || !e.demonstrations.is_empty());
    if experiments.is_empty() {
        return Err(FilterError::Nothing(filters.iter().map(Filter::to_string).collect()));
    }
    Ok(experiments)
}

/// Leaves those demonstrations that every filter matches. Of an experiment that is read again to be
/// continued: what [`apply`] found wrong with the filters, it did when the run began.
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
