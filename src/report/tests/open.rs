//! The sections of open loops, on invented runs.

use super::super::document::{Block, Section};
use super::super::table::Table;
use super::super::{open_answers, open_loops};
use super::*;
use crate::analysis::distribution::Distributions;
use crate::analysis::load_points::load_points;
use crate::analysis::{Open, timeline};
use crate::record::YesNo;
use crate::report::sample::open as sample_open;

fn open(run: &Run) -> Open {
    Analysis::of(run, &[], &sample::requests(run)).open
}

fn sections(run: &Run) -> Vec<Section> {
    open_loops::sections(&open(run), Vec::new())
}

fn tables(section: &Section) -> Vec<&Table> {
    let tables = section.blocks.iter().filter_map(|block| match block {
        Block::Table(_, table) => Some(table),
        _ => None,
    });
    tables.collect()
}

/// Its paragraphs.
fn texts(section: &Section) -> Vec<&str> {
    let texts = section.blocks.iter().filter_map(|block| match block {
        Block::Text(text) | Block::Note(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// A cell by the row's beginning and the column's.
#[track_caller]
fn cell<'t>(table: &'t Table, row: &str, head: &str) -> &'t str {
    let column = table.head.iter().position(|h| h.text.starts_with(head)).unwrap();
    let row = table.rows.iter().find(|cells| cells[0].starts_with(row)).unwrap();
    &row[column]
}

#[test]
fn the_highest_rate_that_meets_the_objective_leads_with_its_bracket_and_cores() {
    let run = sample_open::run();
    let sections = sections(&run);
    assert_eq!(sections.len(), 2);
    let table = tables(&sections[0])[0];
    // 0.85 of 1.9 × 200/s is met, and a search at 2.0 and 1.75 × 200/s is not.
    assert_eq!(cell(table, "pool", "highest"), "300/s");
    assert_eq!(cell(table, "pool", "missed"), "350/s");
    assert_eq!(cell(table, "pool", "capacity ratio"), "1.50×");
    assert_eq!(cell(table, "thread", "missed"), "–");
    // 5.25 ms of CPU time per request.
    assert_eq!(cell(table, "blocking", "highest"), "160/s");
    assert_eq!(cell(table, "blocking", "cores"), "0.84");
    assert_eq!(cell(table, "fork [1]", "highest"), "–");
    assert!(table.notes[0].contains("subject exited with 1"));
    let texts = texts(&sections[0]);
    assert_eq!(
        texts[0],
        "Under p99 < 50.0 ms, thread and pool take the most, with no difference shown: thread 220/s \
         or more, pool 300/s (missed at 350/s); blocking takes 160/s (missed at 190/s)."
    );
    assert!(
        texts.last().unwrap().contains("Those of the placebo are at the rates of the grid only")
    );
}

/// A limit lies between two rates, so that another whose range reaches as high may be the better.
#[test]
fn limits_whose_ranges_overlap_show_no_difference() {
    let mut curves = open(&sample_open::run()).curves.remove(0);
    assert!(curves.is_searched_without_placebo());
    for arm in &mut curves.arms {
        let (limit, missed) = match arm.strategy.as_str() {
            "pool" => (300.0, Some(350.0)),
            "thread" => (250.0, Some(310.0)),
            _ => (160.0, Some(190.0)),
        };
        (arm.limit_per_s, arm.missed_per_s) = (Some(limit), missed);
    }
    assert_eq!(
        open_answers::load_answer(&curves),
        "Under p99 < 50.0 ms, thread and pool take the most, with no difference shown: thread 250/s \
         (missed at 310/s), pool 300/s (missed at 350/s); blocking takes 160/s (missed at 190/s)."
    );
    for arm in &mut curves.arms {
        arm.missed_per_s = arm.missed_per_s.map(|rate| rate.min(290.0));
    }
    let answer = open_answers::load_answer(&curves);
    assert!(answer.contains("pool takes the most: 300/s"), "{answer}");
}

#[test]
fn limits_on_the_page_are_those_of_the_file() {
    let run = sample_open::run();
    let points = load_points(&run.trials);
    for arm in &open(&run).curves[0].arms {
        let of_arm =
            |p: &&crate::record::LoadPointRow| p.strategy == arm.strategy && p.role == arm.role;
        let first = points.iter().find(of_arm);
        assert_eq!(arm.limit_per_s, first.and_then(|p| p.limit_per_s));
        assert_eq!(arm.points.len(), points.iter().filter(of_arm).count());
    }
}

#[test]
fn a_p99_is_of_all_requests_of_a_rate_and_missing_where_some_had_no_answer() {
    let mut run = sample_open::run();
    let at = |run: &Run, rate: f64| {
        let open = open(run);
        let blocking = open.curves[0].arms[0].clone();
        blocking.points.into_iter().find(|p| (p.rate_per_s - rate).abs() < 1e-6).unwrap()
    };
    // 6 × 160 requests are too few, 6 × 400 are enough; above capacity some had no answer.
    assert_eq!(at(&run, 40.0).p99_ns, None);
    let p99_ns = at(&run, 100.0).p99_ns.unwrap();
    assert!(p99_ns > 1.5 * at(&run, 100.0).p50_ns.unwrap());
    let over = at(&run, 220.0);
    assert_eq!((over.p99_ns, over.is_saturated), (None, true));
    let lost = run.trials.iter_mut().find(|row| row.rate_per_s == Some(100.0)).unwrap();
    lost.n_unanswered = Some(1);
    assert_eq!(at(&run, 100.0).p99_ns, None);
}

#[test]
fn probes_have_a_table_per_variant_with_their_unloaded_times() {
    let run = sample_open::run();
    let sections = sections(&run);
    let tables = tables(&sections[1]);
    assert_eq!(tables.len(), 2);
    let texts = texts(&sections[1]);
    assert!(texts[1].contains("is the server alive?"), "{texts:?}");
    let table = tables[0];
    assert_eq!(cell(table, "blocking", "p50"), "40.0 ms");
    assert_eq!(cell(table, "blocking", "over 100 ms"), "25 %");
    // The longest of all blocks, not their median.
    assert_eq!(cell(table, "blocking", "longest ↓"), "401 ms");
    assert_eq!(cell(table, "blocking", "unloaded p50"), "100 µs");
    assert_eq!(cell(table, "blocking", "p99"), "–");
    assert_eq!(cell(table, "pool", "over 100 ms"), "0 %");
    assert!(texts[0].starts_with(
        "Of the probes to the event loop, 25 % under blocking (p95 200 ms, longest 401 ms) \
         took over 100 ms and 0 % under"
    ));
}

#[test]
fn shares_of_late_probes_weigh_blocks_equally() {
    let mut run = sample_open::run();
    let is_probed = |row: &&mut TrialRow| row.probe == "main-loop" && row.role == Role::Reference;
    for row in run.trials.iter_mut().filter(is_probed) {
        let odd = row.block % 2 == 1;
        row.n_probes = Some(if odd { 300 } else { 100 });
        row.probe_over_100ms_ratio = Some(if odd { 0.4 } else { 0.0 });
    }
    let probed = open(&run).probed;
    let share = probed[0].variants[0].arms[0].over_100ms_ratio.unwrap();
    assert!((share - 0.2).abs() < 1e-12, "{share}");
}

#[test]
fn every_chart_of_an_open_loop_plots_what_its_table_says() {
    let run = sample_open::run();
    let rendered = sample_open::render(&run);
    check_markup(&rendered.html);
    let names: Vec<&str> = rendered.charts.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["load-1-latency", "load-1-goodput", "responsiveness-1", "noise"] {
        assert!(names.contains(&format!("{name}.svg").as_str()), "{names:?}");
    }
    let families = cells::run(&run);
    let summary = summarise(&run);
    let open = open(&run);
    let charts =
        charts::of_run(&summary, &families, &Distributions::default(), Some(2)).with_open(&open);
    let numbers = &charts.open[0][0].numbers;
    let points = || open.curves[0].arms.iter().flat_map(|arm| &arm.points);
    let times = points().flat_map(|point| [point.p50_ns, point.p99_ns]).flatten();
    assert_eq!(numbers.rows.len(), times.count());
    let pool = open.curves[0].arms.iter().find(|arm| arm.label == "pool").unwrap();
    let point = pool.points.iter().find(|point| point.rate_per_s == 300.0).unwrap();
    let is_it = |row: &&Vec<table::Cell>| row[0] == "pool" && row[2] == "300";
    let row = numbers.rows.iter().find(is_it).unwrap();
    let p50 = format::exact(point.p50_ns.unwrap());
    assert_eq!(&row[3..], [p50.as_str(), "not saturated"]);
    let probed = &charts.open[1][0].numbers;
    let arms = open.probed[0].variants.iter().flat_map(|variant| &variant.arms);
    let times = arms.flat_map(|arm| [arm.loaded.p50_ns, arm.unloaded.p50_ns]).flatten();
    assert_eq!(probed.rows.len(), times.count());
    let way = "answered by the event loop: is the server alive?";
    assert_eq!(&probed.rows[0][..4], ["blocking", way, "under load", "40000000"]);
}

#[test]
fn saturated_points_are_hollow() {
    let mut run = sample_open::run();
    let hollow = |run: &Run| {
        let svg = open_chart(run, 1);
        svg.matches("fill=\"#FFFFFF\"").count()
    };
    let before = hollow(&run);
    for row in &mut run.trials {
        row.saturated = Some(YesNo::No);
    }
    assert!(hollow(&run) < before);
}

fn open_chart(run: &Run, place: usize) -> String {
    let charts = charts::Charts::default().with_open(&open(run));
    charts.open[0][place].svg.clone()
}

#[test]
fn the_timeline_has_steps_of_the_run_and_marks_disturbed_trials() {
    let run = sample_open::run();
    let rows = sample_open::noise(&run);
    let timeline = timeline::timeline(&run, &rows).unwrap();
    assert_eq!((timeline.is_disturbed.len(), timeline.step_ns), (100, 100_000_000));
    let [foreign, steal, pause] = &timeline.lanes[..] else {
        panic!("three lanes");
    };
    // 35 trials per block; those of the second are disturbed.
    let from_to = |is: bool| timeline.is_disturbed.iter().position(|d| *d == is);
    assert_eq!((from_to(true), timeline.is_disturbed[70]), (Some(35), false));
    assert_eq!(foreign.values[0], Some(0.004));
    assert_eq!((steal.values[40], steal.values[41]), (Some(0.1), Some(0.0)));
    assert_eq!((pause.values[50], pause.values[99]), (None, Some(9.9e6)));
    // And one of the search that followed.
    assert_eq!(
        open_answers::noise_answer(&timeline),
        "36 trials were disturbed, re-runs and memory trials counted; the highest: foreign CPU \
         1.2 %, steal 10 %, longest pause 9.9 ms."
    );
    assert_eq!(timeline::timeline(&run, &[]), None);
    // Many rows become at most 200 steps, and nothing of them is lost.
    let many: Vec<_> = (0..5_000_u64)
        .map(|i| crate::record::NoiseRow {
            t_ns: (i + 1) * 100,
            interval_ns: 100,
            cpus: 1,
            steal_ns: Some(u64::from(i == 4_321) * 100),
            ..Default::default()
        })
        .collect();
    let timeline = timeline::timeline(&run, &many).unwrap();
    assert_eq!(timeline.is_disturbed.len(), 200);
    assert_eq!(timeline.lanes[1].values.iter().flatten().sum::<f64>(), 0.04);
}

#[test]
fn the_page_says_how_well_the_generator_kept_its_times_and_what_was_not_watched() {
    let trust = |run: &Run| trust::sentences(run, &summarise(run), &cells::run(run)).join("\n");
    let mut run = sample_open::run();
    for said in [
        "99 of 100 requests within 80.0 µs of their time",
        "off by at most 0.4 %",
        "No trial was thrown out",
        "Drift: in the family where blocks differ most",
    ] {
        assert!(trust(&run).contains(said), "{said}: {}", trust(&run));
    }
    let row = run.trials.iter_mut().find(|row| row.saturated == Some(YesNo::No)).unwrap();
    row.validity = Validity::Invalid;
    row.flags = "generator_late".into();
    let why = "it cannot be read".to_owned();
    run.environment.unavailable.insert("noise_freq".into(), why);
    for said in ["thrown out for it: 1 late", "Not watched", "frequency, since it cannot be read"] {
        assert!(trust(&run).contains(said), "{said}: {}", trust(&run));
    }
    let quiet = trust(&sample::run());
    assert!(!quiet.contains("generator") && !quiet.contains("Not watched"), "{quiet}");
    let mut greyed = sample::standard();
    for row in greyed.trials.iter_mut().filter(|row| row.role == Role::Placebo) {
        row.response_p50_ns = row.response_p50_ns.map(|ns| ns * 2);
    }
    let said = "Nothing is concluded about the response of any of 3 families";
    assert!(trust(&greyed).contains(said), "{}", trust(&greyed));
}

#[test]
fn no_line_of_an_open_loop_is_wider_than_the_terminal() {
    let run = sample_open::run();
    for width in [80, 100, 112, 120] {
        for line in terminal(&run, width).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}
