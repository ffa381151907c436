//! Goes back over the last batch, and does what training leaves to a device.

use std::sync::MutexGuard;

use rnn_tables::Form;

use super::{
    Resident,
    last::{Last, masks, outputs, width},
    ready,
};
use crate::{
    cuda::{DeviceOutput, DeviceState, Engine},
    error::Error,
    host::UpdateTables,
    loss::{Figure, LossFigures, LossTask, OutputGradient},
    model::{ModelData, ModelInfo, check::count, cpu::nothing_to_go_back_over},
    on_device::OnDevice,
    update::{Slot, TrainState, Update, UpdateRule},
};

/// The engine, if a forward pass of training came last, so that there is something to go back over.
fn trained(data: &ModelData) -> Result<(&Resident, &Last, MutexGuard<'_, Engine>), Error> {
    let Some(resident) = &data.resident else {
        return Err(nothing_to_go_back_over());
    };
    resident.check()?;
    let engine = resident.engine();
    match &resident.last {
        Some(last) if last.training && last.number == engine.batch_number() => {
            Ok((resident, last, engine))
        }
        Some(last) if last.training => Err(Error::Argument(
            "a batch after `forward`, of `predict` say, has taken its place on the device: call `forward` right before `backward`"
                .to_owned(),
        )),
        _ => Err(nothing_to_go_back_over()),
    }
}

