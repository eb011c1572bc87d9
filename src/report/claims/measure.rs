//! The figures that claims name, found among the rows of a run: estimate, interval, and which rows
//! they are of. What cannot be found has its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::find::place;
use super::measured::{Measured, Missing, Pairing, Source, Unit};
use super::{ArmOf, Claims, Evidence, FactOf, Figure, MemoryOf, Selector, SlopeOf, words};
use crate::analysis::cells::{self, Analysed, MetricResult};
use crate::analysis::metrics::RESPONSE_P50;
use crate::analysis::summary::State;
use crate::record::FactStatus;
use crate::report::memory::{HELD, Series, Wanted, held_by_block};
use crate::stats::interval::median_interval;
use crate::stats::paired::{WalshAverages, log_ratios};
use crate::stats::quantile::median;
use crate::stats::verdict::{Conclusion, Reason, Verdict};
use crate::stats::{Interval, Level};

/// Every figure of the claims, in their order.
pub(super) fn figures(claims: &Claims, evidence: Evidence<'_>) -> Vec<Result<Measured, Missing>> {
    let figures = claims.figures.iter();
    figures.map(|figure| evidence.measure(figure)).collect()
}

/// The doubt of what is compared where nothing may be.
const GREY: &str = "the placebo differs from the reference that it is: nothing is compared";
/// The doubt of what nothing checks.
const NO_PLACEBO: &str = "there is no placebo in enough blocks: nothing is compared";
/// The doubt of what the file of comparisons leaves open.
const INCONCLUSIVE: &str = "its comparison is inconclusive";
const WITHHELD: &str = "its comparison is withheld";

/// One side of a ratio, or all of a figure that is none.
struct Found {
    estimate: f64,
    interval: Option<Interval>,
    n_blocks: usize,
    unit: Unit,
    text: String,
    /// One value per block.
    blocks: BTreeMap<u32, f64>,
    /// Where estimate and interval stand.
    file: &'static str,
    /// Where the values of the blocks stand.
    file_of_blocks: &'static str,
    rows: String,
    /// Two values of one such place and block saw the same minute.
    place: String,
    /// Why nothing of its family may be compared; empty if it may.
    doubt: &'static str,
    /// What its comparison with the reference of its family concludes, if it has one.
    conclusion: Option<Conclusion>,
    /// Under what name it has rows in `cells.csv`, if it has.
    metric: Option<&'static str>,
    /// It is what the other arms of its family are compared with.
    is_reference: bool,
}

