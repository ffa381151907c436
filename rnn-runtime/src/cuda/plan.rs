//! How a device runs a model, as text.

use std::fmt::Write as _;

use rnn_tables::Form;

use super::{
    device::CudaDevice,
    engine::{
        DeviceModel,
        recorded::{OFTEN, RECORDINGS},
    },
    layout::Layout,
    program::Steps,
    source::{Stepwise, persistent_rows},
};
use crate::{error::Error, precision::Precision};

/// Rows that fill whole lines of every buffer, so that their bytes are those of one row times this.
const ROWS: usize = 32;

impl DeviceModel {
    /// How a device runs the model with products in `precision`: the kernels of each form of each cell, and what takes memory.
    /// `axes` are the lengths of its axes of time, `None` where they are open.
    ///
    /// # Errors
    /// [`Error::Argument`] if the model is too large for a device.
    pub fn plan(
        &self,
        device: &CudaDevice,
        precision: Precision,
        axes: &[Option<usize>],
    ) -> Result<String, Error> {
        let room = device.persistent_room();
        let packing = self.packing(precision)?;
        let mut text = format!(
            "on cuda:{}, {}: sm_{}, {} multiprocessors, {} of shared memory for a block\n",
            device.ordinal(),
            device.name(),
            device.architecture(),
            device.multiprocessors(),
            kib(device.shared_memory())
        );
        let _ = writeln!(text, "products: {}", products(precision));
        let weights: usize = self.params.iter().map(|p| p.len()).sum();
        let _ = writeln!(
            text,
            "memory: {} of weights, {} of packed weights",
            kib(4 * weights),
            kib(4 * packing.len)
        );
        for (training, what) in [(false, "inference"), (true, "training")] {
            let _ = writeln!(text, "{}", self.values(training, what, axes)?);
        }
        let _ = writeln!(
            text,
            "graphs: a schedule that has been started {OFTEN} times for batches of one size is one graph from then on, the last \
             {RECORDINGS} of them"
        );
        if room > 0 {
            let _ = writeln!(
                text,
                "a block of a persistent kernel has {} rows of the batch, or 1 if there are at most {} rows",
                persistent_rows(precision),
                device.multiprocessors()
            );
        }
        let computed = self.code.computed.len();
        if computed > 0 {
            let _ = writeln!(text, "with the weights: {}", kernels(computed));
        }
        // Cells in the order in which they were written, each with its forms.
        let programs = [false, true].map(|training| self.program(training, &packing, room));
        let mut forms: Vec<&Steps> = programs.iter().flat_map(|p| p.steps()).collect();
        forms.sort_by_key(|s| s.form.cell);
        let mut last = None;
        for steps in forms {
            if last != Some(steps.form.cell) {
                last = Some(steps.form.cell);
                let _ = writeln!(text, "{}:", steps.form.layer);
            }
            let _ = writeln!(text, "  {}", line(steps, room));
        }
        Ok(text)
    }

    /// How many of the scans over steps are persistent kernels, and how many there are.
    ///
    /// # Errors
    /// [`Error::Argument`] if the model is too large for a device.
    pub fn persistent(
        &self,
        device: &CudaDevice,
        precision: Precision,
    ) -> Result<(usize, usize), Error> {
        let (room, packing) = (device.persistent_room(), self.packing(precision)?);
        let (mut persistent, mut all) = (0, 0);
        for training in [false, true] {
            for steps in self.program(training, &packing, room).steps() {
                persistent += usize::from(steps.persistent.is_ok());
                all += usize::from(!steps.form.scan.step.is_empty());
            }
        }
        Ok((persistent, all))
    }

    /// What the values of a batch take.
    fn values(&self, training: bool, what: &str, axes: &[Option<usize>]) -> Result<String, Error> {
        let bytes = |open: usize| {
            let axes: Vec<usize> = axes.iter().map(|n| n.unwrap_or(open)).collect();
            let layout = Layout::new(self.buffers(training), ROWS, &axes)?;
            Ok::<_, Error>(4 * layout.len / ROWS)
        };
        let (one, two) = (bytes(1)?, bytes(2)?);
        let step = two - one;
        Ok(match step {
            0 => format!("  {what}: {} a row of the batch", kib(one)),
            _ => format!(
                "  {what}: {} a row of the batch, and {} a step of it",
                kib(one - step),
                kib(step)
            ),
        })
    }
}

/// What products are made in, and by what.
fn products(precision: Precision) -> String {
    match (precision, precision.of(Form::Backward)) {
        (Precision::Float32, _) => "float32, by fmaf".to_owned(),
        (forward, backward) if forward == backward => format!("{forward}, by tensor cores"),
        (forward, backward) => format!("{forward}, backward {backward}, by tensor cores"),
    }
}

/// How the kernels of a form run.
fn line(steps: &Steps, room: usize) -> String {
    let scan = &steps.form.scan;
    let form = match steps.form.form {
        Form::Stream => "stream:",
        Form::Inference => "inference:",
        Form::Forward => "forward:",
        Form::Backward => "backward:",
    };
    let mut parts = Vec::new();
    let (before, at, after) = (scan.prologue.len(), scan.step.len(), scan.post_loop.len());
    if before > 0 {
        let what = match at {
            0 => "for all steps",
            _ => "before the steps",
        };
        parts.push(format!("{} {what}", kernels(before)));
    }
    match steps.persistent {
        Ok(bytes) => parts.push(format!(
            "1 persistent kernel for all steps ({} each), its weights in {} of {} of shared memory",
            kernels(at),
            kib(bytes),
            kib(room)
        )),
        Err(Stepwise::NoKernels) => {}
        Err(why) => {
            let why = match why {
                Stepwise::TooLarge(_) if room == 0 => "RECURRENT_CUDA_PERSISTENT is 0".to_owned(),
                Stepwise::TooLarge(bytes) => format!(
                    "weights of {} do not fit into {} of shared memory",
                    kib(bytes),
                    kib(room)
                ),
                _ => "they read no weights".to_owned(),
            };
            parts.push(format!("{} at each step, since {why}", kernels(at)));
        }
    }
    if after > 0 {
        parts.push(format!("{} after the steps", kernels(after)));
    }
    if parts.is_empty() {
        parts.push("by the kernels of all models".to_owned());
    }
    format!("{form:<10} {}", parts.join("; "))
}

/// `1 kernel`, `2 kernels`
fn kernels(n: usize) -> String {
    match n {
        1 => "1 kernel".to_owned(),
        _ => format!("{n} kernels"),
    }
}

/// `64 KiB`, `4.5 KiB`, `512 B`
fn kib(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        _ if bytes.is_multiple_of(1024) => format!("{} KiB", bytes / 1024),
        _ => format!("{:.1} KiB", bytes as f64 / 1024.0),
    }
}
