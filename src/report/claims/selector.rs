//! From a figure's keys to where its number stands.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use super::read::{Read, Reader};
use super::wire::WireFigure;
use super::{ArmOf, FactOf, MemoryOf, Selector, SlopeOf};
use crate::analysis::metrics::{BESIDE, METRICS};
use crate::experiment::runtime;
use crate::experiment::wire::{Entries, Scalar};
use crate::report::memory::{HELD, MEMORY_ROLES, QUANTITIES};
use crate::strategy;

impl Reader<'_> {
    /// What `own` selects; where `over` says something else, that.
    pub(super) fn selector(
        &self,
        own: &WireFigure,
        over: Option<&WireFigure>,
        span: Range<usize>,
    ) -> Read<Selector> {
        let keys = Keys { own, over, span };
        let kinds = [
            keys.text(|f| f.metric.as_ref()),
            keys.text(|f| f.slope.as_ref()),
            keys.text(|f| f.memory.as_ref()),
            keys.text(|f| f.fact.as_ref()),
        ];
        match kinds {
            [Some(metric), None, None, None] => self.arm(&keys, metric).map(Selector::Arm),
            [None, Some(slope), None, None] => self.slope(&keys, slope).map(Selector::Slope),
            [None, None, Some(memory), None] => self.memory(&keys, memory).map(Selector::Memory),
            [None, None, None, Some(fact)] => self.fact(&keys, fact).map(Selector::Fact),
            _ => Err(self.error(
                keys.span.clone(),
                "expected exactly one of `metric`, `slope`, `memory` and `fact`",
            )),
        }
    }

    fn arm(&self, keys: &Keys<'_>, metric: &Spanned<String>) -> Read<ArmOf> {
        keys.only(self, &["runtime", "strategy", "family", "options", "metric"])?;
        let all: Vec<_> = METRICS.iter().chain(BESIDE).collect();
        let names: Vec<_> = all.iter().map(|metric| metric.name).collect();
        let place = self.index(metric, "metric", &names)?;
        let strategy = self.strategy(keys)?;
        let name = keys.required(self, "family", |f| f.family.as_ref())?;
        let families: Vec<&str> = self.families.iter().map(|f| f.0.get_ref().as_str()).collect();
        let family = &self.families[self.index(name, "family", &families)?].1;
        let defs = strategy::by_name(&strategy).map_or(&[][..], |kind| kind.options);
        let options = keys.entries(|f| f.options.as_ref());
        Ok(ArmOf {
            family: self.family(family)?,
            runtime: self.runtime(keys)?,
            options: self.options(options, &strategy, defs)?,
            strategy,
            metric: all[place],
            has_cells: place < METRICS.len(),
        })
    }

    fn slope(&self, keys: &Keys<'_>, slope: &Spanned<String>) -> Read<SlopeOf> {
        keys.only(self, &["runtime", "strategy", "slope", "children"])?;
        // Only this one has an interval.
        self.index(slope, "slope", &[HELD])?;
        Ok(SlopeOf {
            runtime: self.runtime(keys)?,
            strategy: self.strategy(keys)?,
            children: keys.number(|f| f.children.as_ref()).unwrap_or(1),
        })
    }

    fn memory(&self, keys: &Keys<'_>, memory: &Spanned<String>) -> Read<MemoryOf> {
        keys.only(self, &["runtime", "strategy", "memory", "of", "children"])?;
        let quantities: Vec<&str> = QUANTITIES.iter().map(|quantity| quantity.name).collect();
        let quantity = &QUANTITIES[self.index(memory, "memory", &quantities)?];
        let roles: Vec<&str> = MEMORY_ROLES.iter().map(|(name, _)| *name).collect();
        let of = keys.required(self, "of", |f| f.of.as_ref())?;
        let of = MEMORY_ROLES[self.index(of, "part of a tree", &roles)?].1;
        let children = keys
            .number(|f| f.children.as_ref())
            .ok_or_else(|| self.error(keys.span.clone(), "missing key `children`"))?;
        Ok(MemoryOf {
            runtime: self.runtime(keys)?,
            strategy: self.strategy(keys)?,
            children,
            of,
            quantity,
        })
    }

    /// Demonstrations are small programs whose facts nobody lists: a name that no run has gives
    /// a claim that is not measured, with the reason.
    fn fact(&self, keys: &Keys<'_>, fact: &Spanned<String>) -> Read<FactOf> {
        keys.only(self, &["runtime", "demonstration", "case", "fact"])?;
        let text = |name, get| keys.required(self, name, get).map(|text| text.get_ref().clone());
        Ok(FactOf {
            demonstration: text("demonstration", |f| f.demonstration.as_ref())?,
            case: text("case", |f| f.case.as_ref())?,
            runtime: self.runtime(keys)?,
            fact: fact.get_ref().clone(),
        })
    }

    fn runtime(&self, keys: &Keys<'_>) -> Read<String> {
        let valid: Vec<_> = runtime::ALL.iter().map(|runtime| runtime.name).collect();
        let name = keys.required(self, "runtime", |f| f.runtime.as_ref())?;
        let place = self.index(name, "runtime", &valid)?;
        Ok(valid[place].to_owned())
    }

    fn strategy(&self, keys: &Keys<'_>) -> Read<String> {
        let valid: Vec<_> = strategy::ALL.iter().map(|kind| kind.name).collect();
        let name = keys.required(self, "strategy", |f| f.strategy.as_ref())?;
        let place = self.index(name, "strategy", &valid)?;
        Ok(valid[place].to_owned())
    }
}

