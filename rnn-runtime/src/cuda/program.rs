//! The kernels of a model on their way to the device: written, compiled in one program, loaded.

use std::{collections::BTreeMap, sync::Arc};

use rnn_tables::{Buffer, CarryOver, Form, Instruction};

use super::{
    code::{CudaForm, CudaKernel},
    device::{CudaDevice, FusedFunction},
    layout::Packing,
    source::{Buffers, Shape, Source, Stepwise, Written, WrittenPersistent},
};
use crate::error::Error;

/// A kernel that has been loaded.
pub(super) struct Loaded {
    pub function: FusedFunction,
    /// The buffers of its `Offsets`.
    pub buffers: Arc<[usize]>,
    /// What a warp has.
    pub shape: Shape,
}

/// The kernels of a step as one.
pub(super) struct LoadedPersistent {
    /// Of several rows a block.
    pub function: FusedFunction,
    /// Of one row a block.
    pub single: FusedFunction,
    /// Rows of a block of several.
    pub rows: usize,
    pub buffers: Arc<[usize]>,
}

/// The kernels of some forms.
#[derive(Default)]
pub(super) struct Kernels {
    /// By the address of what each was made from.
    loaded: BTreeMap<usize, Loaded>,
    /// By form.
    persistent: BTreeMap<FormKey, LoadedPersistent>,
}

/// What tells one kernel of a program from another.
fn key(k: &'static CudaKernel) -> usize {
    std::ptr::from_ref(k).addr()
}

/// What tells the forms of a model apart: the cell, and which of its forms.
type FormKey = (usize, u8);

/// The second part of a form's key.
fn form_key(form: Form) -> u8 {
    match form {
        Form::Stream => 0,
        Form::Inference => 1,
        Form::Forward => 2,
        Form::Backward => 3,
    }
}

impl Kernels {
    /// What a kernel was loaded as.
    pub fn kernel(&self, k: &'static CudaKernel) -> &Loaded {
        match self.loaded.get(&key(k)) {
            Some(loaded) => loaded,
            None => unreachable!("a kernel that has not been loaded"),
        }
    }

    /// The persistent kernel of a form, if there is one.
    pub fn persistent(&self, form: &CudaForm) -> Option<&LoadedPersistent> {
        self.persistent.get(&(form.cell, form_key(form.form)))
    }

    /// Compiles kernels that belong to no form, all in one program, whose buffers are `specs`.
    pub fn single(
        device: &CudaDevice,
        kernels: &'static [CudaKernel],
        specs: &[Buffer],
        packing: &Packing,
    ) -> Result<Kernels, Error> {
        let mut program = Program::new(specs, packing);
        let mut buffers = Buffers::default();
        program.kernels(kernels, Form::Inference, &mut buffers);
        program.entries(buffers);
        program.load(device)
    }
}

/// Bytes of shared memory that the weights of a persistent kernel may take; 0 if nobody wants one.
pub(super) fn persistent_room(device: &CudaDevice) -> usize {
    // To see what persistent kernels gain, and for tests of what runs without them.
    match std::env::var_os("RECURRENT_CUDA_PERSISTENT").is_some_and(|v| v == "0") {
        true => 0,
        false => device.shared_memory(),
    }
}

/// How the steps of a form run.
pub(super) struct Steps {
    pub form: &'static CudaForm,
    /// As one persistent kernel with so many bytes of weights in shared memory, or why not.
    pub persistent: Result<usize, Stepwise>,
}

