//! Checks every name in a file of claims. A mistake in a figure or family is placed at its beginning.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use crate::analysis::memory::{HELD, MEMORY_ROLES, QUANTITIES};
use crate::analysis::metrics::{BESIDE, METRICS};
use crate::experiment::nearest::unknown;
use crate::experiment::wire::{Source, WireError};
use crate::experiment::{Probe, runtime};
use crate::notes::claims::{
    Bounds, Claim, Claims, DocumentTable, Family, Figure, Selector, pieces,
};
use crate::strategy;
use crate::workload::options::{self, OptionDef, Options, Values};
use crate::workload::{self, Size};

/// Checks that multiples of the cores are valid; a run says how many cores it had.
const ANY_CORES: u32 = 2;

const CALLERS: Values = Values::Cores { min: 1, max: 4096 };

/// Reads one file; `path` is for errors only.
///
/// # Errors
/// The first mistake, with its place.
pub fn parse(text: &str, path: &str) -> Result<Claims, WireError> {
    let source = Source::new(path, text);
    let claims: Claims = source.read()?;
    match claims.check() {
        Ok(()) => Ok(claims),
        Err((span, message)) => Err(source.error(Some(span), message)),
    }
}

/// A mistake and its place.
type Mistake = (Range<usize>, String);

fn at<T>(place: &Spanned<T>, message: impl Into<String>) -> Mistake {
    (place.span(), message.into())
}

fn known<'v>(
    what: &str,
    name: &str,
    valid: impl IntoIterator<Item = &'v str>,
) -> Result<(), String> {
    let valid: Vec<&str> = valid.into_iter().collect();
    match valid.contains(&name) {
        true => Ok(()),
        false => Err(unknown(what, name, &valid)),
    }
}

fn known_options(owner: &str, defs: &[OptionDef], given: &Options) -> Result<(), String> {
    let resolved = options::resolve(defs, given, ANY_CORES);
    resolved.map(drop).map_err(|error| format!("`{owner}`: {error}"))
}

impl Claims {
    fn check(&self) -> Result<(), Mistake> {
        for family in self.families.values() {
            family.get_ref().check().map_err(|message| at(family, message))?;
        }
        for figure in self.figures.values() {
            let Figure { of, over, .. } = figure.get_ref();
            for selector in [Some(of), over.as_ref()].into_iter().flatten() {
                self.check_selector(selector).map_err(|message| at(figure, message))?;
            }
        }
        check_ids("claim", self.claims.iter().map(|claim| &claim.id))?;
        self.claims.iter().try_for_each(|claim| self.check_claim(claim))?;
        check_ids("table", self.tables.iter().map(|table| &table.id))?;
        self.tables.iter().try_for_each(|table| self.check_table(table))
    }

    fn check_selector(&self, selector: &Selector) -> Result<(), String> {
        let strategies = || strategy::ALL.iter().map(|kind| kind.name);
        known("runtime", selector.runtime(), runtime::ALL.iter().map(|runtime| runtime.name))?;
        match selector {
            Selector::Arm(of) => {
                let metrics = METRICS.iter().chain(BESIDE).map(|metric| metric.name);
                known("metric", &of.metric, metrics)?;
                known("strategy", &of.strategy, strategies())?;
                known("family", &of.family, self.families.keys().map(String::as_str))?;
                let defs = strategy::by_name(&of.strategy).map_or(&[][..], |kind| kind.options);
                known_options(&of.strategy, defs, &of.options)
            }
            Selector::Slope(of) => {
                known("strategy", &of.strategy, strategies())?;
                known("slope", &of.slope, [HELD])
            }
            Selector::Memory(of) => {
                known("strategy", &of.strategy, strategies())?;
                known("memory", &of.memory, QUANTITIES.iter().map(|quantity| quantity.name))?;
                known("part of a tree", &of.of, MEMORY_ROLES.iter().map(|(name, _)| *name))
            }
            Selector::Fact(_) => Ok(()),
        }
    }

