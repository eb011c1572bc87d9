//! Rows as lines of CSV. One row is one line, whatever its cells hold, so that a torn or damaged
//! row can never take another with it, and a line number always names a row.

use std::borrow::Cow;

use serde::Serialize;

/// The header's names for rows of this type.
///
/// # Errors
/// The row has no fixed columns.
pub(crate) fn header_of<T: Serialize>(row: &T) -> csv::Result<Vec<String>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.serialize(row)?;
    let text = into_inner(writer)?;
    let mut reader = csv::Reader::from_reader(text.as_slice());
    Ok(reader.headers()?.iter().map(str::to_owned).collect())
}

/// The header as a line, with its end.
///
/// # Errors
/// As for [`header_of`].
pub(crate) fn header_line<T: Serialize>(row: &T) -> csv::Result<Vec<u8>> {
    let mut line = header_of(row)?.join(",").into_bytes();
    line.push(b'\n');
    Ok(line)
}

/// One row as one line, with its end. A line break inside a cell becomes a space.
///
/// # Errors
/// The row holds something that CSV has no cell for.
pub(crate) fn line<T: Serialize>(row: &T) -> csv::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.serialize(row)?;
    let mut line = into_inner(writer)?;
    if line.split(|&byte| byte == b',').any(may_be_run) {
        line = guarded_line(&line)?;
    }
    line.pop();
    for byte in &mut line {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    line.push(b'\n');
    Ok(line)
}

/// What begins so, a spreadsheet takes for a formula and runs.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Whether a part of a line may be the beginning of such a cell; most lines have none.
fn may_be_run(part: &[u8]) -> bool {
    let part = part.strip_prefix(b"\"").unwrap_or(part);
    part.first().is_some_and(|&byte| b"=+-@\t\r\'".contains(&byte) || byte == 0xef)
}

fn guarded_line(line: &[u8]) -> csv::Result<Vec<u8>> {
    let mut record = csv::StringRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
    reader.read_record(&mut record)?;
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(record.iter().map(|cell| guarded(cell).into_owned()))?;
    into_inner(writer)
}

/// The cell with a `'` in front if a spreadsheet would run it. Numbers stay numbers; a text that
/// has such a mark itself gets a second one, so that reading takes away what writing has added.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    let has_mark = cell.starts_with('\'');
    let is_number = || cell.parse::<f64>().is_ok();
    match cell.trim_start_matches('\'').starts_with(FORMULA) && (has_mark || !is_number()) {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

/// What [`guarded`] made a cell of.
pub(super) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest,
        _ => cell,
    }
}

/// A whole file: the header and its rows.
///
/// # Errors
/// As for [`line`].
pub fn csv_of<T: Serialize + Default>(rows: &[T]) -> csv::Result<String> {
    let mut bytes = header_line(&T::default())?;
    for row in rows {
        bytes.extend(line(row)?);
    }
    // All cells are text already; a CSV writer only adds ASCII.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn into_inner(writer: csv::Writer<Vec<u8>>) -> csv::Result<Vec<u8>> {
    writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TrialRow;
    use proptest::prelude::*;

    #[test]
    fn a_cell_is_never_a_formula_and_numbers_stay_numbers() {
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
        fn guarding_is_undone_by_reading(cell in "['=+@\t－-]{0,3}[0-9a-z.,\"]{0,4}|(?s).{0,8}") {
            let written = guarded(&cell).into_owned();
            prop_assert_eq!(unguarded(&written), &cell);
            let is_number = written.parse::<f64>().is_ok();
            prop_assert!(is_number || !written.starts_with(FORMULA), "{}", written);
        }
    }

    #[test]
    fn a_row_is_one_line_whatever_its_cells_hold() {
        let row =
            TrialRow { reason: "first \"line\"\r\nsecond, ünd".into(), ..TrialRow::default() };
        let text = String::from_utf8(line(&row).unwrap()).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.ends_with('\n'));
        assert!(text.contains("\"first \"\"line\"\"  second, ünd\""));
    }
}