impl Evidence<'_> {
    fn measure(&self, figure: &Figure) -> Result<Measured, Missing> {
        let of = self.find(&figure.of)?;
        let Some(over) = &figure.over else {
            return Ok(Measured {
                estimate: of.estimate,
                interval: of.interval,
                n_blocks: of.n_blocks,
                unit: of.unit,
                text: of.text,
                doubt: "",
                verdict: None,
                source: Source { file: of.file, rows: of.rows, over: String::new(), pairing: None },
            });
        };
        let over = self.find(over)?;
        ratio(of, over).map_err(|reason| Missing { of: words::describe(figure), reason })
    }

    fn find(&self, selector: &Selector) -> Result<Found, Missing> {
        let found = match selector {
            Selector::Arm(of) => self.arm(of),
            Selector::Slope(of) => self.slope(of),
            Selector::Memory(of) => self.memory(of),
            Selector::Fact(of) => self.fact(of),
        };
        found.map_err(|reason| Missing { of: words::of(selector), reason })
    }

    fn arm(&self, of: &ArmOf) -> Result<Found, String> {
        let family = self.family(&of.family, &of.runtime)?;
        let place = place(family, of)?;
        let arm = &family.rows.arms[place];
        if arm.state != State::Ok {
            return Err(format!("{}: {}", arm.state.word(), arm.reason));
        }
        let values = cells::by_block(arm, &family.rows.blocks, of.metric);
        let of_name = |name: &str| family.results.iter().find(|r| r.metric.name == name);
        let own = of_name(of.metric.name);
        let cell = own.map_or_else(|| cells::cell(&values, arm), |own| own.cells[place]);
        let estimate = cell
            .estimate
            .ok_or("no block has a value: too few requests for it, or none of this kind")?;
        // What has no comparison of its own is as good as the median response.
        let guard = own.or_else(|| of_name(RESPONSE_P50));
        let compared = own.and_then(|own| own.comparisons[place].as_ref());
        Ok(Found {
            estimate,
            interval: cell.interval,
            n_blocks: cell.n_blocks,
            unit: Unit::of_metric(of.metric.unit),
            text: String::new(),
            blocks: known(&family.rows.blocks, &values),
            file: match of.has_cells {
                true => "cells.csv",
                false => "trials.csv",
            },
            file_of_blocks: "trials.csv",
            rows: key(&[
                ("family_id", family.rows.id),
                ("role", arm.key.role_name()),
                ("strategy", &arm.key.name),
                ("options", &arm.key.options),
                ("metric", of.metric.name),
            ]),
            place: format!("family {}", family.rows.id),
            doubt: guard.map_or(NO_PLACEBO, |guard| unchecked(family, guard)),
            conclusion: compared.map(|compared| compared.conclusion),
            metric: of.has_cells.then_some(of.metric.name),
            is_reference: arm.key.role_name() == "reference",
        })
    }

    fn slope(&self, of: &SlopeOf) -> Result<Found, String> {
        let is_it = |series: &&Series| series.strategy == of.strategy;
        let groups = self.memory.groups.iter();
        let mut plain = groups.filter(|group| {
            group.is_plain() && group.key.workload == "hold" && group.key.runtime == of.runtime
        });
        let (group, series) = plain
            .find_map(|group| Some((group, group.series.iter().find(is_it)?)))
            .ok_or("no memory trial of this run is of it")?;
        let fit = series
            .fit()
            .ok_or("fewer than two numbers of children were measured: there is no line")?;
        let most = fit.k_range.1;
        if most < of.children {
            return Err(format!("at most {most} children were measured"));
        }
        let scale = f64::from(of.children);
        Ok(Found {
            estimate: fit.line.slope_bytes * scale,
            interval: fit
                .line
                .slope_ci_bytes
                .map(|(low, high)| Interval { low: low * scale, high: high * scale }),
            n_blocks: fit.n_blocks,
            unit: Unit::Bytes,
            text: String::new(),
            blocks: fit.slopes.iter().map(|(b, v)| (*b, v * scale)).collect(),
            file: "fits.csv",
            file_of_blocks: "memory.csv",
            rows: key(&[
                ("runtime", &group.key.runtime),
                ("workload", &group.key.workload),
                ("strategy", &series.strategy),
                ("options", &series.options),
                ("ballast_bytes", "0"),
                ("phase", &fit.phase),
                ("metric", HELD),
            ]),
            place: String::new(),
            doubt: "",
            conclusion: None,
            metric: None,
            is_reference: false,
        })
    }

    fn memory(&self, of: &MemoryOf) -> Result<Found, String> {
        let wanted = Wanted {
            runtime: &of.runtime,
            strategy: &of.strategy,
            children: of.children,
            of: of.of,
            quantity: of.quantity,
        };
        let (phase, blocks) = held_by_block(self.run, wanted)?;
        Ok(Found {
            unit: Unit::Bytes,
            file: "memory.csv",
            rows: key(&[
                ("runtime", &of.runtime),
                ("strategy", &of.strategy),
                ("k", &of.children.to_string()),
                ("phase", phase),
                ("role", of.of.row()),
                ("metric", of.quantity.name),
            ]),
            ..middle(blocks)?
        })
    }

    fn fact(&self, of: &FactOf) -> Result<Found, String> {
        let mut blocks = BTreeMap::new();
        let mut shown = BTreeSet::new();
        let mut text = String::new();
        let mut unit = String::new();
        let mut reasons: Vec<&str> = Vec::new();
        let own = self
            .run
            .facts
            .iter()
            .filter(|row| row.demonstration == of.demonstration && row.runtime == of.runtime);
        for row in own {
            shown.insert(row.block);
            if row.status != FactStatus::Ok && !reasons.contains(&row.reason.as_str()) {
                reasons.push(&row.reason);
            }
            let is_it = row.case == of.case && row.fact == of.fact && row.status == FactStatus::Ok;
            if let Some(value) = row.value.filter(|value| is_it && value.is_finite()) {
                blocks.insert(row.block, value);
                text.clone_from(&row.text);
                unit.clone_from(&row.unit);
            }
        }
        if shown.is_empty() {
            return Err("not shown in this run".to_owned());
        }
        if blocks.len() < shown.len() {
            let (lacking, all) = (shown.len() - blocks.len(), shown.len());
            let why = match reasons.is_empty() {
                true => "it was not said".to_owned(),
                false => reasons.join("; "),
            };
            return Err(format!("missing in {lacking} of {all} blocks: {why}"));
        }
        Ok(Found {
            unit: Unit::OfFact(unit),
            text,
            file: "facts.csv",
            file_of_blocks: "facts.csv",
            rows: key(&[
                ("demonstration", &of.demonstration),
                ("case", &of.case),
                ("runtime", &of.runtime),
                ("fact", &of.fact),
            ]),
            place: format!("demonstration {} in {}", of.demonstration, of.runtime),
            ..middle(blocks)?
        })
    }
}

