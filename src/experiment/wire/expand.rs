//! From the twins to the domain: applicability is checked, factors are multiplied out.

use std::ops::Range;

use toml::Spanned;

use super::family_id::{family_id, is_sized};
use super::load::loads;
use super::read::{Entry, Reader};
use super::unused::{check_strategies, settle};
use super::{Read, WireExperiment, WireFamily};
use crate::experiment::{
    Arm, DEADLINE_MS, Experiment, FAMILIES_MAX, Family, Load, Placement, Preset, builtin, runtime,
};
use crate::strategy;
use crate::workload::options::Options;
use crate::workload::{self, Size, Spec, Workload};

/// What a workload can be asked to echo, well under the limit of a frame.
const PAYLOAD_MAX_BYTES: u64 = 16 << 20;
/// A tebibyte: far beyond any machine this runs on, far below an overflow.
const BALLAST_MAX_MIB: u64 = 1 << 20;

/// As long as a memory trial's.
const DEADLINE_MAX_MS: u64 = 600_000;

/// The option of every pool.
pub const WORKERS: &str = "workers";

/// A family while its factors are still being multiplied out.
#[derive(Clone, PartialEq)]
pub struct Draft {
    pub family: Family,
    /// The family's own seed, if it fixes one.
    pub seed: Option<u64>,
}

impl Draft {
    pub fn workload(&self) -> &'static dyn Workload {
        // A draft begins with a workload of the registry.
        workload::by_name(&self.family.spec.workload).unwrap_or(workload::ALL[0])
    }
}

/// All drafts of one `[[family]]`.
struct Drafts<'a> {
    reader: &'a Reader<'a>,
    /// Of the family, for errors.
    span: Range<usize>,
    all: Vec<Draft>,
}

impl Drafts<'_> {
    /// Every draft with every value that it has, the values changing fastest.
    fn cross<V>(
        &mut self,
        values: impl Fn(&Draft) -> Read<Vec<V>>,
        set: impl Fn(&mut Draft, &V),
    ) -> Read<()> {
        let mut crossed = Vec::new();
        for draft in &self.all {
            let values = values(draft)?;
            // Before they are made: lists multiply.
            check_count(self.reader, crossed.len() + values.len(), self.span.clone())?;
            crossed.extend(values.iter().map(|value| {
                let mut draft = draft.clone();
                set(&mut draft, value);
                draft
            }));
        }
        self.all = crossed;
        Ok(())
    }

    /// The same where every draft has the same values.
    fn cross_all<V>(&mut self, values: &[V], set: impl Fn(&mut Draft, &V)) -> Read<()> {
        self.cross(|_| Ok(values.iter().collect()), |draft, value| set(draft, value))
    }
}

/// The whole file.
pub fn experiment(reader: &Reader<'_>, wire: &WireExperiment) -> Read<Experiment> {
    check_name(reader, &wire.name)?;
    let reference = match &wire.reference {
        None => "blocking",
        Some(name) => reader.name(name, "strategy", &strategy::names())?,
    };
    if wire.family.get_ref().is_empty() {
        return Err(reader.error(wire.family.span(), "expected at least one [[family]]"));
    }
    let mut families: Vec<Family> = Vec::new();
    for family in wire.family.get_ref() {
        for new in expand_family(reader, family.get_ref(), reference)? {
            if families.iter().any(|old| old.id == new.id) {
                let message = format!(
                    "family `{}` is there twice; give all its strategies to one [[family]]",
                    new.id
                );
                return Err(reader.error(family.span(), message));
            }
            families.push(new);
        }
        check_count(reader, families.len(), family.span())?;
    }
    let budget = |key, text: &Option<Spanned<String>>| {
        text.as_ref().map(|text| time(reader, key, text)).transpose()
    };
    let valid: Vec<&str> = builtin::CLAIMS.iter().map(|claims| claims.name).collect();
    let claims = wire.claims.as_ref().map(|name| reader.name(name, "claims", &valid));
    Ok(Experiment {
        name: wire.name.get_ref().clone(),
        question: wire.question.get_ref().clone(),
        reference: reference.to_owned(),
        budget_ns: budget("budget", &wire.budget)?,
        standard_budget_ns: budget("standard_budget", &wire.standard_budget)?,
        claims: claims.transpose()?.map(str::to_owned),
        families,
        demonstrations: super::demonstrations::demonstrations(reader, wire)?,
    })
}

/// The name becomes a part of directory names.
fn check_name(reader: &Reader<'_>, name: &Spanned<String>) -> Read<()> {
    let text = name.get_ref();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(());
    }
    let message = format!("expected a name of lower-case letters, digits and `-`, found `{text}`");
    Err(reader.error(name.span(), message))
}

/// A time above zero.
fn time(reader: &Reader<'_>, key: &str, text: &Spanned<String>) -> Read<u64> {
    let parsed = text.get_ref().parse::<jiff::SignedDuration>().ok();
    let ns = parsed.and_then(|budget| u64::try_from(budget.as_nanos()).ok());
    ns.filter(|&ns| ns > 0).ok_or_else(|| {
        let message =
            format!("`{key}` is `{}`; expected a time above zero such as \"10m\"", text.get_ref());
        reader.error(text.span(), message)
    })
}

