//! A model on a device: its weights, its kernels, and the values of the last batch.

mod optimize;
pub(super) mod recorded;
mod score;

use std::sync::Arc;

use cudarc::driver::{DeviceRepr, ValidAsZeroBits};
use rnn_tables::{Axis, Buffer, BufferRef, Extent, Form, Instruction, PackedGate, PackedVector};

use super::{
    code::{CudaCode, CudaForm},
    device::CudaDevice,
    layout::{Layout, Packing, int},
    parameters::{Doubles, Floats, Pack, PackTask, PackTasks, Seeds, View, Words},
    program::{Kernels, Program},
    run::{DeviceInput, Pass, penalties, scratch_floats, sort},
    slice::Slice,
    source::Block,
};
use crate::{
    error::Error,
    learner::{InputView, StepSeed, Values},
    params::ParamSpec,
    precision::Precision,
    stream::StreamInfo,
};

pub use optimize::DeviceState;
use optimize::Tables;
pub use score::DeviceOutput;
use score::Scores;

/// What a device has to know of a model.
#[derive(Clone, Copy, Debug)]
pub struct DeviceModel {
    /// Its parameters.
    pub params: &'static [ParamSpec],
    /// Its kernels.
    pub code: CudaCode,
    /// What inference packs.
    pub stream: &'static StreamInfo,
    /// Matrices that only training packs.
    pub matrices_training: &'static [PackedGate],
    /// Vectors that only training packs.
    pub vectors_training: &'static [PackedVector],
    /// Buffers of inference.
    pub inference_buffers: &'static [Buffer],
    /// Buffers of training.
    pub training_buffers: &'static [Buffer],
    /// What runs over a batch in inference.
    pub inference: &'static [Instruction],
    /// The forward pass of training.
    pub forward: &'static [Instruction],
    /// The backward pass of training.
    pub backward: &'static [Instruction],
}

impl DeviceModel {
    /// What is packed, and where.
    pub(super) fn packing(&self, precision: Precision) -> Result<Packing, Error> {
        let mut packing = Packing::new(self.stream.computed, precision);
        for k in self.code.computed {
            packing.reads(k.table, precision.of(Form::Inference));
        }
        for form in self.code.forms {
            let scan = &form.scan;
            for k in [scan.prologue, scan.step, scan.post_loop].concat() {
                packing.reads(k.table, precision.of(form.form));
            }
        }
        packing.add(self.stream.matrices, self.stream.vectors)?;
        packing.add(self.matrices_training, self.vectors_training)?;
        Ok(packing)
    }

    /// The forms that training needs, or inference, and the schedules that run them.
    fn forms(&self, training: bool) -> (Vec<&'static CudaForm>, [&'static [Instruction]; 2]) {
        let forms = self.code.forms.iter();
        let forms = forms.filter(|f| (f.form != Form::Inference) == training);
        let schedules = match training {
            true => [self.forward, self.backward],
            false => [self.inference, &[]],
        };
        (forms.collect(), schedules)
    }

    /// The kernels of inference and of training as CUDA, for a GPU whose blocks may have so many bytes of shared memory: of each the
    /// texts that are compiled one by one, when a batch needs them.
    ///
    /// # Errors
    /// [`Error::Argument`] if the model is too large for a device.
    pub fn sources(&self, shared: usize, precision: Precision) -> Result<[Vec<String>; 2], Error> {
        let packing = self.packing(precision)?;
        Ok([false, true].map(|training| self.program(training, &packing, shared).texts()))
    }

    /// The program of training, or of inference.
    pub(super) fn program<'a>(
        &self,
        training: bool,
        packing: &'a Packing,
        shared: usize,
    ) -> Program<'a> {
        let (forms, schedules) = self.forms(training);
        Program::of_forms(&forms, &schedules, self.buffers(training), packing, shared)
    }

    /// The buffers of training, or of inference.
    pub(super) fn buffers(&self, training: bool) -> &'static [Buffer] {
        match training {
            true => self.training_buffers,
            false => self.inference_buffers,
        }
    }
}

/// Room on the device that grows when more is needed, and stays.
struct Room<T> {
    slice: Option<Slice<T>>,
    what: &'static str,
}

impl<T: DeviceRepr + ValidAsZeroBits> Room<T> {
    fn new(what: &'static str) -> Self {
        Room { slice: None, what }
    }

