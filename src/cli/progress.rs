//! Progress of a run on standard error: drawn between trials only, and only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen;
use crate::driver::run::Progress;

/// A line that says where the run stands. Gone when dropped.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A new line, hidden when `quiet` or when standard error is no terminal. It has no ticker:
    /// a thread that draws would run during the measurements.
    pub fn new(quiet: bool) -> Bar {
        let target =
            if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        match ProgressStyle::with_template("{pos}/{len} {wide_msg}") {
            Ok(style) => bar.set_style(style),
            Err(error) => unreachable!("a constant template is valid: {error}"),
        }
        Bar { bar }
    }

    /// Draws where the run stands.
    pub fn draw(&self, progress: &Progress<'_>) {
        self.bar.set_length(progress.total as u64);
        let Some((family, strategy, block)) = progress.next else {
            return;
        };
        let left = screen::duration(progress.left_ns);
        self.bar.set_message(format!("{left} left · block {block} · {family} · {strategy}"));
        self.bar.set_position(progress.done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
