//! The declared tables, and `results/README.md` that is made from them.

use super::*;
use crate::protocol::Outcome;
use crate::record::words::{NoiseLabel, Regime, Status};
use crate::record::{
    CalibrationRow, CompareRow, FactRow, LoadPointRow, MemoryRow, NoiseRow, PlanRow, RequestOf,
    RequestRow, TrialRow,
};

/// Other programs read these by name and by place.
const PINNED_TRIALS: &str = "run_id trial_id attempt family_id block position role runtime \
    workload size strategy options regime callers rate_per_s workers placement payload_bytes \
    ballast_bytes seed started_utc status reason validity flags ready_ns first_response_ns \
    window_ns n_ok n_app_error n_crash n_timeout n_rejected n_wrong_answer throughput_per_s \
    response_p50_ns response_p90_ns response_p99_ns response_max_ns service_p50_ns \
    service_p90_ns service_p99_ns transport_p50_ns queue_p50_ns creation_p50_ns load_p50_ns \
    work_p50_ns return_p50_ns reap_p50_ns cpu_user_ns cpu_system_ns driver_cpu_ns \
    faults_minor faults_major ctx_voluntary ctx_involuntary children_started children_peak \
    checksum";
const PINNED_REQUESTS: &str = "id intended_ns sent_ns accepted_ns dispatched_ns \
    child_start_ns work_start_ns work_end_ns replied_ns done_ns reaped_ns outcome child_pid \
    weight";
const PINNED_MEMORY: &str = "run_id trial_id snapshot phase t_ns k runtime strategy role pid \
    ppid rss_bytes pss_bytes pss_anon_bytes pss_file_bytes pss_shmem_bytes uss_bytes \
    vmhwm_bytes page_tables_bytes threads source status reason";

/// The tables that `results/README.md` describes.
const ALL: [&Table; 13] = [
    &PLAN,
    &TRIALS,
    &NOISE,
    &REQUESTS,
    &CELLS,
    &COMPARISONS,
    &CALIBRATION,
    &LOAD_POINTS,
    &MEMORY,
    &FITS,
    &FACTS,
    &CLAIMS,
    &COMPARE,
];

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn pinned_columns_keep_their_names_and_places() {
    for (table, pinned) in
        [(&TRIALS, PINNED_TRIALS), (&REQUESTS, PINNED_REQUESTS), (&MEMORY, PINNED_MEMORY)]
    {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let pinned = words(pinned);
        assert_eq!(names[..pinned.len()], pinned);
    }
}

/// The header that serde writes for a row is that of its table.
fn check_header<T: serde::Serialize>(row: &T, table: &Table) {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.serialize(row).unwrap();
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    assert_eq!(text.lines().next().unwrap().to_owned() + "\n", table.header());
}

#[test]
fn headers_of_rows_are_those_of_their_tables() {
    check_header(&TrialRow::default(), &TRIALS);
    check_header(&(RequestRow::default(), RequestOf::default()), &REQUESTS);
    check_header(&PlanRow::default(), &PLAN);
    check_header(&NoiseRow::default(), &NOISE);
    check_header(&CalibrationRow::default(), &CALIBRATION);
    check_header(&LoadPointRow::default(), &LOAD_POINTS);
    check_header(&MemoryRow::default(), &MEMORY);
    check_header(&FactRow::default(), &FACTS);
    check_header(&CompareRow::default(), &COMPARE);
}

#[test]
fn every_column_has_a_sentence() {
    for column in ALL.into_iter().flat_map(|table| table.columns) {
        let sentence = column.meaning.len() > 15 && column.meaning.ends_with('.');
        assert!(sentence, "`{}` has no sentence", column.name);
        assert!(!column.meaning.contains(['|', '\n']), "`{}`", column.name);
    }
}

#[test]
fn keys_are_columns() {
    for table in ALL {
        let unknown = table.key.iter().find(|name| table.column(name).is_none());
        assert_eq!(unknown, None, "{}", table.file);
    }
}

