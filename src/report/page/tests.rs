//! The page as one file: its size, its script, and what is left out first.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;
use crate::record::Run;
use crate::report::table::Head;
use crate::report::{Analysis, of_run, sample};

/// The page of a run, within a number of bytes.
fn page_of(run: &Run, size_max: usize) -> String {
    let requests = sample::requests(run);
    let analysis = Analysis::of(run, &[], &requests);
    within(&of_run::document(&analysis, None, sample::charts(run)), size_max)
}

#[test]
fn page_of_a_run_without_its_requests_does_not_link_to_them() {
    let run = sample::run();
    let link = "every request with its stamps";
    assert!(sample::render(&run).html.contains(link));
    let gone = |_: &str| Err("no such file".to_owned());
    let html = crate::report::render(&Analysis::of(&run, &[], &gone), None).html;
    assert!(!html.contains(link));
    assert!(html.contains("<a href=\"trials.csv\">"));
}

#[test]
fn script_is_small_and_the_only_one_that_may_run() {
    assert!(SCRIPT.len() <= 10_000, "{} bytes", SCRIPT.len());
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start sha256sum, of the GNU core utilities");
    child.stdin.take().unwrap().write_all(SCRIPT.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let hex = std::str::from_utf8(&output.stdout[..64]).unwrap();
    let digits = (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap());
    let allowed = format!("script-src 'sha256-{}'", base64(&digits.collect::<Vec<u8>>()));
    assert!(
        TEMPLATE.contains(&allowed),
        "page.js has changed: write {allowed} into the policy of page.html"
    );
    let html = page_of(&sample::run(), SIZE_MAX);
    assert!(html.contains(&format!("<script>{SCRIPT}</script>")));
    assert_eq!(html.matches("<script").count(), 1);
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i > three.len() { '=' } else { digit.into() });
        }
    }
    text
}

#[test]
fn charts_that_make_the_page_too_large_stay_in_files() {
    let run = sample::run();
    let whole = page_of(&run, SIZE_MAX);
    assert!(whole.len() < SIZE_MAX);
    assert!(!whole.contains("to keep this page small"));
    let few_numbers = page_of(&run, whole.len() - 1);
    assert!(few_numbers.len() < whole.len());
    // Those of the trials in their order, of the two families that have over 60 trials.
    assert_eq!(few_numbers.matches("are left out to keep").count(), 2);
    assert!(!few_numbers.contains("href=\"charts/f01"));
    let few_charts = page_of(&run, few_numbers.len() - 1);
    assert!(few_charts.len() < few_numbers.len());
    assert_eq!(few_charts.matches("href=\"charts/f01").count(), 4);
    assert!(few_charts.contains("href=\"charts/f01-noop-64B-rust-closed4-percentiles.svg\""));
    // No smaller page has any chart.
    assert_eq!(page_of(&run, 0), few_charts);
}

#[test]
fn charts_and_tables_have_names_of_their_own() {
    let html = page_of(&sample::run(), SIZE_MAX);
    let mut names: Vec<&str> =
        html.split("aria-label=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = names.len();
    assert!(all > 2 * (3 + 3 * 6));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn cells_carry_their_number_where_the_text_is_not_it_and_rows_their_strategy() {
    let head = vec![Head::new("what", false), Head::new("strategy", false)];
    let slow = Cell::new("2.50 ms".to_owned(), Some(2_503_123.0));
    let rows = vec![
        vec![slow, Cell::from("pool workers=2 [1]")],
        vec![Cell::from("2503.5"), Cell::from("response p50")],
        vec![Cell::from("–"), Cell::from("blocking (placebo)")],
    ];
    let section = Section::new("s", "a section").table("a table", Table::new(head, rows));
    let document = Document { sections: vec![section], ..Document::default() };
    let html = lay_out(&document, Detail::Whole);
    assert!(html.contains("<tr data-s=\"pool\"><th scope=\"row\" data-v=\"2.503123e6\">2.50 ms<"));
    assert!(html.contains("<tr><th scope=\"row\">2503.5<"), "{html}");
    assert!(html.contains("<tr data-s=\"placebo\">"), "{html}");
}
