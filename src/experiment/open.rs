//! What an open loop offers: requests on a schedule, and light probes beside them.

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
    /// How long is looked.
    pub window: WindowLength,
    /// After the grid: so many more trials per arm, each at a rate between the highest that met
    /// the objective and the lowest that did not.
    pub search_steps: u32,
    /// The objective; `None` while the default's limit, which follows from `blocking`, is unknown.
    pub slo: Option<Slo>,
}

/// Requests per second, said outright or as a share of what `blocking` can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// Said outright; above 0.
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

    /// The share of the blocking capacity, where that is how the rate is said.
    pub fn share(self) -> Option<f64> {
        match self {
            Rate::PerSecond(_) => None,
            Rate::OfBlocking { share, .. } => Some(share),
        }
    }

    /// As in a family's id and in filters: `100` per second, or `0.8cap` of the capacity. What
    /// the capacity came to is not in it: the same family has the same name on every machine.
    pub fn label(self) -> String {
        match self {
            Rate::PerSecond(rate_per_s) => rate_per_s.to_string(),
            Rate::OfBlocking { share, .. } => format!("{share}cap"),
        }
    }
}

/// How arrivals are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// Independent of each other, as from many users: gaps are exponential.
    Poisson,
    /// All gaps are equal.
    Constant,
}

impl Arrivals {
    /// All of them, the default first.
    pub const ALL: [Arrivals; 2] = [Arrivals::Poisson, Arrivals::Constant];

    /// `poisson` or `constant`.
    pub fn name(self) -> &'static str {
        match self {
            Arrivals::Poisson => "poisson",
            Arrivals::Constant => "constant",
        }
    }

    /// The arrivals of this name.
    pub fn by_name(name: &str) -> Option<Arrivals> {
        Arrivals::ALL.into_iter().find(|a| a.name() == name)
    }
}

/// How long an open loop is looked at, within the bounds of the preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowLength {
    /// As long as enough requests take to arrive; with probes as long as there is time.
    AsNeeded,
    /// As short as the preset allows: for a family that is one of many.
    Shortest,
}

impl WindowLength {
    /// `shortest`, in experiments.
    pub const SHORTEST: &'static str = "shortest";
}

/// What a light probe goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// The subject's main loop answers: is the server alive?
    MainLoop,
    /// The strategy executes it as a request with no work: does another user get through?
    Strategy,
}

impl Probe {
    /// All of them.
    pub const ALL: [Probe; 2] = [Probe::MainLoop, Probe::Strategy];

    /// `main-loop` or `strategy`.
    pub fn name(self) -> &'static str {
        match self {
            Probe::MainLoop => "main-loop",
            Probe::Strategy => "strategy",
        }
    }

    /// The probe of this name.
    pub fn by_name(name: &str) -> Option<Probe> {
        Probe::ALL.into_iter().find(|p| p.name() == name)
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
