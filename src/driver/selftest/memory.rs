//! Known amounts of memory, read as memory trials read them.

use anyhow::{Context, Result, bail};

use super::Findings;
use super::bench::{Bench, SEED};
use crate::experiment::{Role, plan, wire};
use crate::record::{MemoryRow, Phase, ProcessRole, Status};

const MIB: u64 = 1 << 20;

const COPIES: u64 = 4;
const SHARED_MIB: u64 = 256;
const WRITTEN_MIB: u64 = 64;

/// Readings, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    /// The USS of a child that touches nothing.
    bare_uss_bytes: u64,
    /// By MiB touched, the USS of the child.
    touched: Vec<(u64, u64)>,
    /// The PSS of a tree of copies that have written nothing.
    shared_pss_bytes: u64,
    /// The sum of its RSS.
    shared_rss_bytes: u64,
    /// The PSS of a tree of copies that have each written.
    written_pss_bytes: u64,
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let touched_mib = bench.extent.touched_mib;
    let rows = held(bench, touched_mib)?;
    let uss = |mib: u64| -> Result<u64> {
        let row = one(&rows, ProcessRole::Child, "spawn", &format!("touch_mib={mib};"))?;
        row.uss_bytes.context("a child has no USS")
    };
    let tree = |mib: u64| one(&rows, ProcessRole::Tree, "fork", &format!("write_mib={mib}"));
    let pss = |row: &MemoryRow| row.pss_bytes.context("a tree has no PSS");
    let touched = touched_mib.iter().map(|&mib| Ok((mib, uss(mib)?)));
    let (shared, written) = (tree(0)?, tree(WRITTEN_MIB)?);
    Ok(judge(&Read {
        bare_uss_bytes: uss(0)?,
        touched: touched.collect::<Result<_>>()?,
        shared_pss_bytes: pss(shared)?,
        shared_rss_bytes: shared.rss_bytes.context("a tree has no RSS")?,
        written_pss_bytes: pss(written)?,
    }))
}

/// The rows of memory trials in which all children were held.
fn held(bench: &mut Bench<'_>, touched_mib: &[u64]) -> Result<Vec<MemoryRow>> {
    let touched: String = touched_mib.iter().map(|mib| format!(", {mib}")).collect();
    let experiment = format!(
        "name = \"selftest\"\nquestion = \"\"\n\
         [[family]]\nworkload = \"hold\"\noptions = {{ touch_mib = [0{touched}] }}\n\
         strategy = \"spawn\"\nload = {{ memory = {{ children = 1 }} }}\n\
         [[family]]\nworkload = \"hold\"\noptions = {{ write_mib = [0, {WRITTEN_MIB}] }}\n\
         strategy = \"fork\"\nballast_mib = {SHARED_MIB}\n\
         load = {{ memory = {{ children = {COPIES} }} }}\n"
    );
    let experiment = wire::parse(&experiment, "selftest", 1, SEED)?;
    let mut rows = Vec::new();
    for trial in plan::plan(&experiment, 1, SEED) {
        if experiment.families[trial.family].arms[trial.arm].role != Role::Arm {
            continue;
        }
        let ran = bench.trial(&experiment, &trial)?;
        if ran.row.status != Status::Ok {
            bail!("a memory trial of `{}`: {}", ran.row.strategy, ran.row.reason);
        }
        rows.extend(ran.memory.into_iter().filter(|row| row.phase == Phase::Held));
    }
    Ok(rows)
}

fn one<'a>(
    rows: &'a [MemoryRow],
    role: ProcessRole,
    strategy: &str,
    option: &str,
) -> Result<&'a MemoryRow> {
    let is_it = |row: &&MemoryRow| {
        row.role == role && row.strategy == strategy && row.workload_options.contains(option)
    };
    let row = rows.iter().find(is_it);
    let row = row.with_context(|| format!("no {role} of `{strategy}` with {option}"))?;
    if row.status != Status::Ok {
        bail!("the {role} of `{strategy}` with {option}: {}", row.reason);
    }
    Ok(row)
}

fn judge(read: &Read) -> Findings {
    let mut findings = Findings::default();
    for &(mib, uss_bytes) in &read.touched {
        let own_bytes = uss_bytes.saturating_sub(read.bare_uss_bytes);
        let (due, tolerance) = (mib * MIB, (mib * MIB / 100).max(256 << 10));
        let what = format!("USS of a child that touches {mib} MiB, less that of a bare one");
        let holds = own_bytes.abs_diff(due) <= tolerance;
        findings.line(what, in_mib(own_bytes), "± 1 % or 256 KiB", holds);
        findings.figure(format!("uss_of_{mib}_mib_bytes"), own_bytes as f64);
    }
    let mut of_copies = |when: &str, pss_bytes: u64, due_mib: u64, naive: &str| {
        let what = format!("PSS of all copies and their origin {when}");
        let found = format!("{}{naive}", in_mib(pss_bytes));
        let holds = pss_bytes.abs_diff(due_mib * MIB) <= due_mib * MIB / 50;
        findings.line(what, found, format!("{due_mib} MiB ± 2 %"), holds);
    };
    let naive = format!(" (sum of RSS: {})", in_mib(read.shared_rss_bytes));
    of_copies("before", read.shared_pss_bytes, SHARED_MIB, &naive);
    let written_mib = SHARED_MIB + COPIES * WRITTEN_MIB;
    of_copies("after writing", read.written_pss_bytes, written_mib, "");
    findings.figure("shared_pss_bytes", read.shared_pss_bytes as f64);
    findings.figure("written_pss_bytes", read.written_pss_bytes as f64);
    findings.figure("shared_rss_bytes", read.shared_rss_bytes as f64);
    findings
}

/// `64.02 MiB`.
fn in_mib(bytes: u64) -> String {
    format!("{:.2} MiB", bytes as f64 / MIB as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    fn right() -> Read {
        Read {
            bare_uss_bytes: 90_000,
            touched: vec![(8, 8 * MIB + 90_000), (64, 64 * MIB + 90_000)],
            shared_pss_bytes: 257 * MIB,
            shared_rss_bytes: 1284 * MIB,
            written_pss_bytes: 513 * MIB,
        }
    }

    fn failed(read: &Read) -> Vec<usize> {
        let lines = judge(read).lines.into_iter().enumerate();
        let failed = lines.filter(|(_, line)| line.state == State::Fail);
        failed.map(|(number, _)| number).collect()
    }

    #[test]
    fn each_amount_that_is_off_fails_its_own_bar() {
        assert_eq!(failed(&right()), [0; 0]);
        let mut off = right();
        off.touched[0].1 += (256 << 10) + 1;
        assert_eq!(failed(&off), [0]);
        let mut off = right();
        off.touched[1].1 -= 64 * MIB / 100 + 1;
        assert_eq!(failed(&off), [1]);
        // Counted as RSS counts.
        let naive = Read { shared_pss_bytes: 1284 * MIB, ..right() };
        assert_eq!(failed(&naive), [2]);
        let unwritten = Read { written_pss_bytes: 257 * MIB, ..right() };
        assert_eq!(failed(&unwritten), [3]);
    }

    #[test]
    fn the_naive_sum_is_shown_beside_the_right_one() {
        let line = &judge(&right()).lines[2];
        assert_eq!(line.found, "257.00 MiB (sum of RSS: 1284.00 MiB)");
    }
}
