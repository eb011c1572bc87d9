//! The table of checks.

use anyhow::Result;

use super::bench::Bench;
use super::{
    Extent, Findings, books, foreign, generator, latencies, memory, placebo, queue, ramp, sampling,
    slower, stall, wakeups,
};

/// One thing that the driver has to get right.
pub struct Check {
    pub name: &'static str,
    /// A sentence without its full stop; names in braces stand for the extent.
    asked: &'static str,
    pub run: fn(&mut Bench<'_>) -> Result<Findings>,
}

/// All checks, in the order in which they are run: the first is about the machine alone, the last
/// two judge the others.
pub const ALL: &[Check] = &[
    Check {
        name: "wake-ups",
        asked: "{wakeups} sleeps until an absolute time, each followed by a byte to a thread that \
                waits for it; how late sleeper and thread wake, without driver and subject",
        run: |bench| Ok(wakeups::judge(&bench.lateness()?)),
    },
    Check {
        name: "stall",
        asked: "a server of 1 ms is stopped for 100 ms, once in {stall_s} s: at a constant 200 \
                requests/s, and with one caller in a closed loop",
        run: stall::run,
    },
    Check {
        name: "generator",
        asked: "requests without work at constant rates, {generator_s} s each; how late each is \
                sent",
        run: generator::run,
    },
    Check {
        name: "known latencies",
        asked: "a thread per request sleeps for a time drawn around 20 ms, at 150/s for {open_s} \
                s; quantiles of responses against those of the draws, without and with the \
                machine's own late wake-ups",
        run: latencies::run,
    },
    Check {
        name: "queues",
        asked: "Poisson arrivals at 70 % of what one server and 4 servers can do, for {open_s} s; \
                each response against the queue's recursion and the machine's own late wake-ups",
        run: queue::run,
    },
    Check {
        name: "10 % more work",
        asked: "reference, placebo and an arm with 10 % more of 2 ms spinning, 20 blocks; runs: \
                {slower_runs}",
        run: slower::run,
    },
    Check {
        name: "ramp",
        asked: "two identical arms, 20 blocks, work growing by 30 % from the first trial to the \
                last",
        run: ramp::run,
    },
    Check {
        name: "placebos",
        asked: "{placebos} times the same arm under two labels, random-sum of 10 000 draws, \
                {placebo_blocks} blocks of {trial_ms} ms each",
        run: placebo::run,
    },
    Check {
        name: "memory",
        asked: "a child that touches {touched_mib} MiB, and 4 copies of a process of 256 MiB \
                before and after each has written to 64 MiB of it",
        run: memory::run,
    },
    Check {
        name: "foreign load",
        asked: "{foreign_trials} trials of {foreign_s} s, a spinning program during {disturbed} \
                of them",
        run: foreign::run,
    },
    Check {
        name: "Little's law",
        asked: "requests in flight, counted and by their stamps, in all open loads above",
        run: |bench| Ok(books::judge(&bench.littles_law_ratios)),
    },
    Check {
        name: "watching",
        asked: "CPU time so far of the thread that samples noise, of one core",
        run: |bench| {
            bench.collect_samples();
            Ok(sampling::judge(bench.watched_ns, bench.sampler_cpu_ns))
        },
    },
];

impl Check {
    /// The sentence at this extent.
    pub fn asked(&self, extent: &Extent) -> String {
        let seconds = |ns: u64| (ns as f64 / 1e9).to_string();
        let touched: Vec<String> = extent.touched_mib.iter().map(u64::to_string).collect();
        let disturbed = (0..extent.foreign_trials).filter(|&trial| foreign::is_disturbed(trial));
        let values = [
            ("{wakeups}", extent.wakeups.to_string()),
            ("{stall_s}", seconds(extent.stall_window_ns)),
            ("{generator_s}", seconds(extent.generator_window_ns)),
            ("{open_s}", seconds(extent.open_window_ns)),
            ("{slower_runs}", extent.slower_runs.to_string()),
            ("{placebos}", extent.placebos.to_string()),
            ("{placebo_blocks}", extent.placebo_blocks.to_string()),
            ("{trial_ms}", (extent.trial_window_ns / super::MS).to_string()),
            ("{touched_mib}", touched.join(", ")),
            ("{foreign_trials}", extent.foreign_trials.to_string()),
            ("{foreign_s}", seconds(extent.foreign_window_ns)),
            ("{disturbed}", disturbed.count().to_string()),
        ];
        let replace = |text: String, (name, value): (&str, String)| text.replace(name, &value);
        values.into_iter().fold(self.asked.to_owned(), replace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_names_are_unique() {
        let mut names: Vec<_> = ALL.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn check_sentences_have_all_values() {
        for extent in [Extent::DEFAULT, Extent::THOROUGH] {
            for check in ALL {
                let asked = check.asked(&extent);
                assert!(!asked.contains(['{', '}']), "{}: {asked}", check.name);
            }
        }
    }
}
