//! Values on the command line that have a unit: times, shares, sizes of memory.

use jiff::SignedDuration;

/// Nanoseconds of a time such as `10m`, above zero.
///
/// # Errors
/// What was expected, in a sentence.
pub fn time_ns(text: &str) -> Result<u64, String> {
    let time: Option<SignedDuration> = text.parse().ok();
    let ns = time.filter(|time| time.is_positive()).map(|time| time.as_nanos());
    let ns = ns.ok_or("expected a time above zero such as 90s, 10m or 1h30m")?;
    Ok(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// A share such as `5%`, above zero and at most one.
///
/// # Errors
/// What was expected, in a sentence.
pub fn share(text: &str) -> Result<f64, String> {
    let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
    let percent = percent.filter(|percent: &f64| *percent > 0.0 && *percent <= 100.0);
    let percent = percent.ok_or("expected a share above 0% and up to 100%, such as 5% or 0.5%")?;
    Ok(percent / 100.0)
}

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
    let parse = || {
        let text = text.trim();
        let (number, unit) = text.split_at(text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?);
        let (_, scale) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
        let bytes = (number.parse::<f64>().ok()? * *scale as f64).round();
        // Above that, an f64 holds no exact number of bytes, and no machine has as much.
        (1.0..9e15).contains(&bytes).then_some(bytes as u64)
    };
    parse().ok_or_else(|| {
        "expected a size above zero with its unit, such as 512M, 1.5G (powers of 1024, as MiB and \
         GiB) or 600MB (of 1000)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_above_zero() {
        assert_eq!(time_ns("10m"), Ok(600_000_000_000));
        assert_eq!(time_ns("1h 30m"), Ok(5_400_000_000_000));
        for bad in ["0s", "-5m", "ten", "10", ""] {
            assert!(time_ns(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn share_is_above_zero_and_at_most_one() {
        assert_eq!(share("3%"), Ok(crate::experiment::DELTA_RATIO), "the default");
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share(" 0.5 % "), Ok(0.005));
        assert_eq!(share("100%"), Ok(1.0));
        for bad in ["0%", "-3%", "3", "0.03", "101%", "NaN%", "%", ""] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn size_needs_a_unit() {
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
