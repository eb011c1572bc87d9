//! The short names of arms, the same wherever an arm is named: in lists, tables, charts, the
//! page, JSON, and in the column `label` of every file.

/// An arm, as a label names it.
pub use super::Arm as Named;
use super::{Family, Role};
use crate::workload::options;

impl Named {
    /// As an arm is named in the rows of files.
    pub fn of_row(role: &str, strategy: &str, options: &str) -> Named {
        Named {
            role: Role::by_name(role).unwrap_or(Role::Arm),
            strategy: strategy.to_owned(),
            options: options::parse(options),
        }
    }
}

impl Family {
    /// The labels of the arms, in their order.
    pub fn labels(&self) -> Vec<String> {
        labels(&self.arms)
    }

    /// The label of one arm.
    pub fn label(&self, arm: &Named) -> String {
        label(arm, &self.arms)
    }
}

/// The labels of arms that stand side by side, in their order.
pub fn labels(all: &[Named]) -> Vec<String> {
    all.iter().map(|arm| label(arm, all)).collect()
}

/// `pool workers=4`: the strategy, and those of its options in which it differs from another arm
/// of the same strategy. The placebo is the reference again, so that a word tells the two apart.
pub fn label(arm: &Named, all: &[Named]) -> String {
    let is_twin = |other: &&Named| other.strategy == arm.strategy && other.role != Role::Placebo;
    let differs = |name: &str| {
        let mut twins = all.iter().filter(is_twin);
        twins.any(|twin| twin.options.get(name) != arm.options.get(name))
    };
    let told = arm.options.iter().filter(|(name, _)| differs(name));
    let mut label =
        told.fold(arm.strategy.clone(), |label, (name, value)| format!("{label} {name}={value}"));
    if arm.role == Role::Placebo {
        label.push_str(PLACEBO);
    }
    label
}

const PLACEBO: &str = " (placebo)";

/// Whether the label is the placebo's.
pub fn is_placebo(label: &str) -> bool {
    label.ends_with(PLACEBO)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn labels_of(arms: &[(&str, &str, &str)]) -> Vec<String> {
        let named =
            |(role, strategy, options): &(&str, &str, &str)| Named::of_row(role, strategy, options);
        labels(&arms.iter().map(named).collect::<Vec<_>>())
    }

    #[test]
    fn label_of_a_single_arm_is_its_strategy() {
        let pool = ("arm", "pool", "queue=10000;recycle_after=0;workers=2");
        assert_eq!(labels_of(&[("reference", "blocking", ""), pool]), ["blocking", "pool"]);
    }

    #[test]
    fn labels_of_pools_with_other_workers_name_the_workers_only() {
        let arms = [
            ("reference", "blocking", ""),
            ("placebo", "blocking", ""),
            ("arm", "pool", "queue=10000;recycle_after=0;workers=2"),
            ("arm", "pool", "queue=10000;recycle_after=0;workers=4"),
            ("arm", "prefork-pool", "queue=10000;warm=yes;workers=2"),
        ];
        let expected =
            ["blocking", "blocking (placebo)", "pool workers=2", "pool workers=4", "prefork-pool"];
        assert_eq!(labels_of(&arms), expected);
    }

    #[test]
    fn labels_of_arms_that_differ_in_two_options_name_both() {
        let arms = [
            ("arm", "pool", "queue=8;serialization=json;workers=2"),
            ("arm", "pool", "queue=8;serialization=advanced;workers=2"),
            ("arm", "pool", "queue=8;serialization=json;workers=4"),
        ];
        let expected = [
            "pool serialization=json workers=2",
            "pool serialization=advanced workers=2",
            "pool serialization=json workers=4",
        ];
        assert_eq!(labels_of(&arms), expected);
    }

    #[test]
    fn label_of_the_placebo_is_told_from_the_reference_that_it_repeats() {
        let pool = "queue=8;workers=2";
        let pair = [("reference", "pool", pool), ("placebo", "pool", pool)];
        assert_eq!(labels_of(&pair), ["pool", "pool (placebo)"]);
        let arms = [pair[0], pair[1], ("arm", "pool", "queue=8;workers=4")];
        let expected = ["pool workers=2", "pool workers=2 (placebo)", "pool workers=4"];
        assert_eq!(labels_of(&arms), expected);
        assert!(labels_of(&arms).iter().map(|label| is_placebo(label)).eq([false, true, false]));
    }

    proptest! {
        #[test]
        fn labels_of_arms_that_differ_are_never_the_same(
            arms in proptest::collection::btree_set(
                ("[ab]", proptest::collection::btree_map("[wsq]", "[1-3]", 0..3)), 1..8)
        ) {
            let mut all: Vec<Named> = Vec::new();
            for (place, (strategy, options)) in arms.into_iter().enumerate() {
                let role = if place == 0 { Role::Reference } else { Role::Arm };
                all.push(Named { role, strategy, options });
            }
            all.push(Named { role: Role::Placebo, ..all[0].clone() });
            let distinct: BTreeSet<String> = labels(&all).into_iter().collect();
            prop_assert_eq!(distinct.len(), all.len());
        }
    }
}
