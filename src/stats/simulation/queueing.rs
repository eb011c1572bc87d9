//! The recursion that live waits are checked against, itself checked against stationary theory.

use super::Draws;
use crate::stats::queue::{Offered, fifo_waits_ns, mean_wait_mmc};

const SERVICE_NS: f64 = 1e6;
const REQUESTS: usize = 400_000;

/// The mean wait in service times of simulated Poisson arrivals.
fn simulated_wait(
    servers: u32,
    utilization: f64,
    requests: usize,
    draws: &mut Draws,
    mut service: impl FnMut(&mut Draws) -> f64,
) -> f64 {
    let gap_ns = SERVICE_NS / (f64::from(servers) * utilization);
    let mut now_ns = 0.0;
    let offered: Vec<Offered> = (0..requests)
        .map(|_| {
            now_ns += gap_ns * draws.exponential();
            Offered { arrival_ns: now_ns as u64, service_ns: (SERVICE_NS * service(draws)) as u64 }
        })
        .collect();
    let waits_ns = fifo_waits_ns(&offered, servers as usize);
    waits_ns.iter().sum::<u64>() as f64 / requests as f64 / SERVICE_NS
}

/// The stationary mean wait of M/D/c in service times, by Crommelin's argument: whoever is in
/// service now is gone one service time later, so the number present then is what stood in the
/// queue plus a Poisson number of arrivals. Its distribution is iterated to its fixed point.
fn mean_wait_mdc(servers: usize, utilization: f64) -> f64 {
    const PRESENT_MAX: usize = 150;
    let load = servers as f64 * utilization;
    let arrivals: Vec<f64> = std::iter::successors(Some((0_u32, (-load).exp())), |(k, p)| {
        Some((k + 1, p * load / f64::from(k + 1)))
    })
    .map(|(_, probability)| probability)
    .take(30)
    .collect();
    let mut present = vec![0.0; PRESENT_MAX];
    present[0] = 1.0;
    for _ in 0..1_500 {
        let mut next = vec![0.0; PRESENT_MAX];
        for (count, probability) in present.iter().enumerate() {
            let queued = count.saturating_sub(servers);
            for (new, arriving) in arrivals.iter().enumerate() {
                next[(queued + new).min(PRESENT_MAX - 1)] += probability * arriving;
            }
        }
        present = next;
    }
    let mean_queue: f64 =
        (servers..PRESENT_MAX).map(|count| (count - servers) as f64 * present[count]).sum();
    // Little's law.
    mean_queue / load
}

fn check(
    name: &str,
    servers: u32,
    theory: impl Fn(f64) -> f64,
    service: fn(&mut Draws) -> f64,
    seed: u64,
) {
    let mut draws = Draws::new(seed);
    for (utilization, tolerance, requests) in
        [(0.5, 0.05, REQUESTS), (0.7, 0.05, REQUESTS), (0.9, 0.10, 3 * REQUESTS)]
    {
        let wait = simulated_wait(servers, utilization, requests, &mut draws, service);
        let error = wait / theory(utilization) - 1.0;
        println!("{name} {servers} {utilization} {wait} {error}");
        assert!(error.abs() <= tolerance, "{name}/{servers} at {utilization}: {wait}, {error} off");
    }
}

#[test]
fn waits_with_exponential_services_are_erlangs() {
    for servers in [1, 2, 4] {
        let theory = |utilization| mean_wait_mmc(servers, utilization).unwrap();
        check("M/M", servers, theory, Draws::exponential, 31);
    }
}

#[test]
fn waits_with_constant_services_are_crommelins() {
    for servers in [1, 2, 4] {
        let theory = |utilization| mean_wait_mdc(servers as usize, utilization);
        check("M/D", servers, theory, |_| 1.0, 32);
    }
}

#[test]
fn one_server_with_constant_services_waits_half_of_the_exponential() {
    for utilization in [0.5, 0.7, 0.9] {
        let half = mean_wait_mmc(1, utilization).unwrap() / 2.0;
        let error = mean_wait_mdc(1, utilization) / half - 1.0;
        assert!(error.abs() < 1e-4, "{utilization}: {error}");
    }
}
