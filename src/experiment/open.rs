//! What an open loop offers: requests on a schedule, and light probes between them.

use super::Slo;

/// Requests that arrive whether or not those before them have been answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Open {
    /// How many.
    pub rate: Rate,
    /// How they are spread.
    pub arrivals: Arrivals,
    /// Whether, and through what, light probes ask if the server is alive.
    pub probe: Option<Probe>,
    /// The length of the window.
    pub window: WindowLength,
    /// After the grid: the number of further trials per arm, each at a rate between the highest that
    /// met the objective and the lowest that did not.
    pub search_steps: u32,
    /// The objective; `None` while the default's limit, which follows from `blocking`, is unknown.
    pub slo: Option<Slo>,
}

/// Requests per second, absolute or as a share of the capacity of `blocking`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// Absolute; above 0.
    PerSecond(f64),
    /// A share of the blocking capacity, which a closed loop finds in the same run.
    OfBlocking {
        /// Above 0; 1 is the capacity itself.
        share: f64,
        /// The capacity in requests per second, once it is found.
        capacity_per_s: Option<f64>,
    },
}

impl Rate {
    /// Requests per second; `None` while the capacity that it is a share of is unknown.
    pub fn per_s(self) -> Option<f64> {
        match self {
            Rate::PerSecond(rate_per_s) => Some(rate_per_s),
            Rate::OfBlocking { share, capacity_per_s } => Some(share * capacity_per_s?),
        }
    }

    /// The share of the blocking capacity, where the rate is one.
    pub fn share(self) -> Option<f64> {
        match self {
            Rate::PerSecond(_) => None,
            Rate::OfBlocking { share, .. } => Some(share),
        }
    }

    /// As in a family's id and in filters: `100` per second, or `0.8cap` of the capacity. The
    /// capacity itself is not in it: the same family has the same name on every machine.
    pub fn label(self) -> String {
        match self {
            Rate::PerSecond(rate_per_s) => rate_per_s.to_string(),
            Rate::OfBlocking { share, .. } => format!("{share}cap"),
        }
    }
}

crate::words! {
    /// How arrivals are spread over time; the default first.
    pub enum Arrivals {
        /// Independent of each other, as from many users: gaps are exponential.
        Poisson = "poisson",
        /// All gaps are equal.
        Constant = "constant",
    }
}

crate::words! {
    /// The length of an open loop's window, within the bounds of the preset.
    pub enum WindowLength {
        /// As long as enough requests take to arrive; with probes as long as there is time.
        AsNeeded = "as-needed",
        /// As short as the preset allows: for a family that is one of many.
        Shortest = "shortest",
    }
}

crate::words! {
    /// What a light probe goes through.
    pub enum Probe {
        /// The subject's main loop answers: is the server alive?
        MainLoop = "main-loop",
        /// The strategy executes it as a request without work: does another user get through?
        Strategy = "strategy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_rate_once_the_capacity_is_known() {
        let unknown = Rate::OfBlocking { share: 0.8, capacity_per_s: None };
        assert_eq!((unknown.per_s(), unknown.label()), (None, "0.8cap".into()));
        let known = Rate::OfBlocking { share: 0.8, capacity_per_s: Some(1_000.0) };
        assert_eq!((known.per_s(), known.label()), (Some(800.0), unknown.label()));
        let absolute = Rate::PerSecond(2_500.0);
        assert_eq!((absolute.per_s(), absolute.share()), (Some(2_500.0), None));
        assert_eq!(absolute.label(), "2500");
    }
}
