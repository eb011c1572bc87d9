//! Where driver, subject and children run during one trial.

use super::target::TargetError;
use crate::experiment::Placement;
use crate::sys::affinity;

/// The cores of a trial. Dropping it lets the driver run
/// wherever it could before.
///
/// In both pinned placements the driver shares the subject's core, so that between them only the
/// children's core differs.
#[derive(Debug)]
pub(super) struct Placed {
    before: Vec<u32>,
    child: Option<u32>,
}

impl Placed {
    pub(super) fn begin(placement: Placement) -> Result<Placed, TargetError> {
        let fail =
            |error| TargetError::Io { attempt: format!("place on cores {placement}"), error };
        let before = affinity::allowed().map_err(fail)?;
        let (own, child) = match (placement, before.as_slice()) {
            (Placement::Unpinned, _) => {
                return Ok(Placed { before, child: None });
            }
            (Placement::SameCore, &[own, ..]) => (own, own),
            (Placement::OtherCore, &[own, other, ..]) => (own, other),
            _ => {
                return Err(fail(std::io::Error::other("this process may use one core only")));
            }
        };
        affinity::restrict(&[own]).map_err(fail)?;
        Ok(Placed { before, child: Some(child) })
    }

    pub(super) fn environment(&self, fixed: &[(String, String)]) -> Vec<(String, String)> {
        let child = self.child.map(|cpu| (affinity::CHILD_CPU.to_owned(), cpu.to_string()));
        fixed.iter().cloned().chain(child).collect()
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        if self.child.is_some() {
            // It was allowed before.
            let _ = affinity::restrict(&self.before);
        }
    }
}
