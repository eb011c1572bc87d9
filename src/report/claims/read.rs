//! From the twins to the domain: names looked up, bounds checked, figures found by their names.

use std::ops::Range;

use toml::Spanned;

use super::wire::{
    WireBounds, WireClaim, WireClaims, WireFamily, WireFigure, WireProvision, WireRow, WireTable,
    WireTest,
};
use super::{
    Bounds, Claim, Claims, FamilyOf, Figure, LoadOf, Part, Provision, RowOf, Rule, TableOf, Test,
};
use crate::experiment::Probe;
use crate::experiment::nearest::unknown;
use crate::experiment::wire::{Scalar, Source, WireError};
use crate::workload::options::{self, OptionDef, Options, Values};
use crate::workload::{self, Size};

/// Resolves multiples for the check that they are valid; what they are is the run's to say.
const ANY_CORES: u32 = 2;

const CALLERS: Values = Values::Cores { min: 1, max: 4096 };

/// Reads one file; `path` is for errors only.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(super) fn parse(text: &str, path: &str) -> Result<Claims, WireError> {
    let source = Source::new(path, text);
    let wire: WireClaims = source.read()?;
    let reader = Reader { source, families: &wire.family.0 };
    let figures = reader.figures(&wire.figure.0)?;
    let ids: Vec<&str> = figures.iter().map(|figure| figure.id.as_str()).collect();
    let claims: Result<Vec<Claim>, _> =
        wire.claim.iter().map(|claim| reader.claim(claim, &ids)).collect();
    let claims = claims?;
    let claim_ids: Vec<&str> = wire.claim.iter().map(|c| c.id.get_ref().as_str()).collect();
    reader.check_ids("claim", wire.claim.iter().map(|claim| &claim.id))?;
    reader.check_ids("table", wire.table.iter().map(|table| &table.id))?;
    let tables: Result<Vec<TableOf>, _> =
        wire.table.iter().map(|table| reader.table(table, &ids, &claim_ids)).collect();
    Ok(Claims { document: wire.document, tables: tables?, figures, claims })
}

pub(super) struct Reader<'a> {
    source: Source<'a>,
    pub(super) families: &'a [(Spanned<String>, Spanned<WireFamily>)],
}

/// Something read, or the first mistake.
pub(super) type Read<T> = Result<T, WireError>;

