//! The times of single requests: what distributions are made of.
//!
//! A run may hold ten million requests in a thousand files. Reading each as a whole row costs
//! several times what its needed cells cost, so the cells are found by their place here.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::lines::MAX_TABLE_BYTES;
use super::unfolded::Unfolded;
use super::{RecordError, RequestRow, laws};
use crate::protocol::Outcome;
use crate::sys::files::Dir;

/// The folder of raw requests.
pub const FOLDER: &str = "requests";

/// The name in [`FOLDER`] of an attempt's raw requests, by
/// [`TrialRow::requests_name`](super::TrialRow::requests_name).
///
/// # Errors
/// The name is not a plain one: it may come from a file that was edited by hand.
pub fn file_of(trial_id: &str) -> Result<String, RecordError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name = format!("{trial_id}.csv.zst");
    if trial_id.is_empty() || trial_id.len() > 200 || !trial_id.chars().all(plain) {
        let reason = "a trial's id consists of at most 200 letters, digits, `-` and `_`";
        return Err(RecordError::malformed(&PathBuf::from(FOLDER).join(name), reason));
    }
    Ok(name)
}

/// One answered request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// From the intended start to the driver having the answer.
    pub response_ns: u64,
    /// See [`RequestRow::service_ns`].
    pub service_ns: Option<u64>,
    /// Whether it was answered rightly.
    pub is_ok: bool,
    /// How many requests it stands for; 0 if it is kept only because it was slow.
    pub weight: f64,
}

/// The stamps of a request in the order in which they come, and the two halves of its transport.
const TIMES: [&str; 11] = [
    "intended_ns",
    "sent_ns",
    "accepted_ns",
    "dispatched_ns",
    "child_start_ns",
    "work_start_ns",
    "work_end_ns",
    "replied_ns",
    "done_ns",
    "transport_out_ns",
    "transport_in_ns",
];

/// Where the needed cells of a row are. A run of an older forkbench has no transport.
#[derive(Debug, Clone, Copy)]
struct Places {
    times: [Option<usize>; TIMES.len()],
    outcome: usize,
    weight: usize,
}

/// Reads the times of one trial's requests, in the order of the file.
///
/// # Errors
/// There is no such file, or it is damaged: it was written at once, so it is whole or useless. A
/// request that breaks a law makes it useless too.
pub fn read_timings(dir: &Path, trial_id: &str) -> Result<Vec<Timing>, RecordError> {
    let name = file_of(trial_id)?;
    let path = dir.join(FOLDER).join(&name);
    let malformed = |error: csv::Error| RecordError::malformed(&path, error.to_string());
    let packed = open(dir, &name).map_err(RecordError::io("open", &path))?;
    let unfolded = Unfolded::of(packed, MAX_TABLE_BYTES).map_err(RecordError::io("read", &path))?;
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 17).from_reader(unfolded);
    let header = reader.byte_headers().map_err(malformed)?;
    let places = places(header)
        .map_err(|name| RecordError::malformed(&path, format!("has no column `{name}`")))?;
    let mut timings = Vec::new();
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(malformed)? {
        let line = |reason: &str| {
            let line = record.position().map_or(0, csv::Position::line);
            RecordError::malformed(&path, format!("line {line}: {reason}"))
        };
        let row = request(&record, places).ok_or_else(|| line("is not a request"))?;
        if let Some(law) = laws::by_request(&row) {
            return Err(line(&format!("breaks a law: {}", law.meaning())));
        }
        timings.push(Timing {
            response_ns: row.response_ns(),
            service_ns: row.service_ns(),
            is_ok: row.outcome == Some(Outcome::Ok),
            weight: row.weight,
        });
    }
    Ok(timings)
}

fn open(dir: &Path, name: &str) -> std::io::Result<File> {
    Dir::open(dir)?.folder(FOLDER)?.file(name, MAX_TABLE_BYTES)
}

fn places(header: &csv::ByteRecord) -> Result<Places, &'static str> {
    let place =
        |name: &'static str| header.iter().position(|found| found == name.as_bytes()).ok_or(name);
    let mut times = [None; TIMES.len()];
    for (at, name) in times.iter_mut().zip(TIMES) {
        *at = match name.starts_with("transport") {
            true => place(name).ok(),
            false => Some(place(name)?),
        };
    }
    Ok(Places { times, outcome: place("outcome")?, weight: place("weight")? })
}

