//! The kernels of the workloads, called directly, and the bare loops that two of them are compared
//! with.

use std::hint::black_box;

use forkbench::sys::clock::now_ns;
use forkbench::workload::options::{self, Options};
use forkbench::workload::{self, Size, Spec};
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::lane::{Lane, Result, Scale, Site};

const SEED: u64 = 1;

/// One whole request of this workload, its tasks one after the other.
pub(crate) fn start(name: &str, site: &Site) -> Result<Box<dyn Lane>> {
    let workload = workload::by_name(name).ok_or("no such workload")?;
    let spec = spec(name, site)?;
    let input = workload.prepare(&spec)?;
    let tasks = workload.tasks(&spec)?;
    Ok(Box::new(move || {
        let start = now_ns();
        for task in 0..tasks {
            black_box(input.run(task, Vec::new())?);
        }
        Ok(now_ns() - start)
    }))
}

/// `random-sum` as a plain loop.
pub(crate) fn bare_random_sum(site: &Site) -> Result<Box<dyn Lane>> {
    let draws = size(site).pick([10_000_u64, 1_000_000, 10_000_000]);
    Ok(Box::new(move || {
        let start = now_ns();
        let mut generator = Xoshiro128PlusPlus::seed_from_u64(black_box(SEED));
        let mut sum = 0.0;
        for _ in 0..black_box(draws) {
            sum += f64::from(generator.next_u32()) / 4_294_967_296.0;
        }
        black_box(sum);
        Ok(now_ns() - start)
    }))
}

/// Decode, three resizes and three encodes of the picture of `image`.
pub(crate) fn bare_image(site: &Site) -> Result<Box<dyn Lane>> {
    let spec = spec("image", site)?;
    let jpeg = std::fs::read(spec.options.get("input").ok_or("no picture")?)?;
    Ok(Box::new(move || {
        let start = now_ns();
        let bytes = workload::bare_sequence(black_box(&jpeg)).map_err(|e| e.to_string())?;
        black_box(bytes);
        Ok(now_ns() - start)
    }))
}

/// The workload's parameters, with its input written once as the driver does.
fn spec(name: &str, site: &Site) -> Result<Spec> {
    let workload = workload::by_name(name).ok_or("no such workload")?;
    let mut spec = Spec {
        workload: name.to_owned(),
        size: size(site),
        seed: SEED,
        payload_bytes: 0,
        options: options::resolve(workload.options(), &Options::new(), 1)?,
    };
    if let Some(file) = workload.materialise(&spec, &site.dir)? {
        let file = file.to_string_lossy().into_owned();
        spec.options.insert("input".to_owned(), file);
    }
    Ok(spec)
}

fn size(site: &Site) -> Size {
    match site.scale {
        Scale::Bench => Size::M,
        Scale::Test => Size::S,
    }
}