impl Reader<'_> {
    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> WireError {
        self.source.error(Some(span), message)
    }

    /// One name out of the valid ones, as its index.
    pub(super) fn index(&self, name: &Spanned<String>, what: &str, valid: &[&str]) -> Read<usize> {
        let text = name.get_ref();
        let found = valid.iter().position(|valid| valid == text);
        found.ok_or_else(|| self.error(name.span(), unknown(what, text, valid)))
    }

    fn check_ids<'i>(
        &self,
        what: &str,
        ids: impl Iterator<Item = &'i Spanned<String>>,
    ) -> Read<()> {
        let mut seen: Vec<&str> = Vec::new();
        for id in ids {
            let text = id.get_ref().as_str();
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if text.is_empty() || !text.chars().all(fits) {
                let message = format!(
                    "expected a name of lower-case letters, digits and `-`, found `{text}`"
                );
                return Err(self.error(id.span(), message));
            }
            if seen.contains(&text) {
                let message = format!("{what} `{text}` is there twice; expected it once");
                return Err(self.error(id.span(), message));
            }
            seen.push(text);
        }
        Ok(())
    }

    fn figures(&self, wire: &[(Spanned<String>, Spanned<WireFigure>)]) -> Read<Vec<Figure>> {
        self.check_ids("figure", wire.iter().map(|(id, _)| id))?;
        let figure = |(id, figure): &(Spanned<String>, Spanned<WireFigure>)| {
            let own = figure.get_ref();
            let of = self.selector(own, None, figure.span())?;
            let over = own.over.as_deref().map(|over| {
                let differs = over.get_ref();
                if differs.over.is_some() || differs.yes_no.is_some() {
                    let message = "`over` says only what differs in the number divided by";
                    return Err(self.error(over.span(), message));
                }
                self.selector(own, Some(differs), over.span())
            });
            Ok(Figure {
                id: id.get_ref().clone(),
                of,
                over: over.transpose()?,
                is_yes_no: own.yes_no.as_ref().is_some_and(|yes_no| *yes_no.get_ref()),
            })
        };
        wire.iter().map(figure).collect()
    }

    pub(super) fn family(&self, wire: &Spanned<WireFamily>) -> Read<FamilyOf> {
        let family = wire.get_ref();
        let names: Vec<_> = workload::ALL.iter().map(|workload| workload.name()).collect();
        let workload = workload::ALL[self.index(&family.workload, "workload", &names)?];
        let is_sized = !workload.takes_payload() && !workload.is_fault() && !workload.holds();
        let size = family.size.as_ref().map(|size| {
            let valid = Size::ALL.map(Size::name);
            self.index(size, "size", &valid).map(|place| valid[place].to_owned())
        });
        let missing = match (is_sized, size.is_some()) {
            (true, false) => Some("expected a `size`"),
            (false, true) => Some("has no sizes; leave `size` out"),
            _ if workload.takes_payload() != family.payload_bytes.is_some() => {
                Some("expected `payload_bytes` of whoever takes a payload, and of nobody else")
            }
            _ => None,
        };
        if let Some(message) = missing {
            let message = format!("`{}`: {message}", workload.name());
            return Err(self.error(family.workload.span(), message));
        }
        let given = family.options.iter().flat_map(|options| &options.0);
        Ok(FamilyOf {
            workload: workload.name().to_owned(),
            size: size.transpose()?,
            payload_bytes: family.payload_bytes.as_ref().map(|bytes| *bytes.get_ref()),
            options: self.options(given, workload.name(), workload.options())?,
            load: self.load(wire)?,
        })
    }

    fn load(&self, wire: &Spanned<WireFamily>) -> Read<LoadOf> {
        let family = wire.get_ref();
        match (&family.callers, &family.share) {
            (Some(callers), None) => {
                let text = callers.get_ref().0.as_str();
                if CALLERS.resolve(text, ANY_CORES).is_none() {
                    let message = format!("`callers` is `{text}`; expected {}", CALLERS.describe());
                    return Err(self.error(callers.span(), message));
                }
                Ok(LoadOf::Callers(text.to_owned()))
            }
            (None, Some(share)) => {
                let probe = family.probe.as_ref().map(|probe| {
                    let valid = Probe::ALL.map(Probe::name);
                    let place = self.index(probe, "probe", &valid);
                    place.map(|place| valid[place].to_owned())
                });
                Ok(LoadOf::Open {
                    share: *share.get_ref(),
                    probe: probe.transpose()?.unwrap_or_default(),
                })
            }
            _ => Err(self.error(
                wire.span(),
                "expected exactly one of `callers`, of a closed loop, and `share`, of an open one",
            )),
        }
    }

    pub(super) fn options<'e>(
        &self,
        given: impl Iterator<Item = &'e (Spanned<String>, Scalar)>,
        owner: &str,
        defs: &[OptionDef],
    ) -> Read<Options> {
        let mut options = Options::new();
        for (key, value) in given {
            let own = Options::from([(key.get_ref().clone(), value.0.clone())]);
            if let Err(error) = options::resolve(defs, &own, ANY_CORES) {
                return Err(self.error(key.span(), format!("`{owner}`: {error}")));
            }
            options.extend(own);
        }
        Ok(options)
    }

    fn claim(&self, wire: &WireClaim, figures: &[&str]) -> Read<Claim> {
        let error = |message: &str| Err(self.error(wire.id.span(), message));
        let rule =
            match (wire.test.is_empty(), &wire.not_a_matter_of_measurement, &wire.not_yet_measured)
            {
                (false, None, None) => {
                    if wire.confirms.is_empty() || wire.refutes.is_empty() {
                        return error("a claim with tests needs `confirms` and `refutes`");
                    }
                    let tests = wire.test.iter().map(|test| self.test(test, figures));
                    Rule::Tests(tests.collect::<Result<_, _>>()?)
                }
                (true, Some(why), None) => Rule::NotMeasurable(why.clone()),
                (true, None, Some(why)) => Rule::NotYet(why.clone()),
                _ => {
                    return error(
                        "expected exactly one of [[claim.test]], `not_a_matter_of_measurement` and \
                     `not_yet_measured`",
                    );
                }
            };
        Ok(Claim {
            id: wire.id.get_ref().clone(),
            section: wire.section.clone(),
            place: wire.place.clone(),
            words: wire.words.clone(),
            confirms: wire.confirms.clone(),
            refutes: wire.refutes.clone(),
            rule,
        })
    }

    fn test(&self, wire: &WireTest, figures: &[&str]) -> Read<Test> {
        let confirmed = self.bounds(&wire.confirmed_when)?;
        let refuted = wire.refuted_when.as_ref().map(|refuted| {
            let bounds = self.bounds(refuted)?;
            match bounds.overlaps(confirmed) {
                false => Ok(bounds),
                true => Err(self.error(
                    refuted.span(),
                    "what refutes lies partly within what confirms; expected the two apart",
                )),
            }
        });
        let provided = wire.provided.as_ref().map(|provided| {
            let WireProvision { figure, at_least, at_most, otherwise } = provided.get_ref();
            let bounds = Bounds { low: *at_least, high: *at_most };
            self.check(bounds, provided.span())?;
            Ok(Provision {
                figure: self.index(figure, "figure", figures)?,
                bounds,
                otherwise: otherwise.clone(),
            })
        });
        Ok(Test {
            on: wire.on.clone(),
            figure: self.index(&wire.figure, "figure", figures)?,
            confirmed,
            refuted: refuted.transpose()?,
            provided: provided.transpose()?,
        })
    }

    fn bounds(&self, wire: &Spanned<WireBounds>) -> Read<Bounds> {
        let WireBounds { at_least, at_most, from, to, is } = wire.get_ref();
        let bounds = match (at_least, at_most, from, to, is) {
            (Some(_), None, None, None, None) => (*at_least, None),
            (None, Some(_), None, None, None) => (None, *at_most),
            (None, None, Some(_), Some(_), None) => (*from, *to),
            (None, None, None, None, Some(_)) => (*is, *is),
            _ => {
                let message = "expected one of { at_least = 1 }, { at_most = 1 }, \
                               { from = 1, to = 2 } and { is = 1 }";
                return Err(self.error(wire.span(), message));
            }
        };
        let (low, high) = bounds;
        self.check(Bounds { low, high }, wire.span())
    }

    fn check(&self, bounds: Bounds, span: Range<usize>) -> Read<Bounds> {
        let ends = || [bounds.low, bounds.high].into_iter().flatten();
        let is_ordered = bounds.low.zip(bounds.high).is_none_or(|(low, high)| low <= high);
        match ends().count() > 0 && ends().all(f64::is_finite) && is_ordered {
            true => Ok(bounds),
            false => {
                Err(self.error(span, "expected one bound, or two of which the first is lower"))
            }
        }
    }

    fn table(&self, wire: &WireTable, figures: &[&str], claims: &[&str]) -> Read<TableOf> {
        let columns = wire.columns.get_ref();
        if columns.is_empty() {
            return Err(self.error(wire.columns.span(), "expected at least one column"));
        }
        let rows = wire.row.iter().map(|row| {
            let too = |found: usize, expected: usize, what: &str| {
                let message = format!("{found} {what} in a table of {expected}");
                (found != expected).then(|| self.error(row.words.span(), message))
            };
            let words = row.words.get_ref();
            let bad = too(words.len(), columns.len(), "words")
                .or_else(|| too(row.cells.len(), wire.measured.len(), "measured cells"));
            match bad {
                Some(error) => Err(error),
                None => self.row(row, figures, claims),
            }
        });
        Ok(TableOf {
            id: wire.id.get_ref().clone(),
            title: wire.title.clone(),
            scope: wire.scope.clone(),
            columns: columns.clone(),
            measured: wire.measured.clone(),
            rows: rows.collect::<Result<_, _>>()?,
        })
    }

    fn row(&self, wire: &WireRow, figures: &[&str], claims: &[&str]) -> Read<RowOf> {
        let cells = wire.cells.iter().map(|cell| self.cell(cell, figures));
        let claims = wire.claims.iter().map(|id| self.index(id, "claim", claims));
        Ok(RowOf {
            words: wire.words.get_ref().clone(),
            cells: cells.collect::<Result<_, _>>()?,
            claims: claims.collect::<Result<_, _>>()?,
        })
    }

    /// `{name}` and `{name:text}` among words.
    fn cell(&self, wire: &Spanned<String>, figures: &[&str]) -> Read<Vec<Part>> {
        let mut parts = Vec::new();
        let mut rest = wire.get_ref().as_str();
        while let Some((words, behind)) = rest.split_once('{') {
            let Some((name, behind)) = behind.split_once('}') else {
                return Err(self.error(wire.span(), "a `{` without its `}`"));
            };
            if !words.is_empty() {
                parts.push(Part::Words(words.to_owned()));
            }
            let (name, is_text) = match name.strip_suffix(":text") {
                Some(name) => (name, true),
                None => (name, false),
            };
            let name = Spanned::new(wire.span(), name.to_owned());
            let figure = self.index(&name, "figure", figures)?;
            parts.push(match is_text {
                true => Part::TextOf(figure),
                false => Part::Figure(figure),
            });
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Words(rest.to_owned()));
        }
        Ok(parts)
    }
}
