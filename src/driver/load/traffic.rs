//! The traffic of an open loop: lateness of the generator, requests in
//! flight, and whether the subject kept up. Pure: it is told what happened and when.

use hdrhistogram::Histogram;

use super::Counted;
use crate::driver::samples::DIGITS;
use crate::stats::quantile::histogram_ns;

/// The window: requests that are meant to be sent from its first moment up to, and without, its
/// last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first moment.
    pub from_ns: u64,
    /// The first moment after it.
    pub until_ns: u64,
}

impl Window {
    /// How long it is, in ns.
    pub fn length_ns(self) -> u64 {
        self.until_ns - self.from_ns
    }

    /// Whether a request that is meant to be sent then counts.
    pub fn counts(self, intended_ns: u64) -> Counted {
        if (self.from_ns..self.until_ns).contains(&intended_ns) {
            Counted::Yes
        } else {
            Counted::No
        }
    }

    /// How much of a span lies inside, in ns.
    fn overlap(self, from_ns: u64, until_ns: u64) -> u64 {
        let from_ns = from_ns.max(self.from_ns);
        until_ns.min(self.until_ns).saturating_sub(from_ns)
    }
}

/// The traffic of one trial.
#[derive(Debug, Clone)]
pub struct Traffic {
    window: Window,
    lateness: Histogram<u64>,
    in_flight: u64,
    /// When `in_flight` last changed.
    since_ns: u64,
    /// Requests in flight × ns, over each third of the window.
    areas: [u128; 3],
    /// The time of single requests in flight inside the window, summed. Found from their stamps,
    /// where the areas are found from counting: by Little's law they are the same.
    stays_ns: u128,
    /// Requests meant to be sent inside the window.
    pub offered: u64,
    /// Requests that were sent inside the window, whenever they were meant to be.
    pub sent: u64,
    /// Answers of any outcome that arrived inside the window.
    pub completed: u64,
    /// The ok ones among them.
    pub completed_ok: u64,
    /// Requests of the window that were never sent, because too many were in flight.
    pub rejected: u64,
    /// Requests of the window that had no answer when the trial was given up.
    pub unanswered: u64,
    /// Requests in flight at the window's first moment.
    pub in_flight_start: u64,
    /// And at its end.
    pub in_flight_end: u64,
    /// The most of them inside the window.
    pub in_flight_peak: u64,
}

impl Traffic {
    /// None yet.
    pub fn new(window: Window) -> Traffic {
        Traffic {
            window,
            lateness: histogram_ns(DIGITS),
            in_flight: 0,
            since_ns: 0,
            areas: [0; 3],
            stays_ns: 0,
            offered: 0,
            sent: 0,
            completed: 0,
            completed_ok: 0,
            rejected: 0,
            unanswered: 0,
            in_flight_start: 0,
            in_flight_end: 0,
            in_flight_peak: 0,
        }
    }

    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// A request went out.
    pub fn sent(&mut self, intended_ns: u64, sent_ns: u64) {
        self.advance(sent_ns);
        self.in_flight += 1;
        if sent_ns < self.window.until_ns && sent_ns >= self.window.from_ns {
            self.sent += 1;
            self.in_flight_peak = self.in_flight_peak.max(self.in_flight);
        }
        if self.window.counts(intended_ns) == Counted::Yes {
            self.offered += 1;
            let late_ns = sent_ns.saturating_sub(intended_ns);
            self.lateness.saturating_record(late_ns);
        }
    }

    /// A request was not sent, because too many were in flight.
    pub fn rejected(&mut self, intended_ns: u64) {
        if self.window.counts(intended_ns) == Counted::Yes {
            self.offered += 1;
            self.rejected += 1;
        }
    }

    /// An answer arrived.
    pub fn done(&mut self, sent_ns: u64, done_ns: u64, is_ok: bool) {
        self.advance(done_ns);
        self.in_flight = self.in_flight.saturating_sub(1);
        self.stays_ns += u128::from(self.window.overlap(sent_ns, done_ns));
        if (self.window.from_ns..self.window.until_ns).contains(&done_ns) {
            self.completed += 1;
            self.completed_ok += u64::from(is_ok);
        }
    }

    /// A request has no answer by the end.
    pub fn unanswered(&mut self, intended_ns: u64, sent_ns: u64) {
        self.advance(self.window.until_ns);
        self.in_flight = self.in_flight.saturating_sub(1);
        self.stays_ns += u128::from(self.window.overlap(sent_ns, self.window.until_ns));
        self.unanswered += u64::from(self.window.counts(intended_ns) == Counted::Yes);
    }

