//! What the numbers mean: pure functions from values to values, without I/O and without a clock.
//! Where chance is needed it is seeded, so that the same rows give the same report, byte for byte.
//!
//! In reading order:
//!
//! * [`quantile`]: inside a trial, nearest-rank quantiles (type 1 of Hyndman and Fan, *Sample
//!   Quantiles in Statistical Packages*, 1996), shown only where ten requests lie beyond them; over
//!   blocks, the median.
//! * [`interval`]: the exact order-statistic interval of a median (David and Nagaraja, *Order
//!   Statistics*), stretched by how few independent values autocorrelated blocks are worth, with
//!   the autocorrelation freed of its bias (Marriott and Pope, *Bias in the Estimation of
//!   Autocorrelations*, 1954).
//! * [`paired`]: an arm against the reference by block: Hodges–Lehmann estimate, exact signed-rank
//!   test and the interval that inverts it (Hollander, Wolfe and Chicken, *Nonparametric Statistical
//!   Methods*).
//! * [`two_sample`]: a run against another, whose blocks do not pair: Hodges–Lehmann shift with the
//!   exact rank-sum interval (Mann and Whitney, *On a Test of Whether One of Two Random Variables is
//!   Stochastically Larger*, 1947).
//! * [`holm`]: many arms, one family (Holm, *A Simple Sequentially Rejective Multiple Test
//!   Procedure*, 1979).
//! * [`verdict`]: from these to `faster`, `slower`, `equivalent` or `inconclusive`, against a fixed
//!   δ (Lakens, *Equivalence Tests*, 2017, for the three states).
//! * [`across`]: the same for cells of two runs.
//! * [`choice`]: whether what one run would choose is a good choice in another.
//! * [`fit`]: a line through points that may be wild (Theil 1950; Sen, *Estimates of the
//!   Regression Coefficient Based on Kendall's Tau*, 1968), with intervals from resampled blocks
//!   (Davison and Hinkley, *Bootstrap Methods and their Application*).
//! * [`modes`]: whether blocks have two speeds instead of one.
//! * [`queue`]: the waits that a first-come-first-served queue must show for given draws
//!   (Kiefer and Wolfowitz, *On the Theory of Queues with Many Servers*, 1955), and Erlang's mean.
//! * [`stopping`]: when there are enough blocks, by the width of intervals alone.
//! * `safeguards`: the switches of the mutation guard, which shows that a test notices when one is off.
//!
//! Everything that has a counterpart in SciPy is pinned to it by stored vectors
//! (`tests/vectors`), and what has none, coverage and false alarms, by simulation.

pub mod across;
pub mod choice;
pub mod fit;
pub mod holm;
pub mod interval;
pub mod modes;
pub mod paired;
pub mod quantile;
pub mod queue;
pub(crate) mod safeguards;
mod seeded;
#[cfg(test)]
pub(crate) mod simulation;
pub mod stopping;
pub mod two_sample;
pub mod verdict;

pub use interval::{Interval, Level};
