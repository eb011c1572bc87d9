//! The kernel's files, opened once and read again and again: an open costs more than a read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use super::counters::{Counters, Counts};
use super::signal::Signal;
use super::text::{self, Share, Throttled};
use crate::driver::memory::cgroup;
use crate::sys::clock::now_ns;
use crate::sys::process;

/// Holds the longest of the files that are read whole, `/proc/vmstat`, twice over.
const BUFFER: usize = 16 << 10;

/// Where a signal is read, or why it cannot be.
type Source = Result<File, String>;

/// Every file that noise is read from.
#[derive(Debug)]
pub struct Sources {
    /// Processors that `/proc/stat` counts, at least 1.
    pub cpus: u32,
    stat: Source,
    cpu_pressure: Source,
    mem_pressure: Source,
    io_pressure: Source,
    vmstat: Source,
    main_schedstat: Source,
    /// Counters of heat, one path per core and one for the package.
    throttle_paths: Vec<String>,
    /// `cpu.stat` of this process's control group and of those above that count throttling.
    quotas: Result<Vec<File>, String>,
}

impl Sources {
    /// Opens what there is, and tries each file once: some open and cannot be read, such as
    /// those of pressure on a kernel that was started without it.
    pub fn open() -> Sources {
        let cpus = fs::read_to_string("/proc/stat").map_or(1, |stat| text::cpu_count(&stat).max(1));
        let pressure = |name: &str, share| {
            source(&format!("/proc/pressure/{name}"), move |text| {
                text::pressure_ns(text, share).is_some()
            })
        };
        Sources {
            cpus,
            stat: source("/proc/stat", |text| text::cpu_times(text).is_some()),
            cpu_pressure: pressure("cpu", Share::Some),
            mem_pressure: pressure("memory", Share::Some),
            io_pressure: pressure("io", Share::Full),
            vmstat: source("/proc/vmstat", |text| text::swap_in_pages(text).is_some()),
            // Of the thread that measures, which is the one that every program begins with.
            main_schedstat: source("/proc/self/schedstat", |text| {
                text::run_queue_delay_ns(text).is_some()
            }),
            throttle_paths: throttle_paths(cpus),
            quotas: quotas(),
        }
    }

    /// Why signals cannot be read here, by name.
    pub fn unavailable(&self) -> BTreeMap<&'static str, String> {
        let files = [
            (Signal::Steal.name(), &self.stat),
            (Signal::ForeignCpu.name(), &self.stat),
            (Signal::MemPressure.name(), &self.mem_pressure),
            (Signal::IoPressure.name(), &self.io_pressure),
            (Signal::SwapIn.name(), &self.vmstat),
            ("cpu_pressure", &self.cpu_pressure),
            ("runq_delay", &self.main_schedstat),
        ];
        let mut reasons: BTreeMap<_, _> = files
            .into_iter()
            .filter_map(|(name, source)| Some((name, source.as_ref().err()?.clone())))
            .collect();
        if self.throttle_paths.is_empty() {
            let reason = format!("{CPUS}/cpu0/thermal_throttle: there is none");
            reasons.insert(Signal::Throttle.name(), reason);
        }
        if let Err(reason) = &self.quotas {
            reasons.insert(Signal::QuotaThrottled.name(), reason.clone());
        }
        if let Err(reason) = self.frequency_hz() {
            reasons.insert(Signal::FrequencyDrop.name(), reason);
        }
        reasons
    }

    /// What can be read quickly, ten times a second: all but heat and quotas.
    pub fn sample(&self) -> Counters {
        let stat = read(&self.stat, text::cpu_times);
        let pressure = |source, share| read(source, |text| text::pressure_ns(text, share));
        let used = process::usage_self().plus(process::usage_children());
        let counts = Counts {
            cpu: stat,
            own_cpu_ns: used.cpu_user_ns + used.cpu_system_ns,
            cpu_stall_ns: pressure(&self.cpu_pressure, Share::Some),
            mem_stall_ns: pressure(&self.mem_pressure, Share::Some),
            io_stall_ns: pressure(&self.io_pressure, Share::Full),
            swap_in_pages: read(&self.vmstat, text::swap_in_pages),
            throttles: None,
            run_queue_delay_ns: read(&self.main_schedstat, text::run_queue_delay_ns),
            throttled_periods: None,
            throttled_ns: None,
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

    /// Over all groups together, whether they have a quota now or get one while a run goes on.
    fn throttled(&self) -> Option<Throttled> {
        let groups = self.quotas.as_ref().ok()?.iter();
        let read = |file| read_at_start(file, text::throttled).ok()?;
        groups.map(read).try_fold(Throttled::default(), |sum, group| {
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
fn quotas() -> Result<Vec<File>, String> {
    let groups = cgroup::above("cpu");
    if groups.is_empty() {
        return Err("/proc/self/mounts: no control groups are mounted".to_owned());
    }
    let stat = |place: &cgroup::Place| {
        let path = place.dir.join("cpu.stat");
        source(&path.to_string_lossy(), |text| text::throttled(text).is_some()).ok()
    };
    Ok(groups.iter().filter_map(stat).collect())
}

fn source(path: &str, understood: impl Fn(&str) -> bool) -> Source {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    match read_at_start(&file, |text| understood(text)) {
        Ok(true) => Ok(file),
        Ok(false) => Err(format!("{path}: does not count it")),
        Err(error) => Err(format!("{path}: {error}")),
    }
}

fn read<T>(source: &Source, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    read_at_start(source.as_ref().ok()?, parse).ok()?
}

/// One read: the kernel makes up these files anew at every read from their start, and hands out
/// whole lines up to the buffer's end. What is cut off behind it is not needed.
fn read_at_start<T>(file: &File, parse: impl Fn(&str) -> T) -> io::Result<T> {
    let mut buffer = [0; BUFFER];
    let n = file.read_at(&mut buffer, 0)?;
    // Names of devices are the only bytes that the kernel does not choose, and none is in these.
    Ok(parse(std::str::from_utf8(&buffer[..n]).unwrap_or_default()))
}

/// This thread's own run-queue delay.
#[derive(Debug)]
pub struct OwnDelay {
    schedstat: Source,
}

impl OwnDelay {
    /// Of the thread that calls this.
    pub fn of_this_thread() -> OwnDelay {
        OwnDelay {
            schedstat: source("/proc/thread-self/schedstat", |text| {
                text::run_queue_delay_ns(text).is_some()
            }),
        }
    }

    /// So far, in ns; `None` where it is not counted.
    pub fn read_ns(&self) -> Option<u64> {
        read(&self.schedstat, text::run_queue_delay_ns)
    }
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
        let missing = source("/proc/no such file", |_| true).unwrap_err();
        assert!(missing.starts_with("/proc/no such file: "), "{missing}");
        let other = source("/proc/version", |_| false).unwrap_err();
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
