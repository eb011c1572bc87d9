//! Paths in hints, so that a hint can be pasted into a shell.

use std::path::Path;

use crate::sys::shell;

/// The path as one word of a shell. One that begins with a dash would be an option.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    match text.strip_prefix('-') {
        Some(_) => format!("./{}", shell::quoted(&text)),
        None => shell::quoted(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_path_is_no_option() {
        assert_eq!(quoted(Path::new("my run")), "'my run'");
        assert_eq!(quoted(Path::new("-rf")), "./-rf");
    }
}
