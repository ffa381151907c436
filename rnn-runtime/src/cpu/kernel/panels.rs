//! Packed weights: the layout that the kernels read, and the type of its elements.
//!
//! A matrix of `k` rows and `gates` gates of `width` columns becomes **panels**,
//! `[ceil(width / units)][k][gates][units]`, with zeros after the last unit. A tile reads its weights
//! one after another, and they fill whole lines of the cache. How many `units` a panel has, a
//! [`PanelFormat`] says, and how an element is stored. A matrix of fewer than 8 columns is one panel
//! of 1, 2, 4 or 8 units in every format, so it takes no more room than it needs.
//!
//! Where a panel is narrower than a vector, the lanes after its last unit are filled from what follows.
//! Nobody looks at them, but they have to exist: [`READ_PAST`] floats follow everything that is packed.

use rnn_tables::{PackedGate, PackedOffset, PackedVector};

use super::padded;
use crate::cpu::simd::Simd;

/// Lanes of the widest vector, and units of a panel that suits every instruction set.
const WIDEST: usize = 16;

/// Elements that follow everything that is packed: a vector may start at the last one.
pub const READ_PAST: usize = WIDEST;

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
    if W::PORTABLE { WIDEST } else { lanes }
}

/// Units of the panel of a matrix of fewer than 8 columns; 0 for any other, whose panels are as wide
/// as the format says.
pub const fn small_panel(width: usize) -> usize {
    match width {
        0 | 1 => 1,
        2 => 2,
        3 | 4 => 4,
        5..=7 => 8,
        _ => 0,
    }
}

/// Where a matrix or a vector of this width starts if `at` elements are packed already: wide panels
/// start at a line of the cache.
pub const fn packed_start(at: usize, width: usize) -> PackedOffset {
    PackedOffset(match small_panel(width) {
        0 => padded(at),
        units => at.div_ceil(units) * units,
    })
}

/// Elements of a packed matrix: as many in every format. `usize::MAX` where that cannot be counted, so that
/// every check against a length refuses it.
pub const fn packed_len(k: usize, gates: usize, width: usize) -> usize {
    let units = match small_panel(width) {
        0 => padded(width),
        units => units,
    };
    units.saturating_mul(k).saturating_mul(gates)
}

/// Packs one gate of a matrix for panels of `units` units; elements after the last unit are left as
/// they are (zero).
///
/// # Panics
/// If the parameter or the packed matrix is not within its slice.
pub const fn pack_matrix(units: usize, m: &PackedGate, weights: &[f32], packed: &mut [f32]) {
    let units = match small_panel(m.width) {
        0 => units,
        small => small,
    };
    let stride = m.gates * units;
    let (columns, start) = (m.from.columns, m.from.start());
    let packed = packed.split_at_mut(m.to.0).1;
    let packed = packed.split_at_mut(packed_len(m.k, m.gates, m.width)).0;
    let mut first = 0;
    while first < m.width {
        let left = m.width - first;
        let count = if left < units { left } else { units };
        let mut to = first / units * (m.k * stride) + m.gate * units;
        let mut k = 0;
        while k < m.k {
            let run = packed.split_at_mut(to).1.split_at_mut(count).0;
            if m.transposed {
                let mut unit = 0;
                while unit < count {
                    run[unit] = weights[start + (first + unit) * columns + k];
                    unit += 1;
                }
            } else {
                let from = weights.split_at(start + k * columns + first).1;
                run.copy_from_slice(from.split_at(count).0);
            }
            to += stride;
            k += 1;
        }
        first += units;
    }
}

/// Packs one vector; the elements after it become zero.
///
/// # Panics
/// If it is not within its slice.
pub const fn pack_vector(v: &PackedVector, weights: &[f32], packed: &mut [f32]) {
    let from = weights.split_at(v.from.start()).1.split_at(v.width).0;
    let to = packed
        .split_at_mut(v.to.0)
        .1
        .split_at_mut(padded(v.width))
        .0;
    let (units, rest) = to.split_at_mut(v.width);
    units.copy_from_slice(from);
    let mut i = 0;
    while i < rest.len() {
        rest[i] = 0.0;
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use rnn_tables::{MatrixSlice, VectorSlice, WeightOffset};

    use super::*;

    const fn matrix(k: usize, width: usize, transposed: bool, gate: usize) -> PackedGate {
        PackedGate {
            from: MatrixSlice {
                param: WeightOffset(0),
                columns: if transposed { k } else { 2 * width },
                row: if transposed { gate * width } else { 0 },
                column: if transposed { 0 } else { gate * width },
            },
            k,
            width,
            transposed,
            to: PackedOffset(0),
            gate,
            gates: 2,
        }
    }

    /// Weights are packed while the program is compiled, whatever will run it.
    #[test]
    fn a_constant_is_packed_weights() {
        const WEIGHTS: [f32; 12] = [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.];
        static PACKED: [f32; 16 + 16 + READ_PAST] = {
            let mut packed = [0.0; 16 + 16 + READ_PAST];
            pack_matrix(16, &matrix(2, 3, false, 0), &WEIGHTS, &mut packed);
            pack_matrix(16, &matrix(2, 3, false, 1), &WEIGHTS, &mut packed);
            let bias: PackedVector = PackedVector {
                from: VectorSlice {
                    param: WeightOffset(4),
                    offset: 1,
                },
                width: 3,
                to: packed_start(packed_len(2, 2, 3), 16),
            };
            pack_vector(&bias, &WEIGHTS, &mut packed);
            packed
        };
        let rows = [
            [0., 1., 2., 0.],
            [3., 4., 5., 0.],
            [6., 7., 8., 0.],
            [9., 10., 11., 0.],
        ];
        assert_eq!(PACKED[..16], rows.concat());
        assert_eq!(PACKED[16..20], [5., 6., 7., 0.]);
    }

    #[test]
    fn every_unit_stands_in_its_panel() {
        for (width, format) in [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 40]
            .into_iter()
            .flat_map(|width| [(width, 8), (width, 16)])
        {
            for transposed in [false, true] {
                let k = 3;
                let weights: Vec<f32> = (0..k * 2 * width).map(|i| i as f32 + 1.0).collect();
                let mut packed = vec![0.0; packed_len(k, 2, width)];
                for gate in 0..2 {
                    let m = matrix(k, width, transposed, gate);
                    pack_matrix(format, &m, &weights, &mut packed);
                }
                let units = match small_panel(width) {
                    0 => format,
                    small => small,
                };
                for (i, &x) in packed.iter().enumerate() {
                    let (unit, gate) = (i % units, i / units % 2);
                    let (row, unit) = (i / units / 2 % k, i / units / 2 / k * units + unit);
                    let from = match transposed {
                        false => row * 2 * width + gate * width + unit,
                        true => (gate * width + unit) * k + row,
                    };
                    let expected = if unit < width { weights[from] } else { 0.0 };
                    assert_eq!(x, expected, "{width} {transposed} {i}");
                }
            }
        }
    }

    /// `Dense(1)` on 16 inputs.
    #[test]
    fn small_matrices_take_what_they_need() {
        assert_eq!(packed_len(16, 1, 1) * size_of::<f32>(), 64);
        assert_eq!(packed_len(8, 4, 3), 8 * 4 * 4);
        assert_eq!(packed_len(64, 4, 64), 64 * 4 * 64);
    }
}
