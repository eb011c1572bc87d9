//! Which other programs use the processors: the difference between two looks at `/proc`. Programs
//! that came or went between the looks are not seen.

use std::collections::BTreeMap;
use std::fs;

/// A program and the share of one processor that it used.
pub(super) type Busy = (String, f64);

/// At most so many are named, and none that used less than [`LEAST`] of a processor.
const NAMED: usize = 3;
const LEAST: f64 = 0.01;

/// CPU time of every other process by its id, in ns, with its name.
pub(super) fn used_ns() -> BTreeMap<u32, (String, u64)> {
    let own = std::process::id();
    let Ok(entries) = fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    let one = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse::<u32>().ok()?;
        // Any process may end while the list is read.
        let stat = fs::read(entry.path().join("stat")).ok()?;
        (pid != own).then_some((pid, name_and_ns(&String::from_utf8_lossy(&stat))?))
    };
    entries.filter_map(|entry| one(entry.ok()?)).collect()
}

/// The busiest first.
pub(super) fn between(
    before: &BTreeMap<u32, (String, u64)>,
    after: &BTreeMap<u32, (String, u64)>,
    wall_ns: u64,
) -> Vec<Busy> {
    let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
    for (pid, (name, ns)) in after {
        let Some((_, earlier)) = before.get(pid).filter(|(earlier, _)| earlier == name) else {
            continue;
        };
        let share = ns.saturating_sub(*earlier) as f64 / wall_ns.max(1) as f64;
        *shares.entry(name).or_default() += share;
    }
    let mut busy: Vec<Busy> = shares
        .into_iter()
        .filter(|(_, share)| *share >= LEAST)
        .map(|(name, share)| (name.to_owned(), share))
        .collect();
    busy.sort_by(|a, b| b.1.total_cmp(&a.1));
    busy.truncate(NAMED);
    busy
}

/// Name, and user and system time, out of `/proc/PID/stat`. The name stands in parentheses and
/// may itself hold spaces and parentheses.
fn name_and_ns(stat: &str) -> Option<(String, u64)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut times = after.split_ascii_whitespace().skip(11);
    let mut ticks = || times.next()?.parse::<u64>().ok();
    let ticks = ticks()?.checked_add(ticks()?)?;
    let name = name.escape_debug().to_string();
    Some((name, ticks.checked_mul(crate::driver::noise::text::TICK_NS)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_hides_nothing() {
        let stat = "7 (a) R (b\u{1b}) S 1 2 3 4 5 6 7 8 9 10 40 2 0 0";
        let found = name_and_ns(stat);
        assert_eq!(found, Some(("a) R (b\\u{1b}".to_owned(), 420_000_000)));
        assert_eq!(name_and_ns("7 (a) S 1 2"), None);
        assert_eq!(name_and_ns(""), None);
    }

    #[test]
    fn programs_of_one_name_are_added_and_newcomers_left_out() {
        let look = |times: &[(u32, &str, u64)]| {
            let one = |&(pid, name, ns): &(u32, &str, u64)| (pid, (name.to_owned(), ns));
            times.iter().map(one).collect::<BTreeMap<_, _>>()
        };
        let before = look(&[(1, "cc", 100), (2, "cc", 100), (3, "idle", 5), (4, "old", 0)]);
        let after =
            look(&[(1, "cc", 400), (2, "cc", 300), (3, "idle", 5), (4, "new", 900), (5, "new", 9)]);
        assert_eq!(between(&before, &after, 1_000), [("cc".to_owned(), 0.5)]);
        assert_eq!(between(&before, &after, 0).len(), 1);
    }
}
