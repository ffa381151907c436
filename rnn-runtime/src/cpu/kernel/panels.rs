//! Packed weights: the layout that the kernels read, and the type of its elements.
//!
//! Where they lie, `rnn_tables::panels` says; how an element is stored, and how many units a panel has, a [`PanelFormat`].

use rnn_tables::PORTABLE_UNITS;

use crate::cpu::simd::Simd;

/// How packed weights lie in memory. A new one (bf16, f16, int8) is an implementation of this trait:
/// the kernels are generic over it.
pub trait PanelFormat: Send + Sync + 'static {
    /// What a weight is stored as.
    type Element: Copy + Send + Sync + 'static;

    /// Whether panels have 16 units, so that the layout is the same for all instruction sets, or as
    /// many as a vector of the set that runs.
    const PORTABLE: bool;

    /// A weight as it is stored, rounded to nearest.
    fn encode(weight: f32) -> Self::Element;

    /// One vector of weights. Each register of it is a run of elements: the first at `p`, each other
    /// one `distance` elements after the one before.
    ///
    /// # Safety
    /// The elements of every register must be valid for reading.
    unsafe fn load<S: Simd>(s: S, p: *const Self::Element, distance: usize) -> S::V;

    /// `sum` plus the products of `k` numbers from `x` on and as many vectors of weights, the first at `w`, in order. From
    /// one vector to the next it is so far, and from one register of a vector to the next. Builds without optimisation
    /// run it (`simd::CALLED`).
    ///
    /// # Safety
    /// The numbers, and the elements of every register of every vector, must be valid for reading.
    #[doc(hidden)]
    unsafe fn call_dot<S: Simd>(
        s: S,
        w: *const Self::Element,
        (row, register): (usize, usize),
        x: *const f32,
        k: usize,
        sum: S::V,
    ) -> S::V {
        let mut sum = sum;
        for i in 0..k {
            // SAFETY: the caller's promise.
            unsafe {
                let wide = Self::load(s, w.add(i * row), register);
                sum = s.mul_add(wide, s.splat(*x.add(i)), sum);
            }
        }
        sum
    }
}

/// f32 in panels of one vector of the instruction set that runs: what a model packs for itself.
///
/// One layout for every set (panels of 16) cost streams up to 1.16 of the time on AVX2.
#[derive(Clone, Copy, Debug)]
pub enum NativeF32 {}

/// f32 in panels of 16 units: one layout for every instruction set, for weights that are packed before
/// it is known which one runs, such as those in read-only memory.
#[derive(Clone, Copy, Debug)]
pub enum PortableF32 {}

macro_rules! f32_panels {
    ($($format:ident: $portable:literal;)*) => {$(
        impl PanelFormat for $format {
            type Element = f32;
            const PORTABLE: bool = $portable;
            #[inline(always)]
            fn encode(weight: f32) -> f32 {
                weight
            }
            #[inline(always)]
            unsafe fn load<S: Simd>(s: S, p: *const f32, distance: usize) -> S::V {
                // SAFETY: the caller's promise.
                unsafe { s.load_apart(p, distance) }
            }
            #[inline(always)]
            unsafe fn call_dot<S: Simd>(
                s: S,
                w: *const f32,
                apart: (usize, usize),
                x: *const f32,
                k: usize,
                sum: S::V,
            ) -> S::V {
                // SAFETY: the caller's promise.
                unsafe { s.call_dot(w, apart, x, k, sum) }
            }
        }
    )*};
}
f32_panels! {
    NativeF32: false;
    PortableF32: true;
}

/// Packed weights, borrowed: from a model, or from read-only memory.
pub struct Panels<'a, W: PanelFormat> {
    elements: &'a [W::Element],
}

impl<W: PanelFormat> Clone for Panels<'_, W> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<W: PanelFormat> Copy for Panels<'_, W> {}

impl<'a, W: PanelFormat> Panels<'a, W> {
    /// Weights without anything packed: for code that has no product.
    pub const NONE: Self = Panels { elements: &[] };

    /// These elements, packed in the format.
    #[inline(always)]
    pub const fn new(elements: &'a [W::Element]) -> Self {
        Panels { elements }
    }

    /// How many elements there are.
    #[inline(always)]
    pub const fn len(self) -> usize {
        self.elements.len()
    }

    /// The elements.
    #[inline(always)]
    pub const fn elements(self) -> &'a [W::Element] {
        self.elements
    }

    /// Whether there are none.
    #[inline(always)]
    pub const fn is_empty(self) -> bool {
        self.elements.is_empty()
    }

    /// The address of the element at `offset`.
    ///
    /// # Safety
    /// There are that many elements.
    #[inline(always)]
    pub(super) unsafe fn at(self, offset: usize) -> *const W::Element {
        // SAFETY: the caller's promise.
        unsafe { self.elements.as_ptr().add(offset) }
    }
}

/// Units of a panel in the format `W` where vectors have `lanes` lanes.
pub const fn panel_units<W: PanelFormat>(lanes: usize) -> usize {
    if W::PORTABLE { PORTABLE_UNITS } else { lanes }
}
