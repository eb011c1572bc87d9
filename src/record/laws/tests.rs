//! Rows that obey every law, and the same rows with one of them broken.

use proptest::prelude::*;

use super::*;
use crate::protocol::Outcome;
use crate::record::ProcessRole;

const BOUNDS: Bounds = Bounds { cores: Some(2.0), deadline_ns: 30_000_000_000 };

/// A closed loop of some callers that are served one after the other.
fn trial(callers: u32, rounds: u64, work_ns: u64) -> TrialRow {
    let n_ok = rounds * u64::from(callers);
    let (window_ns, service_ns) = (n_ok * work_ns, u64::from(callers) * work_ns);
    let response_ns = service_ns + 60_000;
    TrialRow {
        status: Status::Ok,
        validity: Validity::Valid,
        callers: Some(callers),
        window_ns: Some(window_ns),
        n_ok,
        throughput_per_s: Some(1e9 / work_ns as f64),
        response_p50_ns: Some(response_ns),
        response_p90_ns: Some(response_ns + 1),
        response_p99_ns: Some(response_ns + 2),
        response_max_ns: Some(response_ns + 3),
        response_mean_ns: Some(response_ns),
        service_p50_ns: Some(service_ns),
        service_p90_ns: Some(service_ns),
        service_p99_ns: Some(service_ns),
        work_p50_ns: Some(work_ns),
        transport_p50_ns: Some(50_000),
        idle_outbound_ns: Some(30_000),
        idle_inbound_ns: Some(20_000),
        cpu_user_ns: Some(window_ns),
        cpu_system_ns: Some(window_ns / 10),
        alive_ns: Some(2 * window_ns),
        probe_p50_ns: Some(10),
        probe_p95_ns: Some(20),
        probe_max_ns: Some(30),
        ..TrialRow::default()
    }
}

fn trials() -> impl Strategy<Value = TrialRow> {
    let work_ns = 1_000_000_u64..20_000_000;
    (1_u32..50, 2_u64..40, work_ns).prop_map(|(callers, rounds, ns)| trial(callers, rounds, ns))
}

/// A request whose every phase is as long as given.
fn request(phases: [u64; 9]) -> RequestRow {
    let [lateness, out_ns, queue, creation, load, work, back, delivery, in_ns] = phases;
    let sent_ns = 1_000 + lateness;
    let accepted_ns = sent_ns + out_ns + queue / 2;
    let dispatched_ns = sent_ns + out_ns + queue;
    let child_start_ns = dispatched_ns + creation;
    let work_start_ns = child_start_ns + load;
    let work_end_ns = work_start_ns + work;
    let replied_ns = work_end_ns + back;
    RequestRow {
        id: 7,
        intended_ns: 1_000,
        sent_ns,
        accepted_ns: Some(accepted_ns),
        dispatched_ns: Some(dispatched_ns),
        child_start_ns: Some(child_start_ns),
        work_start_ns: Some(work_start_ns),
        work_end_ns: Some(work_end_ns),
        replied_ns: Some(replied_ns),
        done_ns: replied_ns + in_ns + delivery,
        outcome: Some(Outcome::Ok),
        weight: 1.0,
        transport_out_ns: Some(out_ns),
        transport_in_ns: Some(in_ns),
        ..RequestRow::default()
    }
}

fn process(role: &str, uss: u64, shared: u64, more: u64) -> MemoryRow {
    MemoryRow {
        snapshot: 1,
        role: ProcessRole::by_name(role).unwrap(),
        uss_bytes: Some(uss),
        pss_bytes: Some(uss + shared),
        rss_bytes: Some(uss + shared + more),
        ..MemoryRow::default()
    }
}

fn one(law: Law) -> BTreeSet<Law> {
    BTreeSet::from([law])
}

type Break = fn(&mut TrialRow);

