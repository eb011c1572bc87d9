//! Sizes of memory on the command line.

/// The units and their bytes. A single letter is a power of 1024, as where the limits of containers
/// and services are set.
const UNITS: [(&str, u64); 10] = [
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("B", 1),
];

/// Bytes of a size such as `512M`, `1.5GiB` or `600MB`, above zero.
///
/// # Errors
/// What was expected, in a sentence.
pub fn bytes(text: &str) -> Result<u64, String> {
    const EXPECTED: &str = "expected a size above zero with its unit, such as 512M, 1.5G (powers \
                            of 1024, as MiB and GiB) or 600MB (of 1000)";
    let digits = text.trim();
    let split = digits.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    let (number, unit) = digits.split_at(split.ok_or(EXPECTED)?);
    let number: f64 = number.parse().map_err(|_| EXPECTED.to_owned())?;
    let unit = unit.trim();
    let known = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let (_, scale) = known.ok_or(EXPECTED)?;
    let bytes = (number * *scale as f64).round();
    // Above that, a number of bytes is no whole number any more, and no machine has so much.
    if !(1.0..9e15).contains(&bytes) {
        return Err(EXPECTED.to_owned());
    }
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("512M", 512 << 20),
            ("512m", 512 << 20),
            ("1.5 GiB", 3 << 29),
            ("600MB", 600_000_000),
            ("64kb", 64_000),
            ("100B", 100),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for bad in ["", "512", "M", "0M", "-1M", "1.2.3M", "5X", "1e3M", "9999999999G", "0.1B"] {
            let error = bytes(bad).unwrap_err();
            assert!(error.contains("such as 512M"), "{bad}: {error}");
        }
    }
}