fn deadline_ms(reader: &Reader<'_>, wire: &WireFamily) -> Read<u64> {
    let Some(text) = &wire.deadline else {
        return Ok(DEADLINE_MS);
    };
    let ms = time(reader, "deadline", text)? / 1_000_000;
    if !(1..=DEADLINE_MAX_MS).contains(&ms) {
        let (found, minutes) = (text.get_ref(), DEADLINE_MAX_MS / 60_000);
        let message =
            format!("`deadline` is `{found}`; expected a time from 1 ms to {minutes} minutes");
        return Err(reader.error(text.span(), message));
    }
    Ok(ms)
}

fn blocks_max(reader: &Reader<'_>, wire: &WireFamily) -> Read<Option<u32>> {
    let Some(blocks) = &wire.blocks else {
        return Ok(None);
    };
    match u32::try_from(blocks.get_ref().0) {
        Ok(most @ 1..) => Ok(Some(most)),
        _ => {
            let message = "`blocks` is the most that there are; expected 1 or more";
            Err(reader.error(blocks.span(), message))
        }
    }
}

/// One `[[family]]` multiplied out: workloads change slowest, seeds fastest.
fn expand_family(
    reader: &Reader<'_>,
    wire: &WireFamily,
    reference: &'static str,
) -> Read<Vec<Family>> {
    let workloads = workloads(reader, wire)?;
    check_applicable(reader, wire, &workloads)?;
    let arms = super::arms::arms(reader, &wire.strategy, reference)?;
    let presets = Preset::ALL.map(|preset| preset.name);
    let blank = Family {
        id: String::new(),
        spec: Spec {
            workload: String::new(),
            size: Size::M,
            seed: reader.seed,
            payload_bytes: 0,
            options: Options::new(),
        },
        runtime: String::new(),
        load: Load::Closed { callers: 1 },
        ballast_bytes: 0,
        placement: Placement::default(),
        deadline_ms: deadline_ms(reader, wire)?,
        blocks_max: blocks_max(reader, wire)?,
        from_preset: match &wire.preset {
            None => presets[0],
            Some(name) => reader.name(name, "preset", &presets)?,
        },
        arms,
    };
    let first = Draft { family: blank, seed: None };
    let mut drafts = Drafts { reader, span: wire.workload.span.clone(), all: vec![first] };
    drafts.cross_all(&workloads, |draft, workload| {
        draft.family.spec.workload = workload.name().to_owned();
    })?;
    inputs(&mut drafts, wire)?;
    surroundings(&mut drafts, wire)?;
    let given: Vec<&Entry> = options(wire).collect();
    let mut drafts = settle(reader, &given, drafts.all)?;
    for draft in &mut drafts {
        let workload = draft.workload();
        if let Err(reason) = workload.tasks(&draft.family.spec) {
            return Err(reader.error(wire.workload.span.clone(), reason));
        }
        draft.family.id = family_id(&draft.family, workload, reader.cores, draft.seed);
    }
    Ok(drafts.into_iter().map(|draft| draft.family).collect())
}

