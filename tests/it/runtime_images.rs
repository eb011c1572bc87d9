//! `image` in every runtime that is installed here: no decoder and no resizer gives the same bits
//! as another, so what must agree is what people would see.
use forkbench::record::Status;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::runtimes::{Installed, installed};
use crate::common::{FORKBENCH, SUBJECT, configure, spec};
use forkbench::driver::programs::SubjectProgram;
use forkbench::driver::target::subject_environment;
use forkbench::protocol::Outcome;
use forkbench::workload::Spec;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Sides of the squares, and how near they must be to Rust's, in dB, whichever way decoded. Above
/// 35 dB nobody sees a difference; at 100 px a resizer's own taste shows more.
const ONCE: [(u32, f64); 3] = [(100, 30.0), (300, 35.0), (800, 35.0)];
/// Decoded per size, sharp crops what it has resized to the nearest pixel, up to a third of one
/// beside the middle, and Pillow decodes no more than each size needs.
const PER_SIZE: [(u32, f64); 3] = [(100, 30.0), (300, 35.0), (800, 32.0)];

/// The runtimes that have what `image` needs.
fn able() -> Vec<Installed> {
    let able = |one: &Installed| {
        let missing = one.missing("blocking", "image");
        if let Some(package) = missing {
            eprintln!("passed over: {}: no package `{package}`", one.runtime.name);
        }
        missing.is_none()
    };
    installed().into_iter().filter(able).collect()
}

/// What a subject prints in a mode that prints one line.
fn ask(program: &SubjectProgram, mode: &[&str], spec: &Spec) -> String {
    let (command, args) = program.command.split_first().unwrap();
    let output = Command::new(command)
        .args(args)
        .args(mode)
        .args(spec.to_args())
        .env_clear()
        .envs(subject_environment())
        .envs(program.environment.iter().cloned())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{mode:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn rust() -> SubjectProgram {
    SubjectProgram::compiled(SUBJECT.into())
}

/// A picture of this seed, written as it is for a run.
fn picture(dir: &Path, seed: u64) -> String {
    let wanted = Spec { seed, ..spec("image", 0, &[]) };
    ask(&rust(), &["input", dir.to_str().unwrap()], &wanted)
}

/// The three squares that one request writes, decoded to R, G, B; and the sizes of their files.
fn squares(program: &SubjectProgram, input: &str, decode: &str) -> [(Vec<u8>, usize); 3] {
    let dir = tempfile::tempdir().unwrap();
    let options = [
        ("input", input),
        ("decode", decode),
        ("output", "files"),
        ("dir", dir.path().to_str().unwrap()),
    ];
    ask(program, &["answer"], &spec("image", 0, &options));
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().collect();
    assert_eq!(files.len(), 3);
    ONCE.map(|(side, _)| {
        let end = format!("-{side}.jpg");
        let of_side = |file: &&fs::DirEntry| file.file_name().to_string_lossy().ends_with(&end);
        let jpeg = fs::read(files.iter().find(of_side).unwrap().path()).unwrap();
        (decoded(&jpeg, side), jpeg.len())
    })
}

fn decoded(jpeg: &[u8], side: u32) -> Vec<u8> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let rgb = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let size = (u32::from(info.width), u32::from(info.height));
    assert_eq!(size, (side, side));
    rgb
}

/// How near two pictures are, in dB: infinite if they are the same.
fn psnr(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let squares = one.iter().zip(other).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    10.0 * (255.0 * 255.0 * one.len() as f64 / squares.sum::<f64>()).log10()
}

#[test]
fn every_runtimes_squares_look_like_those_of_rust() {
    let dir = tempfile::tempdir().unwrap();
    let [input, other] = [1, 2].map(|seed| picture(dir.path(), seed));
    let right = squares(&rust(), &input, "once");
    // The measure tells pictures apart.
    let other = squares(&rust(), &other, "once");
    assert!(psnr(&right[2].0, &other[2].0) < 20.0);
    for one in able() {
        for (decode, limits) in [("once", ONCE), ("per-size", PER_SIZE)] {
            let found = squares(&one.program, &input, decode);
            for (((rgb, bytes), (right, right_bytes)), (side, limit)) in
                found.iter().zip(&right).zip(limits)
            {
                let near = psnr(rgb, right);
                let what = format!("{} {decode} {side} px", one.runtime.name);
                eprintln!("{what}: {near:.1} dB, {bytes} bytes; Rust {right_bytes} bytes");
                assert!(near >= limit, "{what}: {near:.1} dB");
                // The same quality: a file of a quarter more would be another one.
                let ratio = *bytes as f64 / *right_bytes as f64;
                assert!((0.8..1.25).contains(&ratio), "{what}: {bytes} bytes");
            }
        }
    }
}

#[test]
fn every_strategy_of_a_runtime_answers_what_it_answers_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let input = picture(dir.path(), 1);
    for one in able() {
        for decode in ["once", "per-size"] {
            let spec = spec("image", 0, &[("input", &input), ("decode", decode)]);
            let right = ask(&one.program, &["answer"], &spec);
            for kind in one.strategies() {
                let mut subject = one.start(&configure(kind.name, &spec));
                let answer = subject.ask(1, &[]).unwrap();
                let arm = format!("{} {decode}", one.arm(kind));
                assert_eq!(answer.outcome, Outcome::Ok, "{arm}: {}", answer.reason());
                assert_eq!(answer.reply.checksum.to_string(), right, "{arm}");
                subject.stop();
            }
        }
    }
}

