//! forkbench: the driver's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    forkbench::cli::main()
}
