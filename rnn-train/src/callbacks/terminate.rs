//! Stopping when the loss is NaN or infinite.

use super::{Callback, Training};
use rnn_runtime::error::Error;

/// Ends training after a batch that made the loss NaN or infinite. Without it, training goes on
/// (as in Keras), and all that follows is NaN.
///
/// ```
/// use recurrent::train::callbacks::TerminateOnNaN;
///
/// assert_eq!(TerminateOnNaN::default().terminated(), None);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TerminateOnNaN {
    terminated: Option<(usize, usize)>,
}

impl TerminateOnNaN {
    /// Epoch and batch (from 0) after which training was ended, if it was.
    pub fn terminated(&self) -> Option<(usize, usize)> {
        self.terminated
    }
}

impl Callback for TerminateOnNaN {
    fn on_train_begin(&mut self, _: &mut Training<'_>) -> Result<(), Error> {
        self.terminated = None;
        Ok(())
    }

    fn on_batch_end(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        if training
            .logs()
            .get("loss")
            .is_some_and(|loss| !loss.is_finite())
        {
            self.terminated = Some((training.epoch(), training.batch()));
            training.stop();
        }
        Ok(())
    }
}
