//! The figures that claims name, as a run has them: estimate, interval, unit, and the rows that
//! they stand in. A figure that cannot be found has its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::claims::{ArmOf, Claims, FactOf, Figure, MemoryOf, Selector, SlopeOf};
use super::{find, words};
use crate::analysis::cells::{self, Analysed};
use crate::analysis::memory::{
    HELD, MEMORY_ROLES, MemorySummary, QUANTITIES, Series, Wanted, held_by_block,
};
use crate::analysis::metrics::{BESIDE, METRICS, RESPONSE_P50};
use crate::analysis::summary::State;
use crate::record::{FactRow, FactStatus, Role, Run};
use crate::stats::interval::median_interval;
use crate::stats::paired::{WalshAverages, log_ratios};
use crate::stats::quantile::median;
use crate::stats::verdict::{Conclusion, Reason, Verdict};
use crate::stats::{Interval, Level};

/// The analysis of a run that claims are judged by.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The rows.
    pub run: &'a Run,
    /// Every family of timed trials.
    pub families: &'a [Analysed<'a>],
    /// The memory trials.
    pub memory: &'a MemorySummary,
}

/// A number with its interval and its rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Median over blocks, slope of a line, or Hodges–Lehmann estimate of a ratio.
    pub estimate: f64,
    /// At 95 %; from 6 blocks.
    pub interval: Option<Interval>,
    /// Blocks with a value; of a ratio, with both.
    pub n_blocks: usize,
    /// Of estimate and interval: `ns`, `1/s`, `bytes`, `1` of shares and ratios, else the unit of
    /// the fact, which is empty for counts, and for yes and no.
    pub unit: String,
    /// Whether 1 is shown as `yes` and 0 as `no`.
    pub is_yes_no: bool,
    /// The text of a fact in the last block.
    pub text: String,
    /// Why the number decides nothing: a clause, empty without a doubt.
    pub doubt: &'static str,
    /// The verdict on the row of `comparisons.csv` that a ratio is; nothing is decided against it.
    pub verdict: Option<Verdict>,
    /// The rows it is made from.
    pub source: Source,
}

/// The rows of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// File of the run directory.
    pub file: &'static str,
    /// `column=value, column=value`, which select its rows and no others.
    pub rows: String,
    /// Of a ratio, the rows of the number that it is divided by.
    pub over: String,
    /// Of a ratio.
    pub pairing: Option<Pairing>,
}

/// What the two values of a ratio have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// The block of one family, or one demonstration: they were measured in the same minute.
    Block,
    /// The pass over all families, in which they were measured minutes apart.
    Pass,
}

impl Pairing {
    /// As in `claims.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Pairing::Block => "block",
            Pairing::Pass => "pass",
        }
    }
}

/// A figure that the rows of a run do not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Which one, in words.
    pub of: String,
    /// Why, a clause.
    pub reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.of, self.reason)
    }
}

/// The figures of some claims, by their names.
pub type Figures = BTreeMap<String, Result<Measured, Missing>>;

/// Every figure of the claims.
pub fn figures(claims: &Claims, evidence: Evidence<'_>) -> Figures {
    let finder = Finder { claims, evidence };
    let figures = claims.figures.iter();
    figures.map(|(name, figure)| (name.clone(), finder.measure(figure.get_ref()))).collect()
}

/// Why a ratio decides nothing in a family whose placebo differs.
const GREY: &str = "the placebo differs from the reference, so nothing is compared";
/// Why a ratio decides nothing in a family without a check.
const NO_PLACEBO: &str = "too few blocks have a placebo, so nothing is compared";
/// Why a ratio decides nothing that `comparisons.csv` leaves open.
const INCONCLUSIVE: &str = "its comparison is inconclusive";
const WITHHELD: &str = "its comparison is withheld";