/// The workloads named; `*` is all of them but those that fail on purpose or wait to be let go.
fn workloads(reader: &Reader<'_>, wire: &WireFamily) -> Read<Vec<&'static dyn Workload>> {
    let valid: Vec<_> = workload::ALL.iter().map(|w| w.name()).collect();
    let measured = workload::ALL.iter().filter(|w| !w.is_fault() && !w.holds());
    let all: Vec<_> = measured.map(|w| w.name()).collect();
    let names = reader.names(&wire.workload, "workload", &valid, &all)?;
    Ok(names.into_iter().filter_map(workload::by_name).collect())
}

/// The workloads' options that the family sets.
fn options(wire: &WireFamily) -> impl Iterator<Item = &Entry> {
    wire.options.iter().flat_map(|options| &options.0)
}

/// A setting that none of the family's workloads takes is a mistake. If one of several takes it,
/// the others are left as they are.
fn check_applicable(
    reader: &Reader<'_>,
    wire: &WireFamily,
    workloads: &[&'static dyn Workload],
) -> Read<()> {
    let names: Vec<_> = workloads.iter().map(|w| format!("`{}`", w.name())).collect();
    let names = names.join(", ");
    if let Some(sizes) = &wire.size
        && !workloads.iter().any(|&w| is_sized(w))
    {
        let message = format!("{names} has no sizes; leave `size` out");
        return Err(reader.error(sizes.span.clone(), message));
    }
    if let Some(payloads) = &wire.payload_bytes
        && !workloads.iter().any(|w| w.takes_payload())
    {
        let message = format!("{names} takes no payload; leave `payload_bytes` out");
        return Err(reader.error(payloads.span.clone(), message));
    }
    let valid: Vec<&str> =
        workloads.iter().flat_map(|w| w.options().iter().map(|def| def.name)).collect();
    options(wire).try_for_each(|(key, _)| reader.option(key, &names, &valid))
}

/// What a request does: size, payload and options, as far as the workload takes them.
fn inputs(drafts: &mut Drafts<'_>, wire: &WireFamily) -> Read<()> {
    let reader = drafts.reader;
    let sizes = reader.words(wire.size.as_ref(), "size", Size::M)?;
    let payloads =
        reader.counts_or_0(wire.payload_bytes.as_ref(), "bytes of payload", PAYLOAD_MAX_BYTES)?;
    drafts.cross(
        |draft| Ok(if is_sized(draft.workload()) { sizes.clone() } else { vec![Size::M] }),
        |draft, &size| draft.family.spec.size = size,
    )?;
    drafts.cross(
        |draft| Ok(if draft.workload().takes_payload() { payloads.clone() } else { vec![0] }),
        |draft, &bytes| draft.family.spec.payload_bytes = bytes,
    )?;
    drafts.cross(
        |draft| {
            let defs = draft.workload().options();
            let own = |(key, _): &&Entry| defs.iter().any(|def| def.name == key.get_ref());
            reader.combinations(defs, options(wire).filter(own))
        },
        |draft, combination| draft.family.spec.options = combination.resolved.clone(),
    )
}

/// Everything around the request: runtime, load, ballast, placement, seed.
fn surroundings(drafts: &mut Drafts<'_>, wire: &WireFamily) -> Read<()> {
    let reader = drafts.reader;
    let valid = runtime::names();
    let runtimes = match &wire.runtime {
        None => vec![valid[0]],
        Some(factor) => reader.names(factor, "runtime", &valid, &valid)?,
    };
    let ballasts =
        reader.counts_or_0(wire.ballast_mib.as_ref(), "MiB of ballast", BALLAST_MAX_MIB)?;
    let placements = reader.words(wire.placement.as_ref(), "placement", Placement::default())?;
    let seeds = wire.seed.as_ref().map(|factor| reader.counts(factor, "as a seed", u64::MAX));
    let seeds: Vec<Option<u64>> = match seeds.transpose()? {
        None => vec![None],
        Some(seeds) => seeds.into_iter().map(Some).collect(),
    };
    drafts.cross_all(&runtimes, |draft, name| {
        draft.family.runtime = (*name).to_owned();
        keep_options_of_runtime(&mut draft.family);
    })?;
    let loads = loads(reader, &wire.load)?;
    check_held(drafts, wire, &loads)?;
    check_strategies(reader, &wire.strategy, &runtimes, &loads)?;
    drafts.cross_all(&loads, |draft, &load| {
        draft.family.load = load;
        if let Load::Memory { children } = load {
            give_workers(&mut draft.family, children);
        }
    })?;
    drafts.cross_all(&ballasts, |draft, mib| draft.family.ballast_bytes = mib << 20)?;
    drafts.cross_all(&placements, |draft, &placement| draft.family.placement = placement)?;
    drafts.cross_all(&seeds, |draft, &seed| {
        draft.seed = seed;
        draft.family.spec.seed = seed.unwrap_or(reader.seed);
    })
}

/// A task that waits to be let go would never answer under a load that only waits for answers.
fn check_held(drafts: &Drafts<'_>, wire: &WireFamily, loads: &[Load]) -> Read<()> {
    let held = drafts.all.iter().map(Draft::workload).find(|workload| workload.holds());
    match held {
        Some(workload) if loads.iter().any(|load| load.children().is_none()) => {
            let message = format!(
                "`{}` stays until it is let go; expected load = {{ memory = {{ children = \
                 [0, 1, 10] }} }}",
                workload.name()
            );
            Err(drafts.reader.error(wire.load.span(), message))
        }
        _ => Ok(()),
    }
}

/// In a memory trial the load counts the children: a pool has as many workers.
fn give_workers(family: &mut Family, children: u32) {
    for arm in &mut family.arms {
        if let Some(workers) = arm.options.get_mut(WORKERS) {
            *workers = children.to_string();
        }
    }
}

/// Leaves out the options that the strategies do not have in this runtime, and arms that are
/// then the same.
fn keep_options_of_runtime(family: &mut Family) {
    let Some(runtime) = runtime::by_name(&family.runtime) else {
        return;
    };
    let mut arms: Vec<Arm> = Vec::new();
    for mut arm in std::mem::take(&mut family.arms) {
        let strategy = &arm.strategy;
        arm.options.retain(|name, _| runtime.takes(strategy, name));
        if !arms.contains(&arm) {
            arms.push(arm);
        }
    }
    family.arms = arms;
}

fn check_count(reader: &Reader<'_>, found: usize, span: Range<usize>) -> Read<()> {
    if found <= FAMILIES_MAX {
        return Ok(());
    }
    let message =
        format!("the lists multiply to {found} families or more; expected at most {FAMILIES_MAX}");
    Err(reader.error(span, message))
}
