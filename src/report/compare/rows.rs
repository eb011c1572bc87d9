//! Every cell as a row for programs: flat, in machine units.

use crate::stats::Interval;
use crate::stats::verdict::{Better, Conclusion};

use crate::record::CompareRow;

use super::Compared;
use super::cells::{Cell, Said, View};
use super::judged::Agreement;

/// In the order of the cells.
pub fn of(compared: &Compared) -> Vec<CompareRow> {
    compared.cells.iter().map(|cell| row(compared, cell)).collect()
}

fn row(compared: &Compared, cell: &Cell) -> CompareRow {
    let [run_a, run_b] = compared.manifests.each_ref().map(|manifest| manifest.run_id.clone());
    let [a, b] = cell.values;
    let low = |interval: Option<Interval>| interval.map(|interval| interval.low);
    let high = |interval: Option<Interval>| interval.map(|interval| interval.high);
    let absolute = cell.absolute.across();
    let relative = cell.relative.as_ref().and_then(View::across);
    let [verdict, indication, withheld] = conclusion(Some(&cell.absolute));
    let [relative_verdict, relative_indication, relative_withheld] =
        conclusion(cell.relative.as_ref());
    let said = |side: usize| cell.said.map(|said| said[side]);
    CompareRow {
        run_a,
        run_b,
        strategy: cell.strategy.clone(),
        options: cell.options.clone(),
        role: cell.role,
        metric: cell.metric.name.to_owned(),
        unit: cell.metric.unit.to_owned(),
        better: match cell.metric.better {
            Better::Lower => "lower".to_owned(),
            Better::Higher => "higher".to_owned(),
        },
        a: a.estimate,
        a_ci_low: low(a.interval),
        a_ci_high: high(a.interval),
        a_n_blocks: a.n_blocks as u64,
        b: b.estimate,
        b_ci_low: low(b.interval),
        b_ci_high: high(b.interval),
        b_n_blocks: b.n_blocks as u64,
        delta_ratio: compared.delta_ratio,
        ratio: absolute.and_then(|across| across.ratio),
        ratio_ci_low: low(absolute.and_then(|across| across.ratio_interval)),
        ratio_ci_high: high(absolute.and_then(|across| across.ratio_interval)),
        p_value: absolute.and_then(|across| across.p_value),
        p_adjusted: absolute.and_then(|across| across.p_adjusted),
        verdict,
        indication,
        withheld,
        a_to_reference: said(0).and_then(|said| said.ratio),
        a_says: said(0).map_or_else(String::new, says),
        b_to_reference: said(1).and_then(|said| said.ratio),
        b_says: said(1).map_or_else(String::new, says),
        agreement: cell.said.map_or("", |said| Agreement::of(&said).name()).to_owned(),
        relative_ratio: relative.and_then(|across| across.ratio),
        relative_ci_low: low(relative.and_then(|across| across.ratio_interval)),
        relative_ci_high: high(relative.and_then(|across| across.ratio_interval)),
        relative_p_value: relative.and_then(|across| across.p_value),
        relative_p_adjusted: relative.and_then(|across| across.p_adjusted),
        relative_verdict,
        relative_indication,
        relative_withheld,
        label: cell.label.clone(),
        // The factors of the group.
        ..compared.groups[cell.group].row.clone()
    }
}

/// Verdict, indication, and why there is neither.
fn conclusion(view: Option<&View>) -> [String; 3] {
    let words = match (view.and_then(View::across), view.and_then(View::refusal)) {
        (Some(across), _) => match across.conclusion {
            Conclusion::Verdict(verdict) => [verdict.name(), "", ""],
            Conclusion::Indication(verdict) => ["", verdict.name(), ""],
            Conclusion::Withheld(reason) => ["", "", reason.name()],
        },
        (None, Some(refusal)) => ["", "", refusal.name()],
        (None, None) => ["", "", ""],
    };
    words.map(str::to_owned)
}

/// `verdict: slower`, `indication: slower`, `withheld: too_few_blocks`, as in JSON of a run.
fn says(said: Said) -> String {
    match said.conclusion {
        Conclusion::Verdict(verdict) => format!("verdict: {}", verdict.name()),
        Conclusion::Indication(verdict) => format!("indication: {}", verdict.name()),
        Conclusion::Withheld(reason) => format!("withheld: {}", reason.name()),
    }
}
