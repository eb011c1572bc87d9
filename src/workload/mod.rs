//! What one request *does*. Each workload is one file and one line in [`ALL`].
//!
//! A request is 1 to k tasks; a strategy runs tasks, knows no workload, and the host joins their
//! checksums. Kernels are single-threaded: only strategies make parallelism.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::workload::options::{OptionDef, Options};

mod analytics;
mod fault;
pub mod hold;
mod image;
mod mix;
mod noop;
pub mod options;
mod orders;
mod primes;
mod random_sum;
mod random_sum_native;
mod sleep;
mod spin;

pub use image::{bare_sequence, check as check_picture};
pub use noop::checksum as noop_checksum;
pub use sleep::Draws;

/// Every workload, in the order in which `forkbench list` shows them.
pub const ALL: &[&dyn Workload] = &[
    &noop::Noop,
    &random_sum::RandomSum,
    &random_sum_native::RandomSumNative,
    &primes::Primes,
    &image::Image,
    &analytics::Analytics,
    &orders::Orders,
    &spin::Spin,
    &sleep::Sleep,
    &hold::Hold,
    &fault::Fault,
];

/// The workload of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Workload> {
    ALL.iter().copied().find(|workload| workload.name() == name)
}

/// What a workload is and how to make its input.
pub trait Workload: Sync {
    /// As written in experiments, rows and on the command line.
    fn name(&self) -> &'static str;

    /// One line for `forkbench list`.
    fn summary(&self) -> &'static str;

    /// What an experiment may set, with defaults.
    fn options(&self) -> &'static [OptionDef] {
        &[]
    }

    /// Whether requests carry `payload_bytes` of payload that the answer echoes.
    fn takes_payload(&self) -> bool {
        false
    }

    /// Whether it exists to be measured, or only to misbehave in tests and fault experiments.
    fn is_fault(&self) -> bool {
        false
    }

    /// Whether a task stays until the driver lets it go. Then it can neither be run to warm up,
    /// nor inline to find out the right answer: [`Workload::known_answer`] says that.
    fn holds(&self) -> bool {
        false
    }

    /// The checksum of a right answer, where it follows from the parameters without running.
    ///
    /// # Errors
    /// The parameters do not fit the workload.
    fn known_answer(&self, spec: &Spec) -> Result<Option<u64>, String> {
        let _ = spec;
        Ok(None)
    }

    /// Whether a request is answered twice: `accepted` at once and `completed` when its last task
    /// is done, with a latency each.
    fn accepts_early(&self) -> bool {
        false
    }

    /// The option that says how much work a millisecond is, if there is one. Its value 0 leaves it
    /// to the driver, which asks [`Workload::calibrate`] of each runtime once per run.
    fn calibrated_option(&self) -> Option<&'static str> {
        None
    }

    /// Measures that option's value for the runtime that this is called in.
    ///
    /// # Errors
    /// The workload has no such option.
    fn calibrate(&self) -> Result<u64, String> {
        Err(format!("`{}` has no work to calibrate", self.name()))
    }

    /// Whether every runtime gives the same answer. Where libraries differ in the last bits, the
    /// right one is each runtime's own.
    fn same_in_every_runtime(&self) -> bool {
        true
    }

    /// Writes the input that all subjects of a run share into `dir`, once per run, before any
    /// trial, and returns its file: the value of option `input`, with which `prepare` loads it.
    /// `None` if the input follows from the parameters at no cost. Errors that would fail every
    /// trial (a bad picture, a folder that cannot be written) are found here.
    ///
    /// # Errors
    /// The parameters do not fit the workload, the user's own input is not usable, or a file
    /// could not be written.
    fn materialise(&self, spec: &Spec, dir: &Path) -> Result<Option<PathBuf>, String> {
        let _ = (spec, dir);
        Ok(None)
    }

    /// How many tasks one request is, from the parameters alone: the host that asks may never
    /// load the input. At least 1.
    ///
    /// # Errors
    /// The parameters do not fit the workload.
    fn tasks(&self, spec: &Spec) -> Result<u32, String> {
        let _ = spec;
        Ok(1)
    }

    /// Makes or loads the input: outside the clock, except in a program that is started per
    /// request, where it is the phase `load`.
    ///
    /// # Errors
    /// The parameters do not fit the workload, or its input could not be read.
    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String>;

    /// The request's checksum from those of its tasks, in task order, never empty.
    fn join(&self, checksums: &[u64]) -> u64 {
        fold(checksums)
    }
}

/// A loaded input: what a child finds, or loads.
pub trait Input: Send + Sync {
    /// Runs one task to its end on the calling thread. `payload` is what the request carried
    /// (empty unless the workload takes one) and is given away so that an echo copies nothing.
    ///
    /// # Errors
    /// The task failed in a way the workload foresees; it becomes `app_error` with this text.
    fn run(&self, task: u32, payload: Vec<u8>) -> Result<Answer, String>;
}

impl<F: Fn(u32, Vec<u8>) -> Result<Answer, String> + Send + Sync> Input for F {
    fn run(&self, task: u32, payload: Vec<u8>) -> Result<Answer, String> {
        self(task, payload)
    }
}

