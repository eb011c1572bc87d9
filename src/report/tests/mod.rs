//! The report as a whole, on an invented run.

use super::*;
use crate::analysis::cells;
use crate::analysis::summary::{ArmSummary, FamilySummary, State, Summary, summarise};
use crate::record::{NoiseLabel, Role, Run, Status, TrialRow, Validity};
use sample::{json, terminal};

mod best;
mod open;
pub(crate) mod sample;
pub(crate) mod sample_memory;
mod summarized;
mod trusted;
mod widths;

fn summary() -> Summary {
    summarise(&sample::run())
}

fn arm<'a>(family: &'a FamilySummary, label: &str) -> &'a ArmSummary {
    family.arms.iter().find(|arm| arm.label == label).unwrap()
}

#[test]
fn the_terminal_at_80_columns() {
    insta::assert_snapshot!(terminal(&sample::run(), 80));
}

#[test]
fn the_terminal_at_120_columns() {
    insta::assert_snapshot!(terminal(&sample::run(), 120));
}

#[test]
fn the_terminal_at_80_columns_with_verdicts_and_a_placebo_that_differs() {
    let mut run = sample::standard();
    let of_primes = |row: &&mut TrialRow| row.workload == "primes" && row.role == Role::Placebo;
    for row in run.trials.iter_mut().filter(of_primes) {
        row.response_p50_ns = row.response_p50_ns.map(|ns| ns + ns / 5);
    }
    run.plan.retain(|row| !row.family_id.contains("node"));
    run.trials.retain(|row| row.runtime != "node");
    insta::assert_snapshot!(terminal(&run, 80));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut run = sample::run();
    for row in &mut run.trials {
        if row.strategy == "pool" {
            row.n_crash = 123_456;
        }
    }
    for width in [80, 100, 120, 200] {
        for line in terminal(&run, width).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
            assert!(!line.contains('\u{1b}'), "{line}");
        }
    }
}

#[test]
fn arms_stand_in_the_order_of_strategies_after_reference_and_placebo() {
    let mut run = sample::run();
    run.trials.reverse();
    run.plan.reverse();
    for family in summarise(&run).families {
        let labels: Vec<&str> = family.arms.iter().map(|arm| arm.label.as_str()).collect();
        let mut expected = vec!["blocking", "blocking (placebo)"];
        expected.extend(crate::strategy::ALL.iter().skip(1).map(|kind| kind.name));
        assert_eq!(labels, expected);
    }
}

#[test]
fn an_arm_is_named_by_its_options_only_where_the_strategy_stands_twice() {
    let mut run = sample::run();
    for row in run.trials.iter_mut().filter(|r| r.strategy == "thread") {
        row.strategy = "pool".to_owned();
        row.options = "workers=1".to_owned();
    }
    run.plan.clear();
    let summary = summarise(&run);
    let labels: Vec<&str> = summary.families[0].arms.iter().map(|arm| arm.label.as_str()).collect();
    assert!(labels.contains(&"pool workers=1") && labels.contains(&"pool workers=2"));
    assert!(labels.contains(&"thread-pool"), "{labels:?}");
}

#[test]
fn a_title_names_the_options_that_are_not_at_their_defaults() {
    let mut run = sample::run();
    for row in run.trials.iter_mut().filter(|r| r.workload == "primes") {
        row.workload_options = "chunks=4;split=contiguous".to_owned();
    }
    let title = &summarise(&run).families[1].title;
    assert_eq!(title, "primes m · chunks 4 · rust · closed loop, 4 callers");
}

#[test]
fn failures_and_skips_have_counts_and_reasons_but_no_ratio() {
    let summary = summary();
    let exec = arm(&summary.families[1], "exec");
    assert_eq!(exec.state, State::Flawed);
    assert_eq!((exec.n_blocks, exec.outcomes.crash), (3, 6));
    assert!(exec.reason.contains("3 of 6 trials not ok: subject exited with 134"));
    assert!(exec.reason.contains("6 of 459 requests: crash"));
    let fork = arm(&summary.families[2], "fork");
    assert_eq!((fork.state, fork.reason.as_str()), (State::Skipped, "Node.js cannot fork(2)"));
    for arm in [exec, fork] {
        assert_eq!(arm.response_p50_ratio, None);
        assert_eq!(arm.service_p50_ratio, None);
        assert_eq!(arm.throughput_ratio, None);
    }
}