    /// Accounts for the time up to now, in which nothing has changed.
    fn advance(&mut self, now: u64) {
        let Window { from_ns, until_ns } = self.window;
        let since_ns = self.since_ns;
        if now <= since_ns {
            return;
        }
        if since_ns < from_ns && now >= from_ns {
            self.in_flight_start = self.in_flight;
            self.in_flight_peak = self.in_flight;
        }
        if since_ns < until_ns && now >= until_ns {
            self.in_flight_end = self.in_flight;
        }
        let third_ns = self.window.length_ns() / 3;
        for (i, area) in (0..).zip(&mut self.areas) {
            let third = Window {
                from_ns: from_ns + i * third_ns,
                until_ns: if i == 2 { until_ns } else { from_ns + (i + 1) * third_ns },
            };
            let overlap_ns = third.overlap(since_ns, now);
            *area += u128::from(overlap_ns) * u128::from(self.in_flight);
        }
        self.since_ns = now;
    }

    /// Nothing more happens: the time up to the window's end is accounted for.
    pub fn close(&mut self) {
        self.advance(self.window.until_ns);
    }

    /// Nearest-rank quantile of how late requests of the window were sent, in ns.
    pub fn lateness_ns(&self, p: f64) -> Option<u64> {
        (!self.lateness.is_empty()).then(|| self.lateness.value_at_quantile(p))
    }

    /// The latest of them, in ns, to three digits.
    pub fn lateness_max_ns(&self) -> Option<u64> {
        (!self.lateness.is_empty()).then(|| self.lateness.max())
    }

    /// Requests sent per second of the window.
    pub fn achieved_rate_per_s(&self) -> f64 {
        self.sent as f64 * 1e9 / self.window.length_ns() as f64
    }

    /// Mean number of requests in flight during the window.
    pub fn in_flight_mean(&self) -> f64 {
        let area: u128 = self.areas.iter().sum();
        area as f64 / self.window.length_ns() as f64
    }

    /// Requests in flight as counted, over those that the requests' own stamps make; 1 if all is
    /// well. `None` if none was in flight.
    pub fn littles_law_ratio(&self) -> Option<f64> {
        let area: u128 = self.areas.iter().sum();
        (self.stays_ns > 0).then(|| area as f64 / self.stays_ns as f64)
    }

