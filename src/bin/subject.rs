//! The Rust subject. A binary of its own, because a child that is exec'd per request must not
//! carry the harness's weight through exec, relocation and page faults.

use std::process::ExitCode;

fn main() -> ExitCode {
    forkbench::subject::main(forkbench::sys::clock::now_ns())
}
