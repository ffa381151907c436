//! How an executor reaches the kernels of a cell, which are types that the compiler generates.

use rnn_tables::{CarryOver, Form};

use crate::cpu::{
    kernel::{Memory, NativeF32, Panels},
    ops::{self, Scan, Times},
    simd::Isa,
};

/// The kernels of a model's cells. Generated.
pub trait CpuProgram: Send + Sync + 'static {
    /// Runs the cell that `call` names, in inference, by one of its methods.
    fn scan(call: ScanCall<'_, '_>);

    /// The same in training, forwards or backwards. It stands alone so that a program that only infers never names it:
    /// rustc then compiles none of training's kernels, which are half of a model's code.
    fn scan_training(call: ScanCall<'_, '_>);
}

/// [`CpuProgram::scan`] or [`CpuProgram::scan_training`] of a model. Executors have it rather than the model's type, so that all but kernels is
/// compiled once, with this crate.
pub type RunScan = fn(ScanCall<'_, '_>);

/// One scan of a cell over time, on some rows.
pub struct ScanCall<'a, 'm> {
    pub(super) isa: Isa,
    pub(super) m: &'a mut Memory<'m>,
    pub(super) panels: Panels<'a, NativeF32>,
    pub(super) cell: usize,
    pub(super) form: Form,
    pub(super) times: Times,
    pub(super) carry: Option<&'a CarryOver>,
    /// In inference: how many steps the block before had; `None` in the first block of a sequence.
    pub(super) before: Option<usize>,
    /// Backwards: whether the gradient of the input is wanted.
    pub(super) input_gradient: bool,
    /// Multiplications for one row and one step, if rows may be divided among threads.
    pub(super) divide: Option<usize>,
}

impl<'m> ScanCall<'_, 'm> {
    /// Which of the model's cells.
    pub fn cell(&self) -> usize {
        self.cell
    }

    /// Which way.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Runs a cell forwards.
    pub fn forward<C: Scan>(self) {
        let (isa, w, times) = (self.isa, self.panels, self.times);
        self.rows(&|m| ops::forward::<C, _>(isa, m, w, times));
    }

    /// Runs a cell forwards at valid positions only.
    pub fn forward_masked<C: Scan>(self) {
        let (isa, w, times, before) = (self.isa, self.panels, self.times, self.before);
        self.valid_rows(&|m, carry| ops::forward_masked::<C, _>(isa, m, w, times, carry, before));
    }

    /// Runs a cell backwards.
    pub fn backward<C: Scan>(self) {
        let (isa, w, times, wanted) = (self.isa, self.panels, self.times, self.input_gradient);
        self.rows(&|m| ops::backward::<C, _>(isa, m, w, times, wanted));
    }

    /// Runs a cell backwards at valid positions only.
    pub fn backward_masked<C: Scan>(self) {
        let (isa, w, times, wanted) = (self.isa, self.panels, self.times, self.input_gradient);
        self.valid_rows(&|m, carry| ops::backward_masked::<C, _>(isa, m, w, times, wanted, carry));
    }

    /// A schedule names a cell or a form that the model has not.
    ///
    /// # Panics
    /// Always: the compiler writes both, and a schedule that does not fit would compute something
    /// else.
    pub fn unknown(self) {
        unreachable!("cell {} has no {:?}", self.cell, self.form);
    }

    /// Rows divided among threads, if that is allowed and pays.
    fn rows(self, f: &(dyn Fn(&mut Memory<'_>) + Sync)) {
        match self.divide {
            None => f(self.m),
            Some(cost) => {
                let cost = cost.saturating_mul(self.times.steps);
                ops::parallel(self.m.reborrow(), cost, &|mut m| f(&mut m));
            }
        }
    }

    /// The same where padding costs nothing.
    fn valid_rows(self, f: &(dyn Fn(&mut Memory<'_>, &CarryOver) + Sync)) {
        let Some(carry) = self.carry else {
            unreachable!("a masked cell without a mask");
        };
        match self.divide {
            None => f(self.m, carry),
            Some(cost) => {
                let m = ops::on(self.m, self.times);
                let each = |mut m: Memory<'_>| f(&mut m, carry);
                ops::parallel_masked(m, cost, &carry.mask, self.times, &each);
            }
        }
    }
}
