//! Snapshots as rows of `memory.csv`.

use super::Session;
use super::holding::{Holding, Unread};
use super::sweep::Snapshot;
use super::tree::Member;
use crate::driver::setting::Setting;
use crate::experiment::Trial;
use crate::record::{MemoryRow, Phase, ProcessRole, Status};
use crate::strategy::Span;
use crate::workload::options;

/// The files that memory is read from.
const SOURCE: &str = "smaps_rollup;status";

/// The rows of all snapshots, each process before its tree's sum.
pub fn rows(session: &Session<'_>, failure: Option<&str>) -> Vec<MemoryRow> {
    let Some(head) = head(session.setting, session.trial) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (number, snapshot) in (1..).zip(&session.snapshots) {
        let common = MemoryRow {
            snapshot: number,
            phase: snapshot.phase,
            t_ns: Some(snapshot.t_ns),
            ..head.clone()
        };
        let processes = snapshot.processes.iter();
        rows.extend(processes.map(|(member, holding)| process(&common, member, holding)));
        rows.push(tree(common, session, snapshot));
    }
    if let Some(reason) = failure {
        let snapshot = session.snapshots.len() as u32 + 1;
        rows.push(MemoryRow { snapshot, ..without_snapshot(head, Status::Failed, reason) });
    }
    rows
}

/// The row of a trial that was not run; `None` of another regime's.
pub fn skipped(setting: &Setting<'_>, trial: &Trial, reason: &str) -> Option<MemoryRow> {
    Some(without_snapshot(head(setting, trial)?, Status::Skipped, reason))
}

/// The row of a trial that ended before or instead of a snapshot.
fn without_snapshot(head: MemoryRow, status: Status, reason: &str) -> MemoryRow {
    MemoryRow { phase: Phase::Peak, status, reason: reason.to_owned(), ..head }
}

/// The columns that all rows of a trial share; `None` of another regime's trial.
fn head(setting: &Setting<'_>, trial: &Trial) -> Option<MemoryRow> {
    let (family, arm) = setting.of(trial);
    let spec = &family.spec;
    Some(MemoryRow {
        run_id: setting.run_id.to_owned(),
        trial_id: trial.id.clone(),
        k: family.load.children()?,
        runtime: family.runtime.clone(),
        strategy: arm.strategy.clone(),
        role: ProcessRole::Tree,
        attempt: 1,
        family_id: family.id.clone(),
        block: trial.block,
        trial_role: arm.role,
        workload: spec.workload.clone(),
        workload_options: options::render(&spec.options),
        size: spec.size.name().to_owned(),
        options: options::render(&arm.options),
        placement: family.placement,
        payload_bytes: spec.payload_bytes,
        ballast_bytes: family.ballast_bytes,
        label: family.label(arm),
        ..MemoryRow::default()
    })
}

fn process(common: &MemoryRow, member: &Member, holding: &Result<Holding, Unread>) -> MemoryRow {
    let row = MemoryRow {
        role: member.role,
        pid: member.listed.pid,
        ppid: Some(member.listed.ppid),
        ..common.clone()
    };
    match holding {
        Err(unread) => MemoryRow { status: Status::Failed, reason: unread.to_string(), ..row },
        Ok(holding) => MemoryRow {
            vmhwm_bytes: holding.vmhwm_bytes,
            source: SOURCE.to_owned(),
            status: Status::Ok,
            ..with_sizes(row, |size| size(holding))
        },
    }
}

/// A row with the sizes that a process and a tree have.
fn with_sizes(
    row: MemoryRow,
    sum: impl Fn(fn(&Holding) -> Option<u64>) -> Option<u64>,
) -> MemoryRow {
    MemoryRow {
        rss_bytes: sum(|holding| Some(holding.rss_bytes)),
        pss_bytes: sum(|holding| Some(holding.pss_bytes)),
        pss_anon_bytes: sum(|holding| holding.pss_anon_bytes),
        pss_file_bytes: sum(|holding| holding.pss_file_bytes),
        pss_shmem_bytes: sum(|holding| holding.pss_shmem_bytes),
        uss_bytes: sum(|holding| Some(holding.uss_bytes)),
        hugetlb_bytes: sum(|holding| holding.hugetlb_bytes),
        swap_pss_bytes: sum(|holding| holding.swap_pss_bytes),
        page_tables_bytes: sum(|holding| holding.page_tables_bytes),
        threads: sum(|holding| Some(holding.threads)),
        ..row
    }
}

/// Why the tree lacks some of the children that were asked for.
fn lacking(session: &Session<'_>, snapshot: &Snapshot) -> Option<String> {
    let all_are_there = match snapshot.phase {
        Phase::Idle => session.kind.span() == Some(Span::Pool),
        Phase::Held | Phase::First | Phase::Hundred => true,
        Phase::Peak => false,
    };
    let (found, asked) = (snapshot.count(session.creation.counted()?), session.children);
    (all_are_there && found != asked as usize)
        .then(|| format!("{found} of {asked} children are in the tree"))
}

fn tree(common: MemoryRow, session: &Session<'_>, snapshot: &Snapshot) -> MemoryRow {
    let unread = snapshot.unread();
    let charge = snapshot.charge.unwrap_or_default();
    let (source, cgroup_reason) = match &session.group {
        Ok(group) => (format!("{SOURCE};{}", group.source()), String::new()),
        Err(reason) => (SOURCE.to_owned(), reason.clone()),
    };
    let reason = match (unread, session.short) {
        (0, None) => lacking(session, snapshot).unwrap_or_default(),
        (0, Some(here)) => format!("{here} of {} children were there", session.children),
        (n, _) => format!("{n} processes could not be read; the sums lack them"),
    };
    let row = with_sizes(common, |size| snapshot.sum(size));
    // Without the kernel's mark, the highest of all snapshots stands for it.
    let sampled = snapshot.phase == Phase::Peak && charge.peak_bytes.is_none();
    let seen = session.snapshots.iter().map(Snapshot::pss_bytes);
    let pss_bytes = match sampled {
        true => seen.chain([session.sampled_pss_bytes]).max().flatten(),
        false => row.pss_bytes,
    };
    MemoryRow {
        role: ProcessRole::Tree,
        pid: snapshot.processes.first().map_or(0, |(member, _)| member.listed.pid),
        pss_bytes,
        source,
        status: if reason.is_empty() { Status::Ok } else { Status::Partial },
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
        ..row
    }
}