/// The keys of a figure, or of what it is divided by: there, what differs counts before the rest.
struct Keys<'f> {
    own: &'f WireFigure,
    over: Option<&'f WireFigure>,
    span: Range<usize>,
}

type Get<T> = for<'w> fn(&'w WireFigure) -> Option<&'w Spanned<T>>;

impl<'f> Keys<'f> {
    fn get<T>(&self, get: Get<T>) -> Option<&'f Spanned<T>> {
        self.over.and_then(get).or_else(|| get(self.own))
    }

    fn text(&self, get: Get<String>) -> Option<&'f Spanned<String>> {
        self.get(get)
    }

    fn number(&self, get: Get<u32>) -> Option<u32> {
        self.get(get).map(|number| *number.get_ref())
    }

    fn required(
        &self,
        reader: &Reader<'_>,
        name: &str,
        get: Get<String>,
    ) -> Read<&'f Spanned<String>> {
        self.text(get)
            .ok_or_else(|| reader.error(self.span.clone(), format!("missing key `{name}`")))
    }

    fn entries(
        &self,
        get: for<'w> fn(&'w WireFigure) -> Option<&'w Entries<Scalar>>,
    ) -> impl Iterator<Item = &'f (Spanned<String>, Scalar)> {
        let found = self.over.and_then(get).or_else(|| get(self.own));
        found.into_iter().flat_map(|entries| &entries.0)
    }

    /// A key that means nothing here is a mistake.
    fn only(&self, reader: &Reader<'_>, allowed: &[&str]) -> Read<()> {
        let present = |wire: &WireFigure| {
            BTreeMap::from([
                ("runtime", wire.runtime.is_some()),
                ("strategy", wire.strategy.is_some()),
                ("family", wire.family.is_some()),
                ("options", wire.options.is_some()),
                ("metric", wire.metric.is_some()),
                ("slope", wire.slope.is_some()),
                ("memory", wire.memory.is_some()),
                ("of", wire.of.is_some()),
                ("children", wire.children.is_some()),
                ("demonstration", wire.demonstration.is_some()),
                ("case", wire.case.is_some()),
                ("fact", wire.fact.is_some()),
            ])
        };
        for wire in [Some(self.own), self.over].into_iter().flatten() {
            let mut extra = present(wire).into_iter();
            if let Some((name, _)) = extra.find(|(name, there)| *there && !allowed.contains(name)) {
                let message =
                    format!("`{name}` says nothing here; expected {}", allowed.join(", "));
                return Err(reader.error(self.span.clone(), message));
            }
        }
        Ok(())
    }
}
