//! forkbench measures how CPU-heavy work should be run: inline, on threads, spawned, forked or
//! pooled.
//!
//! # Glossary
//!
//! * **experiment**: one question, as TOML; says *what* is measured.
//! * **preset**: `smoke`, `quick`, `standard`; says *how much*.
//! * **family**: workload × size × runtime × load; its arms are compared with each other.
//! * **arm**: a strategy with its options in a family.
//! * **block**: one pass over all arms of a family, in random order.
//! * **trial**: one fresh process tree, one arm, one block.
//! * **request**: what the driver sends and the subject answers; 1 to k **tasks**.
//! * **child**: whatever runs a task: a thread, a forked copy, a program, a pool worker.
//! * **outcome**: `ok`, `app_error`, `crash`, `timeout`, `rejected`, `wrong_answer`.
//! * **driver**, **subject**, **child**: who offers load, who serves it, who works.
//!
//! # Code map, in reading order
//!
//! What to run ([`experiment`], [`workload`], [`strategy`], [`options`]), who serves it
//! ([`subject`], [`protocol`]), who measures it ([`driver`]), what happened ([`record`]), what it
//! means ([`stats`], [`report`]), and the only unsafe code ([`sys`]). The invariants are in
//! `ARCHITECTURE.md`.

pub mod cli;
pub mod driver;
pub mod experiment;
pub mod notes;
pub mod options;
pub mod protocol;
pub mod record;
pub mod report;
pub mod stats;
pub mod strategy;
pub mod subject;
pub mod sys;
pub mod workload;
