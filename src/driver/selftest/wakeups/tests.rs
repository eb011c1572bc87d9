//! Machines that wake in time and late.

use super::*;
use crate::driver::selftest::State;

/// A virtual machine whose sleeps end late by 0.3 ms and whose threads wake late by 0.05.
pub fn late() -> Lateness {
    let about = |ns: u64| (0..100).map(|i| ns * (90 + i % 21) / 100).collect();
    Lateness::of(about(3 * MS / 10), about(MS / 20))
}

/// One that is never late.
pub fn punctual() -> Lateness {
    Lateness::of(vec![0; 10], vec![0; 10])
}

#[test]
fn a_machine_that_wakes_too_late_to_judge_anything_fails() {
    let states = |sleep_ns: u64, hand_over_ns: u64| {
        let late = Lateness::of(vec![sleep_ns; 10], vec![hand_over_ns; 10]);
        judge(&late).lines.iter().map(|line| line.state).collect::<Vec<_>>()
    };
    assert_eq!(states(MS / 2, MS / 4), [State::Pass, State::Pass]);
    assert_eq!(states(MS / 2 + 1, MS / 4), [State::Fail, State::Pass]);
    assert_eq!(states(MS / 2, MS / 4 + 1), [State::Pass, State::Fail]);
    let mut sleeps = vec![0; 98];
    sleeps.extend([6 * MS; 2]);
    assert_eq!(judge(&Lateness::of(sleeps, vec![0])).lines[0].state, State::Fail);
}

#[test]
fn a_path_adds_its_own_draw_of_every_wake_up() {
    let late = Lateness::of(vec![10, 20], vec![1]);
    let path = Path { sleeps: 2, hand_overs: 3 };
    let later = late.added_to(&[100; 1_000], path);
    assert_eq!(later.len(), 1_000);
    let mut seen: Vec<u64> = later.clone();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [123, 133, 143]);
    assert_eq!(late.typical_ns(path), 23);
    assert!((late.mean_sleep_ns() - 15.0).abs() < 1e-9);
    assert_eq!(punctual().added_to(&[5], path), [5]);
}

#[test]
fn every_wake_up_is_counted() {
    let late = Lateness::measure(12).unwrap();
    assert_eq!((late.sleeps_ns.len(), late.hand_overs_ns.len()), (12, 12));
    assert!(late.hand_overs_ns[0] > 0);
    let both = late.and(&punctual());
    assert_eq!((both.sleeps_ns.len(), both.hand_overs_ns.len()), (22, 22));
    assert!(both.sleeps_ns.is_sorted());
}
