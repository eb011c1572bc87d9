//! `hold`: has its input, says that it is there, and stays until the driver lets it go. With it
//! the children of any strategy can be held while their memory is read. Never part of `*`.
//!
//! # The barrier
//!
//! Option `input` is a folder with two named pipes, made once per run, which work the same across
//! exec, fork and threads, in every runtime, and need no polling. The driver keeps both open for
//! reading and writing during a trial. A task
//!
//! 1. touches `touch_mib` of fresh memory, which it keeps until it is let go, and writes to
//!    `write_mib` of the ballast that its process carries or inherited;
//! 2. opens `release` for reading, without waiting, since the driver has it open for writing;
//! 3. writes its process's id and a line feed to `arrived` in one write, which is atomic;
//! 4. reads one byte from `release`, which blocks until the driver writes one: each byte lets one
//!    task go, and bytes written beforehand let tasks pass without stopping. The end of the file
//!    says that the driver is gone: the task fails, so that no task is held for ever;
//! 5. answers with `touch_mib` as its checksum, and no payload.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Mode};

use super::{Answer, Input, Spec, Workload};
use crate::sys::ballast;
use crate::workload::options::{self, OptionDef, Used, Values};

/// The workload.
pub struct Hold;

/// Name of the pipe in which tasks say that they are there, in the folder that is the input.
pub const ARRIVED: &str = "arrived";

/// Name of the pipe in which each byte lets one task go.
pub const RELEASE: &str = "release";

const MIB_MAX: u64 = 1 << 20;

const OPTIONS: &[OptionDef] = &crate::options! {
    /// fresh memory that a task touches and keeps while it is held
    touch_mib = "0", Values::Count { min: 0, max: MIB_MAX };
    /// how much of the ballast that its process carries or inherited a task writes to
    write_mib = "0", Values::Count { min: 0, max: MIB_MAX }, Used::UpTo("ballast_mib");
    /// the folder of its two pipes; made for the run
    input = "", Values::Text;
};

impl Workload for Hold {
    fn name(&self) -> &'static str {
        "hold"
    }

    fn summary(&self) -> &'static str {
        "stays until it is let go, so that the memory of its child can be read"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn holds(&self) -> bool {
        true
    }

    fn materialise(&self, spec: &Spec, dir: &Path) -> Result<Option<PathBuf>, String> {
        let given = options::word(&spec.options, "input")?;
        if !given.is_empty() {
            return Ok(None);
        }
        let dir = dir.join("hold");
        let fail =
            |what: &Path, error: std::io::Error| format!("create {}: {error}", what.display());
        std::fs::create_dir_all(&dir).map_err(|error| fail(&dir, error))?;
        for name in [ARRIVED, RELEASE] {
            let path = dir.join(name);
            let mode = Mode::RUSR | Mode::WUSR;
            match rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, mode, 0) {
                // Another family of the run has made it.
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(errno) => return Err(fail(&path, errno.into())),
            }
        }
        Ok(Some(dir))
    }

    fn known_answer(&self, spec: &Spec) -> Result<Option<u64>, String> {
        options::count(&spec.options, "touch_mib").map(Some)
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        Ok(Arc::new(Barrier {
            dir: PathBuf::from(options::word(&spec.options, "input")?),
            touch_mib: options::count(&spec.options, "touch_mib")?,
            write_mib: options::count(&spec.options, "write_mib")?,
        }))
    }
}

struct Barrier {
    dir: PathBuf,
    touch_mib: u64,
    write_mib: u64,
}

impl Input for Barrier {
    fn run(&self, _: u32, _: Vec<u8>) -> Result<Answer, String> {
        let kept = ballast::touched(self.touch_mib << 20);
        ballast::write_to_carried(self.write_mib << 20);
        self.wait()?;
        drop(black_box(kept));
        Ok(Answer::of(self.touch_mib))
    }
}

impl Barrier {
    fn wait(&self) -> Result<(), String> {
        let [arrived, release] = [ARRIVED, RELEASE].map(|name| self.dir.join(name));
        let fail = |what: &str, path: &Path, error: std::io::Error| {
            format!("{what} {}: {error}", path.display())
        };
        let mut gate = File::open(&release).map_err(|error| fail("open", &release, error))?;
        let line = format!("{}\n", std::process::id());
        OpenOptions::new()
            .write(true)
            .open(&arrived)
            .and_then(|mut pipe| pipe.write_all(line.as_bytes()))
            .map_err(|error| fail("write to", &arrived, error))?;
        match gate.read(&mut [0]) {
            Ok(1..) => Ok(()),
            Ok(0) => Err("the driver that held this task is gone".to_owned()),
            Err(error) => Err(fail("read from", &release, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Size;

    fn spec(touch_mib: u64, input: &Path) -> Spec {
        let options = [
            ("touch_mib", touch_mib.to_string()),
            ("write_mib", "0".to_owned()),
            ("input", input.to_string_lossy().into_owned()),
        ];
        Spec {
            workload: "hold".to_owned(),
            size: Size::M,
            seed: 1,
            payload_bytes: 0,
            options: options.map(|(k, v)| (k.to_owned(), v)).into(),
        }
    }

    #[test]
    fn a_task_stays_until_a_byte_lets_it_go_or_the_driver_is_gone() {
        let scratch = tempfile::tempdir().unwrap();
        let made = Hold.materialise(&spec(0, Path::new("")), scratch.path());
        let dir = made.unwrap().unwrap();
        let both = |name| OpenOptions::new().read(true).write(true).open(dir.join(name));
        let (mut arrived, release) = (both(ARRIVED).unwrap(), both(RELEASE).unwrap());
        let input = Hold.prepare(&spec(1, &dir)).unwrap();
        std::thread::scope(|scope| {
            // Dropped before the threads are joined: a failed assertion must not hold them.
            let mut release = release;
            let [first, second] = [(); 2].map(|()| scope.spawn(|| input.run(0, Vec::new())));
            let mut lines = vec![0; 2 * format!("{}\n", std::process::id()).len()];
            arrived.read_exact(&mut lines).unwrap();
            assert!(!first.is_finished() && !second.is_finished());
            release.write_all(b"x").unwrap();
            // One byte lets one go; the end of the file lets the other fail.
            while !first.is_finished() && !second.is_finished() {
                std::thread::yield_now();
            }
            drop(release);
            let mut answers = [first, second].map(|task| task.join().unwrap());
            answers.sort_by_key(Result::is_err);
            let [passed, failed] = answers;
            assert_eq!(passed.unwrap().checksum, 1);
            assert!(failed.unwrap_err().contains("is gone"));
        });
    }
}
