//! Running a schedule; one that comes again for the same sizes is started as a graph.

use rnn_tables::{Form, Instruction};

use super::Engine;
use crate::{
    cuda::{
        device::{Launcher, Recording},
        parameters::Doubles,
    },
    error::Error,
    executor::execute,
};

/// A schedule that has run for a batch of some size.
pub(super) struct Recorded {
    /// What tells it from others.
    key: Vec<u64>,
    /// Its kernels, once it has run twice.
    recording: Option<Recording>,
    /// How many penalties it has.
    penalties: usize,
}

/// Most schedules and sizes of batches that are remembered.
const RECORDINGS: usize = 16;

impl Engine {
    /// Runs the schedule of a form for the batch; gives how many penalties there were. Of the gradients of a backward pass only those
    /// of trained weights are not zero.
    ///
    /// # Errors
    /// [`Error::Device`] if a kernel does not start. What fails while it runs is found when something is copied from the device.
    pub fn run(
        &mut self,
        form: Form,
        input_gradient: bool,
        penalties: bool,
    ) -> Result<usize, Error> {
        let schedule = match form {
            Form::Inference => self.model.inference,
            Form::Forward => self.model.forward,
            Form::Backward => self.model.backward,
            // A device has no streams.
            Form::Stream => &[],
        };
        if form == Form::Backward {
            let gradients = self.gradients.of(&self.device, self.len)?;
            self.device.zero(gradients)?;
        }
        let key = self.key(form, input_gradient, penalties)?;
        let known = self.recorded.iter().position(|r| r.key == key);
        let seen = match known.map(|i| &self.recorded[i]) {
            Some(Recorded {
                recording: Some(recording),
                penalties,
                ..
            }) => {
                self.device.replay(recording)?;
                *penalties
            }
            _ => {
                let seen =
                    self.start(self.device.launcher(), schedule, input_gradient, penalties)?;
                self.remember(known, key, schedule, input_gradient, penalties)?;
                seen
            }
        };
        // The forward pass moves the statistics of normalisations, which packed weights are made of.
        self.is_packed &= form != Form::Forward || !self.moves_weights();
        Ok(seen)
    }

    /// Starts a schedule.
    fn start(
        &self,
        launcher: Launcher<'_>,
        schedule: &[Instruction],
        input_gradient: bool,
        penalties: bool,
    ) -> Result<usize, Error> {
        let mut pass = self.pass()?;
        pass.device = launcher;
        pass.input_gradient = input_gradient;
        if !penalties {
            pass.penalties = Doubles(0);
        }
        execute(&mut pass, schedule);
        match pass.failed.take() {
            Some(e) => Err(e),
            None => Ok(pass.penalties_seen),
        }
    }

    /// A batch of a size that comes a second time will come again: its kernels are recorded, and from the third time on they
    /// are started as one graph.
    fn remember(
        &mut self,
        known: Option<usize>,
        key: Vec<u64>,
        schedule: &[Instruction],
        input_gradient: bool,
        penalties: bool,
    ) -> Result<(), Error> {
        let Some(i) = known else {
            if self.recorded.len() >= RECORDINGS {
                self.recorded.remove(0);
            }
            self.recorded.push(Recorded {
                key,
                recording: None,
                penalties: 0,
            });
            return Ok(());
        };
        let mut seen = 0;
        let recording = self.device.record(|launcher| {
            seen = self.start(launcher, schedule, input_gradient, penalties)?;
            Ok(())
        })?;
        (self.recorded[i].recording, self.recorded[i].penalties) = (Some(recording), seen);
        Ok(())
    }

    /// All that the kernels of a schedule depend on: sizes and addresses.
    fn key(&self, form: Form, input_gradient: bool, penalties: bool) -> Result<Vec<u64>, Error> {
        let pass = self.pass()?;
        let flags = [form as u64, u64::from(input_gradient), u64::from(penalties)];
        let mut key = flags.to_vec();
        key.push(pass.layout.rows as u64);
        key.extend(pass.axes.iter().map(|n| *n as u64));
        key.extend([
            pass.values.0,
            pass.packed.0,
            pass.weights.0,
            pass.gradients.0,
        ]);
        key.extend([pass.scratch.0.0, pass.penalties.0, pass.seeds.0]);
        key.extend(pass.inputs.iter().flat_map(|x| [x.floats.0, x.ids.0]));
        for sorted in pass.sorted.iter().flatten() {
            let lists = [&sorted.ids, &sorted.starts, &sorted.places];
            key.extend(lists.map(|list| self.device.address(list)));
            key.push(sorted.count as u64);
        }
        Ok(key)
    }
}