/// An optional column is an `Option` or a text; any other field would fail on an empty cell.
#[test]
fn optional_cell_can_be_read_back_empty() {
    fn check<T: serde::de::DeserializeOwned>(table: &Table) {
        let header: csv::StringRecord = table.columns.iter().map(|c| c.name).collect();
        let cells: csv::StringRecord = table.columns.iter().map(sample).collect();
        cells.deserialize::<T>(Some(&header)).unwrap();
        for empty in table.columns {
            let cells: csv::StringRecord = table
                .columns
                .iter()
                .map(|c| if c.name == empty.name { "" } else { sample(c) })
                .collect();
            let read = cells.deserialize::<T>(Some(&header)).is_ok();
            let is_text = matches!(empty.kind, Kind::Text | Kind::Utc | Kind::Word(_));
            let optional = empty.presence == Presence::Optional;
            assert!(read == optional || is_text, "`{}`", empty.name);
        }
    }
    fn sample(column: &Column) -> &'static str {
        match column.kind {
            Kind::Text | Kind::Utc => "x",
            Kind::Word(words) => words[0],
            Kind::Integer | Kind::Number | Kind::Signed => "1",
        }
    }
    check::<TrialRow>(&TRIALS);
    // Which trial they are of stands behind what a row is.
    let (rows, of) = REQUESTS.columns.split_at(REQUESTS.columns.len() - 2);
    check::<RequestRow>(&Table { columns: rows, ..REQUESTS });
    check::<RequestOf>(&Table { columns: of, ..REQUESTS });
    check::<PlanRow>(&PLAN);
    check::<NoiseRow>(&NOISE);
    check::<CalibrationRow>(&CALIBRATION);
    check::<LoadPointRow>(&LOAD_POINTS);
    check::<MemoryRow>(&MEMORY);
    check::<FactRow>(&FACTS);
    check::<CompareRow>(&COMPARE);
}

/// The words of a column.
fn words_of(table: &Table, column: &str) -> &'static [&'static str] {
    match table.column(column).map(|column| column.kind) {
        Some(Kind::Word(words)) => words,
        kind => panic!("`{column}` is {kind:?}"),
    }
}

#[track_caller]
fn check_words<T>(table: &Table, column: &str, all: &[T], name: fn(T) -> &'static str)
where
    T: Copy,
{
    let mut names: Vec<&str> = all.iter().map(|word| name(*word)).collect();
    let mut words = words_of(table, column).to_vec();
    names.sort_unstable();
    words.sort_unstable();
    assert_eq!(words, names);
}

#[test]
fn words_of_columns_are_those_of_the_program() {
    use crate::experiment::{Arrivals, Placement, Probe, Role};
    check_words(&REQUESTS, "outcome", &Outcome::ALL, Outcome::name);
    for outcome in Outcome::ALL.map(Outcome::name) {
        assert!(TRIALS.column(&format!("n_{outcome}")).is_some(), "{outcome}");
    }
    check_words(&TRIALS, "role", &Role::ALL, Role::name);
    check_words(&TRIALS, "placement", &Placement::ALL, Placement::name);
    check_words(&TRIALS, "arrivals", &Arrivals::ALL, Arrivals::name);
    check_words(&TRIALS, "probe", &Probe::ALL, Probe::name);
    check_words(&TRIALS, "noise_label", &NoiseLabel::ALL, NoiseLabel::name);
    check_words(&TRIALS, "status", &Status::ALL, Status::name);
    check_words(&TRIALS, "regime", &Regime::ALL, Regime::name);
}

/// A word is written and read as its name.
#[test]
fn words_are_written_and_read_by_their_names() {
    for status in Status::ALL {
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(text, format!("\"{status}\""));
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    }
    assert_eq!(Status::Skipped.meaning(), "It cannot be done here.");
}

/// The columns as a Markdown table, with a line end.
fn markdown(table: &Table) -> String {
    let mut out = String::from("| column | type | unit | meaning |\n|---|---|---|---|\n");
    for column in table.columns {
        let empty = match column.presence {
            Presence::Always => "",
            Presence::Optional => " or empty",
        };
        out += &format!(
            "| `{}` | {}{empty} | {} | {} |\n",
            column.name,
            type_of(column.kind),
            column.unit().unwrap_or(""),
            column.meaning,
        );
    }
    out
}

fn type_of(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Word(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Integer => "integer".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Signed => "number with sign".to_owned(),
        Kind::Utc => "time".to_owned(),
    }
}

const README: &str = include_str!("../../../results/README.md");

/// The columns in the README are those of the tables, word for word. After a change, write them with
/// `FORKBENCH_WRITE_DOCS=1 cargo test --lib the_readme_says_every_column`.
#[test]
fn the_readme_says_every_column() {
    let mut expected = README.to_owned();
    for table in ALL {
        let start = format!("<!-- columns of {} -->\n", table.file);
        let from = expected.find(&start).expect(table.file) + start.len();
        let to = from + expected[from..].find("<!-- end -->").expect(table.file);
        expected.replace_range(from..to, &markdown(table));
    }
    if std::env::var_os("FORKBENCH_WRITE_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/results/README.md");
        std::fs::write(path, &expected).unwrap();
    } else {
        assert!(README == expected, "a column changed: see this test's comment");
    }
}
