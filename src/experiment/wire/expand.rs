//! From the twins to the domain: what applies to what is checked, factors are multiplied out.

use std::ops::Range;

use toml::Spanned;

use super::family_id::{family_id, is_sized};
use super::load::loads;
use super::read::Reader;
use super::unused::{check_strategies, settle};
use super::{WireError, WireExperiment, WireFamily};
use crate::experiment::{
    Arm, DEADLINE_MS, Experiment, FAMILIES_MAX, Family, Load, Placement, Preset, builtin, runtime,
};
use crate::strategy;
use crate::workload::options::Options;
use crate::workload::{self, Size, Spec, Workload};

/// What a workload can be asked to echo; contracts fix it well under the limit of a frame.
const PAYLOAD_MAX_BYTES: u64 = 16 << 20;
/// A tebibyte: far beyond any machine this runs on, far below an overflow.
const BALLAST_MAX_MIB: u64 = 1 << 20;

/// As long as a memory trial's.
const DEADLINE_MAX_MS: u64 = 600_000;

/// The option of every pool.
pub(super) const WORKERS: &str = "workers";

/// A family while its factors are still being multiplied out.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) workload: &'static dyn Workload,
    pub(super) family: Family,
    /// The family's own seed, if it fixes one.
    pub(super) seed: Option<u64>,
}

/// The whole file.
pub(super) fn experiment(
    reader: &Reader<'_>,
    wire: &WireExperiment,
) -> Result<Experiment, WireError> {
    check_name(reader, &wire.name)?;
    let reference = match &wire.reference {
        None => "blocking",
        Some(name) => reader.name(name, "strategy", &strategy_names())?,
    };
    if wire.family.get_ref().0.is_empty() {
        return Err(reader.error(wire.family.span(), "expected at least one [[family]]"));
    }
    let mut families: Vec<Family> = Vec::new();
    for family in &wire.family.get_ref().0 {
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
    Ok(Experiment {
        name: wire.name.get_ref().clone(),
        question: wire.question.get_ref().clone(),
        reference: reference.to_owned(),
        budget_ns: wire.budget.as_ref().map(|b| time(reader, "budget", b)).transpose()?,
        standard_budget_ns: wire
            .standard_budget
            .as_ref()
            .map(|b| time(reader, "standard_budget", b))
            .transpose()?,
        claims: wire.claims.as_ref().map(|name| claims(reader, name)).transpose()?,
        families,
        demonstrations: super::demonstrations::demonstrations(reader, wire)?,
    })
}

/// Every strategy's name, in the order of the registry.
pub(super) fn strategy_names() -> Vec<&'static str> {
    strategy::ALL.iter().map(|kind| kind.name).collect()
}

/// The name becomes a part of directory names.
fn check_name(reader: &Reader<'_>, name: &Spanned<String>) -> Result<(), WireError> {
    let text = name.get_ref();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(());
    }
    let message = format!("expected a name of lower-case letters, digits and `-`, found `{text}`");
    Err(reader.error(name.span(), message))
}

/// A time above zero.
fn time(reader: &Reader<'_>, key: &str, text: &Spanned<String>) -> Result<u64, WireError> {
    let parsed = text.get_ref().parse::<jiff::SignedDuration>().ok();
    let ns = parsed.and_then(|budget| u64::try_from(budget.as_nanos()).ok());
    ns.filter(|&ns| ns > 0).ok_or_else(|| {
        let message =
            format!("`{key}` is `{}`; expected a time above zero such as \"10m\"", text.get_ref());
        reader.error(text.span(), message)
    })
}

/// How long a request may take, how many blocks there are at most, and from which preset on.
fn extent(
    reader: &Reader<'_>,
    wire: &WireFamily,
) -> Result<(u64, Option<u32>, &'static str), WireError> {
    let deadline_ms = match &wire.deadline {
        None => DEADLINE_MS,
        Some(text) => {
            let ms = time(reader, "deadline", text)? / 1_000_000;
            // Beyond that nobody waits for an answer.
            if !(1..=DEADLINE_MAX_MS).contains(&ms) {
                let message = format!(
                    "`deadline` is `{}`; expected a time from 1 ms to {} minutes",
                    text.get_ref(),
                    DEADLINE_MAX_MS / 60_000
                );
                return Err(reader.error(text.span(), message));
            }
            ms
        }
    };
    let blocks_max = wire.blocks.as_ref().map(|blocks| {
        let most = u32::try_from(blocks.get_ref().0).ok().filter(|most| *most > 0);
        most.ok_or_else(|| {
            reader.error(blocks.span(), "`blocks` is the most that there are; expected 1 or more")
        })
    });
    let from_preset = match &wire.preset {
        None => Preset::ALL[0].name,
        Some(name) => reader.name(name, "preset", &Preset::ALL.map(|preset| preset.name))?,
    };
    Ok((deadline_ms, blocks_max.transpose()?, from_preset))
}

