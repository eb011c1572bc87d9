//! The Rust subject. A binary of its own, because a child that is exec'd per request must not
//! carry the harness's weight through exec, relocation and page faults.
#![no_main]

forkbench::entry_point!(forkbench::subject::main);
