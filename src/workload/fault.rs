//! `fault`: misbehaves on purpose, so that every way a child can fail has a test and, later, a
//! number. Never part of `*`.

use std::sync::Arc;

use super::{Input, Spec, Workload, input};
use crate::sys;
use crate::workload::options::{self, OptionDef, Values};

pub struct Fault;

const OPTIONS: &[OptionDef] = &crate::options! {
    /// how a task fails
    kind = "error", Values::Word(&["error", "panic", "exit", "abort", "segfault", "hang"]);
};

impl Workload for Fault {
    fn name(&self) -> &'static str {
        "fault"
    }

    fn summary(&self) -> &'static str {
        "fails on purpose: error, panic, exit, abort, segfault or hang"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn is_fault(&self) -> bool {
        true
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let kind = options::word(&spec.options, "kind")?.to_owned();
        input(move |_, _| match kind.as_str() {
            "panic" => panic!("the fault workload panics as asked"),
            "exit" => sys::process::exit_now(3),
            "abort" => std::process::abort(),
            "segfault" => sys::process::raise_segfault(),
            "hang" => loop {
                sys::process::sleep_until_signal();
            },
            _ => Err("the fault workload fails as asked".to_owned()),
        })
    }
}
