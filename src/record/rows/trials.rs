//! `trials.csv`: the attempts at trials.

use super::SIZES;
use crate::experiment::{Arrivals, Placement, Probe, Role};
use crate::record::columns::{Utc, table};
use crate::record::words::{NoiseLabel, Regime, Status, Validity, YesNo};

table! {
    TRIALS "trials.csv", key ["trial_id", "attempt"],
    /// One attempt at one trial, in the order in which attempts ended, with all its factors, so
    /// that the file can be used alone.
    pub struct TrialRow {
        /// The run, as in `manifest.json`.
        run_id: String,
        /// The trial, as in `plan.csv`.
        trial_id: String,
        /// Which attempt at the trial, from 1. All attempts stay in the file.
        attempt: u32,
        /// The family: workload, size, runtime and load. Arms of one family are compared.
        family_id: String,
        /// Which pass over all arms of the family, from 1. The block, not the request, is the unit
        /// of replication.
        block: u32,
        /// Place in the random order of the family's block, from 1.
        position: u32,
        /// `reference`: what the family's other arms are compared with. `placebo`: the same arm a
        /// second time, an A/A test. `arm`: any other.
        role: Role,
        /// What the subject is written in, as on the command line: `rust`.
        runtime: String,
        /// What a request does, as on the command line: `noop`, `random-sum`, `primes`.
        workload: String,
        /// Which of the workload's three inputs.
        size: String = SIZES,
        /// How requests are executed, as on the command line: `thread-pool`.
        strategy: String,
        /// The strategy's options, resolved, as `name=value` joined by `;` in the order of their
        /// names: `queue=64;workers=2`.
        options: String as Option<String>,
        /// How load is offered. `closed`: each caller sends its next request when its last was
        /// answered. `open`: requests come on a schedule, whether or not earlier ones were
        /// answered. `search`: an open loop at a rate that was chosen during the run, to find an
        /// arm's limit; such trials are not planned, and are compared in `load_points.csv` only.
        /// `memory`: no load; children are held and read, see `memory.csv`.
        regime: Regime,
        /// Callers of a closed loop.
        callers: Option<u32>,
        /// Requests offered per second in an open loop, also where the experiment gives a share of
        /// the blocking capacity; empty in a closed loop.
        rate_per_s: Option<f64>,
        /// Long-lived workers; empty for strategies that have none.
        workers: Option<u32>,
        /// Where processes may run. `unpinned`: on any core. `same-core`: subject and children on
        /// one core. `other-core`: children on another core than the subject.
        placement: Placement,
        /// Length of the payload that each request carries and each answer echoes.
        payload_bytes: u64,
        /// Memory touched, before the first request, in the process that creates children.
        ballast_bytes: u64,
        /// Seed of the block: all arms of a block get the same.
        seed: u64,
        /// When the attempt began, by the wall clock.
        started_utc: String as Utc,
        /// `ok`: ran to the end of its window. `failed`: something went wrong that is not a
        /// request's outcome, such as a subject that died; or an answer was wrong, or none was ok.
        /// Its counts cover the time until then. `skipped`: cannot run here, or no request was due
        /// in its window. `partial`: the run's budget ended while an answer was due; `--resume`
        /// repeats its block. Only `ok` is compared.
        status: Status,
        /// Why the status is not `ok`, with the last words of the other side. Of an ok trial: the
        /// reason of the first failed request, if one failed.
        reason: String as Option<String>,
        /// Whether the numbers may be used. The numbers of an `invalid` trial are never used.
        validity: Validity,
        /// Doubts, as words joined by `;`. `law:` and a name: the trial breaks a law that every
        /// measurement obeys, and is invalid.
        flags: String as Option<String>,
        /// From starting the subject to its READY: program start, input loaded, ballast touched,
        /// workers up.
        ready_ns: Option<u64>,
        /// Response time of the cold first request of the fresh subject, alone. It is in no other
        /// column of latency.
        first_response_ns: Option<u64>,
        /// Length of the window. In a closed loop: from the last completion of the warm-up, which
        /// has at least two rounds of callers, to the completion that ends a later round. In an
        /// open loop: as planned.
        window_ns: Option<u64>,
        /// Requests completed inside the window with the right answer. All `n_` columns of
        /// outcomes, the throughput and the quantiles count requests completed inside the window.
        n_ok: u64,
        /// Requests whose task reported an error, or whose child sent an invalid answer.
        n_app_error: u64,
        /// Requests whose child died, or whose task panicked, before it answered.
        n_crash: u64,
        /// Requests not answered before the deadline; their children were killed.
        n_timeout: u64,
        /// Requests never executed: a full queue, or the system refused to create the child.
        n_rejected: u64,
        /// Requests whose answer differs from that of every other strategy.
        n_wrong_answer: u64,
        /// Closed loop: `n_ok` per second of the window. Open loop: ok answers that arrived inside
        /// the window, per second. A closed loop's window holds at least two whole rounds of
        /// callers; the report leaves the rate out of older files where it holds fewer.
        throughput_per_s: Option<f64>,
        /// Median response time of ok requests, done − intended: the caller's wait from the
        /// intended start. Quantiles are nearest-rank, exact up to 20 000 requests and to three
        /// significant digits beyond. Those above the median are empty under 20 requests, or with
        /// fewer than 10 requests beyond the quantile.
        response_p50_ns: Option<u64>,
        /// Response time that 90 % of ok requests did not exceed.
        response_p90_ns: Option<u64>,
        /// Response time that 99 % of ok requests did not exceed.
        response_p99_ns: Option<u64>,
        /// The longest response time of an ok request.
        response_max_ns: Option<u64>,
        /// Median service time of ok requests: replied − sent, without the outbound half of an idle
        /// round trip. This is the wait that the server causes, including a wait unread in the
        /// socket, without the driver's own wake-ups.
        service_p50_ns: Option<u64>,
        /// Service time that 90 % of ok requests did not exceed.
        service_p90_ns: Option<u64>,
        /// Service time that 99 % of ok requests did not exceed.
        service_p99_ns: Option<u64>,
        /// Median time of a request between driver and subject, both ways: that of an idle round
        /// trip (`idle_outbound_ns`, `idle_inbound_ns`), but never more than accepted − sent and
        /// done − replied. Phases are those of ok requests; of a request of several tasks, those of
        /// the task that finished last.
        transport_p50_ns: Option<u64>,
        /// Median of dispatched − sent, without the outbound transport: until the strategy began
        /// with the task. It contains the wait unread in the socket while the server works. Of a
        /// thread pool it contains the wait for a free worker, because a worker stamps `dispatched`
        /// when it takes the task.
        queue_p50_ns: Option<u64>,
        /// Median of child_start − dispatched: until the child ran its first own code.
        creation_p50_ns: Option<u64>,
        /// Median of work_start − child_start: until the child has its input. Only a program
        /// started per request must load it.
        load_p50_ns: Option<u64>,
        /// Median of work_end − work_start: the task itself.
        work_p50_ns: Option<u64>,
        /// Median of replied − work_end: the way of the result back through the subject.
        return_p50_ns: Option<u64>,
        /// Median of reaped − replied: until the child was reaped, after the answer; empty where
        /// nothing is reaped per request.
        reap_p50_ns: Option<u64>,
        /// CPU time in user mode of the subject's whole tree, children included, from READY to its
        /// end: the first request, the warm-up, the window and the shut-down. What one request
        /// costs is in `window_cpu_ns`.
        cpu_user_ns: Option<u64>,
        /// CPU time in the kernel, over the same processes and span as `cpu_user_ns`.
        cpu_system_ns: Option<u64>,
        /// CPU time of the driver, user and kernel, over the whole trial: from before the subject
        /// is started until it is gone. It includes the thread that samples noise.
        driver_cpu_ns: Option<u64>,
        /// Page faults without input or output, over the same processes and span as `cpu_user_ns`.
        faults_minor: Option<u64>,
        /// Page faults that read from a file or swap, over the same processes and span.
        faults_major: Option<u64>,
        /// Times a process gave up the processor to wait, over the same processes and span.
        ctx_voluntary: Option<u64>,
        /// Times the processor was taken away, over the same processes and span.
        ctx_involuntary: Option<u64>,
        /// Processes or threads that the strategy created since the subject started.
        children_started: Option<u64>,
        /// The most of these alive at one time.
        children_peak: Option<u64>,
        /// The checksum of the right answers, in hexadecimal; equal in all arms of a family.
        checksum: String as Option<String>,
        /// The workload's options, resolved, written like `options`.
        workload_options: String as Option<String>,
        /// Requests that the columns `cpu_*`, `faults_*`, `ctx_*` and `driver_cpu_ns` cover: all
        /// that were answered from READY to the end, including the first and the warm-up.
        n_served: Option<u64>,
        /// Tasks of one request.
        tasks: Option<u32>,
        /// Median time from the intended start to the word that the request was accepted. Only for
        /// a workload that is answered twice (`orders`), whose response is its completion.
        acknowledged_p50_ns: Option<u64>,
        /// The 90th percentile of the same.
        acknowledged_p90_ns: Option<u64>,
        /// The time that the `noise_` columns cover: from before the subject was started until its
        /// whole tree was reaped. Longer than the window.
        noise_span_ns: Option<u64>,
        /// Share of all processors' time that the hypervisor gave to other machines. The kernel
        /// counts in 10 ms, so this is coarse for a short trial.
        noise_steal_ratio: Option<f64>,
        /// Share of all processors' time that other programs used, apart from the driver and the
        /// subject's tree. It is as coarse.
        noise_foreign_cpu_ratio: Option<f64>,
        /// A fixed piece of work of about 5 ms, run before and after the trial: the longer of its
        /// two times over its time at the run's start. May exceed 1.
        noise_canary_ratio: Option<f64>,
        /// The longest time for which a thread that wakes every 5 ms was late, less what it spent
        /// in a run queue: the whole machine stood still.
        noise_vm_pause_ns: Option<u64>,
        /// Share of the time for which some task waited for memory (PSI memory `some`).
        noise_mem_pressure_ratio: Option<f64>,
        /// Share of the time for which all tasks waited for input or output (PSI io `full`).
        noise_io_pressure_ratio: Option<f64>,
        /// The processor's frequency after the trial over that at the run's start, both right after
        /// the fixed piece of work. May exceed 1.
        noise_freq_ratio: Option<f64>,
        /// Time for which the driver's measuring thread was ready and did not run. The load itself
        /// causes it, so it is recorded and never judged.
        noise_runq_delay_ns: Option<u64>,
        /// The worst of `noise_flags`; `quiet` without any. Rates (`steal`, `foreign_cpu`,
        /// `mem_pressure`, `io_pressure`) are judged over at least 0.5 s: a shorter trial is judged
        /// together with the earlier trials of its family's block, so the last trial of a block
        /// covers the whole block. `unjudged`: too little of the block was over. A label explains,
        /// and causes re-runs; it takes no trial out of a comparison.
        noise_label: Option<NoiseLabel>,
        /// Signals above a limit of `noise_thresholds` in `env.json`, as `signal:warn` or
        /// `signal:disturbed` joined by `;`. Signals without a column of their own: `throttle`,
        /// `swap_in`, and `quota_throttled`, which is `throttled_periods` above 0.
        noise_flags: String as Option<String>,
        /// The rate as a share of the blocking capacity, where the experiment gives a share.
        rate_of_capacity: Option<f64>,
        /// The blocking capacity that the rate is a share of: requests per second that `blocking`
        /// answered in a closed loop, the median in `calibration.csv`.
        capacity_per_s: Option<f64>,
        /// How the requests of an open loop are spread over time.
        arrivals: String as Option<Arrivals>,
        /// The objective, such as `p99<50ms`: this share of the offered requests must be answered
        /// ok in less than this time.
        slo: String as Option<String>,
        /// Requests of an open loop that were intended to be sent inside the window. All outcomes
        /// and latencies of an open loop count these, no matter when their answers came.
        n_offered: Option<u64>,
        /// Answers of any outcome that arrived inside the window, no matter when their requests
        /// were sent.
        n_completed: Option<u64>,
        /// Requests of `n_offered` that were answered ok in less than the objective's time.
        n_in_time: Option<u64>,
        /// Requests of `n_offered` without an answer when the trial was given up, as long after the
        /// window as the window itself (0.5 to 3 s). They count as slower than all others: a
        /// quantile that falls among them is empty.
        n_unanswered: Option<u64>,
        /// Requests of `n_rejected` that the driver did not send, because 10 000 were in flight.
        n_rejected_by_driver: Option<u64>,
        /// Requests sent per second of the window. If it differs from `rate_per_s` by more than 1 %
        /// + 3/√n, the trial is invalid, unless it is saturated.
        achieved_rate_per_s: Option<f64>,
        /// Median of sent − intended: how late the load generator was. It is part of the response
        /// time. To three significant digits.
        lateness_p50_ns: Option<u64>,
        /// Lateness that 99 % of the requests did not exceed. Above 1 ms and 5 % of the median
        /// response, the trial is invalid, unless it is saturated.
        lateness_p99_ns: Option<u64>,
        /// The greatest lateness.
        lateness_max_ns: Option<u64>,
        /// Whether the subject failed to keep up: `n_completed` under 98 % of `n_offered`, over 0.1
        /// % not answered ok, or requests in flight that grow from third to third of the window by
        /// over 2 % of `n_offered`. With fewer than five requests, only the second condition
        /// counts.
        saturated: Option<YesNo>,
        /// Mean number of requests in flight during the window.
        in_flight_mean: Option<f64>,
        /// Requests in flight when the window begins.
        in_flight_start: Option<u64>,
        /// Requests in flight when the window ends: the backlog.
        in_flight_end: Option<u64>,
        /// The most requests in flight at one time of the window.
        in_flight_peak: Option<u64>,
        /// Requests in flight as counted, over those that follow from the stamps. If it differs
        /// from 1 by more than 2 %, the books are wrong and the trial is invalid.
        littles_law_ratio: Option<f64>,
        /// What answers the light probes, 100 per second. `main-loop`: the subject's event loop, at
        /// once. `strategy`: the strategy executes them as requests without work. Empty without
        /// probes.
        probe: String as Option<Probe>,
        /// Probes of the window that were answered, or waited for until the trial's end.
        n_probes: Option<u64>,
        /// Probes of the window with another outcome than ok.
        n_probes_failed: Option<u64>,
        /// Median response time of the window's probes, from their intended start. A probe without
        /// an answer counts until the trial's end. Quantiles above the median are empty with fewer
        /// than 10 probes beyond them.
        probe_p50_ns: Option<u64>,
        /// Response time that 95 % of the probes did not exceed.
        probe_p95_ns: Option<u64>,
        /// Response time that 99 % of the probes did not exceed.
        probe_p99_ns: Option<u64>,
        /// The longest response time of a probe.
        probe_max_ns: Option<u64>,
        /// Share of the probes that took over 100 ms.
        probe_over_100ms_ratio: Option<f64>,
        /// Share of the probes that took over 1 s.
        probe_over_1s_ratio: Option<f64>,
        /// The longest time of the window without an answer to any probe.
        probe_gap_max_ns: Option<u64>,
        /// Median response time of probes of the same subject before the load began, for as long as
        /// half the window.
        probe_unloaded_p50_ns: Option<u64>,
        /// Unloaded response time that 95 % of the probes did not exceed.
        probe_unloaded_p95_ns: Option<u64>,
        /// Unloaded response time that 99 % of the probes did not exceed.
        probe_unloaded_p99_ns: Option<u64>,
        /// The longest unloaded response time of a probe.
        probe_unloaded_max_ns: Option<u64>,
        /// Which pass over the block of the family, from 1. Above 1 where the pass before was cut
        /// short: a block is run again whole. Empty in runs of an older forkbench, and then 1.
        pass: Option<u32>,
        /// How late the event loop was for a timer of 10 ms, by Node's own `monitorEventLoopDelay`,
        /// from READY to STOP: the median. Empty for other runtimes. A loop that stood still for a
        /// second was late once, so look at the longest delay.
        event_loop_delay_p50_ns: Option<u64>,
        /// Delay that 99 % of the timers did not exceed.
        event_loop_delay_p99_ns: Option<u64>,
        /// The longest delay.
        event_loop_delay_max_ns: Option<u64>,
        /// Share of the time from READY to STOP in which the event loop ran anything, by Node's own
        /// `eventLoopUtilization`. Empty for other runtimes.
        event_loop_busy_ratio: Option<f64>,
        /// Per-request deadline, by the subject's clock; a request that takes longer has the
        /// outcome `timeout`. Empty in runs of an older forkbench, and then 30 s.
        deadline_ns: Option<u64>,
        /// Median of done − replied, without the inbound transport: the wait of an answer for the
        /// busy driver.
        delivery_p50_ns: Option<u64>,
        /// From the driver's write to the end of the subject's read, while neither does anything
        /// else: the median of up to 30 round trips that the subject's main loop answers, before
        /// the warm-up.
        idle_outbound_ns: Option<u64>,
        /// From the subject's write to the end of the driver's read, of the same round trips.
        idle_inbound_ns: Option<u64>,
        /// Mean response time of all ok requests.
        response_mean_ns: Option<u64>,
        /// From READY until the subject was reaped: the span of `cpu_user_ns` and of the columns
        /// that are counted with it.
        alive_ns: Option<u64>,
        /// Periods in which a control group of this process had spent its CPU quota and was stopped
        /// until the next period: `nr_throttled` of `cpu.stat`, over the own group and all above,
        /// from before the subject was started until it was reaped. The quota itself is
        /// `cgroup_cpu_quota_cores` in `env.json`.
        throttled_periods: Option<u64>,
        /// Time for which processors were taken from the group for this reason. It is the sum over
        /// processors and groups, so it may exceed the trial's length.
        throttled_ns: Option<u64>,
        /// CPU time of the subject's whole tree inside the window, user and kernel, children
        /// included. The cost of one request is this over the requests that completed in the
        /// window. Read at the window's two ends, the first time after the next requests were sent.
        /// Empty where it cannot be known; see `cpu_source`.
        window_cpu_ns: Option<u64>,
        /// Where `window_cpu_ns` comes from. `group`: a control group that holds the tree, exact.
        /// `processes`: the clock of each process, and the time of reaped processes in ticks of 10
        /// ms. `too_short`: under 50 such ticks, withheld. `unread`: not measured.
        cpu_source: String as Option<String> = &["group", "processes", "too_short", "unread"],
        /// Requests of the warm-up and the drain that were not answered ok, or had no answer when
        /// the trial was given up: 3 s after a closed loop's window, or three times the longest
        /// response, up to the deadline. They are in no other column of outcomes; `flags` names
        /// them if there are any.
        n_not_ok_outside: Option<u64>,
        /// The arm's short name, as in `plan.csv`; to group rows by.
        label: String as Option<String>,
    }
}

