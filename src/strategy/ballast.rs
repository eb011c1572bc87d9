//! Memory that a process carries around, touched page by page: what a fork must copy the tables
//! of, and a spawn need not.

use std::hint::black_box;

const PAGE_BYTES: usize = 4096;

/// Touched anonymous memory, kept until dropped.
#[derive(Debug)]
pub struct Ballast {
    bytes: Vec<u8>,
}

impl Ballast {
    /// Allocates `len` bytes in this process and writes to each of their pages.
    pub fn touch(len: u64) -> Ballast {
        let mut bytes = vec![0_u8; usize::try_from(len).unwrap_or(usize::MAX)];
        for page in bytes.chunks_mut(PAGE_BYTES) {
            page[0] = 1;
        }
        Ballast {
            bytes: black_box(bytes),
        }
    }

    /// How much it is, in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}