/// One side of a ratio, or all of a figure that is none.
#[derive(Default)]
struct Found {
    /// Without doubt and verdict, which only ratios have.
    measured: Measured,
    /// One value per block.
    blocks: BTreeMap<u32, f64>,
    /// The file that these stand in.
    file_of_blocks: &'static str,
    /// Two values of the same place and block were measured in the same minute; empty matches none.
    place: String,
    /// Why nothing of its family may be compared; empty if it may.
    doubt: &'static str,
    /// The conclusion of its comparison with the reference of its family, if it has one.
    conclusion: Option<Conclusion>,
    /// Its metric in `cells.csv`, if it has rows there.
    metric: Option<&'static str>,
    /// Whether the other arms of its family are compared with it.
    is_reference: bool,
}

struct Finder<'a> {
    claims: &'a Claims,
    evidence: Evidence<'a>,
}

impl Finder<'_> {
    fn measure(&self, figure: &Figure) -> Result<Measured, Missing> {
        let of = self.find(&figure.of)?;
        let measured = match &figure.over {
            None => of.measured,
            Some(over) => ratio(of, self.find(over)?)
                .map_err(|reason| Missing { of: words::describe(figure, self.claims), reason })?,
        };
        Ok(Measured { is_yes_no: figure.is_yes_no, ..measured })
    }

    fn find(&self, selector: &Selector) -> Result<Found, Missing> {
        let found = match selector {
            Selector::Arm(of) => self.arm(of),
            Selector::Slope(of) => self.slope(of),
            Selector::Memory(of) => self.memory(of),
            Selector::Fact(of) => self.fact(of),
        };
        found.map_err(|reason| Missing { of: words::of(selector, self.claims), reason })
    }

    fn arm(&self, of: &ArmOf) -> Result<Found, String> {
        let family = self.claims.families[&of.family].get_ref();
        let family = find::family(self.evidence, family, &of.runtime)?;
        let place = find::arm(family, of)?;
        let arm = &family.rows.arms[place];
        if arm.state != State::Ok {
            return Err(format!("{}: {}", arm.state.word(), arm.reason));
        }
        let mut metrics = METRICS.iter().chain(BESIDE);
        let metric = metrics.find(|metric| metric.name == of.metric).ok_or("no such metric")?;
        let values = cells::by_block(arm, &family.rows.blocks, metric);
        let of_name = |name: &str| family.results.iter().find(|r| r.metric.name == name);
        let own = of_name(metric.name);
        let cell = own.map_or_else(|| cells::cell(&values, arm), |own| own.cells[place]);
        let estimate =
            cell.estimate.ok_or("no block has a value: too few requests, or none of this kind")?;
        // A metric without comparisons of its own is as good as the median response.
        let guard = own.or_else(|| of_name(RESPONSE_P50));
        let compared = own.and_then(|own| own.comparisons[place].as_ref());
        let pairs = family.rows.blocks.iter().copied().zip(values);
        let columns = [
            ("family_id", family.rows.id),
            ("role", arm.key.role_name()),
            ("strategy", &arm.key.name),
            ("options", &arm.key.options),
            ("metric", metric.name),
        ];
        Ok(Found {
            measured: Measured {
                estimate,
                interval: cell.interval,
                n_blocks: cell.n_blocks,
                unit: metric.unit.to_owned(),
                source: source(if own.is_some() { "cells.csv" } else { "trials.csv" }, &columns),
                ..Measured::default()
            },
            blocks: pairs.filter_map(|(block, value)| Some((block, value?))).collect(),
            file_of_blocks: "trials.csv",
            place: format!("family {}", family.rows.id),
            doubt: match guard {
                Some(guard) if guard.is_grey => GREY,
                Some(guard) if guard.is_checked => "",
                _ => NO_PLACEBO,
            },
            conclusion: compared.map(|compared| compared.conclusion),
            metric: own.map(|own| own.metric.name),
            is_reference: arm.key.role() == Role::Reference,
        })
    }

    fn slope(&self, of: &SlopeOf) -> Result<Found, String> {
        let is_it = |series: &&Series| series.strategy == of.strategy;
        let groups = self.evidence.memory.groups.iter();
        let mut plain = groups.filter(|group| {
            group.is_plain() && group.key.workload == "hold" && group.key.runtime == of.runtime
        });
        let (group, series) = plain
            .find_map(|group| Some((group, group.series.iter().find(is_it)?)))
            .ok_or("this run has no memory trial of it")?;
        let fit = series
            .fit()
            .ok_or("fewer than two numbers of children were measured: there is no line")?;
        let (most, children) = (fit.k_range.1, of.children.unwrap_or(1));
        if most < children {
            return Err(format!("at most {most} children were measured"));
        }
        let scale = f64::from(children);
        let interval = fit.line.slope_ci_bytes;
        let columns = [
            ("runtime", group.key.runtime.as_str()),
            ("workload", &group.key.workload),
            ("strategy", &series.strategy),
            ("options", &series.options),
            ("ballast_bytes", "0"),
            ("phase", fit.phase.name()),
            ("metric", HELD),
        ];
        Ok(Found {
            measured: Measured {
                estimate: fit.line.slope_bytes * scale,
                interval: interval
                    .map(|(low, high)| Interval { low: low * scale, high: high * scale }),
                n_blocks: fit.n_blocks,
                unit: "bytes".to_owned(),
                source: source("fits.csv", &columns),
                ..Measured::default()
            },
            blocks: fit.slopes.iter().map(|(block, slope)| (*block, slope * scale)).collect(),
            file_of_blocks: "memory.csv",
            ..Found::default()
        })
    }

    fn memory(&self, of: &MemoryOf) -> Result<Found, String> {
        let role = MEMORY_ROLES.iter().find(|(name, _)| *name == of.of);
        let (_, role) = role.ok_or("no such part of a tree")?;
        let quantity = QUANTITIES.iter().find(|quantity| quantity.name == of.memory);
        let quantity = quantity.ok_or("no such quantity")?;
        let wanted = Wanted {
            runtime: &of.runtime,
            strategy: &of.strategy,
            children: of.children,
            of: *role,
            quantity,
        };
        let (phase, blocks) = held_by_block(self.evidence.run, wanted)?;
        let columns = [
            ("runtime", of.runtime.as_str()),
            ("strategy", &of.strategy),
            ("k", &of.children.to_string()),
            ("phase", phase.name()),
            ("role", role.row()),
            ("metric", quantity.name),
        ];
        middle(blocks, "bytes", source("memory.csv", &columns))
    }

    fn fact(&self, of: &FactOf) -> Result<Found, String> {
        let mut blocks = BTreeMap::new();
        let mut shown = BTreeSet::new();
        let mut reasons: Vec<&str> = Vec::new();
        let mut last: Option<&FactRow> = None;
        let rows = self.evidence.run.facts.iter();
        for row in rows.filter(|r| r.demonstration == of.demonstration && r.runtime == of.runtime) {
            shown.insert(row.block);
            let is_it = row.case == of.case && row.fact == of.fact;
            if row.status != FactStatus::Ok {
                if !reasons.contains(&row.reason.as_str()) {
                    reasons.push(&row.reason);
                }
            } else if let Some(value) = row.value.filter(|value| is_it && value.is_finite()) {
                blocks.insert(row.block, value);
                last = Some(row);
            }
        }
        let (lacking, all) = (shown.len() - blocks.len(), shown.len());
        if all == 0 {
            return Err("not shown in this run".to_owned());
        }
        if lacking > 0 {
            let why = reasons.join("; ");
            let why = if why.is_empty() { "the demonstration did not report it" } else { &why };
            return Err(format!("missing in {lacking} of {all} blocks: {why}"));
        }
        let last = last.ok_or("no block has a value")?;
        let columns = [
            ("demonstration", of.demonstration.as_str()),
            ("case", &of.case),
            ("runtime", &of.runtime),
            ("fact", &of.fact),
        ];
        let mut found = middle(blocks, &last.unit, source("facts.csv", &columns))?;
        found.measured.text.clone_from(&last.text);
        found.place = format!("demonstration {} in {}", of.demonstration, of.runtime);
        Ok(found)
    }
}