    fn check_claim(&self, claim: &Claim) -> Result<(), Mistake> {
        let reasons = [&claim.not_a_matter_of_measurement, &claim.not_yet_measured];
        let n_reasons = reasons.into_iter().flatten().count();
        if n_reasons + usize::from(!claim.tests.is_empty()) != 1 {
            let message = "expected exactly one of [[claim.test]], `not_a_matter_of_measurement` \
                           and `not_yet_measured`";
            return Err(at(&claim.id, message));
        }
        if n_reasons == 0 && (claim.confirms.is_empty() || claim.refutes.is_empty()) {
            return Err(at(&claim.id, "a claim with tests needs `confirms` and `refutes`"));
        }
        for test in &claim.tests {
            self.check_figure(&test.figure, test.figure.get_ref())?;
            if let Some(provision) = &test.provided {
                self.check_figure(&provision.figure, provision.figure.get_ref())?;
            }
            if test.refuted_when.is_some_and(|bounds| overlap(bounds, test.confirmed_when)) {
                let message = "`refuted_when` overlaps `confirmed_when`; expected the two apart";
                return Err(at(&test.figure, message));
            }
        }
        Ok(())
    }

    fn check_figure<T>(&self, place: &Spanned<T>, name: &str) -> Result<(), Mistake> {
        let names = self.figures.keys().map(String::as_str);
        known("figure", name, names).map_err(|message| at(place, message))
    }

    fn check_table(&self, table: &DocumentTable) -> Result<(), Mistake> {
        let n_columns = table.columns.get_ref().len();
        if n_columns == 0 {
            return Err(at(&table.columns, "expected at least one column"));
        }
        for row in &table.rows {
            for (found, expected, what) in [
                (row.words.get_ref().len(), n_columns, "words"),
                (row.cells.len(), table.measured.len(), "cells"),
            ] {
                if found != expected {
                    let message = format!("expected {expected} in `{what}`, found {found}");
                    return Err(at(&row.words, message));
                }
            }
            for cell in &row.cells {
                for (words, name) in pieces(cell.get_ref()) {
                    if words.contains('{') {
                        return Err(at(cell, "a `{` without its `}`"));
                    }
                    if let Some(name) = name {
                        self.check_figure(cell, name.trim_end_matches(":text"))?;
                    }
                }
            }
            for id in &row.claims {
                let ids = self.claims.iter().map(|claim| claim.id.get_ref().as_str());
                known("claim", id.get_ref(), ids).map_err(|message| at(id, message))?;
            }
        }
        Ok(())
    }
}

impl Family {
    fn check(&self) -> Result<(), String> {
        known("workload", &self.workload, workload::ALL.iter().map(|workload| workload.name()))?;
        let workload = workload::by_name(&self.workload).ok_or("no such workload")?;
        let is_sized = !workload.takes_payload() && !workload.is_fault() && !workload.holds();
        for (key, is_needed, is_there) in [
            ("size", is_sized, self.size.is_some()),
            ("payload_bytes", workload.takes_payload(), self.payload_bytes.is_some()),
        ] {
            match (is_needed, is_there) {
                (true, false) => return Err(format!("`{}`: expected `{key}`", self.workload)),
                (false, true) => return Err(format!("`{}` takes no `{key}`", self.workload)),
                _ => {}
            }
        }
        if let Some(size) = &self.size {
            known("size", size, Size::ALL.map(Size::name))?;
        }
        if !self.probe.is_empty() {
            known("probe", &self.probe, Probe::ALL.map(Probe::name))?;
        }
        known_options(&self.workload, workload.options(), &self.options)?;
        match (&self.callers, self.share) {
            (None, Some(_)) => Ok(()),
            (Some(callers), None) => match CALLERS.resolve(callers, ANY_CORES) {
                Some(_) => Ok(()),
                None => Err(format!("`callers` is `{callers}`; expected {}", CALLERS.describe())),
            },
            _ => Err("expected exactly one of `callers`, of a closed loop, and `share`, of an \
                      open one"
                .to_owned()),
        }
    }
}

/// Whether there is a value within both.
fn overlap(one: Bounds, other: Bounds) -> bool {
    let above =
        |low: Option<f64>, high: Option<f64>| low.zip(high).is_some_and(|(low, high)| low > high);
    !above(one.low, other.high) && !above(other.low, one.high)
}

fn check_ids<'i>(
    what: &str,
    ids: impl Iterator<Item = &'i Spanned<String>>,
) -> Result<(), Mistake> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for id in ids {
        let name = id.get_ref().as_str();
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(is_plain) {
            let expected = "expected a name of lower-case letters, digits and `-`";
            return Err(at(id, format!("{expected}, found `{name}`")));
        }
        if !seen.insert(name) {
            return Err(at(id, format!("{what} `{name}` is there twice; expected it once")));
        }
    }
    Ok(())
}
