//! The product with its epilogue, in every form of a tile.

use crate::support::{Random, UNTOUCHED, Values, leak, place};
use rnn_runtime::cpu::{
    kernel::{
        AllPositions, Body, Memory, NativeF32, PanelFormat, Panels, PortableF32, READ_PAST,
        StridedPointers, Tile, pack_matrix, pack_vector, packed_len, packed_start, padded,
        panel_units, run_all, small_panel, step_at,
    },
    simd::{Isa, Op, Simd},
};
use rnn_tables::{
    BufferRef, Extent, Kernel, MatrixSlice, PackedGate, PackedOffset, PackedVector, Segment,
    VectorSlice, WeightOffset,
};

/// Gate 0 becomes `bias * z + p`, the others are stored as they are; the units of gate 0 are
/// summed, and the largest is found.
enum Gates<const G: usize, const PANEL: usize> {}

impl<const G: usize, const PANEL: usize> Body for Gates<G, PANEL> {
    const GATES: usize = G;
    const SMALL_PANEL: usize = PANEL;
    type StridedPointers = StridedPointers<1, 1, G, 2, 2>;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>) {
        let p = k.product::<G>(0);
        let bias = k.vector(0);
        for (r, gates) in p.iter().enumerate() {
            let first = s.mul_add(bias, k.load(0, r), gates[0]);
            let first = s.add(first, k.scalar(0, r));
            k.store(0, r, first);
            for (g, &gate) in gates.iter().enumerate().skip(1) {
                k.store(g, r, gate);
            }
            k.sum(0, r, first);
            k.max(1, r, first);
        }
    }
}

/// bf16: the upper half of a float.
enum Bf16 {}

impl PanelFormat for Bf16 {
    type Element = u16;
    const PORTABLE: bool = true;
    fn encode(weight: f32) -> u16 {
        // To nearest, ties to even.
        let bits = weight.to_bits();
        ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
    }
    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, p: *const u16, distance: usize) -> S::V {
        let mut floats = [0.0; 32];
        let lanes = S::One::LANES;
        for (i, x) in floats.iter_mut().enumerate().take(S::LANES) {
            // SAFETY: register `i / lanes` has its elements there, by the caller's promise.
            let bits = unsafe { p.add(i / lanes * distance + i % lanes).read() };
            *x = f32::from_bits(u32::from(bits) << 16);
        }
        // SAFETY: no vector has more than 32 lanes.
        unsafe { s.load(floats.as_ptr()) }
    }
}

/// Whole numbers of a 64th: a format whose elements are a byte.
enum Fixed8 {}

impl PanelFormat for Fixed8 {
    type Element = i8;
    const PORTABLE: bool = true;
    fn encode(weight: f32) -> i8 {
        (weight * 64.0).round_ties_even().clamp(-128.0, 127.0) as i8
    }
    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, p: *const i8, distance: usize) -> S::V {
        let mut floats = [0.0; 32];
        let lanes = S::One::LANES;
        for (i, x) in floats.iter_mut().enumerate().take(S::LANES) {
            // SAFETY: register `i / lanes` has its elements there, by the caller's promise.
            let steps = unsafe { p.add(i / lanes * distance + i % lanes).read() };
            *x = f32::from(steps) / 64.0;
        }
        // SAFETY: no vector has more than 32 lanes.
        unsafe { s.load(floats.as_ptr()) }
    }
}

struct Run<'a, 'b, W: PanelFormat, B> {
    m: &'a mut Memory<'b>,
    w: Panels<'a, W>,
    kernel: &'a Kernel,
    times: (usize, usize),
    all: bool,
    body: std::marker::PhantomData<B>,
}

impl<W: PanelFormat, B: Body> Op for Run<'_, '_, W, B> {
    type Output = bool;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> bool {
        let (first, steps) = self.times;
        if self.all {
            run_all::<S, W, B>(s, self.m, self.w, self.kernel, first, steps);
        } else {
            for t in first..first + steps {
                step_at::<S, W, B, _>(s, self.m, self.w, self.kernel, t, &AllPositions);
            }
        }
        S::FUSED
    }
}

