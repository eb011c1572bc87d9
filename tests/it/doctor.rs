//! `forkbench doctor` on the real machine: it always ends well, and says all that it should.

use assert_cmd::Command;
use forkbench::driver::noise::signal::Signal;

fn doctor(args: &[&str]) -> assert_cmd::assert::Assert {
    let subject = env!("CARGO_BIN_EXE_forkbench-subject");
    Command::cargo_bin("forkbench")
        .unwrap()
        .arg("doctor")
        .args(args)
        .env("COLUMNS", "80")
        .env("FORKBENCH_SUBJECT", subject)
        .assert()
}

#[test]
fn it_says_what_can_be_measured_how_noisy_it_is_and_what_to_change() {
    let output = doctor(&["--seconds", "1"]).success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    for heading in ["What can be measured here", "Noise of the idle machine", "What to change"] {
        assert!(text.contains(heading), "{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() < 80, "{line}");
    }
}

#[test]
fn the_json_has_every_signal_and_the_subject_ran() {
    let output = doctor(&["--seconds", "1", "--json"]).success();
    let value: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    for signal in Signal::ALL {
        assert!(value["noise"]["signals"][signal.name()].is_object(), "{value:#}");
    }
    assert!(value["noise"]["watched_ns"].as_u64().unwrap() >= 1_000_000_000);
    let findings = value["findings"].as_array().unwrap();
    let subject = findings.iter().find(|f| f["name"] == "the Rust subject").unwrap();
    assert!(subject["detail"].as_str().unwrap().contains("ready after"), "{subject}");
}

#[test]
fn a_machine_without_a_subject_is_examined_all_the_same() {
    let output = Command::cargo_bin("forkbench")
        .unwrap()
        .args(["doctor", "--seconds", "1", "--json"])
        .env("FORKBENCH_SUBJECT", "/no/such/program")
        .env("PATH", "")
        .env("FORKBENCH_PYTHON", "/no/such/program")
        .assert()
        .success();
    let value: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let findings = value["findings"].as_array().unwrap();
    for name in ["the Rust subject", "Node.js", "CPython"] {
        let finding = findings.iter().find(|f| f["name"] == name).unwrap();
        assert_eq!(finding["state"], "no", "{finding}");
    }
}

#[test]
fn seconds_are_from_1_to_60() {
    for bad in ["0", "61", "-1", "ten"] {
        doctor(&["--seconds", bad]).code(2);
    }
}