/// The request as far as its times go, and whether it was answered ok. `None` if it is damaged.
fn request(record: &csv::ByteRecord, places: Places) -> Option<RequestRow> {
    let weight = match record.get(places.weight)? {
        b"1.0" | b"1" => 1.0,
        text => std::str::from_utf8(text).ok()?.parse().ok()?,
    };
    if !(f64::is_finite(weight) && weight >= 0.0) {
        return None;
    }
    let mut times = [None; TIMES.len()];
    for (time, place) in times.iter_mut().zip(places.times) {
        let text = place.map_or(Some(&b""[..]), |place| record.get(place))?;
        if !text.is_empty() {
            *time = Some(whole(text)?);
        }
    }
    let [intended, sent, accepted, dispatched, started, begun, ended, replied, done, out, back] =
        times;
    Some(RequestRow {
        intended_ns: intended?,
        sent_ns: sent?,
        accepted_ns: accepted,
        dispatched_ns: dispatched,
        child_start_ns: started,
        work_start_ns: begun,
        work_end_ns: ended,
        replied_ns: replied,
        done_ns: done?,
        outcome: (record.get(places.outcome)? == b"ok").then_some(Outcome::Ok),
        weight,
        transport_out_ns: out,
        transport_in_ns: back,
        ..RequestRow::default()
    })
}

/// A whole number from nothing but digits.
fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::read_requests;

    #[test]
    fn numbers_are_digits_that_fit() {
        assert_eq!(whole(b"18446744073709551615"), Some(u64::MAX));
        for bad in [&b""[..], b"-1", b"1.0", b"18446744073709551616", b" 1"] {
            assert_eq!(whole(bad), None);
        }
    }

    fn compressed(dir: &Path, text: &str) {
        std::fs::create_dir_all(dir.join("requests")).unwrap();
        let bytes = zstd::encode_all(text.as_bytes(), 3).unwrap();
        std::fs::write(dir.join("requests/t1.csv.zst"), bytes).unwrap();
    }

    fn text_of(rows: &[RequestRow]) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        rows.iter().for_each(|row| writer.serialize(row).unwrap());
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn times_equal_those_of_whole_rows() {
        let dir = tempfile::tempdir().unwrap();
        let ok = RequestRow {
            id: 1,
            intended_ns: 100,
            sent_ns: 120,
            accepted_ns: Some(150),
            replied_ns: Some(400),
            transport_out_ns: Some(10),
            transport_in_ns: Some(90),
            done_ns: 500,
            outcome: Some(Outcome::Ok),
            weight: 1.0,
            ..RequestRow::default()
        };
        let lost = RequestRow {
            id: 2,
            accepted_ns: None,
            transport_out_ns: None,
            outcome: Some(Outcome::Crash),
            weight: 2.5,
            ..ok
        };
        compressed(dir.path(), &text_of(&[ok, lost]));
        let rows = read_requests(dir.path(), "t1");
        let timings = read_timings(dir.path(), "t1").unwrap();
        assert_eq!(rows.len(), timings.len());
        for (row, timing) in rows.iter().zip(&timings) {
            assert_eq!(timing.response_ns, row.response_ns());
            assert_eq!(timing.service_ns, row.service_ns());
            assert_eq!(timing.is_ok, row.outcome == Some(Outcome::Ok));
            assert_eq!(timing.weight, row.weight);
        }
        assert_eq!((timings[0].response_ns, timings[1].service_ns), (400, None));
    }

    #[test]
    fn damaged_request_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let good = text_of(&[RequestRow::default()]);
        let commas = good.lines().next().unwrap().matches(',').count();
        compressed(dir.path(), &format!("{good}{}", ",".repeat(commas)));
        let error = read_timings(dir.path(), "t1").unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
        compressed(dir.path(), "id,intended_ns\n1,2\n");
        let error = read_timings(dir.path(), "t1").unwrap_err().to_string();
        assert!(error.contains("no column `sent_ns`"), "{error}");
        assert!(read_timings(dir.path(), "../t1").is_err());
    }

    #[test]
    fn doctored_request_is_named_with_its_line_and_the_law_that_it_breaks() {
        let dir = tempfile::tempdir().unwrap();
        let good = RequestRow { done_ns: 9, ..RequestRow::default() };
        let bad = RequestRow { accepted_ns: Some(10), ..good };
        compressed(dir.path(), &text_of(&[good, bad]));
        let error = read_timings(dir.path(), "t1").unwrap_err().to_string();
        assert!(error.contains("line 3: breaks a law: the stamps of a request ascend"), "{error}");
    }
}
