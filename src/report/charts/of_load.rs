//! The charts of open loops: times and answers over the offered load, and what light probes meet
//! beside heavy requests.

use super::axis::{Axis, Spacing};
use super::figure::{Entry, Figure, Fill, Look};
use super::plot::{self, Dot, Names, Plot, RATE, Row, Series, TIME, Written};
use super::{Chart, style};
use crate::analysis::curves::{Curves, LoadArm, Point};
use crate::analysis::probes::{Probed, ProbedArm, Times, Variant};
use crate::analysis::summary::State;
use crate::experiment::Slo;
use crate::report::{format, open_answers as answers};

/// What a user notices, in ns.
const NOTICED_NS: f64 = 1e8;

type Value = fn(&Point) -> Option<f64>;

/// The charts of one load, in the order of the page.
pub fn charts(curves: &Curves, number: usize) -> Vec<Chart> {
    let figure = |name: &str| Figure {
        stem: format!("load-{number}-{name}"),
        about: curves.title.clone(),
        ..Figure::default()
    };
    let charts = [times(curves, figure("latency")), goodput(curves, figure("goodput"))];
    charts.into_iter().flatten().collect()
}

fn points(curves: &Curves) -> impl Iterator<Item = &Point> {
    curves.arms.iter().flat_map(|arm| &arm.points)
}

/// Sample size and meaning of the marks.
fn note(curves: &Curves, marks: &str) -> String {
    let trials = format::plural(points(curves).map(|p| p.n_trials).sum(), "trial");
    let requests = format::plural(points(curves).map(|p| p.n_offered).sum(), "request");
    format!("{trials}, {requests} offered; {marks}")
}

/// A plot over the offered rates, with a line per arm.
fn plot(curves: &Curves, head: &str, written: Written, value: Value) -> Plot {
    let dot = |point: &Point| {
        let rate = point.rate_per_s;
        let (fill, state) = match point.is_saturated {
            true => (Fill::Hollow, "saturated"),
            false => (Fill::Filled, "not saturated"),
        };
        let dot = Dot::new(rate, format::exact(rate), value(point)?);
        Some(Dot { fill, state: state.to_owned(), ..dot })
    };
    let of = |arm: &LoadArm| {
        let look = Look::new(&arm.label, &arm.strategy, arm.role, State::Ok);
        Series::new(look, arm.points.iter().filter_map(dot).collect())
    };
    let rates: Vec<f64> = points(curves).map(|point| point.rate_per_s).collect();
    let across = Axis::new(Spacing::Linear, &rates, RATE.1);
    let series = curves.arms.iter().map(of).filter(|series| !series.dots.is_empty()).collect();
    let name = "requests offered per second, linear scale".to_owned();
    Plot { name, ..Plot::new(head, across, written, series) }
}

fn fills() -> Vec<Entry> {
    let saturated = Entry::fill(Fill::Hollow, "hollow: saturated");
    vec![Entry::fill(Fill::Filled, "filled: not saturated"), saturated]
}

fn times(curves: &Curves, figure: Figure) -> Option<Chart> {
    let slo = curves.slo.parse::<Slo>().ok();
    let times = |name: &str, value: Value| {
        let level = slo.filter(|_| curves.slo.starts_with(name)).map(|slo| slo.limit_ns as f64);
        let objective = level.map(|_| format!(", line: {}", answers::objective(&curves.slo)));
        let head = format!("response {name} ↓ lower is better{}", objective.unwrap_or_default());
        Plot { level, ..plot(curves, &head, (Spacing::Logarithmic, TIME.1), value) }
    };
    let figure = Figure {
        note: note(curves, "p50: median over trials; p99: of all requests at a rate"),
        question: "How long do requests take as the load grows, and how much load is too much?"
            .to_owned(),
        answer: answers::load_answer(curves),
        legend: fills(),
        ..figure
    };
    let plots = vec![times("p50", |point| point.p50_ns), times("p99", |point| point.p99_ns)];
    let names = Names { place: "requests/s offered", ..Names::of("time, ns") };
    plot::chart(figure, plots, names)
}

fn goodput(curves: &Curves, figure: Figure) -> Option<Chart> {
    let head = "answered ok per second ↑ higher is better";
    let mut plot = plot(curves, head, (Spacing::Linear, RATE.1), |point| point.ok_per_s);
    let end = points(curves).map(|point| point.rate_per_s).fold(0.0, f64::max);
    let end = plot.values().into_iter().fold(0.0, f64::max).min(end);
    let ends = vec![(0.0, 0.0), (end, end)];
    plot.series.insert(0, Series::line("every request is answered", style::LEADER, ends));
    let figure = Figure {
        note: note(curves, "medians over trials"),
        question: "How many requests are answered as the load grows?".to_owned(),
        answer: answers::goodput_answer(curves),
        legend: fills(),
        ..figure
    };
    let names = Names { place: "requests/s offered", ..Names::of("requests/s answered ok") };
    plot::chart(figure, vec![plot], names)
}

/// From the median to the longest wait of light probes, per arm and way of probing, and below it
/// the same without load.
pub fn responsiveness(probed: &Probed, stem: String) -> Option<Chart> {
    let n = probed.variants.iter().flat_map(|v| &v.arms).map(|arm| arm.n_probes).sum();
    let plot = |variant: &Variant| {
        let head = match variant.probe.as_str() {
            "main-loop" => "answered by the event loop: is the server alive?",
            _ => "run by the strategy: does another user get through?",
        };
        let rows = variant.arms.iter().map(probed_row).collect();
        let name = "response time of a probe ← lower is better";
        let plot = Plot::rows(name, (Spacing::Logarithmic, TIME.1), rows);
        Plot { head: head.to_owned(), level: Some(NOTICED_NS), ..plot }
    };
    let figure = Figure {
        stem,
        about: probed.title.clone(),
        note: format!(
            "{} under load; mark: p50, thick line: to p99 (p95 if too few), medians over blocks; \
             thin line and number: the longest of all blocks; upright line: 100 ms, which a user \
             notices",
            format::plural(n, "probe")
        ),
        question: "How long do light probes wait beside heavy requests?".to_owned(),
        answer: answers::responsiveness_answer(probed),
        legend: vec![
            Entry::fill(Fill::Filled, "above: under load"),
            Entry::fill(Fill::Hollow, "below: the same server without load"),
        ],
        ..Figure::default()
    };
    let plots = plot::on_one_scale(probed.variants.iter().map(plot).collect());
    let (tail, far) = ("p99 (p95 if too few), ns", "longest, ns");
    plot::chart(figure, plots, Names { place: "load", tail, far, ..Names::of("p50, ns") })
}

fn probed_row(arm: &ProbedArm) -> Row {
    let lane = |word, fill, times: &Times| {
        let (tail, far) = (times.p99_ns.or(times.p95_ns), times.max_ns);
        let beside = far.map_or_else(String::new, format::duration);
        Some(Dot { fill, tail, far, ..Dot::of_row(word, times.p50_ns?, beside) })
    };
    let look = Look::new(&arm.label, &arm.strategy, arm.role, arm.state);
    let loaded = lane("under load", Fill::Filled, &arm.loaded);
    let lanes = vec![loaded, lane("without load", Fill::Hollow, &arm.unloaded)];
    Row { look, lanes, state: arm.state.word().to_owned() }
}