    /// Whether the subject failed to keep up, `lost` being the requests of the window that were
    /// not answered ok.
    ///
    /// One of: under 98 % as many completions as requests; over 0.1 % lost; a backlog that grew
    /// from third to third, by over 2 % of the requests in all. The first and the last need five
    /// requests too: under that a window's ends decide, not the subject.
    pub fn is_saturated(&self, lost: u64) -> bool {
        let offered = self.offered as f64;
        let short = self.offered.saturating_sub(self.completed);
        let too_few = (self.completed as f64) < 0.98 * offered && short >= 5;
        let too_many_lost = lost as f64 > 0.001 * offered;
        let third_ns = self.window.length_ns() as f64 / 3.0;
        let [first, second, third] = self.areas.map(|area| area as f64 / third_ns);
        let growth = third - first;
        let grows = first < second && second < third && growth > (0.02 * offered).max(5.0);
        too_few || too_many_lost || grows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;
    const WINDOW: Window = Window { from_ns: 1_000 * MS, until_ns: 4_000 * MS };

    /// Traffic of a FIFO server with this service time and requests at these times; it is given
    /// up at `end_ns`.
    fn served(times: impl Iterator<Item = u64>, service_ns: u64, end_ns: u64) -> Traffic {
        let mut traffic = Traffic::new(WINDOW);
        let mut free_ns = 0;
        let mut under_way: std::collections::VecDeque<(u64, u64)> = Default::default();
        for at in times.take_while(|&at| at < WINDOW.until_ns) {
            while let Some(&(sent, done)) = under_way.front().filter(|(_, done)| *done <= at) {
                traffic.done(sent, done, true);
                under_way.pop_front();
            }
            traffic.sent(at, at);
            free_ns = free_ns.max(at) + service_ns;
            under_way.push_back((at, free_ns));
        }
        for (sent, done) in under_way {
            if done <= end_ns {
                traffic.done(sent, done, true);
            } else {
                traffic.unanswered(sent, sent);
            }
        }
        traffic.close();
        traffic
    }

    fn every(gap_ns: u64) -> impl Iterator<Item = u64> {
        (1..).map(move |i| i * gap_ns)
    }

    #[test]
    fn a_server_that_keeps_up_is_not_saturated() {
        let traffic = served(every(10 * MS), 8 * MS, 5_000 * MS);
        assert_eq!((traffic.offered, traffic.sent, traffic.completed), (300, 300, 300));
        assert_eq!((traffic.in_flight_peak, traffic.unanswered), (1, 0));
        assert!((traffic.in_flight_mean() - 0.8).abs() < 0.01);
        assert!((traffic.achieved_rate_per_s() - 100.0).abs() < 1e-9);
        assert!(!traffic.is_saturated(0));
        assert!(traffic.is_saturated(1), "one of 300 is more than 0.1 %");
    }

    #[test]
    fn a_server_that_falls_behind_is_saturated() {
        // 5 % too slow: 100 per second come, 95 are served.
        let traffic = served(every(10 * MS), 10_500_000, 60_000 * MS);
        assert!(traffic.is_saturated(0));
        assert!(traffic.in_flight_end > traffic.in_flight_start);
        // The law holds in a queue that grows, too.
        assert!((traffic.littles_law_ratio().unwrap() - 1.0).abs() < 1e-9);
        let given_up = served(every(10 * MS), 10_500_000, WINDOW.until_ns - 1);
        assert_eq!(given_up.unanswered, given_up.in_flight_end);
        assert!((given_up.littles_law_ratio().unwrap() - 1.0).abs() < 1e-9);
    }

    /// A backlog can grow although completions keep up with the requests of the window: those of
    /// a queue that was there before.
    #[test]
    fn a_growing_backlog_alone_is_saturation() {
        let mut traffic = Traffic::new(WINDOW);
        (0..300).for_each(|i| traffic.sent(i, i));
        for i in 0..300 {
            let at = WINDOW.from_ns + i * 10 * MS;
            traffic.sent(at, at);
            traffic.done(i, at + 1, true);
            if i % 20 == 0 {
                traffic.sent(0, at + 2);
            }
        }
        traffic.close();
        assert!(traffic.completed >= traffic.offered);
        assert!(traffic.is_saturated(0));
    }

    #[test]
    fn lateness_is_of_the_windows_requests_and_charged_to_the_generator() {
        let mut traffic = Traffic::new(WINDOW);
        traffic.sent(WINDOW.from_ns - 1, WINDOW.from_ns + 50 * MS);
        traffic.sent(WINDOW.from_ns, WINDOW.from_ns + 50 * MS);
        traffic.sent(WINDOW.from_ns + 60 * MS, WINDOW.from_ns + 60 * MS);
        let max_ns = traffic.lateness_max_ns().unwrap();
        assert!(max_ns.abs_diff(50 * MS) <= MS / 10, "{max_ns}");
        assert!(traffic.lateness_ns(0.5).unwrap() <= 1);
        assert_eq!((traffic.offered, traffic.sent), (2, 3));
    }

    #[test]
    fn a_miscounted_request_breaks_the_law() {
        let mut traffic = Traffic::new(WINDOW);
        for i in 0..100 {
            let at = WINDOW.from_ns + i * 20 * MS;
            traffic.sent(at, at);
            // Two of a hundred answers are stamped as if they had taken 40 times as long.
            let sent = if i % 50 == 49 { at - 390 * MS } else { at };
            traffic.done(sent, at + 10 * MS, true);
        }
        traffic.close();
        let ratio = traffic.littles_law_ratio().unwrap();
        assert!((ratio - 1.0).abs() > 0.02, "{ratio}");
    }

    proptest! {
        /// Counting and stamps agree for any load and any service time.
        #[test]
        fn littles_law_holds(
            gaps in prop::collection::vec(1..200_u64, 20..200), service_ms in 1..150_u64
        ) {
            let mut at = 0;
            let times: Vec<u64> = gaps.iter().map(|gap| { at += gap * MS; at }).collect();
            let traffic = served(times.into_iter(), service_ms * MS, 6_000 * MS);
            if let Some(ratio) = traffic.littles_law_ratio() {
                prop_assert!((ratio - 1.0).abs() < 1e-9, "{}", ratio);
            }
            prop_assert!(traffic.completed_ok <= traffic.completed);
        }
    }
}
