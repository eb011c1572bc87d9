//! Memory that a process carries around, touched page by page: what a fork must copy the tables
//! of, and a spawn need not.

use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The smallest page: at this distance every page is touched, huge ones included.
const PAGE_BYTES: usize = 4096;

/// What this process carries, or a forked copy inherited. A fork is of a process with one thread,
/// so the lock is free in the copy.
static CARRIED: Mutex<Weak<Mutex<Vec<u8>>>> = Mutex::new(Weak::new());

/// Touched anonymous memory, kept until dropped.
#[derive(Debug)]
pub struct Ballast {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Ballast {
    /// Allocates `len` bytes in this process and writes to each of their pages. The last one made
    /// is what [`write_to_carried`] writes to.
    pub fn touch(len: u64) -> Ballast {
        let bytes = Arc::new(Mutex::new(touched(len)));
        *locked(&CARRIED) = Arc::downgrade(&bytes);
        Ballast { bytes }
    }

    /// How much it is, in bytes.
    pub fn len(&self) -> usize {
        locked(&self.bytes).len()
    }

    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `len` fresh bytes, each page of them written to.
pub fn touched(len: u64) -> Vec<u8> {
    let mut bytes = vec![0_u8; usize::try_from(len).unwrap_or(usize::MAX)];
    write_pages(&mut bytes);
    black_box(bytes)
}

/// Writes to each page of the first `len` bytes of the ballast that this process carries: a
/// forked copy gets pages of its own by that. Writes to what there is, if that is less.
pub fn write_to_carried(len: u64) {
    let Some(carried) = locked(&CARRIED).upgrade() else {
        return;
    };
    let mut bytes = locked(&carried);
    let len = usize::try_from(len).map_or(bytes.len(), |len| len.min(bytes.len()));
    write_pages(&mut bytes[..len]);
}

fn write_pages(bytes: &mut [u8]) {
    for page in bytes.chunks_mut(PAGE_BYTES) {
        page[0] = page[0].wrapping_add(1);
    }
    black_box(bytes);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_written_and_no_more_than_there_is() {
        let bytes = touched(3 * PAGE_BYTES as u64);
        assert_eq!(bytes.iter().filter(|&&byte| byte == 1).count(), 3);
        // Another test's ballast may be the last one made: nothing is assumed of its length.
        write_to_carried(u64::MAX);
        let mut ballast = vec![0; 2 * PAGE_BYTES];
        write_pages(&mut ballast[..PAGE_BYTES]);
        assert_eq!((ballast[0], ballast[PAGE_BYTES]), (1, 0));
    }
}
