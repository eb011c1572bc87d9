//! Words as a POSIX shell reads them.

/// Appends `word` so that a shell reads exactly that one word: in single quotes, within which only
/// the single quote itself is special.
pub fn quote(word: &[u8], line: &mut Vec<u8>) {
    line.push(b'\'');
    for &byte in word {
        match byte {
            b'\'' => line.extend_from_slice(b"'\\''"),
            _ => line.push(byte),
        }
    }
    line.push(b'\'');
}

/// The word for a person to paste into a shell: quoted only where it has to be.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@%,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// What the shell itself makes of a word that was quoted.
    fn printed(quoted: &[u8]) -> Vec<u8> {
        let script = OsString::from_vec([b"printf %s ", quoted].concat());
        Command::new("/bin/sh").arg("-c").arg(script).output().unwrap().stdout
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn quote_keeps_any_word(bytes in proptest::collection::vec(1_u8.., 0..40)) {
            let mut line = Vec::new();
            quote(&bytes, &mut line);
            prop_assert_eq!(printed(&line), bytes);
        }
    }

    #[test]
    fn quoted_keeps_special_words_and_leaves_plain_ones_alone() {
        assert_eq!(quoted("results/20261123T081500Z-host"), "results/20261123T081500Z-host");
        for word in ["my run", "it's", "$HOME", "`id`", "a;b", "*", "\"", "\\", "a\nb", "é", ""] {
            assert_eq!(printed(quoted(word).as_bytes()), word.as_bytes());
        }
    }
}
