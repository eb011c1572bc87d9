//! Watches each trial of a run and puts all of it on disk.

use anyhow::Result;

use super::noise::Monitor;
use super::setting::Ran;
use crate::record::{RunDir, TrialRow};

/// An open run directory and the watched machine.
#[derive(Debug)]
pub struct Recorder {
    /// The run's name.
    pub run_id: String,
    /// Watches the machine.
    pub monitor: Monitor,
    /// Where everything goes.
    pub dir: RunDir,
}

impl Recorder {
    /// Ends watching a trial: its row gets the noise, and the file its samples.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn watched(&mut self, row: &mut TrialRow) -> Result<()> {
        if let Some(noise) = self.monitor.after_trial() {
            noise.fill_in(row);
        }
        self.append_noise(&row.trial_id)
    }

    /// Writes the samples since the last call, those during the last trial with its id.
    ///
    /// # Errors
    /// As above.
    pub fn append_noise(&mut self, trial_id: &str) -> Result<()> {
        Ok(self.dir.append_noise(&self.monitor.take_rows(&self.run_id, trial_id))?)
    }

    /// Puts all of a trial on disk, its row last: a row says that the rest is there.
    ///
    /// # Errors
    /// As above.
    pub fn record(&mut self, mut ran: Ran) -> Result<TrialRow> {
        self.watched(&mut ran.row)?;
        if !ran.requests.is_empty() {
            self.dir.write_requests(&ran.row, &ran.requests)?;
        }
        self.dir.append_memory(&ran.memory)?;
        self.dir.append_trial(&ran.row)?;
        Ok(ran.row)
    }
}
