//! The nearest valid name to a wrong one, for errors that say what to write instead.

/// The candidate that `wrong` most likely meant, or `None` if nothing is near.
///
/// Near is at most a third of the longer word's letters changed (a swap of neighbours is one
/// change), or one being the beginning of the other, so that `prime` finds `primes` and `thread`
/// is not offered for `image`. Words of two letters and less are too short to be near anything.
pub fn nearest<'a>(wrong: &str, valid: &[&'a str]) -> Option<&'a str> {
    let folded = wrong.to_lowercase().replace('_', "-");
    valid
        .iter()
        .map(|&name| (distance(&folded, name), name))
        .filter(|&(distance, name)| {
            let longer = folded.chars().count().max(name.chars().count());
            let begins = folded.len() >= 2 && (name.starts_with(&folded));
            distance <= longer / 3 || begins
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// Changes of letters between two names, `_` being as good as `-`.
fn distance(folded: &str, name: &str) -> usize {
    strsim::damerau_levenshtein(folded, &name.replace('_', "-"))
}

/// ``unknown strategy `poool`; did you mean `pool`? valid: blocking, pool``.
pub fn unknown(what: &str, wrong: &str, valid: &[&str]) -> String {
    let meant = match nearest(wrong, valid) {
        Some(name) => format!("did you mean `{name}`? "),
        None => String::new(),
    };
    let valid = if valid.is_empty() { "none".to_owned() } else { valid.join(", ") };
    format!("unknown {what} `{wrong}`; {meant}valid: {valid}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &[&str] = &["blocking", "thread", "thread-pool", "pool", "prefork-pool"];

    #[test]
    fn what_was_meant_is_found() {
        for (wrong, meant) in [
            ("poool", Some("pool")),
            ("Thread_Pool", Some("thread-pool")),
            ("threads", Some("thread")),
            ("prefork", Some("prefork-pool")),
            ("blokcing", Some("blocking")),
            ("image", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, VALID), meant, "{wrong}");
        }
    }

    #[test]
    fn the_sentence_says_all_that_is_valid() {
        assert_eq!(unknown("size", "q", &["s", "m"]), "unknown size `q`; valid: s, m");
        assert_eq!(
            unknown("option", "worker", &["workers"]),
            "unknown option `worker`; did you mean `workers`? valid: workers"
        );
        assert_eq!(unknown("option", "x", &[]), "unknown option `x`; valid: none");
    }
}
