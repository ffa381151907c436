//! Losses, metrics and penalties on the device: `../kernels/losses.cuh`. Numbers for the host wait there until it asks.

use rnn_tables::{Axis, BufferRef};

use super::{Engine, Room};
use crate::cuda::{
    device::CudaDevice,
    layout::{NOTHING, int},
    parameters::{AddUp, CountRows, Doubles, Floats, ScoreRows, View, Words},
    slice::Slice,
};
use crate::{
    error::Error,
    loss::{Figure, LossFigures, LossRule, LossTask, MetricRule, TargetView},
};

/// Numbers that wait on the device.
const FIGURES: usize = 4096;

/// Blocks of a kernel that scores rows.
const BLOCKS: usize = 1024;
/// Rows of a block at a time.
const ROWS: usize = 16;

/// What scores of a batch need on the device.
pub(super) struct Scores {
    floats: Room<f32>,
    labels: Room<u32>,
    weights: Room<f32>,
    counter: Room<f64>,
    sums: Room<f64>,
    figures: Option<Slice<f64>>,
    /// How many figures wait.
    kept: usize,
    /// Figures that were fetched because there was no more room.
    earlier: Vec<f64>,
}

impl Default for Scores {
    fn default() -> Self {
        Scores {
            floats: Room::new("the targets"),
            labels: Room::new("the targets"),
            weights: Room::new("the sample weights"),
            counter: Room::new("the number of rows"),
            sums: Room::new("the sums of a loss"),
            figures: None,
            kept: 0,
            earlier: Vec::new(),
        }
    }
}

impl Scores {
    /// Room for so many more figures, and the number of the first.
    fn keep(&mut self, device: &CudaDevice, count: usize) -> Result<(Doubles, usize), Error> {
        let figures = match &self.figures {
            Some(figures) => figures,
            None => self.figures.insert(device.room(FIGURES, "the figures")?),
        };
        if self.kept + count > FIGURES {
            let start = self.earlier.len();
            self.earlier.resize(start + self.kept, 0.0);
            device.download(figures, &mut self.earlier[start..])?;
            self.kept = 0;
        }
        let at = Doubles(device.address(figures)).after(self.kept);
        let first = self.earlier.len() + self.kept;
        self.kept += count;
        Ok((at, first))
    }
}

/// A rule as the kernel knows it: its number, whether from logits, its option, k.
type Numbered = (i32, bool, f32, usize);

fn loss_number(rule: LossRule) -> Numbered {
    match rule {
        LossRule::MeanSquaredError => (0, false, 0.0, 0),
        LossRule::MeanAbsoluteError => (1, false, 0.0, 0),
        LossRule::Huber { delta } => (2, false, delta, 0),
        LossRule::BinaryCrossentropy {
            from_logits,
            label_smoothing,
        } => (3, from_logits, label_smoothing, 0),
        LossRule::CategoricalCrossentropy {
            from_logits,
            label_smoothing,
        } => (4, from_logits, label_smoothing, 0),
        LossRule::SparseCategoricalCrossentropy { from_logits } => (5, from_logits, 0.0, 0),
    }
}

fn metric_number(rule: MetricRule) -> Numbered {
    match rule {
        MetricRule::Loss(rule) => loss_number(rule),
        MetricRule::BinaryAccuracy { threshold } => (6, false, threshold, 0),
        MetricRule::CategoricalAccuracy | MetricRule::SparseCategoricalAccuracy => {
            (7, false, 0.0, 0)
        }
        MetricRule::TopKCategoricalAccuracy { k }
        | MetricRule::SparseTopKCategoricalAccuracy { k } => (8, false, 0.0, k),
    }
}

