//! What a right answer is. The driver runs no workload itself: it asks the Rust subject, once per
//! family and before any trial, for the answer computed inline in a process of its own.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::load::Exchange;
use crate::workload::Spec;

/// The right answers of a run, by what is asked.
#[derive(Debug, Default)]
pub struct Oracle {
    known: HashMap<Spec, Option<u64>>,
}

impl Oracle {
    /// What requests of this family carry and must answer.
    ///
    /// # Errors
    /// The workload cannot be run with these parameters.
    pub fn exchange(&mut self, subject: &Path, spec: &Spec, seed: u64) -> Result<Exchange> {
        let workload = spec.workload().map_err(anyhow::Error::msg)?;
        let checksum = match self.known.get(spec) {
            Some(known) => *known,
            None => {
                let asked = if workload.is_fault() {
                    None
                } else {
                    Some(ask(subject, spec)?)
                };
                self.known.insert(spec.clone(), asked);
                asked
            }
        };
        let payload = pattern(spec.payload_bytes as usize, seed);
        Ok(Exchange {
            payload,
            echo: workload.takes_payload(),
            checksum,
        })
    }
}

fn ask(subject: &Path, spec: &Spec) -> Result<u64> {
    let output = Command::new(subject)
        .arg("answer")
        .args(spec.to_args())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("start `{}` for the right answer", subject.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim().parse() {
        Ok(checksum) if output.status.success() => Ok(checksum),
        _ => bail!(
            "compute the right answer of {} {}: {}; it said: {}",
            spec.workload,
            spec.size.name(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ),
    }
}

/// Bytes without a short period, so that a shifted or repeated part of a payload is noticed.
fn pattern(len: usize, seed: u64) -> Vec<u8> {
    use rand_xoshiro::rand_core::{Rng, SeedableRng};
    let mut bytes = vec![0; len];
    rand_xoshiro::Xoshiro128PlusPlus::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
