//! Where the time goes: the phases of a request one behind the other, reaping apart because it
//! comes after the answer.

use super::canvas::{self, Align, Canvas};
use super::frame::{self, Layout, Words};
use super::scale::Scale;
use super::{Chart, style};
use crate::analysis::summary::{ArmSummary, FamilySummary, State};
use crate::report::answers::PHASES;
use crate::report::table::{Head, NONE, Table};
use crate::report::{answers, human};

const TITLE: &str = "Where the time of a request goes";

/// Half of a bar's height in px.
const BAR: i32 = 9;

pub(super) fn chart(family: &FamilySummary, stem: &str) -> Option<Chart> {
    let ends = family.arms.iter().map(|arm| total(arm) + arm.medians.reap_p50_ns.unwrap_or(0.0));
    let longest = ends.fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let words = Words {
        title: TITLE,
        note: "each phase's own median, so bars need not match the median response",
        axis: "time ← lower is better",
    };
    let layout = Layout::new(family, &words, 30, 2);
    let scale = Scale::linear(longest, layout.left, layout.right);
    let answer = answers::anatomy_answer(family);
    let name = format!("{TITLE}: {}", family.title);
    let svg = canvas::draw(layout.size(), stem, &name, &answer, |canvas| {
        frame::paint(canvas, &layout, family, &words, &scale, human::duration_tick);
        legend(canvas, &layout);
        for (i, arm) in family.arms.iter().enumerate() {
            let y = layout.middle(i);
            frame::about(canvas, arm, || bar(canvas, &layout, &scale, arm, y));
        }
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "Where does the time of a request go?".to_owned(),
        answer,
        svg,
        numbers: numbers(family),
    })
}

/// Of the phases before the answer, in ns.
fn total(arm: &ArmSummary) -> f64 {
    PHASES.iter().filter_map(|(_, of)| of(arm)).sum()
}

fn bar(canvas: &Canvas<'_>, layout: &Layout, scale: &Scale, arm: &ArmSummary, y: i32) {
    let outline = match arm.state {
        State::Ok => style::OUTLINE,
        _ => style::GREY,
    };
    let mut from = 0.0;
    for (name, of) in PHASES {
        let Some(ns) = of(arm) else { continue };
        let (left, right) = (scale.pixel(from), scale.pixel(from + ns));
        from += ns;
        if right == left {
            continue;
        }
        let (corner, opposite) = ((left, y - BAR), (right, y + BAR));
        if arm.state == State::Ok {
            canvas.rect(corner, opposite, style::of_phase(name));
        }
        // The outline of a sliver would be all that is seen of it.
        if right - left > 2 {
            canvas.frame(corner, opposite, outline);
        }
        if canvas::text_width(name) + 6 <= right - left {
            canvas.text((i32::midpoint(left, right), y), name, Align::Middle, style::INK);
        }
    }
    if from == 0.0 {
        return;
    }
    if let Some(reap) = arm.medians.reap_p50_ns {
        let (left, right) = (scale.pixel(from), scale.pixel(from + reap));
        if right > left {
            canvas.frame((left, y - BAR / 2), (right, y + BAR / 2), style::GREY);
        }
    }
    frame::value(canvas, layout, y, &human::duration(from));
}

fn legend(canvas: &Canvas<'_>, layout: &Layout) {
    let [first, second] = layout.legend[..] else {
        return;
    };
    let entry = |(x, y): (i32, i32), name: &str, paint: &dyn Fn()| {
        paint();
        canvas.text((x + 22, y), name, Align::Start, style::MUTED);
    };
    let mut x = 16;
    for (name, _) in PHASES {
        entry((x, first), name, &|| {
            canvas.rect((x, first - 6), (x + 16, first + 6), style::of_phase(name));
            canvas.frame((x, first - 6), (x + 16, first + 6), style::OUTLINE);
        });
        x += 22 + canvas::text_width(name) + 12;
    }
    // After the answer, and so in a line of its own.
    entry((16, second), "reap (after the answer)", &|| {
        canvas.frame((16, second - 4), (32, second + 4), style::GREY);
    });
}

fn numbers(family: &FamilySummary) -> Table {
    let cell = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), human::exact);
    let mut head = vec![Head::new("strategy", false)];
    head.extend(PHASES.map(|(name, _)| Head::new(&format!("{name}, ns"), true)));
    head.push(Head::new("sum, ns", true));
    head.push(Head::new("reap, ns", true));
    Table::new(
        head,
        family.arms.iter().map(|arm| {
            let mut cells = vec![arm.label.clone()];
            cells.extend(PHASES.iter().map(|(_, of)| cell(of(arm))));
            cells.push(cell(Some(total(arm)).filter(|sum| *sum > 0.0)));
            cells.push(cell(arm.medians.reap_p50_ns));
            cells
        }),
    )
}
