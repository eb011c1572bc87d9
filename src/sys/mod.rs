//! The only unsafe code: fork, wait4 and what else the safe libraries leave out, behind boring
//! functions.
#![allow(unsafe_code)]

pub mod affinity;
pub mod ballast;
pub mod cgroup;
pub mod child_ends;
pub mod clock;
pub mod entry;
pub mod files;
pub mod floor;
pub mod limits;
pub mod poller;
pub mod process;
pub mod scheduling;
pub mod shell;
pub mod socket;
pub mod terminal;
pub mod usage;
