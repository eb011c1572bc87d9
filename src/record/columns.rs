//! Tables of a run directory: each is declared once, by [`table!`], as the struct of its rows.
//!
//! The declaration is the source of the CSV header, of `datapackage.json`, of the tables in
//! `results/README.md`, and of what the reader demands of a cell.

pub use super::rows::compare::COMPARE;
pub use super::rows::derived::{CELLS, CLAIMS, COMPARISONS, FITS};
pub use super::rows::{CALIBRATION, FACTS, LOAD_POINTS, MEMORY, NOISE, PLAN, REQUESTS, TRIALS};

/// One CSV file, or one kind of them.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Path in the run directory; `<trial_id>` stands for an id.
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

/// A struct whose values are the rows of a table.
pub trait Row: serde::Serialize {
    /// The table.
    const TABLE: &'static Table;
}

/// A type that tells what the cells of a column hold.
pub trait Cell {
    /// What a cell holds.
    const KIND: Kind;
    /// Whether a cell may be empty.
    const PRESENCE: Presence = Presence::Always;
}

/// The cell of a number that may be below 0.
#[derive(Debug)]
pub enum Signed {}

/// The cell of a time, RFC 3339, UTC.
#[derive(Debug)]
pub enum Utc {}

impl<C: Cell> Cell for Option<C> {
    const KIND: Kind = C::KIND;
    const PRESENCE: Presence = Presence::Optional;
}

/// `Type => Kind` for each type of cells.
macro_rules! cells {
    ($($Type:ty => $kind:expr,)+) => {
        $(impl Cell for $Type { const KIND: Kind = $kind; })+
    };
}

cells! {
    String => Kind::Text,
    u32 => Kind::Integer,
    u64 => Kind::Integer,
    f64 => Kind::Number,
    Signed => Kind::Signed,
    Utc => Kind::Utc,
    crate::experiment::Role => Kind::Word(&["arm", "reference", "placebo"]),
    crate::experiment::Placement => Kind::Word(&["unpinned", "same-core", "other-core"]),
    crate::experiment::Arrivals => Kind::Word(&["poisson", "constant"]),
    crate::experiment::Probe => Kind::Word(&["main-loop", "strategy"]),
    crate::protocol::Outcome =>
        Kind::Word(&["ok", "app_error", "crash", "timeout", "rejected", "wrong_answer"]),
}

/// Declares a table. Each column is a line with its meaning as documentation:
///
/// ```text
/// name: Type,                    a field; its type tells what a cell holds
/// name: Type as CellType,        the cell is told by another type than the field's
/// name: Type = &["one", "two"],  the cell is one of these words
/// ```
///
/// `table!(TABLE "file.csv", key ["…"], /** … */ pub struct Row: Derive { … })` makes the struct and
/// its table, with `columns` in place of `pub struct Row: Derive` the table alone, and
/// `table!(NAME { … })` a list of columns.
macro_rules! table {
    (
        $TABLE:ident $file:literal, key [$($key:literal),+ $(,)?],
        $(#[doc = $row:literal])+
        pub struct $Row:ident $(: $($derive:ident),+)? { $($columns:tt)+ }
    ) => {
        table! { @struct [$(#[doc = $row])+] $Row [$($($derive),+)?] { $($columns)+ } }
        table! {
            $TABLE $file, key [$($key),+],
            $(#[doc = $row])+
            columns { $($columns)+ }
        }
        impl $crate::record::columns::Row for $Row {
            const TABLE: &'static $crate::record::columns::Table = &$TABLE;
        }
    };
    (
        $TABLE:ident $file:literal, key [$($key:literal),+ $(,)?],
        $(#[doc = $row:literal])+
        columns { $($columns:tt)+ }
    ) => {
        #[doc = concat!("`", $file, "`.")]
        pub const $TABLE: $crate::record::columns::Table = $crate::record::columns::Table {
            file: $file,
            row: concat!($($row),+).trim_ascii(),
            key: &[$($key),+],
            columns: table!(@columns $($columns)+),
        };
    };
    ($NAME:ident { $($columns:tt)+ }) => {
        const $NAME: &[$crate::record::columns::Column] = table!(@columns $($columns)+);
    };
    (@struct [$($doc:tt)+] $Row:ident [$($derive:ident),*] {
        $($(#[doc = $meaning:literal])+ $name:ident: $Type:ty $(as $Cell:ty)? $(= $words:expr)?,)+
    }) => {
        $($doc)+
        #[derive(
            Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize, $($derive),*
        )]
        #[serde(default)]
        pub struct $Row {
            $($(#[doc = $meaning])+ pub $name: $Type,)+
        }
    };
    (@columns
        $($(#[doc = $meaning:literal])+ $name:ident: $Type:ty $(as $Cell:ty)? $(= $words:expr)?,)+
    ) => {
        &[$(
            $crate::record::columns::Column::of::<table!(@cell $Type $(, $Cell)?)>(
                stringify!($name),
                concat!($($meaning),+).trim_ascii(),
            )$(.one_of($words))?,
        )+]
    };
    (@cell $Type:ty) => { $Type };
    (@cell $Type:ty, $Cell:ty) => { $Cell };
}
pub(super) use table;

impl Table {
    /// The tables that the report derives from the others; [`CLAIMS`] only for an experiment that
    /// has claims.
    pub const DERIVED: [&'static Table; 5] = [&CELLS, &COMPARISONS, &LOAD_POINTS, &FITS, &CLAIMS];

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The header of the file, with a line end.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        names.join(",") + "\n"
    }
}

impl Column {
    /// A column whose cells this type tells of.
    pub const fn of<C: Cell>(name: &'static str, meaning: &'static str) -> Column {
        Column { name, kind: C::KIND, presence: C::PRESENCE, meaning }
    }

    /// The same column with cells that hold one of these words.
    pub const fn one_of(self, words: &'static [&'static str]) -> Column {
        Column { kind: Kind::Word(words), ..self }
    }

    /// Whether its cells are sentences of other programs, which may be long and hold anything.
    pub fn is_sentence(&self) -> bool {
        matches!(self.name, "reason" | "text")
    }

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

/// The columns of two lists as one.
pub(super) const fn joined<const N: usize>(parts: [&[Column]; 2]) -> [Column; N] {
    let mut columns = [parts[0][0]; N];
    let mut to = 0;
    // Constants cannot iterate.
    while to < N {
        let first = parts[0].len();
        columns[to] = if to < first { parts[0][to] } else { parts[1][to - first] };
        to += 1;
    }
    columns
}

#[cfg(test)]
mod tests;