/// A program on its way to the device.
pub(super) struct Program<'a> {
    source: Source<'a>,
    /// Kernels without entries yet.
    open: Vec<(&'static CudaKernel, Written)>,
    open_persistent: Option<(FormKey, WrittenPersistent)>,
    kernels: Vec<(&'static CudaKernel, Written, Arc<[usize]>)>,
    persistent: Vec<(FormKey, WrittenPersistent, Arc<[usize]>)>,
    steps: Vec<Steps>,
}

impl<'a> Program<'a> {
    fn new(specs: &'a [Buffer], packing: &'a Packing) -> Self {
        Program {
            source: Source::new(specs, packing),
            open: Vec::new(),
            open_persistent: None,
            kernels: Vec::new(),
            persistent: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// The kernels of forms; a block may have so many bytes of shared memory.
    pub fn of_forms(
        forms: &[&'static CudaForm],
        schedules: &[&'static [Instruction]],
        specs: &'a [Buffer],
        packing: &'a Packing,
        shared: usize,
    ) -> Self {
        let mut program = Program::new(specs, packing);
        for form in forms {
            let scan = schedules.iter().copied().flatten().find_map(|i| match i {
                Instruction::Scan {
                    cell,
                    form: f,
                    carry,
                    ..
                } if *cell == form.cell && *f == form.form => Some(carry.as_ref()),
                _ => None,
            });
            // A form that no schedule names never runs.
            let Some(carry) = scan else { continue };
            let mut buffers = Buffers::default();
            program.kernels(form.scan.prologue, form.form, &mut buffers);
            program.kernels(form.scan.post_loop, form.form, &mut buffers);
            program.kernels(form.scan.step, form.form, &mut buffers);
            program.persistent(form, carry, &mut buffers, shared);
            program.entries(buffers);
        }
        program
    }

    /// How the steps of each form run that a schedule names.
    pub fn steps(&self) -> &[Steps] {
        &self.steps
    }

    /// The text.
    pub fn text(self) -> String {
        self.source.text
    }

    fn kernels(&mut self, kernels: &'static [CudaKernel], form: Form, buffers: &mut Buffers) {
        for k in kernels {
            let written = self.source.kernel(k, form, buffers);
            self.open.push((k, written));
        }
    }

    /// The kernels of the step were written last.
    fn persistent(
        &mut self,
        form: &'static CudaForm,
        carry: Option<&CarryOver>,
        buffers: &mut Buffers,
        shared: usize,
    ) {
        let steps = self.open.len() - form.scan.step.len();
        let written: Vec<&Written> = self.open[steps..].iter().map(|(_, w)| w).collect();
        let persistent = self
            .source
            .persistent(form, &written, carry, buffers, shared);
        self.steps.push(Steps {
            form,
            persistent: persistent.as_ref().map(|p| 4 * p.shared).map_err(|e| *e),
        });
        if persistent.is_ok() {
            // Nobody runs them one by one, and NVRTC takes its time for each.
            self.open.truncate(steps);
        }
        self.open_persistent = persistent
            .ok()
            .map(|p| ((form.cell, form_key(form.form)), p));
    }

    fn entries(&mut self, buffers: Buffers) {
        for (_, written) in &self.open {
            self.source.entry(written, &buffers);
        }
        let buffers: Arc<[usize]> = buffers.0.into();
        for (k, written) in self.open.drain(..) {
            self.kernels.push((k, written, Arc::clone(&buffers)));
        }
        if let Some((key, persistent)) = self.open_persistent.take() {
            self.persistent.push((key, persistent, buffers));
        }
    }

    /// Compiles the kernels, all in one program, and loads them.
    pub fn load(self, device: &CudaDevice) -> Result<Kernels, Error> {
        let mut kernels = Kernels::default();
        if self.kernels.is_empty() && self.persistent.is_empty() {
            return Ok(kernels);
        }
        let module = device.module(&self.source.text)?;
        for (k, written, buffers) in self.kernels {
            let name = format!("kernel{}", written.index);
            let function = device.fused_function(&module, &name, buffers.len(), 0)?;
            let loaded = Loaded {
                function,
                buffers,
                shape: written.shape,
            };
            kernels.loaded.insert(key(k), loaded);
        }
        for (key, written, buffers) in self.persistent {
            let shared = 4 * written.shared as u32;
            let function = |name: &str| {
                let name = format!("{name}{}", written.index);
                device.fused_function(&module, &name, buffers.len(), shared)
            };
            let (several, single) = (function("persistent")?, function("single")?);
            let loaded = LoadedPersistent {
                function: several,
                single,
                rows: written.rows,
                buffers,
            };
            kernels.persistent.insert(key, loaded);
        }
        Ok(kernels)
    }
}
