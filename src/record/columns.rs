//! What every column means: one table, from which come the descriptions in `results/README.md`,
//! `datapackage.json`, and what the reader demands of a file.

mod claims;
mod compare;
mod derived;
mod event_loop;
mod facts;
mod idle;
mod load;
mod memory;
mod noise;
mod quota;
mod requests;
mod tables;
mod trials;
mod window;

pub use claims::CLAIMS;
pub use compare::COMPARE;
pub use derived::{CELLS, COMPARISONS};
pub use facts::FACTS;
pub use load::{CALIBRATION, LOAD_POINTS};
pub use memory::{FITS, MEMORY};
pub use noise::NOISE;
pub use requests::REQUESTS;
pub use tables::PLAN;
pub use trials::TRIALS;

/// One CSV file, or one kind of them.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Path in the run directory; `<trial_id>` stands for one.
    pub file: &'static str,
    /// What one row is.
    pub row: &'static str,
    /// The columns that no two rows share.
    pub key: &'static [&'static str],
    /// In the order of the file.
    pub columns: &'static [Column],
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// As in the header, unit last.
    pub name: &'static str,
    /// What a cell holds.
    pub kind: Kind,
    /// Whether a cell may be empty.
    pub presence: Presence,
    /// What it is, in whole sentences of Markdown.
    pub meaning: &'static str,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text without line breaks.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from 0.
    Integer,
    /// A finite number from 0.
    Number,
    /// A finite number that may be below 0.
    Signed,
    /// A time, RFC 3339, UTC.
    Utc,
}

/// Whether a cell may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Never empty.
    Always,
    /// Empty means missing, or that there is nothing to say.
    Optional,
}

impl Table {
    /// The tables of a run directory.
    pub const ALL: [&'static Table; 12] = [
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
    ];

    /// Those of them that the report makes out of the others; [`CLAIMS`] only of a run whose
    /// experiment has claims.
    pub const DERIVED: [&'static Table; 5] = [&CELLS, &COMPARISONS, &LOAD_POINTS, &FITS, &CLAIMS];

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns as a Markdown table, with a line end.
    pub fn markdown(&self) -> String {
        let mut out = String::from("| column | type | unit | meaning |\n|---|---|---|---|\n");
        for column in self.columns {
            let empty = match column.presence {
                Presence::Always => "",
                Presence::Optional => " or empty",
            };
            out += &format!(
                "| `{}` | {}{empty} | {} | {} |\n",
                column.name,
                column.kind.describe(),
                column.unit().unwrap_or(""),
                column.meaning,
            );
        }
        out
    }
}

impl Column {
    /// The unit that the name ends with, or that a count implies.
    pub fn unit(&self) -> Option<&'static str> {
        const SUFFIXES: [(&str, &str); 8] = [
            ("n_blocks", "blocks"),
            ("n_trials", "trials"),
            ("_per_s", "1/s"),
            ("_ratio", "1"),
            ("_pages", "pages"),
            ("_ns", "ns"),
            ("_bytes", "bytes"),
            ("_utc", "UTC"),
        ];
        let by_suffix = SUFFIXES.into_iter().find(|(suffix, _)| self.name.ends_with(suffix));
        match by_suffix {
            Some((_, unit)) => Some(unit),
            None => self.name.starts_with("n_").then_some("requests"),
        }
    }
}