/// Claims that come with the program.
fn claims(reader: &Reader<'_>, name: &Spanned<String>) -> Result<String, WireError> {
    let valid: Vec<&str> = builtin::CLAIMS.iter().map(|claims| claims.name).collect();
    reader.name(name, "claims", &valid).map(str::to_owned)
}

/// One `[[family]]` multiplied out: workloads change slowest, seeds fastest.
fn expand_family(
    reader: &Reader<'_>,
    wire: &WireFamily,
    reference: &'static str,
) -> Result<Vec<Family>, WireError> {
    let workloads = workloads(reader, wire)?;
    check_applicable(reader, wire, &workloads)?;
    let arms = super::arms::arms(reader, &wire.strategy, reference)?;
    let (deadline_ms, blocks_max, from_preset) = extent(reader, wire)?;
    let blank = |workload: &'static dyn Workload| Draft {
        workload,
        family: Family {
            id: String::new(),
            spec: Spec {
                workload: workload.name().to_owned(),
                size: Size::M,
                seed: reader.seed,
                payload_bytes: 0,
                options: Options::new(),
            },
            runtime: String::new(),
            load: Load::Closed { callers: 1 },
            ballast_bytes: 0,
            placement: Placement::default(),
            deadline_ms,
            blocks_max,
            from_preset,
            arms: arms.clone(),
        },
        seed: None,
    };
    let drafts = workloads.into_iter().map(blank).collect();
    let drafts = inputs(reader, wire, drafts)?;
    let drafts = surroundings(reader, wire, drafts)?;
    let given = wire.options.as_ref().map_or(&[][..], |options| &options.0);
    let mut drafts = settle(reader, given, drafts)?;
    for draft in &mut drafts {
        let spec = &draft.family.spec;
        if let Err(reason) = draft.workload.tasks(spec) {
            return Err(reader.error(wire.workload.span.clone(), reason));
        }
        draft.family.id = family_id(&draft.family, draft.workload, reader.cores, draft.seed);
    }
    Ok(drafts.into_iter().map(|draft| draft.family).collect())
}

/// The workloads named; `*` is all of them but those that fail on purpose or wait to be let go.
fn workloads(
    reader: &Reader<'_>,
    wire: &WireFamily,
) -> Result<Vec<&'static dyn Workload>, WireError> {
    let valid: Vec<_> = workload::ALL.iter().map(|w| w.name()).collect();
    let measured = workload::ALL.iter().filter(|w| !w.is_fault() && !w.holds());
    let all: Vec<_> = measured.map(|w| w.name()).collect();
    let names = reader.names(&wire.workload, "workload", &valid, &all)?;
    Ok(names.into_iter().filter_map(workload::by_name).collect())
}

