//! The measurements of a trial as cells of its row, and whether they may be used. Pure.

use super::Done;
use super::open_row::{add_flag, fill_probes, fill_traffic};
use crate::driver::load::Measured;
use crate::driver::memory;
use crate::driver::samples::Time;
use crate::driver::target::Farewell;
use crate::protocol::{Outcome, Ready};
use crate::record::{RequestRow, Status, TrialRow, Validity};
use crate::stats::quantile::P;

pub fn fail(row: &mut TrialRow, reason: String) {
    row.status = Status::Failed;
    row.validity = Validity::Invalid;
    row.reason = reason;
}

/// Fills in a trial that ended. `children` are those that were held: then there is no time under
/// load.
pub fn fill_in(row: &mut TrialRow, done: Done, children: Option<u32>) -> Vec<RequestRow> {
    let Done { measured, ready, ready_ns, alive_ns, farewell } = done;
    row.ready_ns = Some(ready_ns);
    row.alive_ns = Some(alive_ns);
    row.tasks = Some(ready.tasks);
    row.n_served = Some(measured.served);
    count_outcomes(row, &measured);
    if let Some(farewell) = farewell {
        fill_usage(row, &farewell, &ready);
    }
    if let Some(children) = children {
        judge_held(row, &measured, children);
        return measured.failed;
    }
    row.first_response_ns = measured.first_response_ns;
    row.window_ns = Some(measured.window_ns);
    fill_rate_and_cpu(row, &measured);
    fill_times(row, &measured);
    judge(row, &measured);
    if let Some(traffic) = &measured.traffic {
        fill_traffic(row, traffic, &measured);
    }
    if let Some(probes) = &measured.probes {
        fill_probes(row, probes);
    }
    let mut requests = measured.samples.into_rows();
    requests.extend(measured.failed);
    requests.sort_unstable_by_key(|request| request.id);
    requests
}

fn judge_held(row: &mut TrialRow, measured: &Measured, children: u32) {
    let said = measured.first_failure.clone().unwrap_or_default();
    let failed: u64 = measured.outcomes[1..].iter().sum();
    if failed > 0 {
        let limit = memory::limits::classified(&said);
        let reason = format!("{failed} requests of {children} children failed ({limit}): {said}");
        return fail(row, reason);
    }
    row.status = Status::Ok;
    row.validity = Validity::Valid;
}

fn fill_usage(row: &mut TrialRow, farewell: &Farewell, ready: &Ready) {
    let used = farewell.exit.usage.since(ready.usage);
    row.cpu_user_ns = Some(used.cpu_user_ns);
    row.cpu_system_ns = Some(used.cpu_system_ns);
    row.faults_minor = Some(used.faults_minor);
    row.faults_major = Some(used.faults_major);
    row.ctx_voluntary = Some(used.ctx_voluntary);
    row.ctx_involuntary = Some(used.ctx_involuntary);
    row.children_started = Some(farewell.stats.children_started);
    row.children_peak = Some(farewell.stats.children_peak);
    let Some(event_loop) = farewell.stats.event_loop else {
        return;
    };
    row.event_loop_delay_p50_ns = Some(event_loop.delay_p50_ns);
    row.event_loop_delay_p99_ns = Some(event_loop.delay_p99_ns);
    row.event_loop_delay_max_ns = Some(event_loop.delay_max_ns);
    let total_ns = event_loop.active_ns + event_loop.idle_ns;
    if total_ns > 0 {
        row.event_loop_busy_ratio = Some(event_loop.active_ns as f64 / total_ns as f64);
    }
}

fn count_outcomes(row: &mut TrialRow, measured: &Measured) {
    let n = |outcome: Outcome| measured.outcomes[outcome as usize];
    row.n_ok = n(Outcome::Ok);
    row.n_app_error = n(Outcome::AppError);
    row.n_crash = n(Outcome::Crash);
    row.n_timeout = n(Outcome::Timeout);
    row.n_rejected = n(Outcome::Rejected);
    row.n_wrong_answer = n(Outcome::WrongAnswer);
    row.n_not_ok_outside = Some(measured.not_ok_outside);
}

/// The answers of a trial that broke off. It has no window, and so no rate and no quantile.
pub fn count_answered(row: &mut TrialRow, measured: &Measured) {
    count_outcomes(row, measured);
    row.n_served = Some(measured.served);
    row.first_response_ns = measured.first_response_ns;
    row.n_offered = measured.traffic.as_ref().map(|t| t.offered);
    row.n_unanswered = measured.traffic.as_ref().map(|t| t.unanswered);
}

fn fill_rate_and_cpu(row: &mut TrialRow, measured: &Measured) {
    let ok = measured.traffic.as_ref().map_or(row.n_ok, |t| t.completed_ok);
    if measured.window_ns > 0 {
        row.throughput_per_s = Some(ok as f64 * 1e9 / measured.window_ns as f64);
    }
    let (cpu_ns, source) = measured.cpu.used();
    row.window_cpu_ns = cpu_ns;
    row.cpu_source = source.to_owned();
    if measured.not_ok_outside > 0 {
        let flag = format!("not_ok_outside:{}", measured.not_ok_outside);
        add_flag(row, &flag);
    }
}

