//! `primes`: the study notes' trial division, whole or in chunks over tasks.
//!
//! Candidates are `1..=limit`. The notes split `0..=limit` into ranges whose ends are both
//! included, so a prime on a boundary is counted twice; here chunks are half-open and the last one
//! ends at `limit` itself. Contiguous chunks are skewed, because large candidates cost more;
//! interleaved ones (every k-th odd number, and 2 for the first) share the cost evenly.

use std::hint::black_box;
use std::sync::Arc;

use super::{Answer, Input, Spec, Workload, input};
use crate::workload::options::{self, OptionDef, Values};

pub struct Primes;

const OPTIONS: &[OptionDef] = &crate::options! {
    /// tasks per request
    chunks = "1", Values::Cores { min: 1, max: 4096 };
    /// how candidates are shared out over the chunks
    split = "contiguous", Values::Word(&["contiguous", "interleaved"]);
};

impl Workload for Primes {
    fn name(&self) -> &'static str {
        "primes"
    }

    fn summary(&self) -> &'static str {
        "counts the primes up to 10^4, 10^5 or 10^6 by trial division, whole or in chunks"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn tasks(&self, spec: &Spec) -> Result<u32, String> {
        let chunks = options::count(&spec.options, "chunks")?;
        u32::try_from(chunks).map_err(|_| format!("{chunks} chunks are too many"))
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let limit = spec.size.pick([10_000, 100_000, 1_000_000]);
        let chunks = u64::from(self.tasks(spec)?);
        let is_interleaved = options::word(&spec.options, "split")? == "interleaved";
        input(move |task, _| {
            let (limit, chunk) = (black_box(limit), u64::from(task));
            let count = match is_interleaved {
                true => interleaved(limit, chunks, chunk),
                false => contiguous(limit, chunks, chunk),
            };
            Ok(Answer::of(black_box(count)))
        })
    }

    /// The whole's count is the sum of the chunks' counts.
    fn join(&self, counts: &[u64]) -> u64 {
        counts.iter().sum()
    }
}

/// Primes in the `chunk`-th of `chunks` ranges of equal length over `1..=limit`.
fn contiguous(limit: u64, chunks: u64, chunk: u64) -> u64 {
    let length = limit.div_ceil(chunks);
    let start = (chunk * length).min(limit);
    let end = (start + length).min(limit);
    // Shifted by one: 0 is no candidate, `limit` is one, and no number is in two chunks.
    count_primes(start + 1..end + 1)
}

/// Primes among 2 (in chunk 0) and the odd numbers `3 + 2 (chunk + i chunks)` up to `limit`.
fn interleaved(limit: u64, chunks: u64, chunk: u64) -> u64 {
    let two = u64::from(chunk == 0 && limit >= 2);
    two + count_primes((3 + 2 * chunk..=limit).step_by((2 * chunks) as usize))
}

fn count_primes(candidates: impl Iterator<Item = u64>) -> u64 {
    candidates.filter(|&n| is_prime(n)).count() as u64
}

/// Trial division by every number from 2 to the root, even ones included, as the notes do it.
fn is_prime(n: u64) -> bool {
    n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_counts_each_prime_once() {
        for limit in [0, 1, 2, 3, 10, 97, 1000] {
            let whole = (1..=limit).filter(|&n| is_prime(n)).count() as u64;
            for chunks in 1..=12 {
                let joined = |f: fn(u64, u64, u64) -> u64| -> u64 {
                    (0..chunks).map(|chunk| f(limit, chunks, chunk)).sum()
                };
                assert_eq!(joined(contiguous), whole, "contiguous {limit} {chunks}");
                assert_eq!(joined(interleaved), whole, "interleaved {limit} {chunks}");
            }
        }
    }

    #[test]
    fn known_counts() {
        assert_eq!(contiguous(10_000, 1, 0), 1_229);
        assert_eq!(interleaved(100_000, 1, 0), 9_592);
    }
}