/// The median of values over blocks.
fn middle(blocks: BTreeMap<u32, f64>, unit: &str, source: Source) -> Result<Found, String> {
    let values: Vec<f64> = blocks.values().copied().collect();
    Ok(Found {
        file_of_blocks: source.file,
        measured: Measured {
            estimate: median(&values).ok_or("no block has a value")?,
            interval: median_interval(&values, Level::P95),
            n_blocks: values.len(),
            unit: unit.to_owned(),
            source,
            ..Measured::default()
        },
        blocks,
        ..Found::default()
    })
}

/// Block by block, as arms are compared with the reference.
fn ratio(of: Found, over: Found) -> Result<Measured, String> {
    if of.measured.unit != over.measured.unit {
        let (of, over) = (of.measured.unit, over.measured.unit);
        return Err(format!("{of} cannot be divided by {over}"));
    }
    let numbers: BTreeSet<u32> = of.blocks.keys().chain(over.blocks.keys()).copied().collect();
    let by_block = |found: &Found| -> Vec<Option<f64>> {
        numbers.iter().map(|block| found.blocks.get(block).copied()).collect()
    };
    let logs = log_ratios(&by_block(&of), &by_block(&over));
    let averages = WalshAverages::of(&logs);
    let estimate =
        averages.estimate().ok_or("no block has both values of the ratio, above zero")?;
    let is_same = !of.place.is_empty() && of.place == over.place;
    // `comparisons.csv` has a row of every arm against the reference, and of no other pair.
    let is_compared =
        is_same && over.is_reference && of.metric.is_some() && of.metric == over.metric;
    let (verdict, open) = concluded(of.conclusion.filter(|_| is_compared));
    let doubts = [of.doubt, over.doubt, open];
    let (file, over_rows) = match is_compared {
        true => ("comparisons.csv", String::new()),
        false => (of.file_of_blocks, over.measured.source.rows),
    };
    Ok(Measured {
        estimate: estimate.exp(),
        interval: averages.interval(Level::P95).map(|interval| interval.map(f64::exp)),
        n_blocks: logs.len(),
        unit: "1".to_owned(),
        doubt: doubts.into_iter().find(|doubt| !doubt.is_empty()).unwrap_or(""),
        verdict,
        source: Source {
            file,
            rows: of.measured.source.rows,
            over: over_rows,
            pairing: Some(if is_same { Pairing::Block } else { Pairing::Pass }),
        },
        ..Measured::default()
    })
}

/// The verdict of a comparison, and why the comparison decides nothing.
fn concluded(conclusion: Option<Conclusion>) -> (Option<Verdict>, &'static str) {
    match conclusion {
        None => (None, ""),
        Some(Conclusion::Verdict(verdict) | Conclusion::Indication(verdict)) => match verdict {
            Verdict::Inconclusive => (None, INCONCLUSIVE),
            verdict => (Some(verdict), ""),
        },
        Some(Conclusion::Withheld(reason)) => match reason {
            // The missing interval says the same.
            Reason::TooFewBlocks => (None, ""),
            Reason::NoPlacebo => (None, NO_PLACEBO),
            Reason::PlaceboDiffers => (None, GREY),
            Reason::ArmFailed | Reason::ReferenceFailed => (None, WITHHELD),
        },
    }
}

fn source(file: &'static str, columns: &[(&str, &str)]) -> Source {
    let set = columns.iter().filter(|(_, value)| !value.is_empty());
    let rows: Vec<String> = set.map(|(name, value)| format!("{name}={value}")).collect();
    Source { file, rows: rows.join(", "), ..Source::default() }
}