// Buffers.
const X: usize = 0;
const H: usize = 1;
const Z: usize = 2;
const OUT: usize = 3;
const NUMBER: usize = 4;
const SUM: usize = 5;
const LARGEST: usize = 6;

/// A case: sizes, and everything that a kernel of that size reads.
struct Case {
    width: usize,
    gates: usize,
    k: [usize; 2],
    weights: [Vec<f32>; 2],
    bias: Vec<f32>,
    /// What is packed, each with the parameter that it is packed from.
    matrices: Vec<(PackedGate, Vec<f32>)>,
    kernel: Kernel,
}

/// Runs the body of the gates and the width of a case.
macro_rules! bodies {
    ($case:expr, $isa:expr, $m:expr, $w:expr, $times:expr, $all:expr; $($gates:literal $panel:literal),*) => {
        match ($case.gates, small_panel($case.width)) {
            $(($gates, $panel) => $isa.dispatch(Run {
                m: $m,
                w: $w,
                kernel: &$case.kernel,
                times: $times,
                all: $all,
                body: std::marker::PhantomData::<Gates<$gates, $panel>>,
            }),)*
            other => unreachable!("{other:?} is not among the cases"),
        }
    };
}

impl Case {
    fn new(width: usize, gates: usize, k: [usize; 2], r: &mut Random) -> Case {
        let len = k.map(|k| packed_len(k, gates, width));
        let starts = [0, len[0]];
        let weights = k.map(|k| r.floats(k * gates * width));
        let mut matrices = Vec::new();
        for (i, w) in weights.iter().enumerate() {
            for gate in 0..gates {
                // The second matrix is given by its transpose.
                let transposed = i == 1;
                let (columns, w) = match transposed {
                    false => (gates * width, w.clone()),
                    true => (k[i], transpose(w, k[i], gates * width)),
                };
                let m = PackedGate {
                    from: MatrixSlice {
                        param: WeightOffset(0),
                        columns,
                        row: if transposed { gate * width } else { 0 },
                        column: if transposed { 0 } else { gate * width },
                    },
                    k: k[i],
                    width,
                    transposed,
                    to: PackedOffset(starts[i]),
                    gate,
                    gates,
                };
                matrices.push((m, w));
            }
        }
        let bias = r.floats(width);
        let segment = |i: usize, buf| Segment {
            operand: place(buf),
            k: k[i],
            matrix: PackedOffset(starts[i]),
            gates,
            carried: false,
        };
        let stores = (0..gates)
            .map(|g| BufferRef {
                offset: g * width,
                exact: true,
                ..place(OUT)
            })
            .collect();
        let kernel = Kernel {
            width,
            products: leak(vec![leak(vec![segment(0, X), segment(1, H)])]),
            loads: leak(vec![place(Z)]),
            vectors: leak(vec![packed_start(len[0] + len[1], READ_PAST)]),
            scalars: leak(vec![place(NUMBER)]),
            stores: leak(stores),
            reductions: leak(vec![place(SUM), place(LARGEST)]),
        };
        Case {
            width,
            gates,
            k,
            weights,
            bias,
            matrices,
            kernel,
        }
    }

    /// The weights in the format `W`, for `isa`.
    fn packed<W: PanelFormat>(&self, isa: Isa) -> Vec<W::Element> {
        let bias: PackedVector = PackedVector {
            from: VectorSlice {
                param: WeightOffset(0),
                offset: 0,
            },
            width: self.width,
            to: self.kernel.vectors[0],
        };
        let mut packed = vec![0.0; bias.to.0 + padded(self.width)];
        for (m, w) in &self.matrices {
            pack_matrix(panel_units::<W>(isa.lanes()), m, w, &mut packed);
        }
        pack_vector(&bias, &self.bias, &mut packed);
        packed.into_iter().map(W::encode).collect()
    }

