//! The charts of sweeps, on runs of which every number is known.

use crate::record::{Placement, Run, Status, TrialRow};
use crate::report::charts::{Chart, Charts};
use crate::report::sample;

/// The sample's family of primes under several names, changed by the number of the copy.
fn copies(n: usize, change: impl Fn(&mut TrialRow, usize)) -> Run {
    let mut run = sample::run();
    let of_primes: Vec<TrialRow> = run
        .trials
        .into_iter()
        .filter(|row| row.workload == "primes" && row.strategy != "exec")
        .collect();
    run.plan.clear();
    run.trials = Vec::new();
    for copy in 0..n {
        for row in &of_primes {
            let mut row = TrialRow {
                trial_id: format!("{}-{copy}", row.trial_id),
                family_id: format!("{}-{copy}", row.family_id),
                callers: Some(1),
                ..row.clone()
            };
            change(&mut row, copy);
            run.trials.push(row);
        }
    }
    run
}

fn overview(run: &Run) -> Vec<Chart> {
    let Charts { overview, .. } = sample::charts(run);
    overview
}

fn named<'a>(charts: &'a [Chart], stem: &str) -> &'a Chart {
    charts.iter().find(|chart| chart.file == stem).unwrap()
}

/// Of a strategy in a chart's table: level and value, where `shown` begins the second column.
fn plotted(chart: &Chart, strategy: &str, shown: &str) -> Vec<(String, String)> {
    let rows = chart.numbers.rows.iter();
    rows.filter(|row| row[0] == strategy && row[1].starts_with(shown))
        .map(|row| (row[2].to_string(), row[3].to_string()))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    expected.iter().map(owned).collect()
}

fn by_payload(row: &mut TrialRow, copy: usize) {
    row.workload = "noop".to_owned();
    row.payload_bytes = [64, 4096, 65_536][copy];
    let grows = if row.strategy == "pool" { 10_u64 } else { 2 };
    row.response_p50_ns = Some(1_000 * grows.pow(copy as u32));
    row.service_p50_ns = Some(500 * grows.pow(copy as u32));
}

#[test]
fn factor_of_three_levels_has_a_curve_of_its_medians() {
    let charts = overview(&copies(3, by_payload));
    let chart = named(&charts, "curve-01.svg");
    let response = [("64", "1000"), ("4096", "10000"), ("65536", "100000")];
    assert_eq!(plotted(chart, "pool", "median response"), pairs(&response));
    let service = [("64", "500"), ("4096", "1000"), ("65536", "2000")];
    assert_eq!(plotted(chart, "thread", "median service"), pairs(&service));
    for said in [
        "median response between 64 B and 64 KiB: ",
        "from 1.00 µs to 4.00 µs (4.00×), and pool from 1.00 µs to 100 µs (100×)",
    ] {
        assert!(chart.answer.contains(said), "{}", chart.answer);
    }
    assert!(!chart.svg.contains("noop 64"), "the title names no level");
    let two = copies(2, by_payload);
    assert!(overview(&two).iter().all(|chart| !chart.file.starts_with("curve")));
}

#[test]
fn options_of_strategies_are_curves_within_a_family() {
    let run = copies(3, |row, copy| {
        row.family_id = "one".to_owned();
        row.callers = Some(8);
        row.throughput_per_s = Some(100.0 * (copy + 1) as f64);
        match row.strategy.as_str() {
            "pool" => row.options = format!("recycle_after={};workers=2", [0, 10, 100][copy]),
            _ if copy > 0 => row.status = Status::Partial,
            _ => {}
        }
    });
    let charts = overview(&run);
    let chart = named(&charts, "curve-01.svg");
    let expected = [("10", "200"), ("100", "300"), ("never", "100")];
    assert_eq!(plotted(chart, "pool", "requests"), pairs(&expected));
    // Measured once, shown at every level.
    let level = plotted(chart, "blocking", "requests");
    assert_eq!(level, pairs(&[("10", "100"), ("100", "100"), ("never", "100")]));
}

/// Chunks 1, 2 and 4, contiguous and interleaved; on two cores, perfectly shared out by threads.
fn by_chunks(row: &mut TrialRow, copy: usize) {
    let (chunks, split) = ([1, 2, 4][copy / 2], ["contiguous", "interleaved"][copy % 2]);
    row.workload_options = format!("chunks={chunks};split={split}");
    let cores = if row.strategy == "thread" && split == "interleaved" { chunks.min(2) } else { 1 };
    row.response_p50_ns = Some(u64::from(row.block) * 1_000_000 / cores);
}

#[test]
fn speed_up_is_over_the_reference_in_the_same_block() {
    let charts = overview(&copies(6, by_chunks));
    assert!(charts.iter().all(|chart| !chart.file.starts_with("curve")));
    let chart = named(&charts, "speedup-01.svg");
    let shared = plotted(chart, "thread", "speed-up of interleaved");
    assert_eq!(shared, pairs(&[("1", "1"), ("2", "2"), ("4", "2")]));
    let skewed = plotted(chart, "thread", "speed-up of contiguous");
    assert_eq!(skewed, pairs(&[("1", "1"), ("2", "1"), ("4", "1")]));
    let said = "speed-up of interleaved chunks between 1 and 4: ";
    assert!(chart.answer.contains(said), "{}", chart.answer);
    let said = "and thread from 1.00× to 2.00× (2.00×)";
    assert!(chart.answer.contains(said), "{}", chart.answer);
    let ideal = plotted(chart, "ideal", "speed-up of interleaved");
    assert_eq!(ideal, pairs(&[("0", "1"), ("1", "2"), ("2", "2")]));
}

#[test]
fn ideal_speed_up_ends_at_the_number_of_cores() {
    use crate::report::charts::of_sweeps::ideal;
    assert_eq!(ideal(&[1.0, 2.0, 6.0], Some(3)), [1.0, 2.0, 3.0]);
    assert_eq!(ideal(&[1.0, 2.0], Some(8)), [1.0, 2.0]);
    assert!(ideal(&[1.0, 2.0], None).is_empty());
}

#[test]
fn placement_chart_compares_the_same_core_with_another() {
    let run = copies(3, |row, copy| {
        row.placement = Placement::ALL[copy];
        let times = if row.strategy == "fork" { 8 } else { 3 };
        row.service_p50_ns = Some([2_000, 1_000, 1_000 * times][copy]);
    });
    let charts = overview(&run);
    let chart = named(&charts, "curve-01.svg");
    let said = "median service between same-core and other-core: ";
    assert!(chart.answer.contains(said), "{}", chart.answer);
    let said = "and fork from 1.00 µs to 8.00 µs (8.00×)";
    assert!(chart.answer.contains(said), "{}", chart.answer);
    let expected = [("same-core", "1000"), ("unpinned", "2000"), ("other-core", "8000")];
    assert_eq!(plotted(chart, "fork", "median service"), pairs(&expected));
}

#[test]
fn text_of_sweeps_is_large_enough_and_inside() {
    let of = |run: &Run| overview(run).into_iter().map(|chart| chart.svg);
    let mut svgs: Vec<String> = of(&copies(3, by_payload)).collect();
    svgs.extend(of(&copies(6, by_chunks)));
    super::check_texts(&svgs);
}