/// An input whose tasks a function runs.
fn input<F>(run: F) -> Result<Arc<dyn Input>, String>
where
    F: Fn(u32, Vec<u8>) -> Result<Answer, String> + Send + Sync + 'static,
{
    Ok(Arc::new(run))
}

/// The answer of a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Equal in every runtime for the same input and task.
    pub checksum: u64,
    /// Bytes to send back; empty for most workloads.
    pub payload: Vec<u8>,
}

impl Answer {
    /// One without a payload.
    pub fn of(checksum: u64) -> Answer {
        Answer { checksum, payload: Vec::new() }
    }
}

crate::words! {
    /// The three sizes that every workload offers.
    pub enum Size {
        /// Small: about 20 µs to a millisecond.
        S = "s",
        /// Medium: some milliseconds.
        M = "m",
        /// Large: some ten to some hundred milliseconds.
        L = "l",
    }
}

impl Size {
    /// The one of three values that belongs to this size.
    pub fn pick<T>(self, [s, m, l]: [T; 3]) -> T {
        match self {
            Size::S => s,
            Size::M => m,
            Size::L => l,
        }
    }
}

/// All that decides what a request of a family does; equal specs give equal answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Name in [`ALL`].
    pub workload: String,
    /// Which of the three inputs.
    pub size: Size,
    /// Seeds the input; the same for every arm of a run.
    pub seed: u64,
    /// Length of the payload that each request carries, in bytes.
    pub payload_bytes: u64,
    /// The workload's own options, resolved.
    pub options: Options,
}

impl Spec {
    /// The workload that this names.
    ///
    /// # Errors
    /// No such workload.
    pub fn workload(&self) -> Result<&'static dyn Workload, String> {
        by_name(&self.workload).ok_or_else(|| format!("unknown workload `{}`", self.workload))
    }

    /// The form in which a program that is started per request receives it.
    pub fn to_args(&self) -> Vec<String> {
        let fixed = [
            self.workload.clone(),
            self.size.name().to_owned(),
            self.seed.to_string(),
            self.payload_bytes.to_string(),
        ];
        fixed.into_iter().chain(self.options.iter().map(|(k, v)| format!("{k}={v}"))).collect()
    }

    /// The inverse of [`Spec::to_args`].
    ///
    /// # Errors
    /// Which argument is missing or malformed.
    pub fn from_args(args: &[String]) -> Result<Spec, String> {
        let [workload, size, seed, payload_bytes, options @ ..] = args else {
            return Err(format!("expected WORKLOAD SIZE SEED PAYLOAD_BYTES, got {args:?}"));
        };
        let number = |what: &str, text: &str| {
            text.parse().map_err(|_| format!("{what} is `{text}`; expected a whole number"))
        };
        Ok(Spec {
            workload: workload.clone(),
            size: Size::by_name(size)
                .ok_or_else(|| format!("size is `{size}`; expected s, m, l"))?,
            seed: number("seed", seed)?,
            payload_bytes: number("payload bytes", payload_bytes)?,
            options: options
                .iter()
                .map(|pair| {
                    let (k, v) = pair
                        .split_once('=')
                        .ok_or_else(|| format!("option `{pair}`; expected NAME=VALUE"))?;
                    Ok((k.to_owned(), v.to_owned()))
                })
                .collect::<Result<_, String>>()?,
        })
    }
}

/// Folds numbers into one, order mattering: FNV-1a over their little-endian bytes, because it is
/// a dozen characters in every language and needs nothing but 64-bit multiplication. One number
/// alone stays itself.
pub fn fold(numbers: &[u64]) -> u64 {
    if let [one] = numbers {
        return *one;
    }
    fnv(numbers.iter().flat_map(|n| n.to_le_bytes()))
}

/// FNV-1a of bytes, for checksums of files and pixels.
pub fn fold_bytes(bytes: &[u8]) -> u64 {
    fnv(bytes.iter().copied())
}

fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_round_trip() {
        let spec = Spec {
            workload: "primes".into(),
            size: Size::L,
            seed: u64::MAX,
            payload_bytes: 0,
            options: [("chunks".into(), "4".into()), ("path".into(), "a=b c".into())].into(),
        };
        assert_eq!(Spec::from_args(&spec.to_args()), Ok(spec));
        assert!(Spec::from_args(&["noop".into()]).is_err());
    }

    #[test]
    fn names_are_unique_and_folding_keeps_order() {
        let mut names: Vec<_> = ALL.iter().map(|w| w.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert_ne!(fold(&[1, 2]), fold(&[2, 1]));
        // The published FNV-1a value of eight zero bytes and then eight more, computed apart.
        assert_eq!(fold(&[0, 0]), 0x88201fb960ff6465);
    }

    #[test]
    fn only_orders_are_answered_twice_and_only_some_share_an_input() {
        let names = |chosen: &dyn Fn(&dyn Workload) -> bool| -> Vec<_> {
            let all = ALL.iter().filter(|w| chosen(**w));
            all.map(|w| w.name()).collect()
        };
        assert_eq!(names(&|w| w.accepts_early()), ["orders"]);
        // A workload that writes an input takes its path back in this option.
        let takes_input = |w: &dyn Workload| w.options().iter().any(|o| o.name == "input");
        assert_eq!(names(&takes_input), ["image", "analytics", "hold"]);
    }
}
