//! What was seen, as rows of `memory.csv`.

use super::Session;
use super::process::{Holding, Unread};
use super::sweep::{Phase, Snapshot};
use super::tree::Member;
use crate::driver::trial::Setting;
use crate::experiment::Trial;
use crate::record::MemoryRow;
use crate::strategy::Span;
use crate::workload::options;

/// The role of the row that sums a tree up.
const TREE: &str = "tree";

/// A look without a phase of its own: the trial ended before or instead of it.
const NO_PHASE: &str = "peak";

/// The rows of all looks, each process before its tree's sum.
pub(super) fn rows(session: &Session<'_>, failure: Option<&str>) -> Vec<MemoryRow> {
    let Some(head) = head(session.setting, session.trial) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (number, snapshot) in (1..).zip(&session.snapshots) {
        let common = MemoryRow {
            snapshot: number,
            phase: snapshot.phase.name().to_owned(),
            t_ns: Some(snapshot.t_ns),
            ..head.clone()
        };
        let processes = snapshot.processes.iter();
        rows.extend(processes.map(|(member, holding)| process(&common, member, holding)));
        rows.push(tree(&common, session, snapshot));
    }
    if let Some(reason) = failure {
        rows.push(MemoryRow {
            snapshot: session.snapshots.len() as u32 + 1,
            phase: NO_PHASE.to_owned(),
            status: "failed".to_owned(),
            reason: reason.to_owned(),
            ..head
        });
    }
    rows
}

/// The row of a trial that was not run.
pub(super) fn skipped(setting: &Setting<'_>, trial: &Trial, reason: &str) -> Option<MemoryRow> {
    Some(MemoryRow {
        phase: NO_PHASE.to_owned(),
        status: "skipped".to_owned(),
        reason: reason.to_owned(),
        ..head(setting, trial)?
    })
}

/// What all rows of a trial have in common; `None` of a trial that is not about memory.
fn head(setting: &Setting<'_>, trial: &Trial) -> Option<MemoryRow> {
    let family = &setting.experiment.families[trial.family];
    let arm = &family.arms[trial.arm];
    let spec = &family.spec;
    Some(MemoryRow {
        run_id: setting.run_id.to_owned(),
        trial_id: trial.id.clone(),
        k: family.load.children()?,
        runtime: family.runtime.clone(),
        strategy: arm.strategy.clone(),
        role: TREE.to_owned(),
        attempt: 1,
        family_id: family.id.clone(),
        block: trial.block,
        trial_role: arm.role.name().to_owned(),
        workload: spec.workload.clone(),
        workload_options: options::render(&spec.options),
        size: spec.size.name().to_owned(),
        options: options::render(&arm.options),
        placement: family.placement.name().to_owned(),
        payload_bytes: spec.payload_bytes,
        ballast_bytes: family.ballast_bytes,
        label: family.label(arm),
        ..MemoryRow::default()
    })
}

fn process(common: &MemoryRow, member: &Member, holding: &Result<Holding, Unread>) -> MemoryRow {
    let row = MemoryRow {
        role: member.role.name().to_owned(),
        pid: member.listed.pid,
        ppid: Some(member.listed.ppid),
        ..common.clone()
    };
    let Holding { rollup, status } = match holding {
        Ok(holding) => holding,
        Err(unread) => {
            return MemoryRow { status: "failed".to_owned(), reason: unread.to_string(), ..row };
        }
    };
    MemoryRow {
        rss_bytes: Some(rollup.rss_bytes),
        pss_bytes: Some(rollup.pss_bytes),
        pss_anon_bytes: rollup.pss_anon_bytes,
        pss_file_bytes: rollup.pss_file_bytes,
        pss_shmem_bytes: rollup.pss_shmem_bytes,
        uss_bytes: Some(rollup.uss_bytes),
        hugetlb_bytes: rollup.hugetlb_bytes,
        swap_pss_bytes: rollup.swap_pss_bytes,
        vmhwm_bytes: status.vmhwm_bytes,
        page_tables_bytes: status.page_tables_bytes,
        threads: Some(status.threads),
        source: "smaps_rollup;status".to_owned(),
        status: "ok".to_owned(),
        ..row
    }
}