/// For every law about a trial's own figures, ways to break it and no other.
const BREAKS: [(Law, Break); 19] = [
    (Law::Cpu, |r| r.cpu_user_ns = r.alive_ns.map(|ns| 3 * ns + 100_000_000)),
    (Law::Cpu, |r| r.alive_ns = Some(1)),
    (Law::Little, |r| r.throughput_per_s = r.throughput_per_s.map(|rate| rate * 3.0)),
    (Law::Little, |r| r.throughput_per_s = r.throughput_per_s.map(|rate| rate / 3.0)),
    (Law::Little, |r| r.littles_law_ratio = Some(1.03)),
    (Law::Little, |r| r.littles_law_ratio = Some(0.97)),
    (Law::Quantiles, |r| r.response_p90_ns = r.response_p99_ns.map(|ns| 2 * ns)),
    (Law::Quantiles, |r| r.response_max_ns = r.response_p50_ns.map(|ns| ns * 9 / 10)),
    (Law::Quantiles, |r| r.service_p90_ns = r.service_p50_ns.map(|ns| ns * 9 / 10)),
    (Law::Quantiles, |r| r.probe_p95_ns = Some(9)),
    (Law::Quantiles, |r| r.probe_max_ns = Some(19)),
    (Law::Quantiles, |r| {
        (r.lateness_p99_ns, r.lateness_max_ns) = (Some(2), Some(1));
    }),
    (Law::Nesting, |r| {
        let longer = r.response_p50_ns.map(|ns| 2 * ns);
        (r.service_p50_ns, r.service_p90_ns, r.service_p99_ns) = (longer, None, None);
    }),
    (Law::Nesting, |r| r.service_p99_ns = r.response_p99_ns.map(|ns| 2 * ns)),
    (Law::Nesting, |r| r.work_p50_ns = r.service_p50_ns.map(|ns| 2 * ns)),
    (Law::Phases, |r| r.transport_p50_ns = Some(50_001)),
    (Law::Duration, |r| r.probe_max_ns = r.window_ns.map(|ns| ns + 30_000_000_001)),
    (Law::Duration, |r| r.creation_p50_ns = r.window_ns.map(|ns| ns + 30_000_000_001)),
    (Law::Duration, |r| r.first_response_ns = r.window_ns.map(|ns| ns + 30_000_000_001)),
];

proptest! {
    #[test]
    fn possible_row_breaks_no_law(
        row in trials(),
        phases in prop::array::uniform9(0_u64..1_000_000_000),
        sizes in prop::collection::vec(prop::array::uniform3(0_u64..1 << 40), 1..9),
    ) {
        prop_assert_eq!(by_trial(&row, &BOUNDS), BTreeSet::new());
        prop_assert_eq!(by_request(&request(phases)), None);
        let of_all = |i: usize| sizes.iter().map(|size| size[i]).sum();
        let tree = process("tree", of_all(0), of_all(1), of_all(2));
        let rows: Vec<MemoryRow> =
            sizes.iter().map(|s| process("child", s[0], s[1], s[2])).chain([tree]).collect();
        let rows: Vec<&MemoryRow> = rows.iter().collect();
        prop_assert_eq!(by_memory(&rows), BTreeSet::new());
        let mut held = row.clone();
        hold(&mut held, &[request(phases)], &rows, &BOUNDS);
        prop_assert_eq!(held, row);
    }

    #[test]
    fn trial_that_breaks_a_law_carries_its_name_and_is_invalid(
        row in trials(), which in 0..BREAKS.len(),
    ) {
        let (law, break_it) = BREAKS[which];
        let mut row = row;
        break_it(&mut row);
        prop_assert_eq!(by_trial(&row, &BOUNDS), one(law));
        hold(&mut row, &[], &[], &BOUNDS);
        prop_assert_eq!(named_in(&row.flags).collect::<Vec<_>>(), [law]);
        prop_assert_eq!(row.validity, Validity::Invalid);
        prop_assert!(row.reason.contains(law.meaning()), "{}", row.reason);
        // Read back, it says so once.
        let again = row.clone();
        hold(&mut row, &[], &[], &BOUNDS);
        prop_assert_eq!(row, again);
    }

    #[test]
    fn stamp_before_an_earlier_one_is_named_with_both_and_by_how_much(
        phases in prop::array::uniform9(1_u64..1_000_000), place in 0..7_usize, by in 1_u64..900,
    ) {
        let good = request(phases);
        let mut bad = good;
        let (stamp, before) = match place {
            0 => (&mut bad.accepted_ns, Some(good.sent_ns)),
            1 => (&mut bad.dispatched_ns, good.accepted_ns),
            2 => (&mut bad.child_start_ns, good.dispatched_ns),
            3 => (&mut bad.work_start_ns, good.child_start_ns),
            4 => (&mut bad.work_end_ns, good.work_start_ns),
            5 => (&mut bad.replied_ns, good.work_end_ns),
            _ => (&mut bad.replied_ns, None),
        };
        *stamp = Some(before.map_or(good.done_ns + by, |ns| ns - by));
        let said = stamps(&bad).unwrap();
        prop_assert!(said.contains(&format!("is {by} ns before ")), "{said}");
        prop_assert_eq!(by_request(&bad), Some(Law::Stamps));
        let mut row = trial(1, 2, 1_000_000);
        hold(&mut row, &[good, bad], &[], &BOUNDS);
        prop_assert_eq!(row.flags.as_str(), "law:stamps");
    }

    #[test]
    fn transport_beyond_what_there_is_breaks_the_phases(
        phases in prop::array::uniform9(1_u64..1_000_000), by in 1_u64..1_000_000,
    ) {
        let good = request(phases);
        let out_ns = good.accepted_ns.map(|ns| ns - good.sent_ns + by);
        let outbound = RequestRow { transport_out_ns: out_ns, ..good };
        prop_assert_eq!(by_request(&outbound), Some(Law::Phases));
        let in_ns = good.replied_ns.map(|ns| good.done_ns - ns + by);
        let inbound = RequestRow { transport_in_ns: in_ns, ..good };
        prop_assert_eq!(by_request(&inbound), Some(Law::Phases));
    }

    #[test]
    fn memory_above_its_whole_breaks_a_law(
        uss in 1_u64..1 << 40, by in 2_000_u64..1 << 30,
    ) {
        let more_uss = MemoryRow { uss_bytes: Some(uss + by), ..process("child", uss, 0, 0) };
        prop_assert_eq!(by_memory(&[&more_uss]), one(Law::Memory));
        let more_pss = MemoryRow { pss_bytes: Some(uss + by), ..process("worker", uss, 0, 0) };
        prop_assert_eq!(by_memory(&[&more_pss]), one(Law::Memory));
        let (child, tree) = (process("child", uss + by, 0, 0), process("tree", uss, 0, 0));
        prop_assert_eq!(by_memory(&[&child, &tree]), one(Law::Tree));
        let of_another_look = MemoryRow { snapshot: 2, ..tree };
        prop_assert_eq!(by_memory(&[&child, &of_another_look]), BTreeSet::new());
    }
}

