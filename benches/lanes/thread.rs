//! Floors of the strategies within one process.

use forkbench::sys::clock::now_ns;

use crate::lane::{Lane, Result, Site};

/// A thread that does nothing, created and joined.
pub(crate) fn spawn_and_join(_: &Site) -> Result<Box<dyn Lane>> {
    Ok(Box::new(|| {
        let start = now_ns();
        let thread = std::thread::Builder::new().spawn(|| ())?;
        thread.join().map_err(|_| "an empty thread panicked")?;
        Ok(now_ns() - start)
    }))
}

/// Into a rayon pool of one thread and back, from outside of it.
pub(crate) fn rayon_dispatch(_: &Site) -> Result<Box<dyn Lane>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    Ok(Box::new(move || {
        let start = now_ns();
        pool.install(|| std::hint::black_box(()));
        Ok(now_ns() - start)
    }))
}
