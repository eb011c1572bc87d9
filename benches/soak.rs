//! The driver's memory after ten million requests.

use std::fs;
use std::path::Path;

use crate::lane::{Cores, Result, Scale, Site};
use crate::lanes::instrument;
use crate::stopwatch::{SOAK, copy_of_self};
use crate::table::Row;

const REQUESTS: u64 = 10_000_000;

const MEMORY_BAR_BYTES: u64 = 64 << 20;

/// Runs the long loop in a process of its own and returns its result.
pub(crate) fn run(dir: &Path) -> Result<Row> {
    let output = copy_of_self(&[SOAK, &REQUESTS.to_string()], dir)?.output()?;
    let said = String::from_utf8(output.stdout)?;
    let numbers =
        said.split_whitespace().map(str::parse).collect::<std::result::Result<Vec<u64>, _>>()?;
    let [answered, window_ns, peak_bytes] = numbers[..] else {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    };
    let mib = peak_bytes as f64 / f64::from(1 << 20);
    let per_s = answered as f64 * 1e9 / window_ns as f64;
    Ok(Row {
        name: "closed loop/driver's peak memory".to_owned(),
        lane: format!("{mib:.1} MiB"),
        floor: format!("{answered} requests"),
        ratio: format!("{per_s:.0}/s"),
        spread: String::new(),
        bar: "64 MiB".to_owned(),
        verdict: Row::verdict(peak_bytes <= MEMORY_BAR_BYTES),
    })
}

/// The process itself: `REQUESTS DIR`.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let [requests, dir] = arguments else {
        return Err("expected REQUESTS DIR".into());
    };
    let site = Site { dir: dir.into(), scale: Scale::Bench, cores: Cores::Two };
    site.cores.pin_asking()?;
    let mut target = instrument::loop_target(&site)?;
    let (answered, window_ns) = instrument::run_loop(&mut target, requests.parse()?)?;
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    println!("{answered} {window_ns} {}", kib << 10);
    Ok(())
}
