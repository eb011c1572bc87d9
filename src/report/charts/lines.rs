//! Names of lines, at the right of a plot where they end.

use plotters::style::RGBColor;

use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{PAD, WIDTH};
use super::style::{self, Marker};

/// Between the labels of two lines, in px.
pub(super) const LABEL_STEP: i32 = 16;
/// Of the room for them, in px.
pub(super) const LABELS_WIDTH: i32 = 212;

/// Where a line ends, and what it is called.
pub(super) struct End<'a> {
    /// Height of its end, in px.
    pub(super) y: i32,
    pub(super) label: &'a str,
    pub(super) look: (RGBColor, Marker, Fill),
}

/// Names at the right of a plot, each at the height where its line ends, apart from each other.
pub(super) fn labels(canvas: &Canvas<'_>, (right, bottom): (i32, i32), mut ends: Vec<End<'_>>) {
    ends.sort_by_key(|end| end.y);
    let x = right + 30;
    let places = apart(ends.iter().map(|end| end.y), bottom);
    for (end, y) in ends.into_iter().zip(places) {
        let (color, marker, fill) = end.look;
        canvas.marker((x, y), marker, color, fill);
        let text = canvas::fitted(end.label, WIDTH - PAD - (x + 12));
        canvas.text((x + 12, y), &text, Align::Start, style::INK);
    }
}

/// Ascending heights moved apart, down first; what that pushed below `bottom` moves up again.
fn apart(wanted: impl Iterator<Item = i32>, bottom: i32) -> Vec<i32> {
    let mut places: Vec<i32> = Vec::new();
    for y in wanted {
        let after = places.last().map_or(i32::MIN, |y| y + LABEL_STEP);
        places.push(y.max(after));
    }
    let mut before = bottom;
    for place in places.iter_mut().rev() {
        *place = (*place).min(before);
        before = *place - LABEL_STEP;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_distance_and_stay_above_the_bottom() {
        assert_eq!(apart([10, 12, 90].into_iter(), 100), [10, 26, 90]);
        assert_eq!(apart([95, 96, 97].into_iter(), 100), [68, 84, 100]);
        assert_eq!(apart([].into_iter(), 100), Vec::<i32>::new());
    }
}
