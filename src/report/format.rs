//! Numbers as people read them: three significant digits and a unit, and nouns and verbs that fit
//! them. Files and JSON keep machine units.

/// A duration given in ns: `850 ns`, `12.3 µs`, `1.50 s`.
pub fn duration(ns: f64) -> String {
    let (scale, unit) = duration_unit(ns);
    format!("{} {unit}", three_digits(ns / scale))
}

/// As [`duration`], for axis ticks: without trailing zeros, and `0` without a unit.
pub fn duration_tick(ns: f64) -> String {
    if ns == 0.0 {
        return "0".to_owned();
    }
    let (scale, unit) = duration_unit(ns);
    format!("{} {unit}", trimmed(&three_digits(ns / scale)))
}

/// Divisor and name of the unit in which a duration in ns has one to three digits before the
/// point.
fn duration_unit(ns: f64) -> (f64, &'static str) {
    const UNITS: [(f64, &str); 4] = [(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")];
    let rounded = round_to_three_digits(ns);
    UNITS.into_iter().rev().find(|&(scale, _)| rounded >= scale).unwrap_or(UNITS[0])
}

/// A rate per second without its unit, which the header names: `950`, `12.3k`, `1.05M`.
pub fn rate(per_s: f64) -> String {
    let rounded = round_to_three_digits(per_s);
    match rounded {
        r if r >= 1e6 => format!("{}M", three_digits(per_s / 1e6)),
        r if r >= 1e3 => format!("{}k", three_digits(per_s / 1e3)),
        _ => three_digits(per_s),
    }
}

/// As [`rate`], for axis ticks: without trailing zeros.
pub fn rate_tick(per_s: f64) -> String {
    let text = rate(per_s);
    match text.strip_suffix(['k', 'M']) {
        Some(number) => format!("{}{}", trimmed(number), &text[number.len()..]),
        None => trimmed(&text),
    }
}

/// `0.95×`, `12.4×`, `1230×`.
pub fn ratio(ratio: f64) -> String {
    format!("{}×", three_digits(ratio))
}

/// As [`ratio`], for axis ticks: without trailing zeros.
pub fn ratio_tick(ratio: f64) -> String {
    format!("{}×", rate_tick(ratio))
}

/// A plain number of three significant digits: `0.95`, `12.4`, `1230`, `14.0k`.
pub fn number(value: f64) -> String {
    if value < 1e4 { three_digits(value) } else { rate(value) }
}

/// A share as a percentage with at most one digit behind the point: `3 %`, `0.4 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", trimmed(&format!("{:.1}", share * 100.0)))
}

/// `64 B`, `64 KiB`, `256 MiB`: binary units, since payloads and ballast are powers of two.
pub fn bytes(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    UNITS.into_iter().find(|&(scale, _)| n >= scale).map_or_else(
        || format!("{n} B"),
        |(scale, unit)| {
            let text = format!("{:.1}", n as f64 / scale as f64);
            format!("{} {unit}", trimmed(&text))
        },
    )
}

/// Bytes as MB of a million bytes, without the unit, which the header names: memory per child is
/// compared with documents that count so.
pub fn megabytes(bytes: f64) -> String {
    three_digits(bytes / 1e6)
}

/// As [`megabytes`] with its unit, for axis ticks.
pub fn megabytes_tick(bytes: f64) -> String {
    format!("{} MB", trimmed(&megabytes(bytes)))
}

/// `1 child`, `10 children`.
pub fn children(k: u32) -> String {
    match k {
        1 => "1 child".to_owned(),
        k => format!("{} children", count(k.into())),
    }
}

/// A whole number in groups of three digits: `12 345`; four digits stay together.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    if digits.len() <= 4 {
        return digits;
    }
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 block`, `6 blocks`, `3 families`.
pub fn plural(n: u64, noun: &str) -> String {
    if n == 1 {
        return format!("1 {noun}");
    }
    let many = match noun.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if noun.ends_with("sh") => format!("{noun}es"),
        None => format!("{noun}s"),
    };
    format!("{} {many}", count(n))
}

/// `2 of 3 blocks`, `all 3 blocks`, `the one block`; of none there is [`any`].
pub fn part(k: usize, n: usize, noun: &str) -> String {
    match (k, n) {
        (1, 1) => format!("the one {noun}"),
        (k, n) if k == n => format!("all {}", plural(n as u64, noun)),
        (k, n) => format!("{} of {}", count(k as u64), plural(n as u64, noun)),
    }
}

/// `any of 3 blocks`, `the one block`, to stand behind a negation.
pub fn any(n: usize, noun: &str) -> String {
    match n {
        1 => format!("the one {noun}"),
        n => format!("any of {}", plural(n as u64, noun)),
    }
}

/// The verb that fits a number.
pub fn is_are(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

/// The first few, and how many more there are.
pub fn few(names: &[String], separator: &str) -> String {
    const NAMED_MAX: usize = 3;
    let named = names[..names.len().min(NAMED_MAX)].join(separator);
    match names.len().saturating_sub(NAMED_MAX) {
        0 => named,
        n => format!("{named}{separator}and {n} more"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

/// With a capital letter.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A plotted number in its machine unit: at most three digits behind the point.
pub fn exact(value: f64) -> String {
    trimmed(&format!("{value:.3}"))
}

fn three_digits(value: f64) -> String {
    let rounded = round_to_three_digits(value);
    match rounded.abs() {
        r if r >= 100.0 || r == 0.0 => format!("{rounded:.0}"),
        r if r >= 10.0 => format!("{rounded:.1}"),
        r if r >= 1.0 => format!("{rounded:.2}"),
        r if r >= 0.1 => format!("{rounded:.2}"),
        _ => format!("{rounded:.3}"),
    }
}

fn round_to_three_digits(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    // A factor above 1 in both cases: dividing by 0.1 would bring in a rounding error of its own.
    if digits >= 0 {
        let factor = 10f64.powi(digits);
        (value * factor).round() / factor
    } else {
        let factor = 10f64.powi(-digits);
        (value / factor).round() * factor
    }
}

fn trimmed(number: &str) -> String {
    if !number.contains('.') {
        return number.to_owned();
    }
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_the_unit_that_fits_after_rounding() {
        for (ns, text) in [
            (0.0, "0 ns"),
            (850.0, "850 ns"),
            (999.7, "1.00 µs"),
            (12_345.0, "12.3 µs"),
            (999_499.0, "999 µs"),
            (999_600.0, "1.00 ms"),
            (1_500_000_000.0, "1.50 s"),
            (61_000_000_000.0, "61.0 s"),
        ] {
            assert_eq!(duration(ns), text);
        }
    }

    #[test]
    fn rates_ratios_and_counts() {
        assert_eq!(rate(950.4), "950");
        assert_eq!(rate(12_345.0), "12.3k");
        assert_eq!(rate(999_999.0), "1.00M");
        assert_eq!(rate(3.456), "3.46");
        assert_eq!(rate_tick(20_000.0), "20k");
        assert_eq!(rate_tick(0.0), "0");
        assert_eq!(ratio(0.0512), "0.051×");
        assert_eq!(ratio(1234.0), "1230×");
        assert_eq!(number(9_994.0), "9990");
        assert_eq!(number(14_020.0), "14.0k");
        assert_eq!(count(1234), "1234");
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(percent(0.03), "3 %");
        assert_eq!(bytes(65_536), "64 KiB");
        assert_eq!(plural(2, "crash"), "2 crashes");
        assert_eq!(megabytes(123_456.0), "0.12");
        assert_eq!(megabytes(25e9), "25000");
        assert_eq!(megabytes(-3_000.0), "-0.003");
        assert_eq!(children(1), "1 child");
    }

    #[test]
    fn nouns_and_verbs_fit_none_one_and_many() {
        let family = |n| plural(n, "family");
        assert_eq!([0, 1, 2].map(family), ["0 families", "1 family", "2 families"]);
        assert_eq!([0, 1, 2].map(is_are), ["are", "is", "are"]);
        assert_eq!(part(1, 1, "block"), "the one block");
        assert_eq!(part(3, 3, "block"), "all 3 blocks");
        assert_eq!(part(1, 3, "block"), "1 of 3 blocks");
        assert_eq!([any(1, "block"), any(2, "block")], ["the one block", "any of 2 blocks"]);
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!([few(&names[..1], ", "), few(&names, ", ")], ["a", "a, b, c, and 1 more"]);
    }

    #[test]
    fn ticks_and_exact_numbers_drop_zeros() {
        assert_eq!(duration_tick(10_000.0), "10 µs");
        assert_eq!(duration_tick(1_500_000.0), "1.5 ms");
        assert_eq!(duration_tick(0.0), "0");
        assert_eq!(ratio_tick(0.95), "0.95×");
        assert_eq!(ratio_tick(10_000.0), "10k×");
        assert_eq!(exact(1234.5), "1234.5");
        assert_eq!(exact(120.0), "120");
    }
}
