//! Paths in hints, so that a hint can be pasted into a shell.

use std::path::Path;

/// The path as one word of a shell; quoted only where it has to be.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@%,".contains(c);
    match text.chars().all(is_plain) && !text.is_empty() && !text.starts_with('-') {
        true => text,
        // A word that begins with a dash would be an option.
        false if text.starts_with('-') => format!("./{}", in_quotes(&text)),
        false => in_quotes(&text),
    }
}

fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn quoted_paths_are_one_word_of_a_shell() {
        assert_eq!(
            quoted(Path::new("results/20261123T081500Z-host")),
            "results/20261123T081500Z-host"
        );
        for path in ["my run", "it's", "$HOME", "`id`", "a;b", "*", "\"", "\\", "a\nb", "é", ""] {
            let script = format!("printf %s {}", quoted(Path::new(path)));
            let output = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), path);
        }
        assert_eq!(quoted(Path::new("-rf")), "./'-rf'");
    }
}