/// Of 407 requests that were offered 297 answered ok are no success.
#[test]
fn unanswered_requests_are_named_wherever_outcomes_are() {
    let mut run = sample::run();
    let first = &run.trials[0];
    let key = (first.family_id.clone(), first.role, first.strategy.clone());
    let is_own =
        |row: &TrialRow| (&row.family_id, &row.role, &row.strategy) == (&key.0, &key.1, &key.2);
    for row in run.trials.iter_mut().filter(|row| is_own(row)) {
        (row.n_ok, row.n_unanswered, row.n_not_ok_outside) = (297, Some(0), Some(0));
        if row.block == 1 {
            (row.n_unanswered, row.n_not_ok_outside) = (Some(110), Some(2));
        }
    }
    let blocks = run.trials.iter().filter(|row| is_own(row)).count() as u64;
    let said = format!(
        "{} ok, 110 unanswered, 2 not ok outside the window",
        crate::report::format::count(297 * blocks)
    );
    let rendered = sample::render(&run);
    for (place, text) in [
        ("a wide terminal", terminal(&run, 160)),
        ("a narrow terminal", terminal(&run, 80)),
        ("tables.md", rendered.tables_md),
        ("the page", rendered.html),
    ] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&said), "{place}: {said}");
    }
    let json = json(&run)["summary"].to_string();
    assert!(json.contains("\"unanswered\":110") && json.contains("\"not_ok_outside\":2"));
}

/// What the generator did wrong is no fault of the arm: the block drops out, the ratio stays.
#[test]
fn a_trial_that_was_thrown_out_takes_its_block_and_no_more() {
    for role in ["arm", "reference"] {
        let mut run = sample::run();
        let family_id = run.plan[0].family_id.clone();
        let own = |row: &&mut crate::record::TrialRow| row.family_id == family_id;
        let late = run.trials.iter_mut().filter(own).find(|row| row.role.name() == role);
        let late = late.unwrap();
        late.validity = Validity::Invalid;
        late.reason = "the generator was late".to_owned();
        let strategy = late.strategy.clone();
        let family = summarise(&run).families.remove(0);
        let of_role = |arm: &&ArmSummary| arm.role.name() == role && arm.strategy == strategy;
        let struck = family.arms.iter().find(of_role).unwrap();
        assert_eq!((struck.state, struck.n_blocks), (State::Ok, 5), "{role}");
        assert!(struck.reason.contains("1 of 6 trials thrown out: the generator was late"));
        let compared =
            family.arms.iter().filter(|arm| arm.role == Role::Arm && arm.state == State::Ok);
        assert!(compared.clone().count() > 0);
        if role == "reference" {
            assert!(compared.clone().any(|arm| arm.response_p50_ratio.is_some()));
        } else {
            assert!(struck.response_p50_ratio.is_some());
        }
    }
}

#[test]
fn a_reference_that_fails_leaves_no_ratio_in_its_family() {
    let mut run = sample::run();
    let row = run.trials.iter_mut().find(|row| row.role == Role::Reference).unwrap();
    row.n_wrong_answer = 1;
    let families = summarise(&run).families;
    assert!(families[0].arms.iter().all(|arm| arm.response_p50_ratio.is_none()));
    assert!(arm(&families[1], "thread").response_p50_ratio.is_some());
}

#[test]
fn ratios_are_of_the_same_block_and_say_how_many_blocks() {
    let mut run = sample::run();
    for row in &mut run.trials {
        let scale = if row.strategy == "pool" { 2 } else { 1 };
        row.response_p50_ns = Some(u64::from(row.block) * 1_000 * scale);
    }
    let pool = arm(&summarise(&run).families[2], "pool").clone();
    let ratio = pool.response_p50_ratio.unwrap();
    assert!((ratio.estimate - 2.0).abs() < 1e-12);
    assert_eq!(ratio.n_blocks, 5);
    assert_eq!(pool.medians.response_p50_ns, Some(6_000.0));
}

#[test]
fn the_last_attempt_counts_and_a_trial_cut_short_does_not() {
    let mut run = sample::run();
    let again = TrialRow { attempt: 2, n_ok: 1, ..run.trials[0].clone() };
    run.trials.push(again);
    run.trials[11].status = Status::Partial;
    let summary = summarise(&run);
    assert_eq!(arm(&summary.families[0], "blocking").outcomes.ok, 5 * 4000 + 1);
    assert_eq!(summary.trials_run, 190);
    assert_eq!(arm(&summary.families[1], "blocking").n_blocks, 5);
    assert_eq!(arm(&summary.families[1], "blocking").state, State::Ok);
}

#[test]
fn a_quantile_that_a_block_lacks_is_not_shown() {
    let mut run = sample::run();
    run.trials[0].response_p99_ns = None;
    let blocking = arm(&summarise(&run).families[0], "blocking").clone();
    assert_eq!(blocking.medians.response_p99_ns, None);
    assert!(blocking.medians.response_p90_ns.is_some());
}

