//! The sources of the subjects that are scripts, so that an installed program has them without
//! its repository. The packages they may use are not among them.

/// Files of one runtime's subject.
#[derive(Debug, Clone, Copy)]
pub struct Sources {
    /// The folder below `subjects`.
    pub dir: &'static str,
    /// Paths below the folder and texts; the first is the one to run.
    pub files: &'static [(&'static str, &'static str)],
}

macro_rules! sources {
    ($dir:literal: $($path:literal),* $(,)?) => {
        Sources {
            dir: $dir,
            files: &[$((
                $path,
                include_str!(concat!("../../subjects/", $dir, "/", $path)),
            )),*],
        }
    };
}

/// The Node.js subject.
pub const NODE: Sources = sources!("node":
    "subject.mjs",
    "ballast.mjs",
    "children/fork-ipc.mjs",
    "children/pool.mjs",
    "children/thread-pool.mjs",
    "children/thread.mjs",
    "clock.mjs",
    "demonstrations/crash.mjs",
    "demonstrations/crash/server.mjs",
    "demonstrations/crash/worker.mjs",
    "demonstrations/independent-resources.mjs",
    "demonstrations/independent-resources/child.mjs",
    "demonstrations/max-buffer.mjs",
    "demonstrations/max-buffer/talker.mjs",
    "demonstrations/memory-isolation.mjs",
    "demonstrations/memory-isolation/child.mjs",
    "demonstrations/memory-isolation/shared.mjs",
    "demonstrations/object-transfer.mjs",
    "demonstrations/object-transfer/echo.mjs",
    "demonstrations/order-leak.mjs",
    "demonstrations/order-leak/email-worker.mjs",
    "demonstrations/order-leak/inventory-worker.mjs",
    "demonstrations/order-leak/payment-worker.mjs",
    "demonstrations/prime-boundary.mjs",
    "demonstrations/prime-boundary/prime-finder.mjs",
    "demonstrations/processes.mjs",
    "demonstrations/run-command.mjs",
    "demonstrations/run-command/script.mjs",
    "demonstrations/say.mjs",
    "demonstrations/separate-processes.mjs",
    "demonstrations/separate-processes/child.mjs",
    "demonstrations/shell-characters.mjs",
    "demonstrations/shell-characters/echo.mjs",
    "demonstrations/synchronization.mjs",
    "demonstrations/synchronization/counter.mjs",
    "demonstrations/timeout-cleanup.mjs",
    "demonstrations/timeout-cleanup/worker.mjs",
    "host.mjs",
    "package-lock.json",
    "package.json",
    "process.mjs",
    "protocol.mjs",
    "requests.mjs",
    "run.mjs",
    "spec.mjs",
    "strategy/blocking.mjs",
    "strategy/census.mjs",
    "strategy/exec-file.mjs",
    "strategy/exec.mjs",
    "strategy/fork-ipc.mjs",
    "strategy/index.mjs",
    "strategy/message.mjs",
    "strategy/pool.mjs",
    "strategy/program.mjs",
    "strategy/spawn.mjs",
    "strategy/thread-pool.mjs",
    "strategy/thread.mjs",
    "task.mjs",
    "text.mjs",
    "versions.mjs",
    "witness.mjs",
    "workload/analytics.mjs",
    "workload/dataset.mjs",
    "workload/draws.mjs",
    "workload/fault.mjs",
    "workload/fold.mjs",
    "workload/hold.mjs",
    "workload/image.mjs",
    "workload/index.mjs",
    "workload/mix.mjs",
    "workload/noop.mjs",
    "workload/orders.mjs",
    "workload/primes.mjs",
    "workload/random-sum-native.mjs",
    "workload/random-sum.mjs",
    "workload/reports.mjs",
    "workload/sleep.mjs",
    "workload/spin.mjs",
);

/// The Python subject.
pub const PYTHON: Sources = sources!("python":
    "subject.py",
    "affinity.py",
    "ballast.py",
    "children/__init__.py",
    "children/fork_ipc.py",
    "children/fork_server.py",
    "children/worker.py",
    "clock.py",
    "demonstrations/crash.py",
    "demonstrations/memory-isolation.py",
    "demonstrations/say.py",
    "host.py",
    "protocol.py",
    "requests.py",
    "requirements.txt",
    "run.py",
    "spec.py",
    "strategy/__init__.py",
    "strategy/blocking.py",
    "strategy/exec.py",
    "strategy/exec_file.py",
    "strategy/fork.py",
    "strategy/fork_ipc.py",
    "strategy/pool.py",
    "strategy/prefork_pool.py",
    "strategy/program.py",
    "strategy/spawn.py",
    "strategy/thread.py",
    "strategy/thread_pool.py",
    "strategy/workers.py",
    "task.py",
    "text.py",
    "versions.py",
    "workload/__init__.py",
    "workload/analytics.py",
    "workload/dataset.py",
    "workload/draws.py",
    "workload/fault.py",
    "workload/fold.py",
    "workload/hold.py",
    "workload/image.py",
    "workload/mix.py",
    "workload/noop.py",
    "workload/orders.py",
    "workload/primes.py",
    "workload/random_sum.py",
    "workload/random_sum_native.py",
    "workload/reports.py",
    "workload/sleep.py",
    "workload/spin.py",
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Everything below the folder but what the set-up installs there.
    fn files(root: &Path, below: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(root.join(below)).unwrap() {
            let path = below.join(entry.unwrap().file_name());
            let name = path.file_name().unwrap().to_str().unwrap();
            match name {
                "node_modules" | "__pycache__" | ".venv" => {}
                _ if root.join(&path).is_dir() => files(root, &path, found),
                _ => found.push(path.to_str().unwrap().to_owned()),
            }
        }
    }

    #[test]
    fn every_source_is_embedded() {
        for sources in [NODE, PYTHON] {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("subjects");
            let mut found = Vec::new();
            files(&root.join(sources.dir), Path::new(""), &mut found);
            found.sort();
            let mut embedded: Vec<_> = sources.files.iter().map(|(path, _)| *path).collect();
            embedded.sort_unstable();
            assert_eq!(embedded, found);
        }
    }
}