    /// The same case, with weights that a format has.
    fn rounded(mut self, round: impl Fn(f32) -> f32) -> Case {
        let matrices = self.matrices.iter_mut().map(|(_, w)| w);
        let all = self
            .weights
            .iter_mut()
            .chain(matrices)
            .chain([&mut self.bias]);
        all.flatten().for_each(|w| *w = round(*w));
        self
    }

    fn values(&self, rows: usize, steps: usize) -> Values {
        let mut v = Values::new(
            &[
                (self.k[0], steps, Extent::All),
                (self.k[1], 2, Extent::Ring),
                (self.width, steps, Extent::All),
                (self.gates * self.width + 1, steps, Extent::All),
                (1, steps, Extent::All),
                (1, steps, Extent::All),
                (1, steps, Extent::All),
            ],
            rows,
        );
        let mut r = Random::new(77);
        for row in 0..rows {
            for t in 0..steps {
                v.fill(X, t, row, &r.floats(self.k[0]));
                v.fill(Z, t, row, &r.floats(self.width));
                v.fill(NUMBER, t, row, &[r.float()]);
            }
            for ring in 0..2 {
                v.fill(H, ring, row, &r.floats(self.k[1]));
            }
        }
        v
    }

    /// The outputs of one row and step by plain loops, in the kernel's order of additions: where all units are in one
    /// register, the second half of eight terms or more is a sum of its own.
    fn plain(&self, isa: Isa, v: &Values, t: usize, row: usize, fused: bool) -> Vec<f32> {
        let few = self.width <= if isa.lanes() == 1 { 4 } else { isa.lanes() };
        let fma = |a: f32, b: f32, c: f32| if fused { a.mul_add(b, c) } else { a * b + c };
        let x = [v.row(X, t, row, self.k[0]), v.row(H, t & 1, row, self.k[1])];
        let all = self.gates * self.width;
        let mut out: Vec<f32> = (0..all)
            .map(|j| {
                let mut sum = 0.0;
                for (x, w) in x.iter().zip(&self.weights) {
                    let term = |sum, k: usize| fma(w[k * all + j], x[k], sum);
                    let half = match x.len() >= 8 && few {
                        true => x.len() / 2,
                        false => x.len(),
                    };
                    sum = (0..half).fold(sum, term);
                    if half < x.len() {
                        sum += (half..x.len()).fold(0.0, term);
                    }
                }
                sum
            })
            .collect();
        let z = v.row(Z, t, row, self.width);
        let number = v.row(NUMBER, t, row, 1)[0];
        for i in 0..self.width {
            out[i] = fma(self.bias[i], z[i], out[i]) + number;
        }
        out
    }

    fn run(&self, isa: Isa, v: &mut Values, rows: usize, steps: usize, all: bool) -> bool {
        let packed = self.packed::<NativeF32>(isa);
        let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, steps, rows);
        self.run_native(isa, &mut m, Panels::new(&packed), (0, steps), all)
    }

    /// Runs with weights in another format. Few bodies: each is compiled for every format.
    fn run_format<W: PanelFormat>(&self, isa: Isa, v: &mut Values, rows: usize, steps: usize) {
        let packed = self.packed::<W>(isa);
        let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, steps, rows);
        let w = Panels::<W>::new(&packed);
        bodies!(self, isa, &mut m, w, (0, steps), rows > 1; 1 0, 4 4);
    }

    /// Several gates, with panels wider than a vector: there the next register is in the same panel.
    fn run_portable_gates(&self, isa: Isa, v: &mut Values, rows: usize, steps: usize) {
        let packed = self.packed::<PortableF32>(isa);
        let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, steps, rows);
        let w = Panels::<PortableF32>::new(&packed);
        bodies!(self, isa, &mut m, w, (0, steps), rows > 1; 4 0);
    }

    fn run_native(
        &self,
        isa: Isa,
        m: &mut Memory<'_>,
        w: Panels<'_, NativeF32>,
        times: (usize, usize),
        all: bool,
    ) -> bool {
        bodies!(self, isa, m, w, times, all; 1 0, 1 1, 2 0, 3 0, 4 0, 4 4)
    }
}

