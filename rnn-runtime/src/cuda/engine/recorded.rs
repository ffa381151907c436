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
    /// How often it has been started kernel by kernel.
    started: u32,
    /// Its kernels, once it has been started so often that it will come again.
    recording: Option<Recording>,
    /// How many penalties it has.
    penalties: usize,
}

/// What starting a schedule came to.
#[derive(Clone, Copy)]
struct Started {
    penalties: usize,
    kernels: usize,
}

/// Most schedules and sizes of batches that are remembered.
pub(in crate::cuda) const RECORDINGS: usize = 16;
/// A schedule is recorded when it is started for this time: sizes that come twice may never come again.
pub(in crate::cuda) const OFTEN: u32 = 3;
/// Most kernels of a recording, which takes memory for each.
const KERNELS: usize = 20_000;

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
        // The forward pass moves the statistics of normalisations, which packed weights are made of; however it ends.
        self.is_packed &= form != Form::Forward || !self.moves_weights();
        let key = self.key(form, input_gradient, penalties)?;
        // The last one used stands last; the first is forgotten first.
        let mut one = match self.recorded.iter().position(|r| r.key == key) {
            Some(i) => self.recorded.remove(i),
            None => Recorded {
                key,
                started: 0,
                recording: None,
                penalties: 0,
            },
        };
        if let Some(recording) = &one.recording {
            self.device.replay(recording)?;
        } else {
            let launcher = self.device.launcher();
            let started = self.start(launcher, schedule, input_gradient, penalties)?;
            (one.penalties, one.started) = (started.penalties, one.started.saturating_add(1));
            if one.started == OFTEN && started.kernels <= KERNELS {
                let record = |launcher: Launcher<'_>| {
                    let started = self.start(launcher, schedule, input_gradient, penalties);
                    started.map(drop)
                };
                // The batch has been started already. Without a recording the next one is started in the same way.
                one.recording = self.device.record(record).ok();
            }
        }
        let seen = one.penalties;
        if self.recorded.len() >= RECORDINGS {
            self.recorded.remove(0);
        }
        self.recorded.push(one);
        Ok(seen)
    }

    /// Starts a schedule.
    fn start(
        &self,
        launcher: Launcher<'_>,
        schedule: &[Instruction],
        input_gradient: bool,
        penalties: bool,
    ) -> Result<Started, Error> {
        let mut pass = self.pass()?;
        pass.device = launcher;
        pass.input_gradient = input_gradient;
        if !penalties {
            pass.penalties = Doubles(0);
        }
        let before = launcher.started();
        execute(&mut pass, schedule);
        match pass.failed.take() {
            Some(e) => Err(e),
            None => Ok(Started {
                penalties: pass.penalties_seen,
                kernels: launcher.started().wrapping_sub(before),
            }),
        }
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
        key.extend(
            pass.inputs
                .iter()
                .flat_map(|x| [x.floats.0, x.ids.0, x.order.0]),
        );
        Ok(key)
    }
}
