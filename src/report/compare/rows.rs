//! Every cell as a row for programs: flat, in machine units, whatever became of it.

use crate::record::CompareRow;
use crate::stats::across::Across;
use crate::stats::verdict::{Better, Conclusion};

use super::judged::Agreement;
use super::{Cell, Compared, Group, Refusal, Said, Value};

pub(super) fn of(compared: &Compared) -> Vec<CompareRow> {
    let cells = compared.cells.iter();
    cells.map(|cell| row(compared, &compared.groups[cell.group], cell)).collect()
}

fn row(compared: &Compared, group: &Group, cell: &Cell<Across>) -> CompareRow {
    let [run_a, run_b] = compared.run_ids.clone();
    let [a, b] = &cell.values;
    let low = |value: &Option<Value>| Some(value.as_ref()?.interval?.low);
    let high = |value: &Option<Value>| Some(value.as_ref()?.interval?.high);
    let n_blocks = |value: &Option<Value>| value.map_or(0, |value| value.n_blocks as u64);
    let absolute = Numbers::of(Some(&cell.absolute));
    let relative = Numbers::of(cell.relative.as_ref());
    let said = |side: usize| cell.said.map(|said| said[side]);
    CompareRow {
        run_a,
        run_b,
        family_id: group.family_id.clone(),
        runtime: group.runtime.clone(),
        workload: group.workload.clone(),
        workload_options: group.workload_options.clone(),
        size: group.size.clone(),
        strategy: cell.arm.strategy.clone(),
        options: cell.arm.options.clone(),
        role: cell.arm.role.to_owned(),
        regime: group.regime.clone(),
        callers: group.callers,
        placement: group.placement.clone(),
        payload_bytes: group.payload_bytes,
        ballast_bytes: group.ballast_bytes,
        metric: cell.metric.name.to_owned(),
        unit: cell.metric.unit.to_owned(),
        better: match cell.metric.better {
            Better::Lower => "lower",
            Better::Higher => "higher",
        }
        .to_owned(),
        a: a.map(|value| value.estimate),
        a_ci_low: low(a),
        a_ci_high: high(a),
        a_n_blocks: n_blocks(a),
        b: b.map(|value| value.estimate),
        b_ci_low: low(b),
        b_ci_high: high(b),
        b_n_blocks: n_blocks(b),
        delta_ratio: cell.delta_ratio,
        ratio: absolute.ratio,
        ratio_ci_low: absolute.ci_low,
        ratio_ci_high: absolute.ci_high,
        p_value: absolute.p_value,
        p_adjusted: absolute.p_adjusted,
        verdict: absolute.verdict,
        indication: absolute.indication,
        withheld: absolute.withheld,
        a_to_reference: said(0).and_then(|said| said.ratio),
        a_says: said(0).map_or_else(String::new, says),
        b_to_reference: said(1).and_then(|said| said.ratio),
        b_says: said(1).map_or_else(String::new, says),
        agreement: cell.said.map_or("", |said| Agreement::of(&said).name()).to_owned(),
        relative_ratio: relative.ratio,
        relative_ci_low: relative.ci_low,
        relative_ci_high: relative.ci_high,
        relative_p_value: relative.p_value,
        relative_p_adjusted: relative.p_adjusted,
        relative_verdict: relative.verdict,
        relative_indication: relative.indication,
        relative_withheld: relative.withheld,
        label: cell.arm.label.clone(),
    }
}

/// A view, flat.
#[derive(Default)]
struct Numbers {
    ratio: Option<f64>,
    ci_low: Option<f64>,
    ci_high: Option<f64>,
    p_value: Option<f64>,
    p_adjusted: Option<f64>,
    verdict: String,
    indication: String,
    withheld: String,
}

impl Numbers {
    fn of(view: Option<&Result<Across, Refusal>>) -> Numbers {
        let across = match view {
            None => return Numbers::default(),
            Some(Err(refusal)) => {
                return Numbers { withheld: refusal.name().to_owned(), ..Numbers::default() };
            }
            Some(Ok(across)) => across,
        };
        let [verdict, indication, withheld] = match across.conclusion {
            Conclusion::Verdict(verdict) => [verdict.name(), "", ""],
            Conclusion::Indication(verdict) => ["", verdict.name(), ""],
            Conclusion::Withheld(reason) => ["", "", reason.name()],
        }
        .map(str::to_owned);
        Numbers {
            ratio: across.ratio,
            ci_low: across.ratio_interval.map(|interval| interval.low),
            ci_high: across.ratio_interval.map(|interval| interval.high),
            p_value: across.p_value,
            p_adjusted: across.p_adjusted,
            verdict,
            indication,
            withheld,
        }
    }
}

/// `verdict: slower`, `indication: slower`, `withheld: too_few_blocks`, as in JSON of a run.
fn says(said: Said) -> String {
    match said.conclusion {
        Conclusion::Verdict(verdict) => format!("verdict: {}", verdict.name()),
        Conclusion::Indication(verdict) => format!("indication: {}", verdict.name()),
        Conclusion::Withheld(reason) => format!("withheld: {}", reason.name()),
    }
}
