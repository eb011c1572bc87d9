//! `orders`: one order fans out to e-mail, inventory and payment, and is answered twice:
//! `accepted` at once, `completed` when the last of the three is done.
//!
//! Each task is a fixed *count* of steps of an integer loop: work, not time. The counts take about
//! 1, 5 and 20 ms in Rust on a current server core; a slower core or runtime takes longer, which
//! is a result, and the checksum is the same everywhere. Nothing sleeps: a task that sleeps leaves
//! its core to the others, and every strategy would look parallel.

use std::sync::Arc;

use super::mix::mix;
use super::{Answer, Input, Spec, Workload, input};

pub struct Orders;

/// E-mail, inventory, payment.
const TASKS: u32 = 3;

impl Workload for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn summary(&self) -> &'static str {
        "fans an order out to email, inventory and payment, about 1, 5 or 20 ms of work each"
    }

    fn accepts_early(&self) -> bool {
        true
    }

    fn tasks(&self, _: &Spec) -> Result<u32, String> {
        Ok(TASKS)
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let steps = spec.size.pick([625_000, 3_125_000, 12_500_000]);
        // The low and the high word together, so that every bit of the seed counts.
        let seed = (spec.seed ^ (spec.seed >> 32)) as u32;
        input(move |task, _| process(task, steps, seed))
    }
}

fn process(task: u32, steps: u32, seed: u32) -> Result<Answer, String> {
    if task >= TASKS {
        return Err(format!("an order has {TASKS} tasks, not one numbered {task}"));
    }
    // Each task starts elsewhere, so that no two of them can be one computation.
    let start = seed ^ (task + 1).wrapping_mul(0x9e37_79b9);
    Ok(Answer::of(u64::from(mix(start, steps))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tasks_of_an_order_differ_and_so_do_orders() {
        let answers = |seed: u32| -> Vec<u64> {
            (0..TASKS).map(|task| process(task, 1_000, seed).unwrap().checksum).collect()
        };
        let mut all = [answers(0), answers(1)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
        assert!(process(TASKS, 1, 0).is_err());
    }
}
