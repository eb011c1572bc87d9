//! The charts of a whole run: the best strategy of every family, and the noise of the machine.

use super::axis::{Axis, Spacing};
use super::figure::{Entry, Figure, Fill, Look, Sample};
use super::of_family::{ratio_legend, ratio_plot, ratio_row};
use super::plot::{self, Dot, Names, Plot, RATE, Row, Series};
use super::{Chart, style};
use crate::analysis::summary::{ArmSummary, Ratio, Summary};
use crate::analysis::timeline::{Lane, Timeline, Unit};
use crate::report::{answers, format, open_answers};

/// The best strategy's ratio to the reference in every family. `None` for fewer than two
/// families, whose own charts say the same.
pub fn best(summary: &Summary) -> Option<Chart> {
    let (mut rows, mut pairs, mut below): (Vec<Row>, Vec<(&ArmSummary, Ratio)>, _) =
        (Vec::new(), Vec::new(), Vec::new());
    for (number, family) in (1..).zip(&summary.families) {
        let Some((arm, ratio)) = answers::best(family) else { continue };
        let look = Look::of_arm(arm);
        let label = format!("{number}: {}", look.label);
        rows.push(ratio_row(Look { label, ..look }, &ratio));
        pairs.push((arm, ratio));
        below.push(format!("{number}: {}", family.title));
    }
    let reference = &summary.families.first().filter(|_| rows.len() > 1)?.reference;
    let name = format!("response p50 ratio to {reference} ← below 1 is faster");
    let figure = Figure {
        stem: "overview-best".to_owned(),
        note: format!(
            "a row per family, by number: the strategy with the lowest median response, over \
             {reference}, with its 95 % interval; the choice of the lowest flatters it slightly; \
             grey: nothing may be concluded, as the placebo differs"
        ),
        question: format!("How much sooner does the best strategy answer than {reference}?"),
        answer: answers::best_answer(&pairs, reference),
        legend: ratio_legend(summary.delta_ratio),
        below,
        ..Figure::default()
    };
    let plot = ratio_plot(&name, summary.delta_ratio, rows);
    plot::chart(figure, vec![plot], Names { who: "family and strategy", ..Names::of("ratio") })
}

/// A plot per signal, with disturbed trials on a grey ground.
pub fn noise(timeline: &Timeline) -> Option<Chart> {
    let note = |lane: &Lane| match lane.values.iter().any(Option::is_some) {
        true => format!("{}: {}", lane.name, lane.note),
        false => format!("{}: not counted on this machine", lane.name),
    };
    let notes: Vec<String> = timeline.lanes.iter().map(note).collect();
    let step = format::duration(timeline.step_ns as f64);
    let figure = Figure {
        stem: "noise".to_owned(),
        note: format!("steps of {step}; {}", notes.join("; ")),
        question: "What else did the machine do while this was measured?".to_owned(),
        answer: open_answers::noise_answer(timeline),
        legend: vec![
            Entry::new(Sample::Field(style::BAND), "a disturbed trial ran"),
            Entry::new(Sample::Line(style::OUTLINE), "beyond it a trial is disturbed"),
        ],
        ..Figure::default()
    };
    let plots = timeline.lanes.iter().map(|lane| signal(timeline, lane)).collect();
    let names = Names { place: "from, s", is_wide: true, ..Names::of("") };
    plot::chart(figure, plots, names)
}

fn signal(timeline: &Timeline, lane: &Lane) -> Plot {
    let second = |step: usize| timeline.step_ns as f64 * step as f64 / 1e9;
    let steps: Vec<(usize, Option<f64>)> = lane.values.iter().copied().enumerate().collect();
    // Counted steps in a row are one line, with a gap where nothing is counted.
    let runs = steps.chunk_by(|a, b| a.1.is_some() == b.1.is_some());
    let series = runs.filter(|run| run[0].1.is_some()).map(|run| {
        let known = run.iter().filter_map(|(step, value)| Some((*step, (*value)?)));
        let corners =
            known.clone().flat_map(|(step, y)| [(second(step), y), (second(step + 1), y)]);
        let dots = known.map(|(step, y)| {
            let from = second(step);
            Dot { fill: Fill::Unmarked, ..Dot::new(from, format::exact(from), y) }
        });
        let unit = if lane.unit == Unit::Time { "ns" } else { "share" };
        let (shown, dots) = (format!("{}, {unit}", lane.name), dots.collect());
        Series { shown, dots, ..Series::line("", style::SIGNAL, corners.collect()) }
    });
    let disturbed = timeline.is_disturbed.iter().enumerate().filter(|(_, is)| **is);
    let end = second(timeline.is_disturbed.len());
    let seconds = Axis::new(Spacing::Linear, &[end], RATE.1);
    let head = format!("{} ↓ lower is better", lane.name);
    Plot {
        name: "seconds since the start, linear scale".to_owned(),
        height: 84,
        level: lane.limit,
        shaded: disturbed.map(|(step, _)| (second(step), second(step + 1))).collect(),
        ..Plot::new(&head, seconds, (Spacing::Linear, lane.tick()), series.collect())
    }
}