/// Why the tree is not what was asked for, if so many of its processes are the children.
fn lacking(session: &Session<'_>, phase: Phase, found: Option<usize>) -> Option<String> {
    let all_are_there = match phase {
        Phase::Idle => session.kind.span() == Some(Span::Pool),
        Phase::Held | Phase::First | Phase::Hundred => true,
        Phase::Peak => false,
    };
    let (found, asked) = (found?, session.children);
    (all_are_there && found != asked as usize)
        .then(|| format!("{found} of {asked} children are in the tree"))
}

fn tree(common: &MemoryRow, session: &Session<'_>, snapshot: &Snapshot) -> MemoryRow {
    let sum = |of: fn(&Holding) -> Option<u64>| snapshot.sum(of);
    let unread = snapshot.unread();
    let root = snapshot.processes.first();
    let charge = snapshot.charge.unwrap_or_default();
    let mut source = "smaps_rollup;status".to_owned();
    let cgroup_reason = match &session.group {
        Ok(group) => {
            source = format!("{source};{}", group.source());
            String::new()
        }
        Err(reason) => reason.clone(),
    };
    let found = session.creation.counted().map(|role| snapshot.count(role));
    let reason = match (unread, session.short) {
        (0, None) => lacking(session, snapshot.phase, found).unwrap_or_default(),
        (0, Some(here)) => format!("{here} of {} children were there", session.children),
        (n, _) => format!("{n} processes could not be read; the sums lack them"),
    };
    let is_peak = snapshot.phase == Phase::Peak;
    // Without the kernel's mark, the highest of all looks stands for it.
    let sampled = is_peak && charge.peak_bytes.is_none();
    let now_bytes = sum(|h| Some(h.rollup.pss_bytes));
    let highest = session.snapshots.iter().map(|s| s.sum(|h| Some(h.rollup.pss_bytes)));
    let pss_bytes = match sampled {
        true => highest.chain([session.sampled_pss_bytes]).max().flatten(),
        false => now_bytes,
    };
    MemoryRow {
        role: TREE.to_owned(),
        pid: root.map_or(0, |(member, _)| member.listed.pid),
        rss_bytes: sum(|h| Some(h.rollup.rss_bytes)),
        pss_bytes,
        pss_anon_bytes: sum(|h| h.rollup.pss_anon_bytes),
        pss_file_bytes: sum(|h| h.rollup.pss_file_bytes),
        pss_shmem_bytes: sum(|h| h.rollup.pss_shmem_bytes),
        uss_bytes: sum(|h| Some(h.rollup.uss_bytes)),
        hugetlb_bytes: sum(|h| h.rollup.hugetlb_bytes),
        swap_pss_bytes: sum(|h| h.rollup.swap_pss_bytes),
        page_tables_bytes: sum(|h| h.status.page_tables_bytes),
        threads: sum(|h| Some(h.status.threads)),
        source,
        status: if reason.is_empty() { "ok" } else { "partial" }.to_owned(),
        reason,
        processes: Some(snapshot.processes.len() as u64),
        processes_unread: Some(unread as u64),
        ready_all_ns: session.ready_all_ns,
        sweep_ns: Some(snapshot.sweep_ns),
        cgroup_usage_bytes: charge.usage_bytes,
        cgroup_peak_bytes: charge.peak_bytes,
        cgroup_kernel_bytes: charge.kernel_bytes,
        cgroup_anon_bytes: charge.anon_bytes,
        cgroup_reason,
        mem_total_bytes: snapshot.machine.total_bytes,
        mem_available_bytes: snapshot.machine.available_bytes,
        mem_available_start_bytes: session.start.available_bytes,
        flags: if sampled { "peak_sampled" } else { "" }.to_owned(),
        ..common.clone()
    }
}
