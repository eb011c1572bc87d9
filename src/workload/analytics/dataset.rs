//! The shop's log: one row per order, in the order of time, as columns.
//!
//! # How a row is made
//!
//! One generator, xoshiro128++ seeded through SplitMix64 as `random-sum` has it, draws for all
//! rows in order; `draw()` is its next 32-bit number and each row takes eight draws, in this
//! order. All divisions are of whole numbers.
//!
//! ```text
//! day         = row * 90 / rows                       no draw: the log is in order
//! user        : reach = 1 + draw() % users            users = max(1, rows / 10)
//!               user  = draw() % reach                few come often, many rarely
//! product     : reach = 1 + draw() % 512
//!               product = draw() % reach
//! amount      = (1 + draw() % 4) * price(product)     in cents
//! price(p)    = 199 + (p * 7919) % 49801
//! endpoint    = draw() % 12
//! latency     = 150 * (1 + endpoint) + (draw() >> (12 + d % 16)), d the eighth draw; in us
//! error       = 1 if (d >> 8) % 100 < 1 + endpoint % 3, else 0
//! ```
//!
//! The minimum of two draws' kind of skew (`draw % (1 + draw % n)`) is as uneven as sales are and
//! needs neither floats nor tables.
//!
//! # The file
//!
//! Little-endian; a header of 32 bytes, then the columns one after another, the wide ones first,
//! so that each begins at a multiple of its width and can be a typed array over the file's bytes:
//!
//! ```text
//! offset  type            what
//!      0  [u8; 8]         "fbshop01"
//!      8  u32             rows
//!     12  u32             users: every user is below
//!     16  u64             seed
//!     24  u64             0, reserved
//!     32  [u32; rows]     user
//!         [u32; rows]     amount_cents
//!         [u32; rows]     latency_us
//!         [u16; rows]     day: 0 is 2026-01-01, below 90, ascending
//!         [u16; rows]     product: below 512
//!         [u8; rows]      endpoint: below 12
//!         [u8; rows]      error: 0 or 1
//! ```

use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

pub const DAYS: u32 = 90;
pub const PRODUCTS: u32 = 512;
pub const ENDPOINTS: u32 = 12;

const MAGIC: &[u8; 8] = b"fbshop01";
const HEADER_BYTES: usize = 32;
const ROW_BYTES: usize = 4 + 4 + 4 + 2 + 2 + 1 + 1;

/// The log; all columns have the same length.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Dataset {
    pub seed: u64,
    pub users: u32,
    pub user: Vec<u32>,
    pub amount_cents: Vec<u32>,
    pub latency_us: Vec<u32>,
    pub day: Vec<u16>,
    pub product: Vec<u16>,
    pub endpoint: Vec<u8>,
    pub error: Vec<u8>,
}

impl Dataset {
    pub fn rows(&self) -> usize {
        self.user.len()
    }

    /// The rows of these days; `first..end` may be empty, but not reversed.
    pub fn rows_of_days(&self, first: u32, end: u32) -> std::ops::Range<usize> {
        let before = |bound: u32| self.day.partition_point(|&day| u32::from(day) < bound);
        before(first)..before(end)
    }

    pub fn generate(rows: u32, seed: u64) -> Dataset {
        let mut data = Dataset { seed, users: (rows / 10).max(1), ..Dataset::default() };
        let mut generator = Xoshiro128PlusPlus::seed_from_u64(seed);
        for row in 0..rows {
            data.push(row, rows, || generator.next_u32());
        }
        data
    }

    fn push(&mut self, row: u32, rows: u32, mut draw: impl FnMut() -> u32) {
        let reach = 1 + draw() % self.users;
        self.user.push(draw() % reach);
        let reach = 1 + draw() % PRODUCTS;
        let product = draw() % reach;
        let price_cents = 199 + (product * 7919) % 49_801;
        self.amount_cents.push((1 + draw() % 4) * price_cents);
        let endpoint = draw() % ENDPOINTS;
        let (tail, last) = (draw(), draw());
        self.latency_us.push(150 * (1 + endpoint) + (tail >> (12 + last % 16)));
        // Ten million rows and 90 days stay below 2^32.
        self.day.push((row * DAYS / rows) as u16);
        self.product.push(product as u16);
        self.endpoint.push(endpoint as u8);
        self.error.push(u8::from((last >> 8) % 100 < 1 + endpoint % 3));
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.rows() * ROW_BYTES);
        bytes.extend(MAGIC);
        bytes.extend((self.rows() as u32).to_le_bytes());
        bytes.extend(self.users.to_le_bytes());
        bytes.extend(self.seed.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        for column in [&self.user, &self.amount_cents, &self.latency_us] {
            bytes.extend(column.iter().flat_map(|n| n.to_le_bytes()));
        }
        for column in [&self.day, &self.product] {
            bytes.extend(column.iter().flat_map(|n| n.to_le_bytes()));
        }
        bytes.extend(&self.endpoint);
        bytes.extend(&self.error);
        bytes
    }

