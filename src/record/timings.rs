//! The times of single requests, and nothing else of them: what distributions are made of.
//!
//! A run may hold ten million requests in a thousand files. Reading each as a whole row costs
//! several times what its six needed cells cost, so the cells are found by their place here.

use std::path::Path;

use super::reader::open_requests;
use super::{REQUESTS, RecordError, RequestRow, laws, requests_file};
use crate::protocol::Outcome;

/// One answered request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// From the intended start to the driver having the answer.
    pub response_ns: u64,
    /// See [`RequestRow::service_ns`].
    pub service_ns: Option<u64>,
    /// Whether it was answered rightly.
    pub is_ok: bool,
    /// How many requests it stands for; 0 if it is kept only for having been slow.
    pub weight: f64,
}

/// Where the needed cells of a row are. A run of an older forkbench has no transport.
#[derive(Debug, Clone, Copy)]
struct Places {
    stamps: [usize; 9],
    transport: Option<[usize; 2]>,
    outcome: usize,
    weight: usize,
}

/// Reads the times of one trial's requests, in the order of the file.
///
/// # Errors
/// There is no such file, or it is damaged: it was written at once, so it is whole or useless. A
/// request that breaks a law makes it useless too.
pub fn read_timings(dir: &Path, trial_id: &str) -> Result<Vec<Timing>, RecordError> {
    let path = dir.join(REQUESTS).join(requests_file(trial_id)?);
    let malformed = |error: csv::Error| RecordError::malformed(&path, error.to_string());
    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(1 << 17)
        .from_reader(open_requests(dir, trial_id)?);
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
        let row = request(&record, places).ok_or_else(|| line("is no request"))?;
        if let Some(law) = laws::by_request(&row) {
            return Err(line(&format!("breaks a law: {}", law.demands())));
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

fn places(header: &csv::ByteRecord) -> Result<Places, &'static str> {
    let place =
        |name: &'static str| header.iter().position(|found| found == name.as_bytes()).ok_or(name);
    let mut stamps = [0; 9];
    for (at, name) in stamps.iter_mut().zip(STAMPS) {
        *at = place(name)?;
    }
    let transport = place("transport_out_ns").ok().zip(place("transport_in_ns").ok());
    Ok(Places {
        stamps,
        transport: transport.map(|(out_ns, in_ns)| [out_ns, in_ns]),
        outcome: place("outcome")?,
        weight: place("weight")?,
    })
}

/// In the order in which they come.
const STAMPS: [&str; 9] = [
    "intended_ns",
    "sent_ns",
    "accepted_ns",
    "dispatched_ns",
    "child_start_ns",
    "work_start_ns",
    "work_end_ns",
    "replied_ns",
    "done_ns",
];

/// The request as far as its times go; whether it was answered ok is all that is read of the
/// outcome. `None` if it is none.
fn request(record: &csv::ByteRecord, places: Places) -> Option<RequestRow> {
    let cell = |place: usize| record.get(place);
    let weight = match cell(places.weight)? {
        b"1.0" | b"1" => 1.0,
        text => std::str::from_utf8(text).ok()?.parse().ok()?,
    };
    if !(f64::is_finite(weight) && weight >= 0.0) {
        return None;
    }
    let mut stamps = [None; 9];
    for (stamp, place) in stamps.iter_mut().zip(places.stamps) {
        *stamp = optional(cell(place)?)?;
    }
    let [out_ns, in_ns] = match places.transport {
        Some([out_ns, in_ns]) => [optional(cell(out_ns)?)?, optional(cell(in_ns)?)?],
        None => [None, None],
    };
    let [
        intended_ns,
        sent_ns,
        accepted_ns,
        dispatched_ns,
        child_start_ns,
        work_start_ns,
        work_end_ns,
        replied_ns,
        done_ns,
    ] = stamps;
    Some(RequestRow {
        intended_ns: intended_ns?,
        sent_ns: sent_ns?,
        accepted_ns,
        dispatched_ns,
        child_start_ns,
        work_start_ns,
        work_end_ns,
        replied_ns,
        done_ns: done_ns?,
        outcome: (cell(places.outcome)? == b"ok").then_some(Outcome::Ok),
        weight,
        transport_out_ns: out_ns,
        transport_in_ns: in_ns,
        ..RequestRow::default()
    })
}

/// A cell that may be empty; `None` if it holds something else than a whole number.
fn optional(text: &[u8]) -> Option<Option<u64>> {
    if text.is_empty() { Some(None) } else { whole(text).map(Some) }
}

/// A whole number out of nothing but digits.
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
    use crate::record::read_requests;

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

    fn file_of(rows: &[RequestRow]) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        rows.iter().for_each(|row| writer.serialize(row).unwrap());
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn the_times_are_those_of_the_whole_rows() {
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
        compressed(dir.path(), &file_of(&[ok, lost]));
        let rows = read_requests(dir.path(), "t1").unwrap();
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
    fn damage_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let good = file_of(&[RequestRow::default()]);
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
    fn a_doctored_request_is_named_with_its_line_and_the_law_that_it_breaks() {
        let dir = tempfile::tempdir().unwrap();
        let good = RequestRow { done_ns: 9, ..RequestRow::default() };
        let bad = RequestRow { accepted_ns: Some(10), ..good };
        compressed(dir.path(), &file_of(&[good, bad]));
        let error = read_timings(dir.path(), "t1").unwrap_err().to_string();
        assert!(error.contains("line 3: breaks a law: the stamps of a request ascend"), "{error}");
    }
}
