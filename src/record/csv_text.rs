//! Rows as lines of CSV. One row is one line, whatever its cells hold: a damaged row never takes
//! another with it, and a line number always names a row.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord, WriterBuilder};

use super::columns::{Column, Row};
use super::shown;

/// One row as one line, with its end. A line break inside a cell becomes a space; a sentence is
/// bounded and escaped.
///
/// # Errors
/// The row holds something that CSV has no cell for.
pub fn line<R: Row>(row: &R) -> csv::Result<Vec<u8>> {
    let serialized = written(|writer| writer.serialize(row))?;
    let mut cells = StringRecord::new();
    ReaderBuilder::new()
        .has_headers(false)
        .from_reader(serialized.as_slice())
        .read_record(&mut cells)?;
    let cells = R::TABLE.columns.iter().zip(&cells).map(|(column, cell)| cell_of(column, cell));
    written(|writer| writer.write_record(cells))
}

fn cell_of(column: &Column, text: &str) -> String {
    let text = match column.is_sentence() {
        true => shown::sentence(text),
        false => text.replace(['\n', '\r'], " ").into(),
    };
    guarded(&text).into_owned()
}

fn written(
    write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>,
) -> csv::Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    write(&mut writer)?;
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// The beginning of a cell that a spreadsheet takes for a formula and runs.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The cell with a `'` in front if a spreadsheet would run it. Numbers stay numbers; a text that
/// has such a mark itself gets a second one, so that reading removes exactly the added mark.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    let has_mark = cell.starts_with('\'');
    let is_number = || cell.parse::<f64>().is_ok();
    match cell.trim_start_matches('\'').starts_with(FORMULA) && (has_mark || !is_number()) {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

/// The cell as it was before [`guarded`].
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest,
        _ => cell,
    }
}

/// A whole file: the header and its rows.
///
/// # Errors
/// As for [`line`].
pub fn csv_of<R: Row>(rows: &[R]) -> csv::Result<String> {
    let mut text = R::TABLE.header();
    for row in rows {
        // All cells are text already; a CSV writer only adds ASCII.
        text += &String::from_utf8_lossy(&line(row)?);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TrialRow;
    use proptest::prelude::*;

    #[test]
    fn cell_is_never_a_formula_and_numbers_stay_numbers() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("\tx", "'\tx"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("-5", "-5"),
            ("-1.5e3", "-1.5e3"),
            ("-x", "'-x"),
            ("it's", "it's"),
            ("'quoted'", "'quoted'"),
            ("", ""),
        ] {
            assert_eq!(guarded(cell), written);
            assert_eq!(unguarded(written), cell);
        }
        let row = TrialRow { reason: "=HYPERLINK(\"x\",1)".into(), ..TrialRow::default() };
        let text = String::from_utf8(line(&row).unwrap()).unwrap();
        assert!(text.contains(",\"'=HYPERLINK(\"\"x\"\",1)\","), "{text}");
        assert!(!text.contains(",=") && !text.contains(",\"="), "{text}");
    }

    proptest! {
        #[test]
        fn reading_undoes_guarding(cell in "['=+@\t－-]{0,3}[0-9a-z.,\"]{0,4}|(?s).{0,8}") {
            let written = guarded(&cell).into_owned();
            prop_assert_eq!(unguarded(&written), &cell);
            let is_number = written.parse::<f64>().is_ok();
            prop_assert!(is_number || !written.starts_with(FORMULA), "{}", written);
        }
    }

    #[test]
    fn row_is_one_line_whatever_its_cells_hold() {
        let broken = "first \"line\"\r\nsecond, ünd";
        let row = TrialRow { flags: broken.into(), reason: broken.into(), ..TrialRow::default() };
        let text = String::from_utf8(line(&row).unwrap()).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.ends_with('\n'));
        assert!(text.contains("\"first \"\"line\"\"  second, ünd\""), "{text}");
        assert!(text.contains("\"first \"\"line\"\"\\u000d\\nsecond, ünd\""), "{text}");
    }
}
