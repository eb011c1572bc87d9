//! How a cost grows with a factor: payload, ballast, workers. Response above, and below it
//! service, or throughput where several callers wait.

use super::canvas;
use super::frame::{self, PAD, WIDTH};
use super::panel::{self, Axis, Dot, Panel, Series};
use super::scale::Scale;
use super::{Chart, speedup};
use crate::analysis::cells::Analysed;
use crate::analysis::metrics::{RESPONSE_P50, SERVICE_P50, THROUGHPUT};
use crate::analysis::summary::State;
use crate::analysis::sweep::{self, Point, Sweep};
use crate::report::human;

/// What a panel shows.
struct Quantity {
    metric: &'static str,
    name: &'static str,
    head: &'static str,
    column: &'static str,
    shown: fn(f64) -> String,
    tick: fn(f64) -> String,
}

const RESPONSE: Quantity = Quantity {
    metric: RESPONSE_P50,
    name: "median response",
    head: "response p50 ↓ lower is better",
    column: "median over blocks, ns or 1/s",
    shown: human::duration,
    tick: human::duration_tick,
};
const SERVICE: Quantity = Quantity {
    metric: SERVICE_P50,
    name: "median service",
    head: "service p50 ↓ lower is better",
    ..RESPONSE
};
const SERVED: Quantity = Quantity {
    metric: THROUGHPUT,
    name: "throughput",
    head: "requests answered ok per second ↑ higher is better",
    shown: |per_s| format!("{}/s", human::rate(per_s)),
    tick: human::rate_tick,
    ..RESPONSE
};

/// A chart per sweep of a run; where a request's work is shared out, speed-up in place of times.
pub(super) fn charts(families: &[Analysed<'_>], cores: Option<u64>) -> Vec<Chart> {
    let sweeps = sweep::of_run(families);
    let (shared, others): (Vec<_>, Vec<_>) = sweeps.iter().partition(|s| speedup::is_of(s));
    let mut charts = speedup::charts(&shared, cores);
    let numbered = (1..).zip(others);
    charts.extend(numbered.filter_map(|(i, sweep)| chart(sweep, &format!("curve-{i:02}"))));
    charts
}

fn chart(sweep: &Sweep<'_>, stem: &str) -> Option<Chart> {
    let callers = sweep.facts.get("callers").map_or("", String::as_str);
    let below = if callers == "1" { SERVICE } else { SERVED };
    let quantities = [RESPONSE, below];
    let panels: Vec<Panel> = quantities.iter().map(|quantity| panel(sweep, quantity)).collect();
    if panels.iter().all(|panel| panel.series.is_empty()) {
        return None;
    }
    let factor = words(&sweep.factor);
    let title = format!("Cost against {factor}");
    let mut note = "marks: medians over blocks, with their 95 % intervals where 6 blocks are \
                    enough; hollow, grey: not all requests were answered ok"
        .to_owned();
    if sweep.lines.iter().any(|line| line.is_level) {
        note.push_str("; level lines: arms without that option, measured once");
    }
    let answer = answer(sweep, &panels, &quantities);
    let question = format!("How does the cost of each strategy change with {factor}?");
    Some(draw(sweep, panels, (title, note), (question, answer), stem))
}

/// The panels below each other, under a heading.
pub(super) fn draw(
    sweep: &Sweep<'_>,
    panels: Vec<Panel>,
    (title, note): (String, String),
    (question, answer): (String, String),
    stem: &str,
) -> Chart {
    let mut subtitle = canvas::wrapped(&sweep.title, WIDTH - 2 * PAD);
    let sample = format!("{}; {note}", sample(sweep));
    subtitle.extend(canvas::wrapped(&sample, WIDTH - 2 * PAD));
    let top = frame::below_heading(&subtitle);
    let height = top + panels.iter().map(Panel::height).sum::<i32>();
    let name = format!("{title}: {}", sweep.title);
    let svg = canvas::draw((WIDTH, height), stem, &name, &answer, |canvas| {
        frame::heading(canvas, &title, &subtitle);
        let mut y = top;
        for panel in &panels {
            panel.paint(canvas, y);
            y += panel.height();
        }
    });
    Chart {
        file: format!("{stem}.svg"),
        question,
        answer,
        svg,
        numbers: panel::numbers(&panels, &sweep.factor),
    }
}

/// `6 blocks, 12 345 requests`.
fn sample(sweep: &Sweep<'_>) -> String {
    let mut families: Vec<&Analysed<'_>> = Vec::new();
    for point in sweep.lines.iter().flat_map(|line| &line.points) {
        if !families.iter().any(|f| std::ptr::eq(*f, point.family)) {
            families.push(point.family);
        }
    }
    let blocks = families.iter().map(|f| f.rows.blocks.len()).min();
    let rows = families.iter().flat_map(|family| &family.rows.arms);
    let n_ok = rows.flat_map(|arm| &arm.good).map(|row| row.n_ok).sum();
    format!(
        "{}, {}",
        human::plural(blocks.unwrap_or(0) as u64, "block"),
        human::plural(n_ok, "request")
    )
}

fn panel(sweep: &Sweep<'_>, quantity: &Quantity) -> Panel {
    let value = |point: &Point<'_>| {
        let results = &point.family.results;
        let result = results.iter().find(|r| r.metric.name == quantity.metric)?;
        let cell = result.cells.get(point.arm)?;
        let state = point.family.rows.arms[point.arm].state;
        Some(Dot {
            level: point.level,
            value: cell.estimate?,
            interval: cell.interval.map(|interval| (interval.low, interval.high)),
            is_sound: state == State::Ok,
            state,
        })
    };
    let lines = sweep.lines.iter();
    Panel {
        head: quantity.head.to_owned(),
        column: quantity.column,
        series: lines.filter_map(|line| Series::of(line, value)).collect(),
        scale: Scale::of,
        tick: quantity.tick,
        axis: Axis::of(sweep),
        ideal: Vec::new(),
        mark: None,
        also: Vec::new(),
    }
}