#[test]
fn every_law_about_a_trial_can_be_seen_broken() {
    let of_trials: BTreeSet<Law> = BREAKS.iter().map(|(law, _)| *law).collect();
    let others = [Law::Stamps, Law::Memory, Law::Tree];
    assert!(Law::ALL.iter().all(|law| of_trials.contains(law) != others.contains(law)));
    let names: BTreeSet<&str> = Law::ALL.iter().map(|law| law.name()).collect();
    assert_eq!(names.len(), Law::ALL.len());
}

#[test]
fn unknown_figure_breaks_no_law() {
    let row = TrialRow { status: Status::Ok, validity: Validity::Valid, ..TrialRow::default() };
    let mut held = row.clone();
    hold(&mut held, &[RequestRow::default()], &[&MemoryRow::default()], &BOUNDS);
    assert_eq!(held, row);
    let unknown = Bounds { cores: None, ..BOUNDS };
    let busy = TrialRow { cpu_user_ns: Some(u64::MAX), cpu_system_ns: Some(0), ..row };
    assert!(by_trial(&busy, &unknown).is_empty());
}

#[test]
fn littles_law_needs_two_rounds_and_allows_one_request_at_the_edge_of_the_window() {
    let burst = TrialRow { throughput_per_s: Some(1_490.0), ..trial(10, 2, 1_000_000) };
    assert!(
        by_trial(&burst, &BOUNDS).is_empty(),
        "half more than the callers: bursts at both ends"
    );
    let longer = TrialRow { throughput_per_s: Some(1_500.0), ..trial(10, 20, 1_000_000) };
    assert_eq!(by_trial(&longer, &BOUNDS), one(Law::Little));
    let few = TrialRow { n_ok: 199, throughput_per_s: Some(9e9), ..trial(100, 2, 1_000_000) };
    assert!(by_trial(&few, &BOUNDS).is_empty(), "less than two rounds");
    let failing = TrialRow { n_crash: 1, ..longer };
    assert!(by_trial(&failing, &BOUNDS).is_empty(), "callers also wait for what fails");
}