/// Widths and numbers of gates: those whose panels are as wide as a format says, and small panels of 1
/// and of 4 units.
fn cases() -> impl Iterator<Item = (usize, usize)> {
    let wide = (8..=40).flat_map(|width| (1..=4).map(move |gates| (width, gates)));
    [(1, 1), (3, 4), (4, 4)].into_iter().chain(wide)
}

fn transpose(w: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|j| (0..rows).map(move |i| w[i * columns + j]))
        .collect()
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn every_width_and_number_of_gates_and_rows() {
    let mut r = Random::new(1);
    for (width, gates) in cases() {
        let k = [1 + width * 7 % 13, 1 + width * 5 % 11];
        let case = Case::new(width, gates, k, &mut r);
        for &isa in Isa::available() {
            for (rows, steps, all) in [(1, 1, false), (1, 9, true), (3, 3, true), (9, 2, false)] {
                let mut v = case.values(rows, steps);
                let fused = case.run(isa, &mut v, rows, steps, all);
                for row in 0..rows {
                    for t in 0..steps {
                        let what = format!(
                            "{isa} width {width} gates {gates} rows {rows} row {row} step {t}"
                        );
                        let expected = case.plain(isa, &v, t, row, fused);
                        let out = v.row(OUT, t, row, gates * width + 1);
                        assert_eq!(bits(&out[..gates * width]), bits(&expected), "{what}");
                        assert_eq!(out[gates * width], UNTOUCHED, "{what}: written too far");
                        let found = v.row(SUM, t, row, 1)[0];
                        let largest = v.row(LARGEST, t, row, 1)[0];
                        let first = &expected[..width];
                        let sum: f64 = first.iter().map(|&x| f64::from(x)).sum();
                        let size: f64 = first.iter().map(|&x| f64::from(x).abs()).sum();
                        assert!((f64::from(found) - sum).abs() <= 1e-6 * size, "{what}: sum");
                        let top = first.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                        assert_eq!(largest, top, "{what}: largest");
                    }
                }
            }
        }
    }
}