/// A setting that none of the family's workloads takes is a mistake; beside workloads that take
/// it, those that do not are left as they are.
fn check_applicable(
    reader: &Reader<'_>,
    wire: &WireFamily,
    workloads: &[&'static dyn Workload],
) -> Result<(), WireError> {
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
    for (key, _) in wire.options.iter().flat_map(|options| &options.0) {
        reader.option(key, &names, &valid)?;
    }
    Ok(())
}

/// What a request does: size, payload and options, as far as the workload takes them.
fn inputs(
    reader: &Reader<'_>,
    wire: &WireFamily,
    drafts: Vec<Draft>,
) -> Result<Vec<Draft>, WireError> {
    let sizes = match &wire.size {
        None => vec!["m"],
        Some(factor) => {
            let valid = Size::ALL.map(Size::name);
            reader.names(factor, "size", &valid, &valid)?
        }
    };
    let sizes: Vec<Size> = sizes.into_iter().filter_map(Size::by_name).collect();
    let payloads = match &wire.payload_bytes {
        None => vec![0],
        Some(factor) => reader.counts(factor, "bytes of payload", PAYLOAD_MAX_BYTES)?,
    };
    let mut out = Vec::new();
    for draft in drafts {
        let workload = draft.workload;
        let mut new = vec![draft];
        if is_sized(workload) {
            new = cross(reader, wire, new, &sizes, |draft, &size| draft.family.spec.size = size)?;
        }
        if workload.takes_payload() {
            new = cross(reader, wire, new, &payloads, |draft, &n| {
                draft.family.spec.payload_bytes = n;
            })?;
        }
        let given = wire.options.iter().flat_map(|options| &options.0);
        let given = given.filter(|(key, _)| {
            let mut defs = workload.options().iter();
            defs.any(|def| def.name == key.get_ref())
        });
        let combinations = reader.combinations(workload.options(), given)?;
        out.extend(cross(reader, wire, new, &combinations, |draft, combination| {
            draft.family.spec.options = combination.resolved.clone();
        })?);
    }
    Ok(out)
}

/// All that is around the request: runtime, load, ballast, placement, seed.
fn surroundings(
    reader: &Reader<'_>,
    wire: &WireFamily,
    drafts: Vec<Draft>,
) -> Result<Vec<Draft>, WireError> {
    let runtimes = match &wire.runtime {
        None => vec![runtime::ALL[0].name],
        Some(factor) => {
            let valid: Vec<_> = runtime::ALL.iter().map(|r| r.name).collect();
            reader.names(factor, "runtime", &valid, &valid)?
        }
    };
    let ballasts = match &wire.ballast_mib {
        None => vec![0],
        Some(factor) => reader.counts(factor, "MiB of ballast", BALLAST_MAX_MIB)?,
    };
    let placements = match &wire.placement {
        None => vec![Placement::default().name()],
        Some(factor) => {
            let valid = Placement::ALL.map(Placement::name);
            reader.names(factor, "placement", &valid, &valid)?
        }
    };
    let placements = placements.into_iter().filter_map(Placement::by_name);
    let placements: Vec<Placement> = placements.collect();
    let seeds = match &wire.seed {
        None => vec![None],
        Some(factor) => {
            let seeds = reader.counts(factor, "as a seed", u64::MAX)?;
            seeds.into_iter().map(Some).collect()
        }
    };
    let drafts = cross(reader, wire, drafts, &runtimes, |draft, name| {
        draft.family.runtime = (*name).to_owned();
        keep_options_of_runtime(&mut draft.family);
    })?;
    let loads = loads(reader, &wire.load)?;
    check_held(reader, wire, &drafts, &loads)?;
    check_strategies(reader, &wire.strategy, &runtimes, &loads)?;
    let drafts = cross(reader, wire, drafts, &loads, |draft, &load| {
        draft.family.load = load;
        if let Load::Memory { children } = load {
            give_workers(&mut draft.family, children);
        }
    })?;
    let drafts = cross(reader, wire, drafts, &ballasts, |draft, mib| {
        draft.family.ballast_bytes = mib << 20;
    })?;
    let drafts = cross(reader, wire, drafts, &placements, |draft, &placement| {
        draft.family.placement = placement;
    })?;
    cross(reader, wire, drafts, &seeds, |draft, &seed| {
        draft.seed = seed;
        draft.family.spec.seed = seed.unwrap_or(reader.seed);
    })
}

/// A task that waits to be let go would never answer under a load that only waits for answers.
fn check_held(
    reader: &Reader<'_>,
    wire: &WireFamily,
    drafts: &[Draft],
    loads: &[Load],
) -> Result<(), WireError> {
    let held = drafts.iter().find(|draft| draft.workload.holds());
    match held {
        Some(draft) if loads.iter().any(|load| load.children().is_none()) => {
            let message = format!(
                "`{}` stays until it is let go; expected load = {{ memory = {{ children = \
                 [0, 1, 10] }} }}",
                draft.workload.name()
            );
            Err(reader.error(wire.load.span(), message))
        }
        _ => Ok(()),
    }
}

/// In a memory trial the children are counted by the load: a pool has as many workers.
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

fn check_count(reader: &Reader<'_>, found: usize, span: Range<usize>) -> Result<(), WireError> {
    if found <= FAMILIES_MAX {
        return Ok(());
    }
    let message =
        format!("the lists multiply to {found} families or more; expected at most {FAMILIES_MAX}");
    Err(reader.error(span, message))
}

/// Every draft with every value, the values changing fastest.
fn cross<V>(
    reader: &Reader<'_>,
    wire: &WireFamily,
    drafts: Vec<Draft>,
    values: &[V],
    set: impl Fn(&mut Draft, &V),
) -> Result<Vec<Draft>, WireError> {
    let count = drafts.len().saturating_mul(values.len());
    check_count(reader, count, wire.workload.span.clone())?;
    let crossed = drafts
        .iter()
        .flat_map(|draft| {
            values.iter().map(|value| {
                let mut draft = draft.clone();
                set(&mut draft, value);
                draft
            })
        })
        .collect();
    Ok(crossed)
}
