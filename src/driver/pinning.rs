//! The cores of driver, subject and children during one trial.

use std::io;

use super::target::TargetError;
use crate::experiment::Placement;
use crate::sys::affinity;

/// The cores of a trial. Dropping it gives the driver its former cores back.
///
/// In both pinned placements the driver shares the subject's core, so that between them only the
/// children's core differs.
#[derive(Debug)]
pub struct Pinning {
    before: Vec<u32>,
    child: Option<u32>,
}

impl Pinning {
    pub fn begin(placement: Placement) -> Result<Pinning, TargetError> {
        pin(placement).map_err(TargetError::io(format!("place on cores {placement}")))
    }

    pub fn environment(&self, fixed: &[(String, String)]) -> Vec<(String, String)> {
        let child = self.child.map(|cpu| (affinity::CHILD_CPU.to_owned(), cpu.to_string()));
        fixed.iter().cloned().chain(child).collect()
    }
}

fn pin(placement: Placement) -> io::Result<Pinning> {
    let before = affinity::allowed()?;
    let (own, child) = match (placement, before.as_slice()) {
        (Placement::Unpinned, _) => return Ok(Pinning { before, child: None }),
        (Placement::SameCore, &[own, ..]) => (own, own),
        (Placement::OtherCore, &[own, other, ..]) => (own, other),
        _ => return Err(io::Error::other("this process may use one core only")),
    };
    affinity::restrict(&[own])?;
    Ok(Pinning { before, child: Some(child) })
}

impl Drop for Pinning {
    fn drop(&mut self) {
        if self.child.is_some() {
            // It was allowed before.
            let _ = affinity::restrict(&self.before);
        }
    }
}