fn fill_times(row: &mut TrialRow, measured: &Measured) {
    let samples = &measured.samples;
    let shown = |p: P| p.is_known_of(samples.seen() as usize);
    // What had no answer at the end was slower than all that had: leaving it out would flatter.
    let slower = measured.traffic.as_ref().map_or(0, |t| t.unanswered) as f64;
    let among = 1.0 + slower / (samples.seen() as f64).max(1.0);
    let quantile = |time, p: P| {
        let share = p.as_f64() * among;
        let found = samples.quantile(time, share.min(1.0));
        found.filter(|_| shown(p) && share <= 1.0)
    };
    row.response_p50_ns = quantile(Time::Response, P::P50);
    row.response_p90_ns = quantile(Time::Response, P::P90);
    row.response_p99_ns = quantile(Time::Response, P::P99);
    row.response_max_ns = samples.response_max_ns();
    row.service_p50_ns = quantile(Time::Service, P::P50);
    row.service_p90_ns = quantile(Time::Service, P::P90);
    row.service_p99_ns = quantile(Time::Service, P::P99);
    let between = |from: fn(&RequestRow) -> Option<u64>, to: fn(&RequestRow) -> Option<u64>| {
        samples.median_of(|r| Some(to(r)?.saturating_sub(from(r)?)))
    };
    row.response_mean_ns = samples.response_mean_ns();
    row.idle_outbound_ns = measured.idle.map(|idle| idle.outbound_ns);
    row.idle_inbound_ns = measured.idle.map(|idle| idle.inbound_ns);
    row.transport_p50_ns = samples.median_of(RequestRow::transport_ns);
    row.delivery_p50_ns = samples.median_of(RequestRow::delivery_ns);
    let acknowledged =
        |p: f64| samples.quantile_of(p, |r| Some(r.acknowledged_ns?.saturating_sub(r.intended_ns)));
    row.acknowledged_p50_ns = acknowledged(0.5);
    row.acknowledged_p90_ns = acknowledged(0.9).filter(|_| shown(P::P90));
    row.queue_p50_ns = samples.median_of(RequestRow::queue_ns);
    row.creation_p50_ns = between(|r| r.dispatched_ns, |r| r.child_start_ns);
    row.load_p50_ns = between(|r| r.child_start_ns, |r| r.work_start_ns);
    row.work_p50_ns = between(|r| r.work_start_ns, |r| r.work_end_ns);
    row.return_p50_ns = between(|r| r.work_end_ns, |r| r.replied_ns);
    row.reap_p50_ns = between(|r| r.replied_ns, |r| r.reaped_ns);
}

/// Why there is nothing to measure, if no request was due in an open loop's window.
fn nothing_due(row: &TrialRow, measured: &Measured) -> Option<String> {
    measured.traffic.as_ref().filter(|traffic| traffic.offered == 0)?;
    Some(format!(
        "no arrival fell into the window of {:.1} s at {}/s: a longer window (`--preset standard`) \
         or a higher rate has some",
        measured.window_ns as f64 / 1e9,
        row.rate_per_s.unwrap_or(0.0)
    ))
}

fn judge(row: &mut TrialRow, measured: &Measured) {
    let said = measured.first_failure.clone().unwrap_or_default();
    if measured.wrong > 0 {
        return fail(row, format!("{} wrong answers; the first: {said}", measured.wrong));
    }
    if let Some(reason) = nothing_due(row, measured) {
        fail(row, reason);
        row.status = Status::Skipped;
        return;
    }
    if row.n_ok == 0 {
        let first = match said.as_str() {
            "" => "none was answered at all".to_owned(),
            said => format!("the first failure: {said}"),
        };
        return fail(row, format!("no request was answered ok; {first}"));
    }
    row.status = Status::Ok;
    row.validity = Validity::Valid;
    row.reason = said;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::load::traffic::Window;
    use crate::driver::load::{Exchange, Ledger, Traffic};

    /// The results of an open loop of 0.2 s that was offered only this request.
    fn measured(sent_ns: Option<u64>) -> Measured {
        let exchange = Exchange { payload: Vec::new(), echo: false, checksum: None };
        let mut traffic = Traffic::new(Window { from_ns: 0, until_ns: 200_000_000 });
        if let Some(at_ns) = sent_ns {
            traffic.sent(at_ns, at_ns);
            traffic.unanswered(at_ns, at_ns);
        }
        traffic.close();
        Measured { traffic: Some(traffic), ..Ledger::new(&exchange, 1).close(200_000_000) }
    }

    #[test]
    fn a_window_without_an_arrival_is_no_failed_trial_and_says_why() {
        let mut row = TrialRow { rate_per_s: Some(0.5), ..TrialRow::default() };
        judge(&mut row, &measured(None));
        assert_eq!((row.status.name(), row.validity.name()), ("skipped", "invalid"));
        let said = "no arrival fell into the window of 0.2 s at 0.5/s: a longer window";
        assert!(row.reason.starts_with(said), "{}", row.reason);
        judge(&mut row, &measured(Some(1)));
        assert_eq!(row.status, Status::Failed);
        assert!(row.reason.ends_with("none was answered at all"), "{}", row.reason);
    }
}
