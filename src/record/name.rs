//! Dates, and the name of a run.

use jiff::Timestamp;

use super::environment;

/// The wall clock, RFC 3339, UTC, to the millisecond. For dates only: durations come from
/// [`crate::sys::clock`].
pub fn utc_now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A new run's id and the default name of its directory: `<utc>-<host>-<experiment>`, such as
/// `20261123T081500Z-vm-main`. Sorts by time.
pub fn run_id(experiment: &str) -> String {
    let host = environment::hostname().unwrap_or_else(|_| "host".to_owned());
    run_id_of(Timestamp::now(), &host, experiment)
}

fn run_id_of(now: Timestamp, host: &str, experiment: &str) -> String {
    let utc = now.strftime("%Y%m%dT%H%M%SZ");
    let host = host.split('.').next().unwrap_or(host);
    format!("{utc}-{}-{}", plain(host, "host"), plain(experiment, "experiment"))
}

/// The name with other characters than letters, digits, `_` and `.` replaced, in at most 60 bytes:
/// a path that needs no quotes.
pub fn plain(name: &str, fallback: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') => c,
            _ => '-',
        })
        .take(60)
        .collect();
    match name.trim_matches(['-', '.']) {
        "" => fallback.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_is_named_by_time_host_and_experiment() {
        let now: Timestamp = "2026-11-23T08:15:00.9Z".parse().unwrap();
        assert_eq!(run_id_of(now, "vm.example", "main"), "20261123T081500Z-vm-main");
        assert_eq!(run_id_of(now, "", "../my exp/ü"), "20261123T081500Z-host-my-exp");
        assert_eq!(run_id_of(now, "...", &"x".repeat(300)).len(), 16 + 6 + 60);
        assert!(run_id("main").ends_with("-main"));
    }

    #[test]
    fn now_is_rfc_3339_in_utc() {
        let now = utc_now();
        assert!(now.ends_with('Z') && now.len() == "2026-11-23T08:15:00.123Z".len(), "{now}");
        now.parse::<Timestamp>().unwrap();
    }
}
