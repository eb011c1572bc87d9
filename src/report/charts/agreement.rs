//! Whether two runs give the same advice: the ratio of each arm to the reference in the one run
//! against that in the other. On the diagonal they are the same.

use super::axis::Axis;
use super::figure::{Entry, Figure, Fill, Look};
use super::plot::{self, Dot as Mark, Names, Path, Plot, RATIO, Series};
use super::{Chart, style};
use crate::analysis::summary::State;
use crate::record::Role;
use crate::report::format;

/// One arm of one family.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    pub family: String,
    pub label: String,
    pub strategy: String,
    /// Over the reference, in A and in B.
    pub ratios: [f64; 2],
    /// The one over the other.
    pub relative: Option<f64>,
    /// Whether that is a difference, as verdict or indication.
    pub is_change: bool,
    /// The same in words.
    pub conclusion: String,
}

/// `None` without a dot.
pub fn chart(reference: &str, dots: &[Dot]) -> Option<Chart> {
    let values: Vec<f64> = dots.iter().flat_map(|dot| dot.ratios).collect();
    let across = Axis::new(RATIO.0, &values, RATIO.1);
    let (low, high) = across.ends();
    let diagonal = vec![(low, low), (high, high)];
    let mut series = vec![Series::line("A and B are the same", style::LEADER, diagonal)];
    series.extend(dots.iter().map(|dot| {
        let [a, b] = dot.ratios;
        let mark = Mark {
            fill: if dot.is_change { Fill::Filled } else { Fill::Hollow },
            state: dot.conclusion.clone(),
            ..Mark::new(a, format::exact(a), b)
        };
        let look = Look::new(&dot.strategy, &dot.strategy, Role::Arm, State::Ok);
        let shown = format!("{} in {}", dot.label, dot.family);
        Series { shown, path: Path::None, ..Series::new(look, vec![mark]) }
    }));
    let plot = Plot {
        name: format!("in A ← below 1 is faster than {reference}, log scale"),
        height: 380,
        ..Plot::new("in B ↓ below 1 is faster", across, RATIO, series)
    };
    let figure = Figure {
        stem: "agreement".to_owned(),
        note: format!("response p50 over that of {reference}; a mark per strategy and family"),
        question: format!("Do both runs give the same advice against {reference}?"),
        answer: answer(reference, dots),
        legend: vec![
            Entry::fill(Fill::Filled, "A and B differ, as verdict or indication"),
            Entry::fill(Fill::Hollow, "no difference shown"),
        ],
        ..Figure::default()
    };
    plot::chart(figure, vec![plot], Names { place: "ratio in A", ..Names::of("ratio in B") })
}

fn answer(reference: &str, dots: &[Dot]) -> String {
    let changes = dots.iter().filter(|dot| dot.is_change).count();
    let known = dots.iter().filter_map(|dot| Some((dot, dot.relative?)));
    let farthest = known.max_by(|a, b| a.1.ln().abs().total_cmp(&b.1.ln().abs()));
    let far = farthest.map_or_else(String::new, |(dot, relative)| {
        let ([a, b], times) = (dot.ratios.map(format::number), format::ratio(relative));
        format!(
            " Farthest from the diagonal is {} in {}: {a} times as long as {reference} in A, {b} \
             in B; B over A is {times}.",
            dot.label, dot.family
        )
    });
    let marks = format::plural(dots.len() as u64, "mark");
    format!("{changes} of {marks} differ, as verdict or indication.{far}")
}