/// An error unless there is a gradient of the right length for each output, where it is on the host.
fn fits(info: &ModelInfo, engine: &Engine, found: &[OutputGradient<'_>]) -> Result<(), Error> {
    if found.len() != info.outputs.len() {
        return Err(Error::Argument(format!(
            "this model has {}, found gradients for {}",
            count(info.outputs.len(), "output"),
            found.len()
        )));
    }
    for (i, (out, d)) in info.outputs.iter().zip(found).enumerate() {
        let expected = engine.floats(width(info, i), info.output_axes[i]);
        if let OutputGradient::Host(d) = d
            && d.len() != expected
        {
            return Err(Error::Shape {
                what: format!("gradient of {}", out.name),
                expected: format!("[{expected}]"),
                found: format!("[{}]", d.len()),
            });
        }
    }
    Ok(())
}

/// Puts the gradients of the outputs where the backward pass reads them.
fn start_back(
    info: &ModelInfo,
    engine: &mut Engine,
    kept: &[bool],
    d_outputs: &[OutputGradient<'_>],
) -> Result<(), Error> {
    fits(info, engine, d_outputs)?;
    for (i, d) in d_outputs.iter().enumerate() {
        let (to, axis) = (&info.output_gradients[i], info.output_axes[i]);
        match d {
            OutputGradient::Zero => engine.clear(to, width(info, i), axis)?,
            OutputGradient::Kept if kept.get(i) == Some(&true) => {}
            OutputGradient::Kept => {
                let name = info.outputs[i].name;
                return Err(Error::Argument(format!(
                    "the gradient of {name} has not been kept since the last batch"
                )));
            }
            OutputGradient::Host(d) => engine.copy_in(to, width(info, i), axis, d)?,
        }
    }
    Ok(())
}

/// Copies the gradients of the inputs, if they are wanted.
fn copy_input_gradients(
    info: &ModelInfo,
    engine: &mut Engine,
    to: &mut Option<Vec<Vec<f32>>>,
) -> Result<(), Error> {
    let Some(all) = to else {
        return Ok(());
    };
    all.resize(info.inputs.len(), Vec::new());
    for (i, (input, dx)) in info.inputs.iter().zip(all).enumerate() {
        let Some(from) = &info.input_gradients[i] else {
            continue;
        };
        let width: usize = input.features.iter().product();
        dx.resize(engine.floats(width, info.input_axes[i]), 0.0);
        engine.copy_out(from, width, info.input_axes[i], dx)?;
    }
    Ok(())
}

/// Goes back over the last batch: `run` runs the backward pass, given whether the gradients of the inputs are wanted.
fn back(
    data: &mut ModelData,
    d_outputs: &[OutputGradient<'_>],
    run: impl FnOnce(&mut Engine, bool) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut wanted = match &mut data.training {
        Some(state) => state.input_gradients.take(),
        None => None,
    };
    let go = |wanted: &mut Option<_>| {
        let (resident, last, mut engine) = trained(data)?;
        start_back(resident.info, &mut engine, &last.kept, d_outputs)?;
        run(&mut engine, wanted.is_some())?;
        copy_input_gradients(resident.info, &mut engine, wanted)
    };
    let done = go(&mut wanted);
    // The backward pass may have used their room.
    if let Some(last) = data.resident.as_mut().and_then(|r| r.last.as_mut()) {
        last.kept.fill(false);
    }
    if let Some(state) = &mut data.training {
        state.input_gradients = wanted;
    }
    done
}

/// The backward pass after [`forward`], with gradients on the host.
pub(in crate::model) fn backward(
    data: &mut ModelData,
    d_outputs: &[&[f32]],
    gradients: &mut [f32],
) -> Result<(), Error> {
    let given: Vec<OutputGradient<'_>> =
        d_outputs.iter().map(|d| OutputGradient::Host(d)).collect();
    back(data, &given, |engine, wanted| {
        if gradients.len() != engine.weights_len() {
            return Err(Error::Shape {
                what: "gradients of the weights".to_owned(),
                expected: format!("[{}]", engine.weights_len()),
                found: format!("[{}]", gradients.len()),
            });
        }
        engine.run(Form::Backward, wanted, false)?;
        engine.gradients(gradients)
    })
}

impl OnDevice for ModelData {
    fn activity_penalty(&mut self) -> Figure {
        let Some(resident) = &self.resident else {
            return Figure::Known(0.0);
        };
        let Some(last) = &resident.last else {
            return Figure::Known(0.0);
        };
        let mut engine = resident.engine();
        if engine.batch_number() != last.number {
            drop(engine);
            return Figure::Known(resident.penalty().into());
        }
        known(resident, engine.keep_penalty(last.penalties))
    }

    fn weight_penalty(&mut self) -> Figure {
        let Some(resident) = &self.resident else {
            return Figure::Known(0.0);
        };
        match ready(self) {
            Ok(mut engine) => known(resident, engine.keep_weight_penalty()),
            Err(e) => known(resident, Err(e)),
        }
    }

    fn loss(
        &mut self,
        index: usize,
        task: &LossTask<'_>,
        gradient: bool,
    ) -> Result<Option<LossFigures>, Error> {
        let Some(resident) = &self.resident else {
            return Ok(None);
        };
        let (info, Some(last)) = (resident.info, &resident.last) else {
            return Ok(None);
        };
        let mut engine = ready(self)?;
        if engine.batch_number() != last.number || index >= info.outputs.len() {
            return Ok(None);
        }
        let of = DeviceOutput {
            output: &outputs(info, last.training)[index],
            gradient: &info.output_gradients[index],
            mask: masks(info, last.training)[index].as_ref(),
            width: width(info, index),
            axis: info.output_axes[index],
        };
        let gradient = gradient && last.training;
        let figures = engine.score(&of, task, gradient)?;
        drop(engine);
        if let Some(last) = self.resident.as_mut().and_then(|r| r.last.as_mut()) {
            last.kept[index] = gradient && figures.is_some();
        }
        Ok(figures)
    }

    fn figures(&mut self) -> Result<Vec<f64>, Error> {
        match self.resident {
            Some(_) => ready(self)?.figures(),
            None => Ok(Vec::new()),
        }
    }

    fn start_training(&self, slots: &[Slot]) -> Result<Box<dyn TrainState>, Error> {
        let engine = ready(self)?;
        if let Some(resident) = &self.resident {
            // It checks the axes of constraints.
            UpdateTables::new(resident.info.params)?;
        }
        Ok(Box::new(engine.start_training(slots)?))
    }

    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        state: &mut dyn TrainState,
    ) -> Result<(), Error> {
        let state = DeviceState::of(state)?;
        back(self, outputs, |engine, wanted| {
            engine.run_backward(state, wanted)
        })
    }

    fn apply(&mut self, update: &Update<'_>, state: &mut dyn TrainState) -> Result<(), Error> {
        let state = DeviceState::of(state)?;
        let mut engine = ready(self)?;
        let done = match (update.rule, &self.resident) {
            (UpdateRule::Own(_), Some(resident)) => {
                own_step(resident.info, &mut engine, update, state)
            }
            _ => engine.apply(update, state),
        };
        drop(engine);
        if let Some(resident) = &mut self.resident {
            *resident.stale.get_mut() = false;
        }
        // A step that failed may have moved some of them.
        self.forget_host_weights();
        done
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error> {
        let expected = match &self.resident {
            Some(resident) => resident.engine().weights_len(),
            None => 0,
        };
        if weights.len() != expected {
            return Err(Error::Shape {
                what: "weights".to_owned(),
                expected: format!("[{expected}]"),
                found: format!("[{}]", weights.len()),
            });
        }
        self.replace_weights(weights.to_vec());
        Ok(())
    }

    fn take_error(&self) -> Result<(), Error> {
        self.check()
    }
}

/// A step of an optimizer that exists as host code only: all numbers travel.
fn own_step(
    info: &ModelInfo,
    engine: &mut Engine,
    update: &Update<'_>,
    state: &mut DeviceState,
) -> Result<(), Error> {
    let mut tables = UpdateTables::new(info.params)?;
    let (mut weights, mut gradients) = (engine.weights()?, state.gradients()?);
    let mut slots = state.slots()?;
    tables.apply(update, &mut weights, &mut gradients, &mut slots)?;
    engine.set_weights(&weights)?;
    for (i, slot) in slots.iter().enumerate() {
        state.set_slot(i, slot)?;
    }
    Ok(())
}

/// A figure, or NaN: the next call that can return the error does.
fn known(resident: &Resident, figure: Result<Figure, Error>) -> Figure {
    figure.unwrap_or_else(|e| {
        resident.fail(e);
        Figure::Known(f64::NAN)
    })
}