impl TrialRow {
    /// Which pass over the block of its family, from 1.
    pub fn pass_number(&self) -> u32 {
        self.pass.unwrap_or(1)
    }

    /// The name of its file of requests, without an ending: the trial's id, and from the second
    /// attempt on the attempt's number after it.
    pub fn requests_name(&self) -> String {
        match self.attempt {
            0 | 1 => self.trial_id.clone(),
            attempt => format!("{}-{attempt}", self.trial_id),
        }
    }

    /// Counted requests with another outcome than ok.
    pub fn n_not_ok(&self) -> u64 {
        self.n_app_error + self.n_crash + self.n_timeout + self.n_rejected + self.n_wrong_answer
    }

    /// Requests that completed inside the window, with any outcome.
    pub fn n_completed_in_window(&self) -> u64 {
        // An open loop's outcomes are of requests that were due in the window.
        self.n_completed.unwrap_or(self.n_ok + self.n_not_ok())
    }

    /// Whether a closed loop's window holds two rounds of callers. A shorter one may lie within one
    /// burst of answers and has neither rate nor quantile. Only older drivers wrote such rows.
    pub fn holds_two_rounds(&self) -> bool {
        self.callers.is_none_or(|callers| self.n_completed_in_window() >= 2 * u64::from(callers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_of_less_than_two_rounds_is_found_by_its_count_alone() {
        let row = |callers, n_ok, n_timeout| TrialRow {
            callers,
            n_ok,
            n_timeout,
            throughput_per_s: Some(46.9),
            ..TrialRow::default()
        };
        // Rate times response time would be the number of callers in each of these.
        assert!(!row(Some(100), 136, 0).holds_two_rounds());
        assert!(!row(Some(100), 198, 1).holds_two_rounds());
        assert!(row(Some(100), 198, 2).holds_two_rounds());
        assert!(row(None, 1, 0).holds_two_rounds(), "an open loop has no callers");
    }
}
