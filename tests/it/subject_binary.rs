//! What the subject is made of: static, runnable, and free of the harness's weight.
use std::process::Command;

use object::read::elf::ProgramHeader;
use object::{Object, ObjectSymbol};

#[test]
fn the_subject_is_static_and_runs() {
    let bytes = std::fs::read(crate::common::SUBJECT).unwrap();
    let file = object::read::elf::ElfFile64::<object::Endianness>::parse(&*bytes).unwrap();
    let wants_interpreter = file
        .elf_program_headers()
        .iter()
        .any(|header| header.p_type(file.endian()) == object::elf::PT_INTERP);
    assert!(!wants_interpreter, "the subject needs a dynamic linker");
    // Linked statically is not enough: some ways of linking statically crash at the first call.
    let output = Command::new(crate::common::SUBJECT)
        .args(["answer", "primes", "s", "1", "0", "chunks=2", "split=interleaved"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1229\n");
}

#[test]
fn the_subject_carries_no_code_that_only_the_driver_needs() {
    let bytes = std::fs::read(crate::common::SUBJECT).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let names: Vec<&str> = file.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    assert!(names.iter().any(|name| name.contains("forkbench")), "there are no symbols to look at");
    // A crate's name stands in its symbols with its length before it.
    for krate in [
        "4toml",
        "3csv",
        "8csv_core",
        "8plotters",
        "4clap",
        "12clap_builder",
        "9indicatif",
        "9minijinja",
        "7sysinfo",
        "4zstd",
        "11comfy_table",
        "12hdrhistogram",
    ] {
        let found = names.iter().find(|name| name.contains(krate));
        assert_eq!(found, None, "a symbol of `{krate}`");
    }
}

#[test]
fn the_subject_says_what_it_is_when_started_by_hand() {
    let output = Command::new(crate::common::SUBJECT).arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("is started by forkbench, not by hand"), "{said}");
}
