//! Values by key, in the order in which the keys came.

use std::collections::BTreeMap;

/// The values of each key, keys in the order of their first value.
pub fn grouped<K: Ord + Clone, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

#[test]
fn keys_come_in_the_order_of_their_first_value() {
    let groups = grouped([("b", 1), ("a", 2), ("b", 3)]);
    assert_eq!(groups, [("b", vec![1, 3]), ("a", vec![2])]);
}
