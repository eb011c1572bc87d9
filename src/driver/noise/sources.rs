//! The kernel's files, opened once and read again and again: an open costs more than a read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use super::counters::{Counters, Counts};
use super::signal::Signal;
use super::text::{self, CpuTimes, Throttled};
use crate::driver::cgroup;
use crate::sys::clock::now_ns;
use crate::sys::process;

/// Holds the longest of the files that are read whole, `/proc/vmstat`, twice over.
const BUFFER: usize = 16 << 10;

/// A number in a file of the kernel, or why it cannot be read.
#[derive(Debug)]
pub struct Source<T> {
    file: Result<File, String>,
    parse: fn(&str) -> Option<T>,
}

impl<T> Source<T> {
    /// Opens a file and tries it once: some open and cannot be read, such as those of pressure on a
    /// kernel that was started without it.
    pub fn open(path: &str, parse: fn(&str) -> Option<T>) -> Source<T> {
        let file = File::open(path).map_err(|error| format!("{path}: {error}"));
        let file = file.and_then(|file| match read_at_start(&file, parse) {
            Ok(Some(_)) => Ok(file),
            Ok(None) => Err(format!("{path}: does not count it")),
            Err(error) => Err(format!("{path}: {error}")),
        });
        Source { file, parse }
    }

    /// The number now.
    pub fn read(&self) -> Option<T> {
        read_at_start(self.file.as_ref().ok()?, self.parse).ok()?
    }

    /// Why it cannot be read, if it cannot.
    fn reason(&self) -> Option<&String> {
        self.file.as_ref().err()
    }
}

/// One read: the kernel makes up these files anew at every read from their start, and gives
/// whole lines up to the buffer's end. The rest is not needed.
fn read_at_start<T>(file: &File, parse: fn(&str) -> Option<T>) -> io::Result<Option<T>> {
    let mut buffer = [0; BUFFER];
    let n = file.read_at(&mut buffer, 0)?;
    // Names of devices are the only bytes that the kernel does not choose, and none is in these.
    Ok(parse(std::str::from_utf8(&buffer[..n]).unwrap_or_default()))
}

/// The run-queue delay of the calling thread.
pub fn delay_of_this_thread() -> Source<u64> {
    Source::open("/proc/thread-self/schedstat", text::run_queue_delay_ns)
}

/// Every file that noise is read from.
#[derive(Debug)]
pub struct Sources {
    /// Processors that `/proc/stat` counts, at least 1.
    pub cpus: u32,
    cpu: Source<CpuTimes>,
    cpu_stall: Source<u64>,
    mem_stall: Source<u64>,
    io_stall: Source<u64>,
    swap_in: Source<u64>,
    /// Of the thread that measures, which every program begins with.
    run_queue_delay: Source<u64>,
    /// Counters of heat, one path per core and one for the package.
    throttle_paths: Vec<String>,
    /// `cpu.stat` of this process's control group and of those above that count throttling.
    quotas: Result<Vec<Source<Throttled>>, String>,
}

impl Sources {
    /// Opens the files that exist.
    pub fn open() -> Sources {
        let cpus = fs::read_to_string("/proc/stat").map_or(1, |stat| text::cpu_count(&stat).max(1));
        let some = |text: &str| text::pressure_ns(text, "some");
        Sources {
            cpus,
            cpu: Source::open("/proc/stat", text::cpu_times),
            cpu_stall: Source::open("/proc/pressure/cpu", some),
            mem_stall: Source::open("/proc/pressure/memory", some),
            io_stall: Source::open("/proc/pressure/io", |text| text::pressure_ns(text, "full")),
            swap_in: Source::open("/proc/vmstat", text::swap_in_pages),
            run_queue_delay: Source::open("/proc/self/schedstat", text::run_queue_delay_ns),
            throttle_paths: throttle_paths(cpus),
            quotas: quotas(),
        }
    }