#[test]
fn a_picture_that_cannot_be_read_is_the_tasks_failure() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("text.jpg");
    fs::write(&path, "this is no picture").unwrap();
    for one in able() {
        for decode in ["once", "per-size"] {
            let options = [("input", path.to_str().unwrap()), ("decode", decode)];
            let mut subject = one.start(&configure("blocking", &spec("image", 0, &options)));
            let answer = subject.ask(1, &[]).unwrap();
            let arm = format!("{} {decode}: {}", one.runtime.name, answer.reason());
            assert_eq!(answer.outcome, Outcome::AppError, "{arm}");
            assert!(answer.reason().starts_with("the picture: "), "{arm}");
            subject.stop();
        }
    }
}

#[test]
fn a_run_holds_each_runtime_to_its_own_answer() {
    const EXPERIMENT: &str = "
        name = 'images'
        question = 'And in pictures?'
        [[family]]
        workload = 'image'
        size = 's'
        runtime = ['rust', 'node', 'python']
        strategy = ['blocking', 'exec-file']
        load = { closed = { callers = 1 } }";
    let dir = tempfile::tempdir().unwrap();
    let (experiment, out) = (dir.path().join("images.toml"), dir.path().join("out"));
    fs::write(&experiment, EXPERIMENT).unwrap();
    let status = Command::new(FORKBENCH)
        .args(["run", "--preset", "smoke", "--budget", "10m", "--quiet", "--out"])
        .args([&out, &experiment])
        .status()
        .unwrap();
    assert!(status.success());
    let run = forkbench::record::read(&out).unwrap();
    let able: BTreeSet<_> = able().iter().map(|one| one.runtime.name).collect();
    let mut checksums = BTreeSet::new();
    for runtime in ["rust", "node", "python"] {
        let rows: Vec<_> = run.trials.iter().filter(|row| row.runtime == runtime).collect();
        assert_eq!(rows.len(), 3, "reference, placebo and an arm");
        for row in rows {
            if runtime == "rust" || able.contains(runtime) {
                assert_eq!(row.status, Status::Ok, "{runtime}: {}", row.reason);
                checksums.insert((runtime, row.checksum.clone()));
            } else {
                assert_eq!(row.status, Status::Skipped);
            }
        }
    }
    let scripts = ["node", "python"].map(|runtime| usize::from(able.contains(runtime)));
    let runtimes = 1 + scripts.iter().sum::<usize>();
    assert_eq!(checksums.len(), runtimes, "one per runtime");
    let distinct: BTreeSet<_> = checksums.iter().map(|(_, sum)| sum).collect();
    assert_eq!(distinct.len(), checksums.len());
}