    /// The inverse of [`Dataset::to_bytes`].
    ///
    /// # Errors
    /// The file is of another kind, cut off, or holds values out of range: what reports use as an
    /// index is checked here once, so that they need not.
    pub fn from_bytes(bytes: &[u8]) -> Result<Dataset, String> {
        let mut rest = bytes;
        if take::<8>(&mut rest)? != *MAGIC {
            return Err("is no dataset of this version (it must begin with `fbshop01`)".to_owned());
        }
        let rows = u32::from_le_bytes(take(&mut rest)?) as usize;
        let users = u32::from_le_bytes(take(&mut rest)?);
        let seed = u64::from_le_bytes(take(&mut rest)?);
        take::<8>(&mut rest)?;
        let expected = rows as u64 * ROW_BYTES as u64;
        if rest.len() as u64 != expected {
            return Err(format!(
                "is {} bytes after its header; {rows} rows are {expected}",
                rest.len()
            ));
        }
        let data = Dataset {
            seed,
            users,
            user: column(&mut rest, rows, u32::from_le_bytes),
            amount_cents: column(&mut rest, rows, u32::from_le_bytes),
            latency_us: column(&mut rest, rows, u32::from_le_bytes),
            day: column(&mut rest, rows, u16::from_le_bytes),
            product: column(&mut rest, rows, u16::from_le_bytes),
            endpoint: column(&mut rest, rows, u8::from_le_bytes),
            error: column(&mut rest, rows, u8::from_le_bytes),
        };
        data.checked()
    }

    fn checked(self) -> Result<Dataset, String> {
        let valid = self.user.iter().all(|&n| n < self.users)
            // One entry per user is held in memory, so a count out of nowhere must not pass.
            && self.users as usize <= self.rows().max(1)
            && self.day.iter().all(|&n| u32::from(n) < DAYS)
            && self.day.is_sorted()
            && self.product.iter().all(|&n| u32::from(n) < PRODUCTS)
            && self.endpoint.iter().all(|&n| u32::from(n) < ENDPOINTS)
            && self.error.iter().all(|&n| n <= 1);
        if valid {
            Ok(self)
        } else {
            Err("holds a value that no dataset has; is it damaged?".to_owned())
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (head, tail) = rest.split_first_chunk().ok_or("is shorter than its header of 32 bytes")?;
    *rest = tail;
    Ok(*head)
}

/// The next `rows` numbers; the caller has checked that they are there.
fn column<T, const N: usize>(rest: &mut &[u8], rows: usize, number: fn([u8; N]) -> T) -> Vec<T> {
    let (head, tail) = rest.split_at(rows * N);
    *rest = tail;
    head.as_chunks().0.iter().map(|&n| number(n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip_and_begin_as_documented() {
        let data = Dataset::generate(1_000, 9);
        let bytes = data.to_bytes();
        assert_eq!(bytes.len(), 32 + 18 * 1_000);
        assert_eq!(&bytes[..12], b"fbshop01\xe8\x03\0\0");
        assert_eq!(Dataset::from_bytes(&bytes), Ok(data));
        assert_ne!(Dataset::generate(1_000, 10).to_bytes(), bytes);
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = Dataset::generate(100, 9).to_bytes();
        assert!(Dataset::from_bytes(&bytes[..20]).is_err());
        assert!(Dataset::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        // First and last bytes of the header, and the high byte of one value of each column that
        // is checked.
        for at in [0, 11, 15, 35, 32 + 1_201, 32 + 1_401, 32 + 1_600, 32 + 1_700] {
            let mut bad = bytes.clone();
            bad[at] = 0x7f;
            assert!(Dataset::from_bytes(&bad).is_err(), "byte {at}");
        }
    }

    #[test]
    fn rows_are_spread_over_all_days_users_products_and_endpoints() {
        let data = Dataset::generate(10_000, 1);
        assert_eq!((data.day[0], data.day[9_999]), (0, 89));
        assert_eq!(data.rows_of_days(0, DAYS), 0..10_000);
        assert_eq!(data.rows_of_days(90, 90), 10_000..10_000);
        assert_eq!(data.rows_of_days(0, 1), 0..112);
        let distinct = |values: &mut Vec<u32>| {
            values.sort_unstable();
            values.dedup();
            values.len()
        };
        assert!(distinct(&mut data.user.clone()) > 700);
        assert!(distinct(&mut data.product.iter().map(|&p| p.into()).collect()) > 450);
        assert_eq!(distinct(&mut data.endpoint.iter().map(|&e| e.into()).collect()), 12);
        let errors: u32 = data.error.iter().map(|&e| u32::from(e)).sum();
        assert!((100..400).contains(&errors), "{errors}");
    }
}
