//! forkbench measures how CPU-heavy work should be run: inline, on threads, spawned, forked or
//! pooled.
//!
//! # Glossary
//!
//! * **experiment**: one question, as TOML; says *what* is measured.
//! * **preset**: `smoke`, `quick`, `standard`; says *how much*.
//! * **family**: workload × size × runtime × load; its arms are compared with each other.
//! * **arm**: a strategy with its options in a family.
//! * **reference**: the arm that the others of its family are compared with.
//! * **placebo**: the reference a second time, an A/A test in every family.
//! * **block**: all arms of a family once, in random order.
//! * **trial**: one fresh process tree, one arm, one block.
//! * **attempt**: one execution of a trial; a disturbed trial may be run again.
//! * **pass**: one execution of a block, with its re-runs; a pass that was cut short starts over.
//! * **regime**: how a trial offers load: `closed` and `open` loops, a `search` for the highest rate,
//!   or `memory`, which times nothing.
//! * **request**: what the driver sends and the subject answers; 1 to k **tasks**.
//! * **child**: what runs a task: a thread, a forked copy, a program, a pool worker.
//! * **outcome**: `ok`, `app_error`, `crash`, `timeout`, `rejected`, `wrong_answer`.
//! * **driver**, **subject**: the process that offers load, and the process that serves it.
//! * **claim**: a sentence of the study notes that figures of a run confirm or refute.
//!
//! # Code map, in reading order
//!
//! What to run ([`experiment`], [`workload`], [`strategy`]), who serves it ([`subject`],
//! [`protocol`]), who measures it ([`driver`]), what happened ([`record`]), what it means ([`stats`],
//! [`analysis`]), how it is shown ([`report`]), and the only unsafe code ([`sys`]). A folder uses
//! only folders before it in the order that `ARCHITECTURE.md` gives, with the invariants.

pub mod analysis;
pub mod cli;
pub mod driver;
pub mod experiment;
pub mod notes;
pub mod protocol;
pub mod record;
pub mod report;
pub mod stats;
pub mod strategy;
pub mod subject;
pub mod sys;
pub mod workload;
