//! The kernels of a model on their way to the device: written, compiled, loaded.

use std::{collections::BTreeMap, sync::Arc};

use cudarc::driver::CudaModule;
use rnn_tables::{Buffer, CarryOver, Form, Instruction};

use super::{
    code::{CudaForm, CudaKernel},
    device::{CudaDevice, FusedFunction},
    layout::Packing,
    source::{Block, Buffers, Shape, Source, Stepwise, Written, WrittenPersistent},
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
    pub function: FusedFunction,
    pub buffers: Arc<[usize]>,
}

/// Persistent kernels, by form.
type Persistent = BTreeMap<FormKey, LoadedPersistent>;

/// The kernels of some forms. What has been loaded stays: recorded graphs run it.
#[derive(Default)]
pub(super) struct Kernels {
    /// By the address of what each was made from; `None` if nothing has been loaded.
    loaded: Option<BTreeMap<usize, Loaded>>,
    /// Of one row a block.
    one: Option<Persistent>,
    /// Of several rows a block.
    several: Option<Persistent>,
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
        match self.loaded.as_ref().and_then(|l| l.get(&key(k))) {
            Some(loaded) => loaded,
            None => unreachable!("a kernel that has not been loaded"),
        }
    }

    /// The persistent kernel of a form, if there is one.
    ///
    /// # Panics
    /// If those for such blocks have not been loaded.
    pub fn persistent(&self, form: &CudaForm, block: Block) -> Option<&LoadedPersistent> {
        match self.of(block) {
            Some(persistent) => persistent.get(&(form.cell, form_key(form.form))),
            None => unreachable!("persistent kernels that have not been loaded"),
        }
    }

    fn of(&self, block: Block) -> Option<&Persistent> {
        match block {
            Block::One => self.one.as_ref(),
            Block::Several => self.several.as_ref(),
        }
    }

    /// Whether there is all that a batch with such blocks needs.
    pub fn serve(&self, block: Block) -> bool {
        self.loaded.is_some() && self.of(block).is_some()
    }

    /// Compiles kernels that belong to no form, whose buffers are `specs`.
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
        let mut loaded = Kernels::default();
        program.load(device, Block::One, &mut loaded)?;
        Ok(loaded)
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

    /// The texts that are not empty, each a program of NVRTC's: the kernels that run one by one, the persistent ones for
    /// blocks of one row, and those for blocks of several.
    pub fn texts(&self) -> Vec<String> {
        let blocks = [Block::One, Block::Several].map(|block| self.persistent_text(block));
        let texts = [self.text()].into_iter().chain(blocks);
        texts.flatten().collect()
    }

    /// The kernels that run one by one; `None` if there are none.
    fn text(&self) -> Option<String> {
        let kernels = self.kernels.iter();
        let texts = kernels.map(|(_, written, buffers)| {
            let entry = Source::entry(written, buffers.len());
            format!("{}{entry}", written.text)
        });
        (!self.kernels.is_empty()).then(|| self.source.head() + &texts.collect::<String>())
    }

    /// The persistent kernels for such blocks; `None` if there are none.
    fn persistent_text(&self, block: Block) -> Option<String> {
        let persistent = self.persistent.iter();
        let texts = persistent.map(|(_, written, buffers)| written.text(block, buffers.len()));
        (!self.persistent.is_empty()).then(|| self.source.head() + &texts.collect::<String>())
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

    /// Nothing more shares `buffers`.
    fn entries(&mut self, buffers: Buffers) {
        let buffers: Arc<[usize]> = buffers.0.into();
        for (k, written) in self.open.drain(..) {
            self.kernels.push((k, written, Arc::clone(&buffers)));
        }
        if let Some((key, persistent)) = self.open_persistent.take() {
            self.persistent.push((key, persistent, buffers));
        }
    }

    /// Compiles and loads what `kernels` lacks for a batch with such blocks. NVRTC takes its time, and most models see batches
    /// of one kind.
    pub fn load(
        &self,
        device: &CudaDevice,
        block: Block,
        kernels: &mut Kernels,
    ) -> Result<(), Error> {
        let text = match kernels.loaded {
            None => self.text(),
            Some(_) => None,
        };
        let persistent = match kernels.of(block) {
            None => self.persistent_text(block),
            Some(_) => None,
        };
        let [module, persistent_module] = device.modules([text, persistent])?;
        if kernels.loaded.is_none() {
            kernels.loaded = Some(self.loaded(device, module.as_ref())?);
        }
        if kernels.of(block).is_none() {
            let loaded = self.loaded_persistent(device, persistent_module.as_ref(), block)?;
            match block {
                Block::One => kernels.one = Some(loaded),
                Block::Several => kernels.several = Some(loaded),
            }
        }
        Ok(())
    }

    /// The kernels of a module, which is `None` if there are none.
    fn loaded(
        &self,
        device: &CudaDevice,
        module: Option<&Arc<CudaModule>>,
    ) -> Result<BTreeMap<usize, Loaded>, Error> {
        let mut all = BTreeMap::new();
        let kernels = module
            .into_iter()
            .flat_map(|m| self.kernels.iter().map(move |k| (m, k)));
        for (module, (k, written, buffers)) in kernels {
            let name = format!("kernel{}", written.index);
            let loaded = Loaded {
                function: device.fused_function(module, &name, buffers.len(), 0)?,
                buffers: Arc::clone(buffers),
                shape: written.shape,
            };
            all.insert(key(k), loaded);
        }
        Ok(all)
    }

    /// The persistent kernels of a module, which is `None` if there are none.
    fn loaded_persistent(
        &self,
        device: &CudaDevice,
        module: Option<&Arc<CudaModule>>,
        block: Block,
    ) -> Result<Persistent, Error> {
        let mut all = BTreeMap::new();
        let kernels = module
            .into_iter()
            .flat_map(|m| self.persistent.iter().map(move |k| (m, k)));
        for (module, (key, written, buffers)) in kernels {
            let name = format!("{}{}", block.name(), written.index);
            let shared = 4 * written.shared as u32;
            let loaded = LoadedPersistent {
                function: device.fused_function(module, &name, buffers.len(), shared)?,
                buffers: Arc::clone(buffers),
            };
            all.insert(*key, loaded);
        }
        Ok(all)
    }
}
