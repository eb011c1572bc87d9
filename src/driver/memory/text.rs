//! What `/proc` says of a process's memory: text in, bytes out. No text makes these panic, and one
//! that is not understood is `None`.

/// Resident pages, from `smaps_rollup`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rollup {
    /// Every resident page once.
    pub rss_bytes: u64,
    /// Every resident page by the share of this process in it.
    pub pss_bytes: u64,
    /// Its parts, which kernels before 5.2 do not tell.
    pub pss_anon_bytes: Option<u64>,
    /// See above.
    pub pss_file_bytes: Option<u64>,
    /// See above.
    pub pss_shmem_bytes: Option<u64>,
    /// Pages of this process alone: `Private_Clean` and `Private_Dirty`.
    pub uss_bytes: u64,
    /// Huge pages set aside by the administrator, in none of the others.
    pub hugetlb_bytes: Option<u64>,
    /// What is swapped out, by share.
    pub swap_pss_bytes: Option<u64>,
}

/// What `status` adds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// The most that was ever resident, since the last exec.
    pub vmhwm_bytes: Option<u64>,
    /// The kernel's tables of its pages.
    pub page_tables_bytes: Option<u64>,
    /// How many.
    pub threads: u64,
}

/// `smaps_rollup`. `None` also for a process without memory.
pub(super) fn rollup(text: &str) -> Option<Rollup> {
    let field = |name| kib(text, name);
    let huge = [field("Shared_Hugetlb"), field("Private_Hugetlb")];
    Some(Rollup {
        rss_bytes: field("Rss")?,
        pss_bytes: field("Pss")?,
        pss_anon_bytes: field("Pss_Anon"),
        pss_file_bytes: field("Pss_File"),
        pss_shmem_bytes: field("Pss_Shmem"),
        uss_bytes: field("Private_Clean")?.checked_add(field("Private_Dirty")?)?,
        hugetlb_bytes: huge[0].zip(huge[1]).and_then(|(a, b)| a.checked_add(b)),
        swap_pss_bytes: field("SwapPss"),
    })
}

/// `status`: the name, and the rest. `None` also for a process without memory.
pub(super) fn status(text: &str) -> Option<(String, Status)> {
    kib(text, "VmRSS")?;
    let name = value(text, "Name")?.to_owned();
    let status = Status {
        vmhwm_bytes: kib(text, "VmHWM"),
        page_tables_bytes: kib(text, "VmPTE"),
        threads: value(text, "Threads")?.parse().ok()?,
    };
    Some((name, status))
}

/// The user whom a process of this `status` belongs to, and how many threads it has.
pub(super) fn tasks(text: &str) -> Option<(u32, u64)> {
    let user = value(text, "Uid")?.split_ascii_whitespace().next()?;
    Some((user.parse().ok()?, value(text, "Threads")?.parse().ok()?))
}

/// Whether a `status` is of a process that has ended and waits to be reaped.
pub(super) fn has_ended(status: &str) -> bool {
    value(status, "State").is_some_and(|state| state.starts_with(['Z', 'X']))
}

/// A field of `/proc/meminfo`, in bytes.
pub(super) fn meminfo(text: &str, name: &str) -> Option<u64> {
    kib(text, name)
}

/// `Name:   12 kB` of any of these files, in bytes.
fn kib(text: &str, name: &str) -> Option<u64> {
    let number = value(text, name)?.strip_suffix("kB")?.trim_end();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let of_name = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    text.lines().find_map(of_name).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROLLUP: &str = "\
55d4a2a00000-7ffd3b5fe000 ---p 00000000 00:00 0                          [rollup]
Rss:                 884 kB
Pss:                 200 kB
Pss_Dirty:            92 kB
Pss_Anon:             88 kB
Pss_File:            112 kB
Pss_Shmem:             0 kB
Shared_Clean:        780 kB
Shared_Dirty:         10 kB
Private_Clean:         4 kB
Private_Dirty:        90 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:    2048 kB
SwapPss:               3 kB
";

    #[test]
    fn a_roll_up_is_bytes() {
        let found = rollup(ROLLUP).unwrap();
        assert_eq!((found.rss_bytes, found.pss_bytes), (884 << 10, 200 << 10));
        assert_eq!(found.pss_anon_bytes, Some(88 << 10));
        assert_eq!(found.pss_file_bytes, Some(112 << 10));
        assert_eq!(found.uss_bytes, 94 << 10);
        assert_eq!(found.hugetlb_bytes, Some(2 << 20));
        assert_eq!(found.swap_pss_bytes, Some(3 << 10));
        let old = ROLLUP.replace("Pss_Anon", "Pss_Other");
        assert_eq!(rollup(&old).unwrap().pss_anon_bytes, None);
        assert_eq!(rollup(""), None);
        assert_eq!(rollup(&ROLLUP.replace("Rss:                 884", "Rss: x")), None);
    }

    #[test]
    fn a_status_has_a_name_and_a_zombie_has_no_memory() {
        let text = "Name:\ta (b) c\nState:\tS (sleeping)\nVmHWM:\t 1000 kB\nVmRSS:\t 900 kB\n\
                    VmPTE:\t  44 kB\nThreads:\t3\n";
        let (name, found) = status(text).unwrap();
        assert_eq!(name, "a (b) c");
        let expected =
            Status { vmhwm_bytes: Some(1000 << 10), page_tables_bytes: Some(44 << 10), threads: 3 };
        assert_eq!(found, expected);
        let zombie = "Name:\tx\nState:\tZ (zombie)\nThreads:\t1\n";
        assert_eq!(status(zombie), None);
        assert!(has_ended(zombie) && !has_ended(text));
    }

    #[test]
    fn the_machine_s_memory_is_bytes() {
        assert_eq!(meminfo("MemTotal:  8 kB\nMemAvailable: 4 kB\n", "MemAvailable"), Some(4096));
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "(Rss|Pss|Name|VmRSS|\\(|\\)|:| |kB|\n|[0-9]{1,30}){0,40}") {
            let _ = (rollup(&text), status(&text), has_ended(&text));
        }
    }
}
