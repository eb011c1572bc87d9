//! The integration tests, as one program: it is linked once.
#![allow(clippy::unwrap_used, reason = "a failed test reports itself by panicking")]
#![allow(unreachable_pub, reason = "helpers of one test program")]

mod common;

mod analysis_size;
mod bad_input;
mod compare;
mod cpu;
mod datapackage;
mod dead_helpers;
mod demonstrations;
mod doctor;
mod documents;
mod fuzz;
mod hostile_files;
mod hostile_surroundings;
mod killed_drivers;
mod list;
mod memory;
mod memory_sampled;
mod misbehaving_children;
mod misbehaving_demonstrations;
mod misbehaving_subjects;
mod noise;
mod open_loop;
mod phases;
mod placement;
mod quota;
mod reference;
mod resume;
mod rules;
mod run;
mod runtime_images;
mod runtimes;
mod selftest;
mod stats_vectors;
mod strategies;
mod subject_binary;
mod system_calls;
mod workloads;