/// Whether the targets are of the kind that a rule takes. The host gives NaN otherwise.
fn takes(rule: MetricRule, targets: TargetView<'_>, features: usize) -> bool {
    let labels = matches!(targets, TargetView::Labels(_));
    match rule {
        MetricRule::Loss(LossRule::SparseCategoricalCrossentropy { .. })
        | MetricRule::SparseCategoricalAccuracy
        | MetricRule::SparseTopKCategoricalAccuracy { .. } => labels,
        MetricRule::BinaryAccuracy { .. } => !labels || features == 1,
        MetricRule::Loss(_)
        | MetricRule::CategoricalAccuracy
        | MetricRule::TopKCategoricalAccuracy { .. } => !labels,
    }
}

/// An output of a batch.
#[derive(Clone, Copy, Debug)]
pub struct DeviceOutput<'a> {
    /// Where it is.
    pub output: &'a BufferRef,
    /// Where its gradient goes.
    pub gradient: &'a BufferRef,
    /// The mask of its steps.
    pub mask: Option<&'a BufferRef>,
    /// Floats of a step.
    pub width: usize,
    /// Its axis.
    pub axis: Axis,
}

impl Engine {
    /// Loss, gradient and metrics of an output of the batch; `None` for a rule that the device does not know with these targets.
    ///
    /// # Errors
    /// [`Error::Shape`] if targets or weights are of another length.
    pub fn score(
        &mut self,
        of: &DeviceOutput<'_>,
        task: &LossTask<'_>,
        gradient: bool,
    ) -> Result<Option<LossFigures>, Error> {
        let features = task.features;
        if features == 0
            || !of.width.is_multiple_of(features)
            || !takes(MetricRule::Loss(task.rule), task.targets, features)
        {
            return Ok(None);
        }
        let each = of.width / features;
        let floats = self.floats(of.width, of.axis);
        let rows = floats / features;
        int(rows, "rows of targets")?;
        let wrong = |what: &str, expected: usize, found: usize| {
            Err(Error::Shape {
                what: what.to_owned(),
                expected: format!("[{expected}]"),
                found: format!("[{found}]"),
            })
        };
        match task.targets {
            TargetView::Labels(labels) if labels.len() != rows => {
                return wrong("labels", rows, labels.len());
            }
            TargetView::Floats(targets) if targets.len() != floats => {
                return wrong("targets", floats, targets.len());
            }
            _ => {}
        }
        match task.weights {
            Some(weights) if weights.len() != rows => {
                return wrong("sample weights", rows, weights.len());
            }
            _ => {}
        }
        let device = std::sync::Arc::clone(self.device());
        let mut scores = std::mem::take(&mut self.scores);
        let done = self.score_with(&mut scores, &device, of, task, gradient, (rows, each));
        self.scores = scores;
        done.map(Some)
    }