/// `payload_bytes` in words.
pub(super) fn words(factor: &str) -> String {
    match factor {
        "payload_bytes" => "the payload".to_owned(),
        "ballast_bytes" => "the memory of the process that creates children".to_owned(),
        "recycle_after" => "how often workers are replaced".to_owned(),
        "queue" => "how many requests may wait".to_owned(),
        other => format!("the number of {}", other.replace('_', " ")),
    }
}

/// From the first level to the last: who changes least, who most.
fn answer(sweep: &Sweep<'_>, panels: &[Panel], quantities: &[Quantity]) -> String {
    let parts: Vec<String> = panels
        .iter()
        .zip(quantities)
        .filter_map(|(panel, quantity)| extremes(sweep, panel, quantity))
        .collect();
    if parts.is_empty() {
        return "No strategy can be compared from the first level to the last.".to_owned();
    }
    format!("For {}.", parts.join("; for "))
}

fn extremes(sweep: &Sweep<'_>, panel: &Panel, quantity: &Quantity) -> Option<String> {
    let (&first, &last) = (sweep.levels.first()?, sweep.levels.last()?);
    let at = |series: &Series, level: f64| {
        let dot = series.dots.iter().find(|dot| dot.level == level)?;
        dot.is_sound.then_some(dot.value)
    };
    let is_level = |label: &str| {
        let line = sweep.lines.iter().find(|line| line.label == label);
        line.is_none_or(|line| line.is_level)
    };
    let mut known: Vec<(&str, f64, f64)> = panel
        .series
        .iter()
        .filter(|series| series.role != "placebo" && !is_level(&series.label))
        .filter_map(|series| Some((series.label.as_str(), at(series, first)?, at(series, last)?)))
        .collect();
    known.sort_by(|a, b| (a.2 / a.1).total_cmp(&(b.2 / b.1)));
    let part = |(label, from, to): &(&str, f64, f64)| {
        format!(
            "{label} from {} to {} ({})",
            (quantity.shown)(*from),
            (quantity.shown)(*to),
            human::ratio(to / from)
        )
    };
    let (least, most) = (known.first()?, known.last()?);
    let span = format!(
        "{} between {} and {}",
        quantity.name,
        panel.axis.word(first),
        panel.axis.word(last)
    );
    if known.len() == 1 {
        return Some(format!("{span}: {}", part(least)));
    }
    Some(format!("{span}: {}, and {}", part(least), part(most)))
}