#[test]
fn what_did_not_run_is_counted() {
    let mut run = sample::run();
    assert!(terminal(&run, 120).contains("partial: 59 of 66 trials"));
    run.trials.retain(|row| row.runtime != "node");
    let summary = summarise(&run);
    assert_eq!((summary.trials_run, summary.trials_planned), (132, 198));
    let family = &summary.families[2];
    assert_eq!((family.trials_run, family.arms.len()), (0, 11));
    assert!(family.arms.iter().all(|arm| arm.state == State::Missing));
    assert!(sample::render(&run).html.contains("0 of 6 planned trials ran to their end"));
}

#[test]
fn an_empty_run_still_renders() {
    let mut run = sample::run();
    run.trials.clear();
    run.plan.clear();
    let rendered = sample::render(&run);
    assert!(rendered.charts.is_empty());
    check_markup(&rendered.html);
    assert!(terminal(&run, 80).contains("Nothing ran"));
}

#[test]
fn the_same_run_renders_to_the_same_bytes() {
    let run = sample::run();
    assert!(sample::render(&run) == sample::render(&run));
    assert_eq!(json(&run).to_string(), json(&run).to_string());
}

#[test]
fn page_and_charts_are_well_formed_and_need_nothing_else() {
    let rendered = sample::render(&sample::run());
    check_markup(&rendered.html);
    assert_eq!(rendered.charts.len(), 3 + 3 * 6);
    for (_, svg) in &rendered.charts {
        check_markup(svg);
    }
    let outside = without_script(&rendered.html).replace("http://www.w3.org/2000/svg", "");
    for link in ["http:", "https:", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!outside.contains(link), "{link}");
    }
}

#[test]
fn hostile_text_stays_text_everywhere() {
    let mut run = sample::run();
    for row in &mut run.trials {
        row.workload = sample::HOSTILE.to_owned();
    }
    for row in &mut run.trials {
        row.family_id.push_str("/../\"<b>");
    }
    run.plan.clear();
    run.manifest.question = sample::HOSTILE.to_owned();
    run.manifest.arguments.push(sample::HOSTILE.to_owned());
    run.remarks.push(sample::HOSTILE.to_owned());
    let rendered = sample::render(&run);
    check_markup(&rendered.html);
    assert!(!without_script(&rendered.html).contains("<script"));
    assert!(rendered.html.contains("&lt;script&gt;"));
    assert!(!rendered.tables_md.contains("<script"));
    for (name, svg) in &rendered.charts {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name}");
        assert!(!svg.contains("<script"));
        check_markup(svg);
    }
}

/// A plotted value of an arm.
type Value = fn(&ArmSummary) -> Option<f64>;

#[test]
fn the_plotted_numbers_are_those_of_the_summary() {
    let summary = summary();
    let html = sample::render(&sample::run()).html;
    let charts = sample::charts(&sample::run());
    for (family, charts) in summary.families.iter().zip(&charts.families) {
        assert_eq!(charts.len(), 6);
        for chart in charts {
            for row in chart.numbers.rows.iter().flatten().skip(1) {
                assert!(html.contains(&format!(">{row}<")) || row.contains('('), "{row}");
            }
        }
        let columns: [(usize, &str, &str, Value); 9] = [
            (0, "response p50", "ratio", |arm| Some(arm.response_p50_ratio?.estimate)),
            (0, "service p50", "interval to", |arm| arm.service_p50_ratio?.ci_high),
            (1, "", "requests/s, median", |arm| arm.medians.throughput_per_s),
            (1, "", "highest block", |arm| arm.throughput_range_per_s.map(|range| range.1)),
            (2, "response", "p50, ns", |arm| arm.medians.response_p50_ns),
            (2, "service", "p99, ns", |arm| arm.medians.service_p99_ns),
            (4, "", "creation, ns", |arm| arm.medians.creation_p50_ns),
            (4, "", "delivery, ns", |arm| arm.medians.delivery_p50_ns),
            (4, "", "reap (after the answer), ns", |arm| arm.medians.reap_p50_ns),
        ];
        for (chart, shown, head, value) in columns {
            let numbers = &charts[chart].numbers;
            let place = numbers.head.iter().position(|column| column.text == head);
            for arm in &family.arms {
                let is_it = |row: &&Vec<table::Cell>| {
                    row[0] == arm.label.as_str()
                        && (shown.is_empty() || row.iter().any(|cell| *cell == shown))
                };
                let row = numbers.rows.iter().find(is_it);
                let plotted = row.zip(place).map_or("–", |(row, place)| &*row[place]);
                let expected = value(arm).map_or("–".to_owned(), format::exact);
                assert_eq!(plotted, expected, "{head} of {}", arm.label);
            }
        }
    }
}

