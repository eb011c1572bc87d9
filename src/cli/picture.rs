//! `--image FILE`: the user's own picture instead of the built-in one.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::experiment::Experiment;
use crate::workload::{Size, check_picture};

const WORKLOAD: &str = "image";

/// Has every family of the image workload work on this picture. Families that differed only in
/// the size of the built-in picture become one.
///
/// # Errors
/// The picture cannot be used, with the reason, or there is no family to use it.
pub fn replace(experiments: &mut [Experiment], picture: &Path) -> Result<()> {
    let attempt = || format!("use --image `{}`", picture.display());
    check_picture(picture).map_err(anyhow::Error::msg).with_context(attempt)?;
    let path = std::path::absolute(picture).with_context(attempt)?;
    let Some(path) = path.to_str().filter(|path| !path.contains([';', '\n', '\r'])) else {
        bail!("{}: its path has a `;` or a line break, or is not UTF-8; rename it", attempt());
    };
    let mut replaced = 0;
    for experiment in experiments {
        for family in experiment.families.iter_mut().filter(|f| f.spec.workload == WORKLOAD) {
            let size = format!("{WORKLOAD}-{}", family.spec.size.name());
            family.spec.size = Size::L;
            family.spec.options.insert("input".to_owned(), path.to_owned());
            if let Some(rest) = family.id.strip_prefix(&size) {
                family.id = format!("{WORKLOAD}-{}{rest}", Size::L.name());
            }
            replaced += 1;
        }
        let mut seen = std::collections::HashSet::new();
        experiment.families.retain(|family| seen.insert(family.id.clone()));
    }
    if replaced == 0 {
        bail!("{}: no family of the experiment has the workload `{WORKLOAD}`", attempt());
    }
    Ok(())
}
