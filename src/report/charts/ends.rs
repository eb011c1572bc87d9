//! Names at the right of lines, each at the height where its line ends, apart from each other.

use plotters::style::RGBColor;

use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{PAD, WIDTH};
use super::style::{self, Marker};

/// Between the names of two lines, in px.
pub(super) const STEP: i32 = 16;
/// What they need, in px.
pub(super) const ROOM: i32 = 212;

/// Where a line ends, and what it is called.
pub(super) struct End<'a> {
    /// In px, from the top.
    pub(super) y: i32,
    pub(super) color: RGBColor,
    /// `None` for a line without marks.
    pub(super) marker: Option<(Marker, Fill)>,
    pub(super) label: &'a str,
    /// Whose line it is; `None` if it is no strategy's.
    pub(super) key: Option<&'a str>,
}

/// Beside a plot that ends at `right`, not below `bottom`.
pub(super) fn paint(canvas: &Canvas<'_>, (right, bottom): (i32, i32), mut ends: Vec<End<'_>>) {
    ends.sort_by_key(|end| end.y);
    let places = apart(ends.iter().map(|end| end.y), bottom);
    let x = right + 30;
    for (end, y) in ends.into_iter().zip(places) {
        match end.key {
            Some(key) => canvas.about(key, || name(canvas, &end, (x, y))),
            None => name(canvas, &end, (x, y)),
        }
    }
}

fn name(canvas: &Canvas<'_>, end: &End<'_>, (x, y): (i32, i32)) {
    match end.marker {
        Some((marker, fill)) => canvas.marker((x, y), marker, end.color, fill),
        None => canvas.line((x - 7, y), (x + 7, y), end.color, 2),
    }
    let text = canvas::fitted(end.label, WIDTH - PAD - (x + 12));
    canvas.text((x + 12, y), &text, Align::Start, style::INK);
}

/// Ascending heights moved apart, down first; what that pushed below `bottom` moves up again.
fn apart(wanted: impl Iterator<Item = i32>, bottom: i32) -> Vec<i32> {
    let mut places: Vec<i32> = Vec::new();
    for y in wanted {
        let after = places.last().map_or(i32::MIN, |y| y + STEP);
        places.push(y.max(after));
    }
    let mut before = bottom;
    for place in places.iter_mut().rev() {
        *place = (*place).min(before);
        before = *place - STEP;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_distance_and_stay_above_the_bottom() {
        assert_eq!(apart([10, 12, 90].into_iter(), 100), [10, 26, 90]);
        assert_eq!(apart([95, 96, 97].into_iter(), 100), [68, 84, 100]);
        assert_eq!(apart([].into_iter(), 100), Vec::<i32>::new());
    }
}