    /// Room for so many.
    fn of(&mut self, device: &CudaDevice, len: usize) -> Result<&mut Slice<T>, Error> {
        if self.slice.as_ref().is_none_or(|s| s.len() < len) {
            // What is there is of no use, and two at once may not fit.
            self.slice = None;
            self.slice = Some(device.room(len, self.what)?);
        }
        match &mut self.slice {
            Some(slice) => Ok(slice),
            None => unreachable!("it has just been made"),
        }
    }

    fn address(&self, device: &CudaDevice) -> u64 {
        self.slice.as_ref().map_or(0, |s| device.address(s))
    }
}

/// The kernels of a schedule's forms, and the batch that they run for.
struct Batch {
    training: bool,
    layout: Layout<'static>,
    axes: Vec<usize>,
    inputs: Vec<DeviceInput>,
}

/// A model on a device.
pub struct Engine {
    model: DeviceModel,
    weights: Slice<f32>,
    /// Floats of the weights.
    len: usize,
    gradients: Room<f32>,
    packing: Packing,
    tasks: Slice<PackTask>,
    packed: Slice<f32>,
    /// Whether `packed` are the weights as they are.
    is_packed: bool,
    /// Dropped before the kernels that they run, which are here and with the device.
    recorded: Vec<recorded::Recorded>,
    computed: Kernels,
    computed_buffers: [Buffer; 1],
    inference: Kernels,
    training: Kernels,
    values: Room<f32>,
    floats: Vec<Room<f32>>,
    ids: Vec<Room<u32>>,
    /// The order of the ids of each input.
    orders: Vec<Room<u32>>,
    seeds: Slice<u64>,
    scratch: Room<f32>,
    scratch_len: usize,
    penalties: Room<f64>,
    penalties_len: usize,
    staging: Room<f32>,
    batch: Option<Batch>,
    /// Counts batches.
    number: u64,
    scores: Scores,
    /// What stateful layers keep, of each state.
    states: Vec<Room<f32>>,
    /// Made when first needed.
    tables: Option<Tables>,
    /// Dropped at the end, as the last that names it may be this engine.
    device: Arc<CudaDevice>,
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The kernels leave the device with the model: none of them may be waiting there. What has failed was said before, or
        // is said to the next who uses the device.
        let _ = self.device.wait();
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// A model with these weights.
    ///
    /// # Errors
    /// [`Error::Device`] if the device has no room for it.
    pub fn new(
        device: Arc<CudaDevice>,
        model: DeviceModel,
        precision: Precision,
        weights: &[f32],
    ) -> Result<Engine, Error> {
        let packing = model.packing(precision)?;
        let all = [&packing.tasks[..], &packing.fragments].concat();
        let mut tasks = device.room(all.len(), "the table of packed weights")?;
        device.upload(&all, &mut tasks)?;
        let mut on_device = device.room(weights.len(), "the weights")?;
        device.upload(weights, &mut on_device)?;
        let packed = device.room(packing.len, "the packed weights")?;
        let seeds = device.room(2, "the seed")?;
        // One row holds all computed vectors.
        let computed_buffers = [Buffer {
            width: model.stream.computed.1,
            unaligned: false,
            extent: Extent::One,
            axis: 0,
        }];
        let computed = Kernels::single(&device, model.code.computed, &computed_buffers, &packing)?;
        Ok(Engine {
            weights: on_device,
            len: weights.len(),
            gradients: Room::new("the gradients"),
            tasks,
            packed,
            packing,
            is_packed: false,
            computed,
            computed_buffers,
            inference: Kernels::default(),
            training: Kernels::default(),
            values: Room::new("the values of a batch"),
            floats: Vec::new(),
            ids: Vec::new(),
            orders: Vec::new(),
            seeds,
            scratch: Room::new("the terms of gradients"),
            scratch_len: scratch_floats(model.backward),
            penalties: Room::new("the penalties"),
            penalties_len: penalties(model.forward).max(penalties(model.inference)),
            staging: Room::new("the outputs"),
            batch: None,
            recorded: Vec::new(),
            number: 0,
            scores: Scores::default(),
            states: Vec::new(),
            tables: None,
            device,
            model,
        })
    }

    /// The device.
    pub fn device(&self) -> &Arc<CudaDevice> {
        &self.device
    }

