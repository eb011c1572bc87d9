//! Demonstrations in Rust: facts that no latency shows, as lines of JSON on standard output. They
//! are modes of this program, because `fork` needs a process without threads, which the driver is
//! not.

use serde_json::{Value, json};

mod crash;
mod memory_isolation;

/// The name of each.
pub const NAMES: &[&str] = &["memory-isolation", "crash"];

/// Runs the one that the argument names.
pub fn demonstration(args: &[String]) -> Result<(), String> {
    match args {
        [name] if name == "memory-isolation" => memory_isolation::show(),
        [name] if name == "crash" => crash::show(),
        _ => Err(format!("expected the name of one demonstration, of {}", NAMES.join(", "))),
    }
}

/// Prints one fact. Standard output writes whole lines.
fn say(case: &str, fact: &str, value: impl Into<Value>, unit: &str) {
    let line = json!({
        "case": case, "fact": fact, "value": value.into(), "unit": unit, "text": "",
    });
    println!("{line}");
}

/// For `map_err`: names the attempt.
fn failed<E: std::fmt::Display>(attempt: &str) -> impl FnOnce(E) -> String {
    let attempt = attempt.to_owned();
    move |error| format!("{attempt}: {error}")
}
