//! Checks that the options of a training suit a stateful model.

use super::fit::Fit;
use crate::data::Dataset;
use rnn_runtime::error::Error;

/// Most batch sizes that a message names.
const NAMED: usize = 8;

/// Checks that the batches of a stateful model come in order and in one size.
pub(super) fn check(
    fit: &Fit<'_>,
    train: &Dataset,
    validation: Option<&Dataset>,
) -> Result<(), Error> {
    if fit.shuffle {
        let message = "the model is stateful: its batches go on where the ones before them ended, \
                       so their order must stay; write `shuffle: false` in Fit";
        return Err(Error::Argument(message.to_owned()));
    }
    check_size("training data", train, fit.batch_size)?;
    let Some(validation) = validation else {
        return Ok(());
    };
    if !fit.reset_states {
        let message = "the model is stateful: validation would end the states that \
                       `reset_states: false` keeps; leave out one of the two in Fit";
        return Err(Error::Argument(message.to_owned()));
    }
    let size = fit.validation_batch_size.unwrap_or(fit.batch_size);
    check_size("validation data", validation, size)
}

/// Checks that all batches have this size.
pub(super) fn check_size(what: &str, data: &Dataset, batch_size: usize) -> Result<(), Error> {
    if let Some(cut) = data.batch_size().filter(|&cut| cut != batch_size) {
        return Err(Error::Argument(format!(
            "{what}: it was cut for batches of {cut}, not {batch_size}; write `batch_size: {cut}`"
        )));
    }
    let (samples, left) = (data.len(), data.len() % batch_size);
    if left == 0 {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "{what}: the model is stateful, so all batches must be of one size, but {samples} samples \
         in batches of {batch_size} leave a last one of {left}; without a rest are batches of {}",
        fitting(samples, batch_size)
    )))
}

/// Help: the batch sizes nearest to `wanted` that leave no rest, and other ways out.
fn fitting(samples: usize, wanted: usize) -> String {
    let mut sizes: Vec<usize> = (1..=samples)
        .filter(|&size| samples.is_multiple_of(size))
        .collect();
    sizes.sort_by_key(|size| size.abs_diff(wanted));
    sizes.truncate(NAMED);
    sizes.sort_unstable();
    let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
    let whole = samples - samples % wanted;
    let take = match whole {
        0 => String::new(),
        whole => format!(" (or leave out the rest: `data.take({whole})`)"),
    };
    format!("{}{take}", sizes.join(", "))
}