    /// Why signals cannot be read here, by name.
    pub fn unavailable(&self) -> BTreeMap<&'static str, String> {
        let no_heat = self.throttle_paths.is_empty();
        let no_heat = no_heat.then(|| format!("{CPUS}/cpu0/thermal_throttle: there is none"));
        let frequency = self.frequency_hz().err();
        let reasons = [
            (Signal::Steal.name(), self.cpu.reason()),
            (Signal::ForeignCpu.name(), self.cpu.reason()),
            (Signal::MemPressure.name(), self.mem_stall.reason()),
            (Signal::IoPressure.name(), self.io_stall.reason()),
            (Signal::SwapIn.name(), self.swap_in.reason()),
            (Signal::Throttle.name(), no_heat.as_ref()),
            (Signal::QuotaThrottled.name(), self.quotas.as_ref().err()),
            (Signal::FrequencyDrop.name(), frequency.as_ref()),
            ("cpu_pressure", self.cpu_stall.reason()),
            ("runq_delay", self.run_queue_delay.reason()),
        ];
        reasons.into_iter().filter_map(|(name, reason)| Some((name, reason?.clone()))).collect()
    }

    /// The counters that can be read quickly, ten times a second: all but heat and quotas.
    pub fn sample(&self) -> Counters {
        let cpu = self.cpu.read();
        let used = process::usage_self().plus(process::usage_children());
        let counts = Counts {
            cpu,
            own_cpu_ns: used.cpu_user_ns + used.cpu_system_ns,
            cpu_stall_ns: self.cpu_stall.read(),
            mem_stall_ns: self.mem_stall.read(),
            io_stall_ns: self.io_stall.read(),
            swap_in_pages: self.swap_in.read(),
            run_queue_delay_ns: self.run_queue_delay.read(),
            ..Counts::default()
        };
        Counters { t_ns: now_ns(), counts }
    }

    /// Everything, for the edges of a trial: one file more per core and per control group.
    pub fn all(&self) -> Counters {
        let count = |path: &String| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
        let counts = self.throttle_paths.iter().filter_map(count);
        let mut counters = self.sample();
        counters.counts.throttles = (!self.throttle_paths.is_empty()).then(|| counts.sum());
        let throttled = self.throttled();
        counters.counts.throttled_periods = throttled.map(|throttled| throttled.periods);
        counters.counts.throttled_ns = throttled.map(|throttled| throttled.ns);
        counters
    }

    /// Over all groups together, whether they have a quota now or get one during the run.
    fn throttled(&self) -> Option<Throttled> {
        let groups = self.quotas.as_ref().ok()?.iter();
        groups.map(Source::read).try_fold(Throttled::default(), |sum, group| {
            let group = group?;
            Some(Throttled {
                periods: sum.periods.saturating_add(group.periods),
                ns: sum.ns.saturating_add(group.ns),
            })
        })
    }

    /// The frequency of the processor that this thread is on. To be asked after work of some
    /// milliseconds: an idle processor is slow by choice. Never asked while a trial runs, because
    /// the answer may have to be fetched by interrupting the processor.
    ///
    /// # Errors
    /// Why the frequency is not known here.
    pub fn frequency_hz(&self) -> Result<f64, String> {
        let cpu = rustix::thread::sched_getcpu();
        let path = format!("{CPUS}/cpu{cpu}/cpufreq/scaling_cur_freq");
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        match text.trim().parse::<f64>() {
            Ok(khz) if khz > 0.0 => Ok(khz * 1e3),
            _ => Err(format!("{path}: holds `{}`, not a number", text.trim())),
        }
    }
}

const CPUS: &str = "/sys/devices/system/cpu";

fn throttle_paths(cpus: u32) -> Vec<String> {
    let cores =
        (0..cpus).map(|cpu| format!("{CPUS}/cpu{cpu}/thermal_throttle/core_throttle_count"));
    let package = format!("{CPUS}/cpu0/thermal_throttle/package_throttle_count");
    cores.chain([package]).filter(|path| fs::read_to_string(path).is_ok()).collect()
}

/// Groups that count no throttling are left out: without a CPU controller they have no quota.
fn quotas() -> Result<Vec<Source<Throttled>>, String> {
    let groups = cgroup::above("cpu");
    if groups.is_empty() {
        return Err("/proc/self/mounts: no control groups are mounted".to_owned());
    }
    let stat = |group: cgroup::Group| {
        Source::open(&group.dir.join("cpu.stat").to_string_lossy(), text::throttled)
    };
    Ok(groups.into_iter().map(stat).filter(|stat| stat.file.is_ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_has_a_reason_and_the_rest_a_value() {
        let sources = Sources::open();
        let reasons = sources.unavailable();
        let now = sources.all().counts;
        let has = [
            ("steal", now.cpu.is_some()),
            ("mem_pressure", now.mem_stall_ns.is_some()),
            ("io_pressure", now.io_stall_ns.is_some()),
            ("cpu_pressure", now.cpu_stall_ns.is_some()),
            ("swap_in", now.swap_in_pages.is_some()),
            ("runq_delay", now.run_queue_delay_ns.is_some()),
            ("throttle", now.throttles.is_some()),
            ("quota_throttled", now.throttled_periods.is_some()),
        ];
        for (name, available) in has {
            assert_ne!(available, reasons.contains_key(name), "{name}: {reasons:?}");
        }
        assert!(reasons.values().all(|reason| reason.starts_with('/')));
    }

    #[test]
    fn a_file_that_is_not_there_or_not_understood_says_so() {
        let reason = |path, parse| Source::<u64>::open(path, parse).file.unwrap_err();
        let missing = reason("/proc/no such file", |_| Some(1));
        assert!(missing.starts_with("/proc/no such file: "), "{missing}");
        let other = reason("/proc/version", |_| None);
        assert_eq!(other, "/proc/version: does not count it");
    }

    #[test]
    fn counters_never_go_back() {
        let sources = Sources::open();
        let first = sources.all();
        let second = sources.all();
        assert!(second.t_ns >= first.t_ns);
        let (first, second) = (first.counts, second.counts);
        assert!(second.own_cpu_ns >= first.own_cpu_ns);
        let busy = first.cpu.zip(second.cpu);
        assert!(busy.is_none_or(|(then, now)| now.busy_ns >= then.busy_ns));
    }
}