/// A row alone, and the same row among others: a sum over units must not depend on it.
#[test]
fn a_sum_over_units_does_not_depend_on_the_tile() {
    let mut r = Random::new(2);
    for (width, gates) in cases() {
        let case = Case::new(width, gates, [3, 2], &mut r);
        for &isa in Isa::available() {
            let packed = case.packed::<NativeF32>(isa);
            let mut many = case.values(13, 1);
            let mut each = case.values(13, 1);
            case.run(isa, &mut many, 13, 1, true);
            for row in 0..13 {
                // One row at a time: the rest of the batch is cut off.
                let m = Memory::new(each.arena.floats_mut(), &each.bufs, 1, 13);
                let (_, m) = m.split(row);
                let (mut m, _) = m.split(row + 1);
                case.run_native(isa, &mut m, Panels::new(&packed), (0, 1), false);
                for number in [SUM, LARGEST] {
                    let (a, b) = (many.row(number, 0, row, 1), each.row(number, 0, row, 1));
                    assert_eq!(
                        bits(a),
                        bits(b),
                        "{isa} width {width} gates {gates} row {row}"
                    );
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "too small")]
fn a_buffer_that_is_too_small_is_refused() {
    let case = Case::new(20, 2, [3, 2], &mut Random::new(3));
    let mut v = case.values(2, 1);
    v.bufs[OUT] = rnn_runtime::cpu::kernel::Buf::new(v.bufs[OUT].offset(), 16, 2, 1, Extent::All);
    case.run(Isa::SCALAR, &mut v, 2, 1, true);
}

#[test]
#[should_panic(expected = "too small")]
fn packed_weights_that_are_too_short_are_refused() {
    let case = Case::new(20, 2, [3, 2], &mut Random::new(3));
    let mut v = case.values(2, 1);
    let packed = &case.packed::<NativeF32>(Isa::SCALAR)[..60];
    let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, 1, 2);
    case.run_native(Isa::SCALAR, &mut m, Panels::new(packed), (0, 1), true);
}

#[test]
#[should_panic(expected = "too small")]
fn more_units_than_can_be_counted_are_refused() {
    let mut case = Case::new(16, 1, [16, 2], &mut Random::new(3));
    let mut v = case.values(2, 1);
    // 16 rows of so many units would be 0 floats, counted modulo 2⁶⁴.
    case.kernel.width = 1 << (usize::BITS - 4);
    let packed = case.packed::<NativeF32>(Isa::SCALAR);
    let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, 1, 2);
    case.run_native(Isa::SCALAR, &mut m, Panels::new(&packed), (0, 1), true);
}

#[test]
#[should_panic(expected = "differ")]
fn a_body_of_another_width_is_refused() {
    let mut case = Case::new(20, 2, [3, 2], &mut Random::new(3));
    let mut v = case.values(2, 1);
    // Its panels would be those of one unit.
    case.kernel.width = 1;
    let packed = case.packed::<NativeF32>(Isa::SCALAR);
    let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, 1, 2);
    case.run_native(Isa::SCALAR, &mut m, Panels::new(&packed), (0, 1), true);
}

/// What runs a case in another format: rows and steps last.
type RunFormat = fn(&Case, Isa, &mut Values, usize, usize);

/// A format changes how weights are stored and nothing else: with weights that it has, every
/// instruction set gives the bits of its own f32.
fn same_bits_as_native(cases: &[(usize, usize)], round: fn(f32) -> f32, run: RunFormat) {
    let mut r = Random::new(4);
    for &(width, gates) in cases {
        let case = Case::new(width, gates, [5, width], &mut r).rounded(round);
        for &isa in Isa::available() {
            for (rows, steps) in [(1, 2), (5, 3)] {
                let mut native = case.values(rows, steps);
                let mut other = case.values(rows, steps);
                case.run(isa, &mut native, rows, steps, rows > 1);
                run(&case, isa, &mut other, rows, steps);
                for (row, t) in (0..rows).flat_map(|row| (0..steps).map(move |t| (row, t))) {
                    let out = |v: &Values| bits(v.row(OUT, t, row, gates * width + 1));
                    let what = format!("{isa} width {width} gates {gates} row {row} step {t}");
                    assert_eq!(out(&native), out(&other), "{what}");
                }
            }
        }
    }
}

/// One gate, and small panels of four.
const FEW: &[(usize, usize)] = &[
    (3, 4),
    (4, 4),
    (8, 1),
    (9, 1),
    (16, 1),
    (17, 1),
    (33, 1),
    (40, 1),
];

#[test]
fn portable_panels_give_the_same_bits() {
    same_bits_as_native(FEW, |w| w, Case::run_format::<PortableF32>);
    let gates = [(8, 4), (9, 4), (16, 4), (17, 4), (31, 4), (40, 4)];
    same_bits_as_native(&gates, |w| w, Case::run_portable_gates);
}

#[test]
fn a_new_weight_format_is_an_implementation() {
    let bf16 = |w| f32::from_bits(u32::from(Bf16::encode(w)) << 16);
    same_bits_as_native(FEW, bf16, Case::run_format::<Bf16>);
    let fixed = |w| f32::from(Fixed8::encode(w)) / 64.0;
    same_bits_as_native(FEW, fixed, Case::run_format::<Fixed8>);
}
