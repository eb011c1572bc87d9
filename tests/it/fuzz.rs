//! Every reader takes bytes that are anything at all: it reads them or says where they are wrong,
//! and never panics. The readers of run directories have theirs in `record`, frames and answer
//! lines in `protocol`.
use clap::Parser;
use forkbench::cli::Cli;
use forkbench::experiment::filter::Filter;
use forkbench::experiment::{Slo, builtin, wire};
use forkbench::protocol::{self, Configure, FinalStats, Header, Ready, Reply, text};
use forkbench::workload::{Spec, check_picture};

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Valid bytes with a few of them changed, cut or doubled.
fn mutated(valid: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let bytes = select(b"\0\n\"'[]{}=,.:;0-9xe\xff\xd9\xda\xc0".to_vec());
    let change = (any::<Index>(), prop_oneof![bytes, any::<u8>()], 0..4_u8, 0..64_usize);
    prop::collection::vec(change, 0..6).prop_map(move |changes| {
        let mut bytes = valid.clone();
        for (index, byte, kind, n) in changes {
            let at = index.index(bytes.len() + 1);
            let end = (at + n).min(bytes.len());
            match kind {
                0 => bytes.insert(at, byte),
                1 => drop(bytes.drain(at..end)),
                2 => bytes.splice(at..at, bytes[at..end].to_vec()).for_each(drop),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => bytes.truncate(at / 2),
            }
        }
        bytes
    })
}

fn experiments() -> impl Strategy<Value = Vec<u8>> {
    (0..builtin::ALL.len()).prop_flat_map(|i| mutated(builtin::ALL[i].text.as_bytes().to_vec()))
}

fn jpeg() -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels: Vec<u8> = (0..32 * 24 * 3_u32).map(|i| (i * 7 % 251) as u8).collect();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
    encoder.encode(&pixels, 32, 24, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

fn arguments() -> impl Strategy<Value = Vec<String>> {
    let words = [
        "run",
        "list",
        "report",
        "compare",
        "doctor",
        "selftest",
        "--preset",
        "quick",
        "smoke",
        "--blocks",
        "0",
        "99999999999999999999",
        "--budget",
        "10m",
        "1e400s",
        "--filter",
        "strategy=",
        "callers=2x,",
        "=",
        "--slo",
        "p99<50ms",
        "p0<0",
        "--seed",
        "-1",
        "--out",
        "",
        "--memory-budget",
        "1G",
        "1e999G",
        "--resume",
        "--json",
        "--csv",
        "--",
        "main",
        "\u{0}",
    ];
    let known = select(words.map(str::to_owned).to_vec());
    prop::collection::vec(prop_oneof![4 => known, 1 => "\\PC{0,12}"], 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn experiments_are_read_or_refused_with_a_place(bytes in experiments()) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = wire::parse(&text, "x.toml", 2, 1) {
            let said = error.to_string();
            let place: Vec<&str> = said.splitn(4, ':').collect();
            prop_assert!(place.len() == 4 && place[0] == "x.toml", "{}", said);
            prop_assert!(place[1].parse::<usize>().is_ok() && place[2].parse::<usize>().is_ok());
            prop_assert!(!said.contains('\n'), "{}", said);
        }
    }

    #[test]
    fn arbitrary_texts_are_no_experiments_and_no_panic(text in "(?s).{0,200}") {
        let _ = wire::parse(&text, "x.toml", 2, 1);
    }

    #[test]
    fn pictures_are_decoded_or_refused_by_name(bytes in mutated(jpeg())) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.jpg");
        std::fs::write(&path, bytes).unwrap();
        if let Err(said) = check_picture(&path) {
            prop_assert!(said.contains("p.jpg"), "{}", said);
        }
    }

    #[test]
    fn arguments_are_parsed_or_refused(words in arguments()) {
        let line = std::iter::once("forkbench".to_owned()).chain(words.clone());
        let _ = Cli::try_parse_from(line);
        for word in &words {
            let _ = (word.parse::<Filter>().is_ok(), word.parse::<Slo>().is_ok());
        }
        let _ = Spec::from_args(&words);
    }

    #[test]
    fn frames_and_their_bodies_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        if let Some((head, body)) = bytes.split_first_chunk::<{ protocol::HEADER_BYTES }>() {
            if let Ok((header, len)) = Header::decode(head) {
                prop_assert_eq!(header.encode(len), *head);
            }
            let _ = Reply::decode(body);
        }
        let _ = Reply::decode(&bytes);
        let _ = serde_json::from_slice::<Configure>(&bytes);
    }

    #[test]
    fn messages_of_a_subject_are_read_or_refused(
        bytes in mutated(br#"{"now_ns":1,"tasks":1,"versions":{"a":"1"},"usage":{}}"#.to_vec()),
    ) {
        let _ = serde_json::from_slice::<Ready>(&bytes);
        let _ = serde_json::from_slice::<FinalStats>(&bytes);
    }

    #[test]
    fn answer_lines_are_read_or_refused(
        bytes in mutated(b"fb1 7 ok 18446744073709551615 1 2 3 5\nhello".to_vec()),
    ) {
        if let Ok(text::Progress::Complete(line, start)) = text::read_answer(&bytes) {
            prop_assert_eq!(bytes.len() - start, line.bytes);
        }
    }
}