    fn score_with(
        &self,
        scores: &mut Scores,
        device: &CudaDevice,
        of: &DeviceOutput<'_>,
        task: &LossTask<'_>,
        gradient: bool,
        (rows, each): (usize, usize),
    ) -> Result<LossFigures, Error> {
        let (mut floats, mut labels, mut weights) = (Floats(0), Words(0), Floats(0));
        match task.targets {
            TargetView::Floats(targets) => {
                let room = scores.floats.of(device, targets.len())?;
                device.upload(targets, room)?;
                floats = Floats(device.address(room));
            }
            TargetView::Labels(targets) => {
                let room = scores.labels.of(device, targets.len())?;
                device.upload(targets, room)?;
                labels = Words(device.address(room));
            }
        }
        if let Some(given) = task.weights {
            let room = scores.weights.of(device, given.len())?;
            device.upload(given, room)?;
            weights = Floats(device.address(room));
        }
        let view = |r: Option<&BufferRef>| -> Result<View, Error> {
            r.map_or(Ok(NOTHING), |r| self.view(r, of.axis))
        };
        let mask = view(of.mask)?;
        let (batch, steps) = self.batch_size(of.axis)?;
        let (each, features) = (int(each, "features")?, int(task.features, "features")?);
        let mut counter = Doubles(0);
        if of.mask.is_some() {
            counter = Doubles(device.address(scores.counter.of(device, 1)?));
            let count = CountRows {
                mask,
                to: counter,
                rows: batch,
                steps,
                each,
            };
            device.run(&count, (1, 1, 1))?;
        }
        let blocks = rows.div_ceil(ROWS).clamp(1, BLOCKS);
        let sums = Doubles(device.address(scores.sums.of(device, 2 * blocks)?));
        let numbers = |(rule, from_logits, option, k): Numbered| ScoreRows {
            prediction: NOTHING,
            gradient: NOTHING,
            mask,
            floats,
            labels,
            weights: Floats(0),
            counter,
            sums,
            rows: batch,
            steps,
            each,
            features,
            rule,
            from_logits: from_logits.into(),
            option,
            k: i32::try_from(k).unwrap_or(i32::MAX),
            share: task.share,
        };
        let total = |to, numbers, counter, by| AddUp {
            from: sums,
            to,
            counter,
            by,
            count: blocks as i32,
            stride: 2,
            numbers,
            round: 0,
        };
        let prediction = self.view(of.output, of.axis)?;
        let loss = ScoreRows {
            prediction,
            gradient: view(gradient.then_some(of.gradient))?,
            weights,
            ..numbers(loss_number(task.rule))
        };
        device.run(&loss, (blocks as u32, 1, 1))?;
        let (to, first) = scores.keep(device, 1)?;
        device.run(&total(to, 1, counter, rows.max(1) as f64), (1, 1, 1))?;
        let mut metrics = Vec::with_capacity(task.metrics.len());
        for metric in task.metrics {
            if !takes(metric.rule, task.targets, task.features) {
                metrics.push(None);
                continue;
            }
            let own = ScoreRows {
                prediction,
                weights: if metric.weighted { weights } else { Floats(0) },
                ..numbers(metric_number(metric.rule))
            };
            device.run(&own, (blocks as u32, 1, 1))?;
            let (to, first) = scores.keep(device, 2)?;
            device.run(&total(to, 2, Doubles(0), 1.0), (1, 1, 1))?;
            metrics.push(Some([Figure::Kept(first), Figure::Kept(first + 1)]));
        }
        Ok(LossFigures {
            loss: Figure::Kept(first),
            metrics,
        })
    }

    /// Keeps what `seen` penalties of the batch cost, divided by its rows.
    ///
    /// # Errors
    /// [`Error::Device`] if a kernel does not start.
    pub fn keep_penalty(&mut self, seen: usize) -> Result<Figure, Error> {
        let rows = self.rows();
        if seen == 0 || rows == 0 {
            return Ok(Figure::Known(0.0));
        }
        let from = self.penalties()?;
        self.keep_total(from, seen * rows, rows as f64, true)
    }

    /// Keeps the sum of so many numbers, divided by another.
    pub(super) fn keep_total(
        &mut self,
        from: Doubles,
        count: usize,
        by: f64,
        round: bool,
    ) -> Result<Figure, Error> {
        let device = std::sync::Arc::clone(self.device());
        let (to, first) = self.scores.keep(&device, 1)?;
        let total = AddUp {
            from,
            to,
            counter: Doubles(0),
            by,
            count: int(count, "sums")?,
            stride: 1,
            numbers: 1,
            round: round.into(),
        };
        device.run(&total, (1, 1, 1))?;
        Ok(Figure::Kept(first))
    }

    /// All figures that were kept since the last call. Waits for the device.
    ///
    /// # Errors
    /// [`Error::Device`] if something has failed there.
    pub fn figures(&mut self) -> Result<Vec<f64>, Error> {
        let mut all = std::mem::take(&mut self.scores.earlier);
        let start = all.len();
        let kept = std::mem::take(&mut self.scores.kept);
        all.resize(start + kept, 0.0);
        let device = std::sync::Arc::clone(self.device());
        if let Some(figures) = &self.scores.figures {
            device.download(figures, &mut all[start..])?;
        }
        Ok(all)
    }
}
