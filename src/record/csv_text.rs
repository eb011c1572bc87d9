//! Rows as lines of CSV. One row is one line, whatever its cells hold, so that a torn or damaged
//! row can never take another with it, and a line number always names a row.

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
    line.pop();
    for byte in &mut line {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    line.push(b'\n');
    Ok(line)
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
