//! Which experiments, how much of them: the arguments that `run` and `list` share.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::here;
use crate::experiment::filter::{self, Filter};
use crate::experiment::nearest::unknown;
use crate::experiment::{Experiment, Preset, builtin, plan, wire};
use crate::sys::files::read_named;

/// Far more than any experiment needs: a mistaken path must not be read whole.
const TEXT_MAX_BYTES: u64 = 1 << 20;
const BLOCKS_MAX: i64 = 10_000;

/// Which experiments, and how much of them.
#[derive(Debug, Clone, clap::Args)]
pub struct Selection {
    /// Built-in name or TOML file, one or more; without one, `run` measures `main` and
    /// `list` shows all there is
    #[arg(value_name = "EXPERIMENT")]
    pub experiments: Vec<String>,

    /// How much to measure
    #[arg(long, value_name = "PRESET", default_value = "quick", value_parser = presets())]
    pub preset: Preset,

    /// Blocks per family, instead of the preset's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=BLOCKS_MAX))]
    pub blocks: Option<u32>,

    /// Only this part; repeat to narrow further
    ///
    /// Keys: workload, size, runtime, strategy, regime, callers, children, rate, placement,
    /// payload_bytes, ballast_mib, role, family, demonstration. Reference and placebo stay unless
    /// `role` leaves them out: ratios are taken against the first and judged by the second.
    #[arg(long = "filter", value_name = "KEY=VALUE,…")]
    pub filters: Vec<Filter>,

    /// Seed of inputs and orders; the same seed plans the same trials
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// A JPEG of your own for the workload `image`, in place of the built-in picture
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
}

impl Selection {
    /// Blocks per family.
    pub fn blocks(&self) -> u32 {
        self.blocks.unwrap_or(self.preset.blocks)
    }

    /// The experiments with the text they were read from, as far as the filters leave them;
    /// `main` if none is named.
    ///
    /// # Errors
    /// An unknown name, a file that cannot be read or is wrong, the same name twice, or filters
    /// that leave nothing.
    pub fn load(&self) -> Result<Vec<(Experiment, String)>> {
        let cores = here::cores();
        let default = vec!["main".to_owned()];
        let named = if self.experiments.is_empty() { &default } else { &self.experiments };
        let mut experiments: Vec<Experiment> = Vec::new();
        let mut texts = Vec::new();
        for named in named {
            let (path, text) = find(named)?;
            let experiment = wire::parse(&text, &path, cores, self.seed)?;
            if experiments.iter().any(|other| other.name == experiment.name) {
                bail!("experiment `{}` is given twice", experiment.name);
            }
            texts.push((experiment.name.clone(), text));
            experiments.push(experiment);
        }
        let mut kept = filter::apply(&self.filters, experiments, cores)?;
        if let Some(picture) = &self.image {
            super::picture::replace(&mut kept, picture)?;
        }
        for experiment in &kept {
            plan::check_size(experiment, self.blocks()).map_err(anyhow::Error::msg)?;
        }
        texts.retain(|(name, _)| kept.iter().any(|experiment| experiment.name == *name));
        let texts = texts.into_iter().map(|(_, text)| text);
        Ok(kept.into_iter().zip(texts).collect())
    }
}

/// An experiment's path (for errors) and text, by built-in name or by path.
fn find(named: &str) -> Result<(String, String)> {
    if let Some(builtin) = builtin::by_name(named) {
        return Ok((builtin.path.to_owned(), builtin.text.to_owned()));
    }
    let path = Path::new(named);
    if !path.exists() && !named.contains('/') && !named.ends_with(".toml") {
        let names: Vec<_> = builtin::ALL.iter().map(|builtin| builtin.name).collect();
        let message = unknown("experiment", named, &names);
        bail!("{message}, or the path of a TOML file");
    }
    let attempt = || format!("read experiment `{named}`");
    let bytes = read_named(path, TEXT_MAX_BYTES).with_context(attempt)?;
    let text = String::from_utf8(bytes).context("it is not UTF-8").with_context(attempt)?;
    Ok((named.to_owned(), text))
}

/// The presets by name, so that the library lists them and suggests the nearest.
fn presets() -> impl TypedValueParser<Value = Preset> {
    let values = Preset::ALL.map(|preset| PossibleValue::new(preset.name).help(preset.summary));
    PossibleValuesParser::new(values).try_map(|name| {
        let unknown = || format!("unknown preset `{name}`");
        Preset::by_name(&name).ok_or_else(unknown)
    })
}