    /// Replaces the weights; as many as before.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails.
    pub fn set_weights(&mut self, weights: &[f32]) -> Result<(), Error> {
        self.is_packed = false;
        self.device.upload(weights, &mut self.weights)
    }

    /// A copy of the weights.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails.
    pub fn weights(&self) -> Result<Vec<f32>, Error> {
        let mut weights = vec![0.0; self.len];
        self.device.download(&self.weights, &mut weights)?;
        Ok(weights)
    }

    /// How many weights there are.
    pub fn weights_len(&self) -> usize {
        self.len
    }

    /// The parameters.
    fn params(&self) -> &'static [ParamSpec] {
        self.model.params
    }

    fn weights_address(&self) -> Floats {
        Floats(self.device.address(&self.weights))
    }

    /// What was packed of the weights is of no use any more.
    fn weights_have_changed(&mut self) {
        self.is_packed = false;
    }

    /// Backward passes write to other gradients.
    fn swap_gradients(&mut self, gradients: &mut Room<f32>) {
        std::mem::swap(&mut self.gradients, gradients);
    }

    /// The number of the last batch: another one has another.
    pub fn batch_number(&self) -> u64 {
        self.number
    }

    /// Rows of the batch.
    pub fn rows(&self) -> usize {
        self.batch.as_ref().map_or(0, |b| b.layout.rows)
    }

    /// Rows of the batch, and steps of an axis.
    fn batch_size(&self, axis: Axis) -> Result<(i32, i32), Error> {
        let steps = axis.map_or(Some(1), |a| Some(*self.batch.as_ref()?.axes.get(a)?));
        Ok((int(self.rows(), "rows")?, int(steps.unwrap_or(0), "steps")?))
    }

    /// A vector of the batch.
    fn view(&self, r: &BufferRef, axis: Axis) -> Result<View, Error> {
        Ok(self.pass()?.view(r, axis))
    }

    /// Where the penalties of the batch are.
    fn penalties(&self) -> Result<Doubles, Error> {
        Ok(self.pass()?.penalties)
    }

    /// Whether a forward pass changes weights: the statistics of a `BatchNormalization`.
    pub fn moves_weights(&self) -> bool {
        let normalizes = |i: &Instruction| matches!(i, Instruction::Normalize { .. });
        self.model.forward.iter().any(normalizes)
    }

    /// Whether a table gets gradients by the ids of an input.
    fn goes_back_over(&self, index: usize) -> bool {
        let scatters =
            |i: &Instruction| matches!(i, Instruction::Scatter { input, .. } if *input == index);
        self.model.backward.iter().any(scatters)
    }

    /// Floats of a value of the batch, so many at each step.
    pub fn floats(&self, width: usize, axis: Axis) -> usize {
        let Some(batch) = &self.batch else { return 0 };
        batch.layout.rows * axis.map_or(1, |a| batch.axes[a]) * width
    }

    /// A copy of the gradients of the last backward pass.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails.
    pub fn gradients(&mut self, to: &mut [f32]) -> Result<(), Error> {
        let gradients = self.gradients.of(&self.device, self.len)?;
        self.device.download(gradients, to)
    }

    /// Packs the weights, if they have changed.
    fn pack(&mut self) -> Result<(), Error> {
        if self.is_packed {
            return Ok(());
        }
        let launcher = self.device.launcher();
        let mut before = 0;
        for (tasks, fragments) in [
            (&self.packing.tasks, false),
            (&self.packing.fragments, true),
        ] {
            let first = PackTasks(self.device.address(&self.tasks)).after(before);
            before += tasks.len();
            // Nothing is packed so.
            let Some(largest) = tasks.iter().map(|t| t.k * t.width).max() else {
                continue;
            };
            let pack = Pack {
                weights: Floats(self.device.address(&self.weights)),
                packed: Floats(self.device.address(&self.packed)),
                tasks: first,
                count: int(tasks.len(), "packed weights")?,
            };
            // A thread has four floats or more.
            let parts = largest.div_ceil(1024).clamp(1, 256);
            let blocks = (tasks.len().min(1 << 16) as u32, parts, 1);
            match fragments {
                true => launcher.run_as("pack_fragments", &pack, blocks)?,
                false => launcher.run(&pack, blocks)?,
            }
        }
        let packed = Floats(self.device.address(&self.packed));
        let layout = Layout::new(&self.computed_buffers, 1, &[])?;
        let pass = Pass {
            device: self.device.launcher(),
            kernels: &self.computed,
            forms: &[],
            precision: self.packing.precision,
            layout: &layout,
            values: packed.after(self.packing.computed()),
            packed,
            weights: Floats(0),
            gradients: Floats(0),
            scratch: (Floats(0), 0),
            penalties: Doubles(0),
            penalties_room: 0,
            penalties_seen: 0,
            seeds: Seeds(0),
            inputs: &[],
            axes: &[],
            training: false,
            input_gradient: false,
            failed: None,
        };
        for k in self.model.code.computed {
            pass.once(k)?;
        }
        self.is_packed = true;
        Ok(())
    }

    /// Kernels of the forms that training needs, or inference, for a batch of so many rows.
    fn load(&mut self, training: bool, rows: usize) -> Result<(), Error> {
        let kernels = match training {
            true => &mut self.training,
            false => &mut self.inference,
        };
        let block = Block::of(rows, self.device.multiprocessors());
        if kernels.serve(block) {
            return Ok(());
        }
        let room = self.device.persistent_room();
        let program = self.model.program(training, &self.packing, room);
        program.load(&self.device, block, kernels)
    }

    /// Gets ready for a checked batch: room for its values, its inputs on the device, weights packed.
    ///
    /// # Errors
    /// [`Error::Device`] if the device has no room, or a kernel cannot be compiled.
    pub fn begin(
        &mut self,
        training: bool,
        rows: usize,
        axes: Vec<usize>,
        inputs: &[InputView<'_>],
        seed: StepSeed,
    ) -> Result<(), Error> {
        // If this fails there is no batch to go back over.
        self.batch = None;
        self.number += 1;
        self.load(training, rows)?;
        self.pack()?;
        let layout = Layout::new(self.model.buffers(training), rows, &axes)?;
        let before = self.values.address(&self.device);
        let values = self.values.of(&self.device, layout.len)?;
        // What is read before it was written shows. The floats between the end of a row and the next row are read, four at a
        // time, and used by nobody: they have to be something.
        if cfg!(debug_assertions) || self.device.address(values) != before {
            self.device.poison(values)?;
        }
        let mut on_device = Vec::with_capacity(inputs.len());
        self.floats
            .resize_with(inputs.len(), || Room::new("an input"));
        self.ids.resize_with(inputs.len(), || Room::new("an input"));
        self.orders
            .resize_with(inputs.len(), || Room::new("the order of ids"));
        for (index, x) in inputs.iter().enumerate() {
            let (mut floats, mut ids, mut order) = (Floats(0), Words(0), Words(0));
            match x.values {
                Values::Floats(values) => {
                    let room = self.floats[index].of(&self.device, values.len())?;
                    self.device.upload(values, room)?;
                    floats = Floats(self.device.address(room));
                }
                Values::Ids(values) => {
                    let room = self.ids[index].of(&self.device, values.len())?;
                    self.device.upload(values, room)?;
                    ids = Words(self.device.address(room));
                    if training && self.goes_back_over(index) {
                        int(values.len(), "ids")?;
                        let sorted = sort(values);
                        let room = self.orders[index].of(&self.device, sorted.len())?;
                        self.device.upload(&sorted, room)?;
                        order = Words(self.device.address(room));
                    }
                }
            }
            on_device.push(DeviceInput { floats, ids, order });
        }
        self.device
            .upload(&[seed.seed, seed.step], &mut self.seeds)?;
        if training {
            self.scratch.of(&self.device, self.scratch_len)?;
        }
        if self.penalties_len > 0 {
            self.penalties.of(&self.device, self.penalties_len * rows)?;
        }
        self.batch = Some(Batch {
            training,
            layout,
            axes,
            inputs: on_device,
        });
        Ok(())
    }

    /// Forgets the batch: there is nothing to go back over.
    pub fn forget(&mut self) {
        self.batch = None;
    }

    /// Whether the last batch was one of training.
    pub fn is_training(&self) -> bool {
        self.batch.as_ref().is_some_and(|b| b.training)
    }

    fn pass(&self) -> Result<Pass<'_>, Error> {
        let Some(batch) = &self.batch else {
            return Err(Error::Argument(
                "there is no batch on the device".to_owned(),
            ));
        };
        let kernels = if batch.training {
            &self.training
        } else {
            &self.inference
        };
        let device = &*self.device;
        Ok(Pass {
            device: device.launcher(),
            kernels,
            forms: self.model.code.forms,
            precision: self.packing.precision,
            layout: &batch.layout,
            values: Floats(self.values.address(device)),
            packed: Floats(device.address(&self.packed)),
            weights: Floats(device.address(&self.weights)),
            gradients: Floats(self.gradients.address(device)),
            scratch: (Floats(self.scratch.address(device)), self.scratch_len),
            penalties: Doubles(self.penalties.address(device)),
            penalties_room: self.penalties_len,
            penalties_seen: 0,
            seeds: Seeds(device.address(&self.seeds)),
            inputs: &batch.inputs,
            axes: &batch.axes,
            training: batch.training,
            input_gradient: false,
            failed: None,
        })
    }

    /// Copies `[rows][time][width]` into a buffer of the batch.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails.
    pub fn copy_in(
        &mut self,
        to: &BufferRef,
        width: usize,
        axis: Axis,
        x: &[f32],
    ) -> Result<(), Error> {
        // Room of its own, since what is copied next may not overwrite it before the kernel has read it: the stream keeps the
        // order, and copies are part of it.
        let staging = self.staging.of(&self.device, x.len())?;
        self.device.upload(x, staging)?;
        let address = Floats(self.device.address(staging));
        self.pass()?.copy_in(to, address, width, axis)
    }

    /// Fills a buffer of the batch with zeros.
    ///
    /// # Errors
    /// [`Error::Device`] if a kernel does not start.
    pub fn clear(&mut self, to: &BufferRef, width: usize, axis: Axis) -> Result<(), Error> {
        self.pass()?.clear_all(to, width, axis)
    }

    /// Copies a buffer of the batch to `[rows][time][width]`.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails, or if a kernel before it has failed.
    pub fn copy_out(
        &mut self,
        from: &BufferRef,
        width: usize,
        axis: Axis,
        y: &mut [f32],
    ) -> Result<(), Error> {
        let staging = self.staging.of(&self.device, y.len())?;
        let address = Floats(self.device.address(staging));
        self.pass()?.copy_out(from, address, width, axis)?;
        let staging = self.staging.of(&self.device, y.len())?;
        self.device.download(staging, y)
    }

    /// Keeps state number `index` of every row for the next batch.
    ///
    /// # Errors
    /// [`Error::Device`] if there is no room.
    pub fn keep_state(
        &mut self,
        index: usize,
        from: &BufferRef,
        width: usize,
    ) -> Result<(), Error> {
        let floats = self.floats(width, None);
        if self.states.len() <= index {
            self.states
                .resize_with(index + 1, || Room::new("the states"));
        }
        let room = self.states[index].of(&self.device, floats)?;
        let address = Floats(self.device.address(room));
        self.pass()?.copy_out(from, address, width, None)
    }

    /// Gives the batch a state that was kept, of as many rows.
    ///
    /// # Errors
    /// [`Error::Device`] if a kernel does not start.
    pub fn restore_state(&self, index: usize, to: &BufferRef, width: usize) -> Result<(), Error> {
        let kept = self.states.get(index);
        let address = Floats(kept.map_or(0, |room| room.address(&self.device)));
        self.pass()?.copy_in(to, address, width, None)
    }

    /// A copy of a state that was kept.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails.
    pub fn kept_state(&self, index: usize, len: usize) -> Result<Vec<f32>, Error> {
        let mut state = vec![0.0; len];
        let kept = self.states.get(index).and_then(|room| room.slice.as_ref());
        match kept {
            Some(kept) => self.device.download(kept, &mut state)?,
            None => {
                return Err(Error::Device(
                    "cuda: a state was not kept on the device".to_owned(),
                ));
            }
        }
        Ok(state)
    }

    /// What `seen` penalties cost, summed over rows in order.
    ///
    /// # Errors
    /// [`Error::Device`] if copying fails.
    pub fn penalty(&mut self, seen: usize) -> Result<f64, Error> {
        let rows = self.batch.as_ref().map_or(0, |b| b.layout.rows);
        if seen == 0 || rows == 0 {
            return Ok(0.0);
        }
        let mut sums = vec![0.0; seen * rows];
        let room = self.penalties.of(&self.device, self.penalties_len * rows)?;
        self.device.download(room, &mut sums)?;
        Ok(sums.iter().sum())
    }
}
