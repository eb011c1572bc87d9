//! The subject's file: how large, how linked, and whether it is still the same one.

use std::fs;
use std::path::Path;

use object::LittleEndian;
use object::elf::{ET_DYN, FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::super::Environment;

pub fn facts(subject: &Path, env: &mut Environment) {
    // By name only: the folder it is in is the user's.
    let name = subject.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let read = fs::read(subject).map_err(|error| format!("{name}: {error}"));
    let bytes = || read.as_deref().map_err(Clone::clone);
    env.record("subject_size_bytes", bytes().map(<[u8]>::len));
    env.record("subject_is_static", bytes().and_then(linking).map(|l| !l.has_interpreter));
    env.record("subject_is_relocatable", bytes().and_then(linking).map(|l| l.is_relocatable));
    env.record("subject_hash", bytes().map(hash_hex));
    env.record("subject_name", Ok(name.clone()));
    // The link leads to this program also when its file was replaced meanwhile.
    let own = fs::read("/proc/self/exe").map_err(|error| error.to_string());
    env.record("forkbench_hash", own.map(|bytes| hash_hex(&bytes)));
}

/// Whether a file is a program that needs no dynamic loader.
pub fn is_static(program: &Path) -> bool {
    fs::read(program).is_ok_and(|bytes| linking(&bytes).is_ok_and(|l| !l.has_interpreter))
}

/// How a program is linked, as its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Linking {
    /// It names a dynamic loader, which the kernel starts first.
    has_interpreter: bool,
    /// It may be loaded at any address and has to relocate itself.
    is_relocatable: bool,
}

/// Reads the headers of a 64-bit little-endian ELF file, the only kind that this program is built
/// as.
fn linking(program: &[u8]) -> Result<Linking, String> {
    let failed = |error: object::read::Error| format!("is no 64-bit ELF file: {error}");
    let header = FileHeader64::<LittleEndian>::parse(program).map_err(failed)?;
    let endian = header.endian().map_err(failed)?;
    let headers = header.program_headers(endian, program).map_err(failed)?;
    Ok(Linking {
        has_interpreter: headers.iter().any(|header| header.p_type(endian) == PT_INTERP),
        is_relocatable: header.e_type(endian) == ET_DYN,
    })
}

/// A hash as 16 hexadecimal digits: FNV-1a over 64-bit little-endian words, the last filled up with
/// zeros, and the length. It tells one build from another, and does not resist an attack.
pub fn hash_hex(bytes: &[u8]) -> String {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    let state = words.chain([bytes.len() as u64]).fold(0xcbf2_9ce4_8422_2325, |state, word| {
        let state = (state ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        // The multiplication carries upwards only; this lets high bits reach low ones.
        state ^ (state >> 32)
    });
    format!("{state:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(kind: u16, headers: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
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

    #[test]
    fn headers_tell_how_a_program_is_linked() {
        let found = linking(&elf(2, &[1, 1, 7])).unwrap();
        assert_eq!((found.has_interpreter, found.is_relocatable), (false, false));
        let found = linking(&elf(3, &[6, 1, 3])).unwrap();
        assert_eq!((found.has_interpreter, found.is_relocatable), (true, true));
        for broken in [&b"#!/bin/sh\n"[..], &[0; 100], &elf(2, &[1, 1])[..120]] {
            linking(broken).unwrap_err();
        }
        let mut endless = elf(2, &[1]);
        endless[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        linking(&endless).unwrap_err();
    }

    #[test]
    fn hash_depends_on_every_byte_and_the_length() {
        let mut bytes: Vec<u8> = (0..200_003_u32).map(|i| (i % 251) as u8).collect();
        let whole = hash_hex(&bytes);
        bytes.push(0);
        assert_ne!(whole, hash_hex(&bytes));
        bytes.pop();
        bytes[131_072] ^= 1;
        assert_ne!(whole, hash_hex(&bytes));
    }

    /// Runs of today are compared with earlier ones.
    #[test]
    fn hash_of_a_text_never_changes() {
        assert_eq!(hash_hex(b""), "af63bd4c29620a93");
        assert_eq!(hash_hex(b"forkbench"), "97da42826928602b");
    }
}