/// The median of values over blocks; the rest is for whoever knows what they are.
fn middle(blocks: BTreeMap<u32, f64>) -> Result<Found, String> {
    let values: Vec<f64> = blocks.values().copied().collect();
    Ok(Found {
        estimate: median(&values).ok_or("no block has a value")?,
        interval: median_interval(&values, Level::P95),
        n_blocks: values.len(),
        unit: Unit::OfFact(String::new()),
        text: String::new(),
        blocks,
        file: "memory.csv",
        file_of_blocks: "memory.csv",
        rows: String::new(),
        place: String::new(),
        doubt: "",
        conclusion: None,
        metric: None,
        is_reference: false,
    })
}

/// Block by block, as arms are compared with the reference.
fn ratio(of: Found, over: Found) -> Result<Measured, String> {
    if of.unit != over.unit {
        let (of, over) = (of.unit.name(), over.unit.name());
        return Err(format!("{of} cannot be divided by {over}"));
    }
    let numbers: BTreeSet<u32> = of.blocks.keys().chain(over.blocks.keys()).copied().collect();
    let by_block = |found: &Found| -> Vec<Option<f64>> {
        let values = numbers.iter().map(|block| found.blocks.get(block).copied());
        values.collect()
    };
    let logs = log_ratios(&by_block(&of), &by_block(&over));
    let averages = WalshAverages::of(&logs);
    let estimate =
        averages.estimate().ok_or("no block has both values of the ratio, above zero")?;
    let is_same = !of.place.is_empty() && of.place == over.place;
    // The file of comparisons has a row of every arm against the reference, and of no other pair.
    let is_compared =
        is_same && over.is_reference && of.metric.is_some() && of.metric == over.metric;
    let (verdict, open) = match of.conclusion.filter(|_| is_compared) {
        None => (None, ""),
        Some(Conclusion::Verdict(verdict) | Conclusion::Indication(verdict)) => match verdict {
            Verdict::Inconclusive => (None, INCONCLUSIVE),
            verdict => (Some(verdict), ""),
        },
        Some(Conclusion::Withheld(reason)) => (None, withheld(reason)),
    };
    let doubts = [of.doubt, over.doubt, open];
    Ok(Measured {
        estimate: estimate.exp(),
        interval: averages.interval(Level::P95).map(|interval| interval.map(f64::exp)),
        n_blocks: logs.len(),
        unit: Unit::Times,
        text: String::new(),
        doubt: doubts.into_iter().find(|doubt| !doubt.is_empty()).unwrap_or(""),
        verdict,
        source: Source {
            file: match is_compared {
                true => "comparisons.csv",
                false => of.file_of_blocks,
            },
            rows: of.rows,
            over: match is_compared {
                true => String::new(),
                false => over.rows,
            },
            pairing: Some(match is_same {
                true => Pairing::Block,
                false => Pairing::Pass,
            }),
        },
    })
}

/// Why nothing of a family is compared by this metric, if nothing is.
fn unchecked(family: &Analysed<'_>, guard: &MetricResult) -> &'static str {
    let mut arms = family.rows.arms.iter();
    let placebo = arms.position(|arm| arm.key.role_name() == "placebo");
    let placebo = placebo.and_then(|place| guard.comparisons[place].as_ref());
    match placebo.and_then(|placebo| placebo.ratio_interval) {
        _ if guard.is_grey => GREY,
        None => NO_PLACEBO,
        Some(_) => "",
    }
}

/// Too few blocks are said by whoever looks for an interval.
fn withheld(reason: Reason) -> &'static str {
    match reason {
        Reason::TooFewBlocks => "",
        Reason::NoPlacebo => NO_PLACEBO,
        Reason::PlaceboDiffers => GREY,
        _ => WITHHELD,
    }
}

fn known(blocks: &[u32], values: &[Option<f64>]) -> BTreeMap<u32, f64> {
    let pairs = blocks.iter().zip(values);
    pairs.filter_map(|(b, value)| Some((*b, (*value)?))).collect()
}

fn key(columns: &[(&str, &str)]) -> String {
    let set = columns.iter().filter(|(_, value)| !value.is_empty());
    let said = set.map(|(name, value)| format!("{name}={value}"));
    said.collect::<Vec<_>>().join(", ")
}
