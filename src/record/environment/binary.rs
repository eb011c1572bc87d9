//! The subject's file: how large, how linked, and whether it is still the same one.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::super::Environment;

pub(super) fn facts(subject: &Path, env: &mut Environment) {
    // By name only: the folder it is in is the user's.
    let name = subject.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |error: io::Error| format!("{name}: {error}");
    let file = File::open(subject).map_err(failed);
    let size = file.as_ref().map_err(Clone::clone).and_then(|file| {
        let metadata = file.metadata().map_err(failed)?;
        Ok(metadata.len())
    });
    let linking = file.as_ref().map_err(Clone::clone).and_then(linking);
    env.record("subject_size_bytes", size);
    env.record("subject_is_static", linking.clone().map(|linking| !linking.has_interpreter));
    env.record("subject_is_relocatable", linking.map(|linking| linking.is_relocatable));
    let hash = file.and_then(|file| hash_of(file).map_err(failed));
    env.record("subject_hash", hash);
    env.record("subject_name", Ok(name.clone()));
    // The link stays this program's, also when its file was replaced meanwhile.
    let own = File::open("/proc/self/exe").and_then(hash_of);
    env.record("forkbench_hash", own.map_err(|error| error.to_string()));
}

/// Whether the file is a program that needs no dynamic loader.
pub(super) fn is_static(file: &Path) -> bool {
    let linking = File::open(file).map(|file| linking(&file));
    matches!(linking, Ok(Ok(linking)) if !linking.has_interpreter)
}

/// How a program is linked, as its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Linking {
    /// It names a dynamic loader, which the kernel starts first.
    has_interpreter: bool,
    /// It may be loaded at any address and has to relocate itself.
    is_relocatable: bool,
}

/// Reads the headers of a 64-bit little-endian ELF file: the only kind that this program is
/// built as.
fn linking(file: &File) -> Result<Linking, String> {
    const ET_DYN: u16 = 3;
    const PT_INTERP: u32 = 3;
    let mut head = [0; 64];
    file.read_exact_at(&mut head, 0).map_err(|error| format!("has no ELF header: {error}"))?;
    // Magic number, then the classes of word size and byte order.
    if !head.starts_with(b"\x7fELF\x02\x01") {
        return Err("is no 64-bit little-endian ELF file".to_owned());
    }
    let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let [.., o0, o1, o2, o3, o4, o5, o6, o7] = *head.first_chunk::<40>().unwrap_or(&[0; 40]);
    let offset = u64::from_le_bytes([o0, o1, o2, o3, o4, o5, o6, o7]);
    let (size, count) = (u64::from(half(54)), u64::from(half(56)));
    let mut has_interpreter = false;
    for i in 0..count {
        let mut kind = [0; 4];
        let at = offset.saturating_add(i * size);
        file.read_exact_at(&mut kind, at)
            .map_err(|error| format!("program header {i}: {error}"))?;
        has_interpreter |= u32::from_le_bytes(kind) == PT_INTERP;
    }
    Ok(Linking { has_interpreter, is_relocatable: half(16) == ET_DYN })
}

/// FNV-1a over 64-bit little-endian words, the last filled up with zeros, and the length: tells
/// one build from another, cheaply, and against nobody who wants to deceive.
#[derive(Debug)]
struct Hash {
    state: u64,
    len: u64,
}

impl Hash {
    fn new() -> Hash {
        Hash { state: 0xcbf2_9ce4_8422_2325, len: 0 }
    }

    /// All pieces but the last must be whole words.
    fn add(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn mix(&mut self, word: u64) {
        self.state = (self.state ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        // The multiplication carries upwards only; this lets high bits reach low ones.
        self.state ^= self.state >> 32;
    }

    fn hex(mut self) -> String {
        self.mix(self.len);
        format!("{:016x}", self.state)
    }
}

/// The hash of bytes in memory, as 16 hexadecimal digits.
pub(super) fn hash_hex(bytes: &[u8]) -> String {
    let mut hash = Hash::new();
    hash.add(bytes);
    hash.hex()
}

fn hash_of(file: File) -> io::Result<String> {
    let mut hash = Hash::new();
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut piece = Vec::with_capacity(1 << 16);
    loop {
        piece.clear();
        // `take` fills a piece to the end, so that only the last is no multiple of a word.
        if reader.by_ref().take(1 << 16).read_to_end(&mut piece)? == 0 {
            return Ok(hash.hex());
        }
        hash.add(&piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(kind: u16, headers: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[16..18].copy_from_slice(&kind.to_le_bytes());
        bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&(headers.len() as u16).to_le_bytes());
        for header in headers {
            bytes.extend(header.to_le_bytes());
            bytes.extend([0; 52]);
        }
        bytes
    }

    fn linking_of(bytes: &[u8]) -> Result<Linking, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        std::fs::write(&path, bytes).unwrap();
        linking(&File::open(path).unwrap())
    }

    #[test]
    fn headers_tell_how_a_program_is_linked() {
        let found = linking_of(&elf(2, &[1, 1, 7])).unwrap();
        assert_eq!((found.has_interpreter, found.is_relocatable), (false, false));
        let found = linking_of(&elf(3, &[6, 1, 3])).unwrap();
        assert_eq!((found.has_interpreter, found.is_relocatable), (true, true));
        for broken in [&b"#!/bin/sh\n"[..], &[0; 100], &elf(2, &[1, 1])[..120]] {
            linking_of(broken).unwrap_err();
        }
        let mut endless = elf(2, &[1]);
        endless[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        linking_of(&endless).unwrap_err();
    }

    #[test]
    fn the_hash_sees_every_byte_and_the_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        let mut bytes: Vec<u8> = (0..200_003_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let whole = hash_of(File::open(&path).unwrap()).unwrap();
        assert_eq!(whole, hash_hex(&bytes));
        bytes.push(0);
        assert_ne!(whole, hash_hex(&bytes));
        bytes.pop();
        bytes[131_072] ^= 1;
        assert_ne!(whole, hash_hex(&bytes));
    }
}
