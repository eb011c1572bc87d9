//! Unpacks a file within bounds: a few hundred kilobytes can unpack to gigabytes.

use std::io::{self, BufReader, Read};

use super::lines::MAX_LINE_BYTES;

/// Files of forkbench pack to a fiftieth at most; zeros pack to a thirty-thousandth.
const MAX_RATIO: u64 = 1000;

/// Bytes that a file of any size may unpack to.
const ALWAYS_BYTES: u64 = 1 << 20;

/// Reads the unpacked bytes, and fails where they are too many or a line is too long: a line of
/// commas takes nine times its bytes to read.
pub struct Unfolded<R: Read> {
    decoder: zstd::Decoder<'static, BufReader<R>>,
    left_bytes: u64,
    max_bytes: u64,
    line_bytes: usize,
}

impl Unfolded<std::fs::File> {
    /// The contents of a file, at most `max_bytes`.
    pub fn of(file: std::fs::File, max_bytes: u64) -> io::Result<Self> {
        let packed_bytes = file.metadata()?.len();
        let by_ratio = packed_bytes.saturating_mul(MAX_RATIO).max(ALWAYS_BYTES);
        Unfolded::new(file, max_bytes.min(by_ratio))
    }
}

impl<R: Read> Unfolded<R> {
    fn new(packed: R, max_bytes: u64) -> io::Result<Self> {
        let decoder = zstd::Decoder::new(packed)?;
        Ok(Unfolded { decoder, left_bytes: max_bytes, max_bytes, line_bytes: 0 })
    }
}

impl<R: Read> Read for Unfolded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(out)?;
        let max_bytes = self.max_bytes;
        self.left_bytes = self
            .left_bytes
            .checked_sub(n as u64)
            .ok_or_else(|| io::Error::other(format!("unfolds to more than {max_bytes} bytes")))?;
        self.line_bytes = match out[..n].iter().rposition(|&byte| byte == b'\n') {
            Some(end) => n - end - 1,
            None => self.line_bytes + n,
        };
        if self.line_bytes > MAX_LINE_BYTES {
            let message = format!("has a line of more than {MAX_LINE_BYTES} bytes");
            return Err(io::Error::other(message));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], max_bytes: u64) -> Result<Vec<u8>, String> {
        let packed = zstd::encode_all(bytes, 0).unwrap();
        let mut out = Vec::new();
        let mut unfolded = Unfolded::new(&packed[..], max_bytes).unwrap();
        unfolded.read_to_end(&mut out).map_err(|error| error.to_string())?;
        Ok(out)
    }

    #[test]
    fn unpacking_ends_at_its_bounds() {
        let text = "a,b\n".repeat(1000);
        assert_eq!(all(text.as_bytes(), 4000).unwrap(), text.as_bytes());
        assert_eq!(all(text.as_bytes(), 3999).unwrap_err(), "unfolds to more than 3999 bytes");
        let said = all(&vec![b','; 3 << 20], u64::MAX).unwrap_err();
        assert_eq!(said, "has a line of more than 1048576 bytes");
    }
}
