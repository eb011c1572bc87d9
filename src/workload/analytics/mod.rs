//! `analytics`: three reports over a date range of a shop's log, one task each: sales, users,
//! performance.
//!
//! Money is in integer cents, time in integer microseconds, shares in integer parts per million,
//! and no float comes near an answer: the checksums are the same in every runtime, bit for bit.
//! The log is generated from the seed by 32-bit arithmetic ([`dataset`]), the reports and the
//! order in which their numbers are folded are in [`reports`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::{Date, date};

use super::{Answer, Input, Spec, Workload, fold, input};
use crate::workload::options::{self, OptionDef, Used, Values};
use dataset::Dataset;
use reports::DayRange;

mod dataset;
mod reports;

pub struct Analytics;

/// Day 0 of every dataset; the last is day `DAYS - 1`, 2026-03-31.
const FIRST_DAY: Date = date(2026, 1, 1);

/// Sales, users, performance.
const TASKS: u32 = 3;

const OPTIONS: &[OptionDef] = &crate::options! {
    /// first day of the reports, YYYY-MM-DD; the data begins on 2026-01-01
    from = "2026-01-01", Values::Text;
    /// last day of the reports, YYYY-MM-DD; the data ends on 2026-03-31
    to = "2026-03-31", Values::Text;
    /// file of the dataset; empty: generated in memory
    input = "", Values::Text, Used::Never("the run makes the dataset itself");
};

impl Workload for Analytics {
    fn name(&self) -> &'static str {
        "analytics"
    }

    fn summary(&self) -> &'static str {
        "sales, users and performance reports over a date range of 10^4, 10^5 or 10^6 rows"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn materialise(&self, spec: &Spec, dir: &Path) -> Result<Option<PathBuf>, String> {
        day_range(spec)?;
        let path = dir.join(format!("analytics-{}-{}.fba", spec.size.name(), spec.seed));
        let bytes = Dataset::generate(rows(spec), spec.seed).to_bytes();
        std::fs::write(&path, bytes)
            .map_err(|e| format!("write the dataset {}: {e}", path.display()))?;
        Ok(Some(path))
    }

    fn tasks(&self, _: &Spec) -> Result<u32, String> {
        Ok(TASKS)
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let days = day_range(spec)?;
        let data = match options::word(&spec.options, "input")? {
            "" => Dataset::generate(rows(spec), spec.seed),
            path => load(path, spec)?,
        };
        input(move |task, _| {
            let numbers = match task {
                0 => reports::sales(&data, days).numbers(),
                1 => reports::users(&data, days).numbers(),
                2 => reports::performance(&data, days).numbers(),
                _ => return Err(format!("analytics has {TASKS} tasks, not one numbered {task}")),
            };
            Ok(Answer::of(fold(&numbers)))
        })
    }
}

fn rows(spec: &Spec) -> u32 {
    spec.size.pick([10_000, 100_000, 1_000_000])
}

fn load(path: &str, spec: &Spec) -> Result<Dataset, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("read the dataset {path}: {e}"))?;
    let data = Dataset::from_bytes(&bytes).map_err(|e| format!("the dataset {path}: {e}"))?;
    // A file left over from another run would give answers that are wrong without a sign.
    if (data.rows() as u32, data.seed) != (rows(spec), spec.seed) {
        return Err(format!(
            "the dataset {path} has {} rows of seed {}; expected {} of seed {}",
            data.rows(),
            data.seed,
            rows(spec),
            spec.seed
        ));
    }
    Ok(data)
}

/// The days of the data that the options ask for; none if they lie outside it.
fn day_range(spec: &Spec) -> Result<DayRange, String> {
    let [from, to] = [day(spec, "from")?, day(spec, "to")?];
    if from > to {
        return Err(format!("option `from` is {from}, which is after `to`, {to}"));
    }
    let number = |date: Date| i64::from((date - FIRST_DAY).get_days());
    let (first, end) = (number(from), number(to) + 1);
    let within = |day: i64| day.clamp(0, i64::from(dataset::DAYS)) as u32;
    Ok(DayRange { first: within(first), end: within(end) })
}

fn day(spec: &Spec, name: &str) -> Result<Date, String> {
    let text = options::word(&spec.options, name)?;
    Date::strptime("%Y-%m-%d", text)
        .map_err(|_| format!("option `{name}` is `{text}`; expected a date such as 2026-01-31"))
}

#[cfg(test)]
mod tests {
    use super::super::Size;
    use super::*;

    fn spec(given: &[(&str, &str)]) -> Spec {
        let given = given.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Spec {
            workload: "analytics".into(),
            size: Size::S,
            seed: 3,
            payload_bytes: 0,
            options: options::resolve(OPTIONS, &given, 2).unwrap(),
        }
    }

    fn checksums(spec: &Spec) -> Vec<u64> {
        let input = Analytics.prepare(spec).unwrap();
        (0..TASKS).map(|task| input.run(task, Vec::new()).unwrap().checksum).collect()
    }

    #[test]
    fn dates_become_days_of_the_data() {
        let range = |from, to| day_range(&spec(&[("from", from), ("to", to)])).unwrap();
        let days = |first, end| DayRange { first, end };
        assert_eq!(day_range(&spec(&[])).unwrap(), days(0, dataset::DAYS));
        assert_eq!(range("2026-01-01", "2026-01-01"), days(0, 1));
        assert_eq!(range("2026-02-01", "2026-02-28"), days(31, 59));
        assert_eq!(range("1999-01-01", "2026-01-02"), days(0, 2));
        for (from, to) in [("1999-01-01", "2025-12-31"), ("2026-04-01", "9999-12-31")] {
            let DayRange { first, end } = range(from, to);
            assert_eq!(first, end, "{from} to {to}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused_before_any_work() {
        for (from, to) in [
            ("yesterday", "2026-01-02"),
            ("2026-02-30", "2026-03-01"),
            ("2026-01-01T10:00", "2026-03-01"),
            ("2026-01-01", ""),
            ("2026-02-02", "2026-02-01"),
        ] {
            let spec = spec(&[("from", from), ("to", to)]);
            assert!(Analytics.prepare(&spec).is_err(), "{from} to {to}");
            let written = Analytics.materialise(&spec, Path::new("/nowhere"));
            assert!(written.unwrap_err().contains("option"), "{from} to {to}");
        }
    }

    #[test]
    fn a_range_outside_the_data_gives_empty_reports() {
        let before = checksums(&spec(&[("from", "2020-01-01"), ("to", "2020-12-31")]));
        let after = checksums(&spec(&[("from", "2030-01-01"), ("to", "2030-12-31")]));
        assert_eq!(before[0], after[0]);
        assert_eq!(before[2], after[2]);
        assert_ne!(before[0], checksums(&spec(&[]))[0]);
    }

    #[test]
    fn the_written_dataset_answers_as_the_generated_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = Analytics.materialise(&spec(&[]), dir.path()).unwrap().unwrap();
        let file = path.to_str().unwrap();
        let from_file = spec(&[("input", file)]);
        assert_eq!(checksums(&from_file), checksums(&spec(&[])));

        let other = Spec { seed: 4, ..from_file.clone() };
        let error = Analytics.prepare(&other).err().unwrap();
        assert!(error.contains(file) && error.contains("seed 4"), "{error}");
        let missing = spec(&[("input", "/nowhere/at-all")]);
        assert!(Analytics.prepare(&missing).err().unwrap().contains("/nowhere/at-all"));
        let nowhere = Analytics.materialise(&from_file, Path::new("/nowhere"));
        assert!(nowhere.unwrap_err().contains("/nowhere"));
    }
}
