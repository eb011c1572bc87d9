//! How wide the terminal is.

/// Columns of the terminal behind standard output, or `None` where there is none.
pub fn stdout_columns() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}