impl Kind {
    fn describe(self) -> String {
        match self {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Outcome;
    use crate::record::csv_text;
    use crate::record::{
        CalibrationRow, FactRow, LoadPointRow, MemoryRow, NoiseRow, PlanRow, RequestOf, RequestRow,
        TrialRow,
    };
    use crate::report::compare::CompareRow;

    /// As pinned: parts of other hands read these by name and by place.
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

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn described(table: &Table) -> Vec<String> {
        table.columns.iter().map(|c| c.name.to_owned()).collect()
    }

    #[test]
    fn pinned_columns_keep_their_names_and_places() {
        let trials = csv_text::header_of(&TrialRow::default()).unwrap();
        let pinned = words(PINNED_TRIALS);
        assert_eq!(trials[..pinned.len()], pinned);
        let requests = csv_text::header_of(&RequestRow::default()).unwrap();
        let pinned = words(PINNED_REQUESTS);
        assert_eq!(requests[..pinned.len()], pinned);
        let memory = csv_text::header_of(&MemoryRow::default()).unwrap();
        let pinned = words(PINNED_MEMORY);
        assert_eq!(memory[..pinned.len()], pinned);
    }

    #[test]
    fn every_column_is_described_and_nothing_else() {
        let header = |header: Result<Vec<String>, _>| header.unwrap();
        let trials = header(csv_text::header_of(&TrialRow::default()));
        assert_eq!(described(&TRIALS), trials);
        let request = (RequestRow::default(), RequestOf::default());
        assert_eq!(described(&REQUESTS), header(csv_text::header_of(&request)));
        let plan = header(csv_text::header_of(&PlanRow::default()));
        assert_eq!(described(&PLAN), plan);
        let noise = header(csv_text::header_of(&NoiseRow::default()));
        assert_eq!(described(&NOISE), noise);
        let calibration = header(csv_text::header_of(&CalibrationRow::default()));
        assert_eq!(described(&CALIBRATION), calibration);
        let points = header(csv_text::header_of(&LoadPointRow::default()));
        assert_eq!(described(&LOAD_POINTS), points);
        let memory = header(csv_text::header_of(&MemoryRow::default()));
        assert_eq!(described(&MEMORY), memory);
        let facts = header(csv_text::header_of(&FactRow::default()));
        assert_eq!(described(&FACTS), facts);
        let compare = header(csv_text::header_of(&CompareRow::default()));
        assert_eq!(described(&COMPARE), compare);
        let all = Table::ALL.into_iter().chain([&COMPARE]);
        for column in all.flat_map(|table| table.columns) {
            let sentence = column.meaning.len() > 15 && column.meaning.ends_with('.');
            assert!(sentence, "`{}` has no sentence", column.name);
            assert!(!column.meaning.contains(['|', '\n']), "`{}`", column.name);
        }
    }

    /// An optional column is an `Option` or a text; any other field would fail on an empty cell.
    #[test]
    fn what_may_be_empty_can_be_read_back_empty() {
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

    #[test]
    fn outcomes_and_roles_are_those_of_the_program() {
        let outcomes = Outcome::ALL.map(Outcome::name);
        let Some(Kind::Word(words)) = REQUESTS.column("outcome").map(|c| c.kind) else {
            panic!("outcome is a word")
        };
        assert_eq!(words, outcomes);
        for outcome in outcomes {
            assert!(TRIALS.column(&format!("n_{outcome}")).is_some(), "{outcome}");
        }
        use crate::experiment::Role;
        let roles = [Role::Reference, Role::Placebo, Role::Arm]
            .map(|role| serde_json::to_value(role).unwrap());
        let Some(Kind::Word(words)) = TRIALS.column("role").map(|c| c.kind) else {
            panic!("role is a word")
        };
        assert!(roles.iter().all(|role| words.contains(&role.as_str().unwrap())));
    }

    #[test]
    fn labels_of_noise_are_those_of_the_program() {
        use crate::driver::noise::judge::Label;
        let Some(Kind::Word(words)) = TRIALS.column("noise_label").map(|c| c.kind) else {
            panic!("noise_label is a word")
        };
        assert_eq!(words, Label::ALL.map(Label::name));
    }

    const README: &str = include_str!("../../results/README.md");

    /// The columns in the README are this table's, word for word. `FORKBENCH_WRITE_DOCS=1 cargo
    /// test readme` writes them after a change.
    #[test]
    fn the_readme_says_every_column() {
        let mut expected = README.to_owned();
        for table in Table::ALL.into_iter().chain([&COMPARE]) {
            let start = format!("<!-- columns of {} -->\n", table.file);
            let from = expected.find(&start).expect(table.file) + start.len();
            let to = from + expected[from..].find("<!-- end -->").expect(table.file);
            expected.replace_range(from..to, &table.markdown());
        }
        if std::env::var_os("FORKBENCH_WRITE_DOCS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/results/README.md");
            std::fs::write(path, &expected).unwrap();
        } else {
            assert_eq!(README, expected, "a column changed: see this test's comment");
        }
    }
}
