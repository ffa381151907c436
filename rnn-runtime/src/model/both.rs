//! Two parts of a model at once, in training.

use super::Training;
use crate::cpu::ops::{self, Times};

impl Training<'_> {
    /// Runs two parts that have no buffer in common, at once if there are fewer rows than threads
    /// and so much to do that another thread pays: `cost` multiplications for one row and one of
    /// `times`, both parts together. `second` are the buffers that the second part reads and writes,
    /// the first part has all others. Neither part has the weights or their gradients. The two
    /// directions of a `Bidirectional` layer, forwards or backwards.
    ///
    /// # Panics
    /// If a part touches a buffer of the other, or weights, while they run at once, or in a build
    /// with debug assertions.
    pub fn both(
        &mut self,
        second: &[usize],
        cost: usize,
        times: Times,
        a: impl FnOnce(&mut Training<'_>) + Send,
        b: impl FnOnce(&mut Training<'_>) + Send,
    ) {
        let rows = self.m.rows().len();
        let pays = ops::threads(rows, cost.saturating_mul(times.steps)) > 1;
        let spare = pays && rows < rayon::current_num_threads();
        if !spare && !cfg!(debug_assertions) {
            a(self);
            return b(self);
        }
        let (isa, x, axes, batch) = (self.isa, self.x, self.axes, self.batch);
        let (seed, input_gradient, penalties) = (self.seed, self.input_gradient, self.penalties);
        self.m.apart(second, |ma, mb| {
            let part = |m| Training {
                isa,
                m,
                weights: &mut [],
                gradients: &mut [],
                x,
                axes,
                batch,
                seed,
                input_gradient,
                penalties,
            };
            let (mut ca, mut cb) = (part(ma), part(mb));
            if spare {
                rayon::join(|| a(&mut ca), || b(&mut cb));
            } else {
                a(&mut ca);
                b(&mut cb);
            }
        });
    }
}
