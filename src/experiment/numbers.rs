//! Numbers as people read them, where names contain them: three significant digits and a unit.

/// A rate per second without its unit: `950`, `12.3k`, `1.05M`.
pub fn rate(per_s: f64) -> String {
    let rounded = round_to_three_digits(per_s);
    match rounded {
        r if r >= 1e6 => format!("{}M", three_digits(per_s / 1e6)),
        r if r >= 1e3 => format!("{}k", three_digits(per_s / 1e3)),
        _ => three_digits(per_s),
    }
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

/// `1 block`, `6 blocks`.
pub fn plural(n: u64, noun: &str) -> String {
    let ending = match noun {
        _ if n == 1 => "",
        "crash" => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", count(n))
}

/// Three significant digits: `0.95`, `12.4`, `1230`.
pub fn three_digits(value: f64) -> String {
    let rounded = round_to_three_digits(value);
    match rounded.abs() {
        r if r >= 100.0 || r == 0.0 => format!("{rounded:.0}"),
        r if r >= 10.0 => format!("{rounded:.1}"),
        r if r >= 0.1 => format!("{rounded:.2}"),
        _ => format!("{rounded:.3}"),
    }
}

/// The number that three significant digits say.
pub fn round_to_three_digits(value: f64) -> f64 {
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

/// Without zeros at the end of the fraction.
pub fn trimmed(number: &str) -> String {
    if !number.contains('.') {
        return number.to_owned();
    }
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}
