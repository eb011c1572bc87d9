//! The readable name of a family: `primes-m-chunks2-interleaved-rust-closed4`.

use crate::experiment::{Arrivals, Family, Load, Open, Placement, options_set};
use crate::workload::options::{OptionDef, Options};
use crate::workload::{Workload, fold};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Workload, size or payload, runtime and load; options, ballast and placement only where they
/// are not at their defaults, the seed only where the family fixes its own.
pub fn family_id(
    family: &Family,
    workload: &dyn Workload,
    cores: u32,
    seed: Option<u64>,
) -> String {
    let spec = &family.spec;
    let mut parts = vec![spec.workload.clone()];
    if is_sized(workload) {
        parts.push(spec.size.name().to_owned());
    }
    if workload.takes_payload() {
        parts.push(bytes(spec.payload_bytes));
    }
    parts.extend(set_options(workload.options(), &spec.options, cores));
    parts.push(family.runtime.clone());
    parts.push(match family.load {
        Load::Closed { callers } => format!("closed{callers}"),
        Load::Open(open) => open_id(&open),
        Load::Memory { children } => format!("memory{children}"),
    });
    if family.ballast_bytes > 0 {
        parts.push(format!("ballast{}", bytes(family.ballast_bytes)));
    }
    if family.placement != Placement::default() {
        parts.push(family.placement.name().to_owned());
    }
    if let Some(seed) = seed {
        parts.push(format!("seed{seed}"));
    }
    parts.join("-")
}

/// `open0.8cap`, `open100-constant-probe-main-loop`.
fn open_id(open: &Open) -> String {
    let mut id = format!("open{}", open.rate.label());
    if open.arrivals != Arrivals::ALL[0] {
        id = format!("{id}-{}", open.arrivals.name());
    }
    match open.probe {
        Some(probe) => format!("{id}-probe-{}", probe.name()),
        None => id,
    }
}

/// Whether a size means anything to a workload: the others are sized by their payload or their
/// options, or fail before a size could matter.
pub fn is_sized(workload: &dyn Workload) -> bool {
    !workload.takes_payload() && !workload.is_fault() && !workload.holds()
}

/// `chunks2`, `split-interleaved`: every option that is not at its default.
fn set_options(defs: &[OptionDef], options: &Options, cores: u32) -> impl Iterator<Item = String> {
    let set = options_set(defs, options, cores);
    // In the order of the registry, not of the alphabet: what matters most comes first.
    defs.iter().filter_map(move |def| {
        let value = set.get(def.name)?;
        let dash = if value.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "-" };
        let name = def.name.replace('_', "-");
        Some(format!("{name}{dash}{}", file_safe(value)))
    })
}

/// The value as a part of a file name; where letters had to go, four hexadecimal digits keep
/// values apart that would otherwise look alike.
fn file_safe(value: &str) -> String {
    let safe: String = value
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    if safe == value {
        return safe;
    }
    let numbers: Vec<u64> = value.bytes().map(u64::from).collect();
    format!("{safe}-{:04x}", fold(&numbers) & 0xffff)
}

/// The largest binary unit that divides evenly: `64B`, `64KiB`, `16MiB`.
fn bytes(bytes: u64) -> String {
    match bytes {
        0 => "0B".to_owned(),
        n if n.is_multiple_of(MIB) => format!("{}MiB", n / MIB),
        n if n.is_multiple_of(KIB) => format!("{}KiB", n / KIB),
        n => format!("{n}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_exact() {
        assert_eq!(
            [0, 64, 1000, 65_536, 1 << 24, (1 << 20) + 1].map(bytes),
            ["0B", "64B", "1000B", "64KiB", "16MiB", "1048577B"]
        );
    }

    #[test]
    fn values_that_look_alike_stay_apart() {
        assert_eq!(file_safe("interleaved"), "interleaved");
        assert_ne!(file_safe("a/b"), file_safe("a b"));
    }
}
