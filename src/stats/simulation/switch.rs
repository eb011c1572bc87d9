//! The switch behind the safeguards, one per thread.

use std::cell::Cell;

use crate::stats::safeguards::Safeguard;

thread_local! {
    static OFF: Cell<Option<Safeguard>> = const { Cell::new(None) };
}

/// Whether this safeguard is on in this thread.
pub fn holds(safeguard: Safeguard) -> bool {
    OFF.get() != Some(safeguard)
}

/// What `figure` is without one safeguard.
pub fn without<T>(safeguard: Safeguard, figure: impl FnOnce() -> T) -> T {
    OFF.set(Some(safeguard));
    let figure = figure();
    OFF.set(None);
    figure
}

#[test]
fn one_safeguard_is_off_and_the_others_hold() {
    let all = [Safeguard::Pairing, Safeguard::Holm, Safeguard::Reruns];
    for off in all {
        let held = without(off, || all.map(holds));
        assert_eq!(held, all.map(|safeguard| safeguard != off));
        assert!(holds(off), "it is on again");
    }
}