#[test]
fn a_ratio_has_an_interval_from_six_blocks_and_words_only_from_ten() {
    let signs = |run: &crate::record::Run| -> Vec<&'static str> {
        let family = summarise(run).families.remove(0);
        let ratios = family.arms.iter().filter_map(|arm| arm.response_p50_ratio);
        ratios.map(|ratio| ratios::sign(&ratio)).collect()
    };
    let quick = signs(&sample::run());
    assert!(quick.contains(&"slower?") && quick.contains(&"=?"), "{quick:?}");
    assert!(!quick.contains(&"=") && !quick.contains(&"slower"), "{quick:?}");
    let standard = signs(&sample::standard());
    assert!(standard.contains(&"slower") && standard.contains(&"="), "{standard:?}");
    let mut few = sample::run();
    few.trials.retain(|row| row.block <= 5);
    few.plan.retain(|row| row.block <= 5);
    assert!(signs(&few).iter().all(|sign| sign.is_empty()));
    assert!(summarise(&few).families[0].arms[2].response_p50_ratio.is_some());
}

#[test]
fn the_page_says_whether_it_can_be_trusted() {
    let trust = |run: &crate::record::Run| {
        trust::sentences(run, &summarise(run), &cells::run(run)).join("\n")
    };
    let mut run = sample::standard();
    let text = trust(&run);
    for said in [
        "in 12 blocks. Enough for verdicts.",
        "did not differ from the reference in any of 6 tests",
        "93 % at 10 blocks",
        "shares 2 cores",
        "None of 382 trials carries a flag.",
        "7 of 389 planned trials did not run to their end",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let facts = &mut run.environment.facts;
    facts.insert("noise_when_idle".to_owned(), "noisy".into());
    for row in &mut run.trials {
        row.flags = "late".to_owned();
        row.noise_label = Some(NoiseLabel::Warn);
        row.noise_flags = "steal:disturbed;canary:warn".to_owned();
        row.cpu_user_ns = Some(6);
        row.cpu_system_ns = Some(3);
        row.driver_cpu_ns = Some(1);
        if row.role == Role::Placebo {
            row.service_p50_ns = row.service_p50_ns.map(|ns| ns * 2);
        }
    }
    let text = trust(&run);
    for said in [
        "in 3 of 6 tests",
        "noop 64 B · rust · closed loop, 4 callers (service)",
        "used 10 % of the CPU time",
        "late: 382",
        "disturbed 0 of 382 trials",
        "canary:warn: 382, steal:disturbed: 382",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let text = trust(&sample::run());
    assert!(text.contains("Enough to screen, not to decide"), "{text}");
    run.trials.clear();
    assert!(trust(&run).contains("No: nothing was measured."));
}

#[test]
fn requests_that_cannot_be_read_are_counted_on_the_page() {
    let run = sample::run();
    let usable = run.trials.iter().filter(|row| row.status == Status::Ok).count();
    let said = format!("single requests of 1 of {usable} trials could not be read");
    assert!(sample::render(&run).html.contains(&said), "{said}");
}

#[test]
fn more_families_than_fit_make_another_overview() {
    let mut run = sample::run();
    let (plan, trials) = (run.plan.clone(), run.trials.clone());
    for copy in 1..=3 {
        let renamed = |id: &str| format!("{id}-{copy}");
        run.plan.extend(plan.iter().map(|row| crate::record::PlanRow {
            trial_id: renamed(&row.trial_id),
            family_id: renamed(&row.family_id),
            ..row.clone()
        }));
        run.trials.extend(trials.iter().map(|row| TrialRow {
            trial_id: renamed(&row.trial_id),
            family_id: renamed(&row.family_id),
            ..row.clone()
        }));
    }
    let names: Vec<String> =
        sample::charts(&run).overview.into_iter().map(|chart| chart.file).collect();
    let expected = "overview-best.svg overview-response-1.svg overview-response-2.svg \
                    overview-service-1.svg overview-service-2.svg";
    assert_eq!(names.join(" "), expected);
}

/// A page without the one script that is its own; of another one it would leave the rest.
fn without_script(html: &str) -> String {
    let (before, rest) = html.split_once("<script>").expect("a page has a script");
    let (_, after) = rest.split_once("</script>").unwrap();
    format!("{before}{after}")
}

/// Every element is closed in order; void elements stand alone.
#[track_caller]
pub(super) fn check_markup(text: &str) {
    // What is in it is no markup.
    let page = text.contains("<script>").then(|| without_script(text));
    let text = page.as_deref().unwrap_or(text);
    const VOID: [&str; 4] = ["meta", "br", "hr", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    for tag in text.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("every `<` begins a tag");
        let name = tag.split([' ', '\n', '/']).find(|part| !part.is_empty()).unwrap();
        if let Some((_, rest)) = tag.split_once(" id=\"") {
            let id = rest.split('"').next().unwrap();
            assert!(ids.insert(id), "id {id} twice");
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} never closed");
}
