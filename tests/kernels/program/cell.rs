//! A cell as the compiler writes it, by hand: `h' = x W + b + h U`, its buffers and its kernels.

use rnn_runtime::code::*;

pub const IN: usize = 3;
pub const UNITS: usize = 2;

pub const fn at(buf: usize) -> BufferRef {
    BufferRef {
        buffer: buf,
        offset: 0,
        after: false,
        exact: true,
    }
}

pub const fn slice(at: BufferRef, width: usize) -> Slice {
    Slice { at, width }
}

pub const fn after(buf: usize) -> BufferRef {
    BufferRef {
        after: true,
        ..at(buf)
    }
}

// Weights: W [3, 2], U [2, 2], b [2].
pub const W: usize = 0;
pub const U: usize = W + IN * UNITS;
pub const B: usize = U + UNITS * UNITS;
// Packed.
pub const PW: usize = 0;
pub const PU: usize = packed_start(PW + packed_len(IN, 1, UNITS), UNITS).0;
pub const PB: usize = packed_start(PU + packed_len(UNITS, 1, UNITS), READ_PAST).0;
pub const PWT: usize = packed_start(PB + padded(UNITS), IN).0;
pub const PUT: usize = packed_start(PWT + packed_len(UNITS, 1, IN), UNITS).0;
pub const PACKED: usize = PUT + packed_len(UNITS, 1, UNITS) + READ_PAST;

// Buffers: the same in inference and training as far as the gradients.
pub const X: usize = 0;
pub const REAL: usize = 1;
pub const FROM: usize = 2;
pub const Z: usize = 3;
pub const H: usize = 4;
pub const Y: usize = 5;
pub const END: usize = 6;
pub const KEPT: usize = 7;
pub const DY: usize = 8;
pub const DZ: usize = 9;
pub const DH: usize = 10;
pub const D_END: usize = 11;
pub const DX: usize = 12;
pub const D_FROM: usize = 13;

pub const fn buf(width: usize, extent: Extent) -> Buffer {
    Buffer {
        width,
        unaligned: false,
        extent,
        axis: 0,
    }
}

pub const INFERENCE: &[Buffer] = &[
    buf(IN, Extent::All),
    buf(1, Extent::All),
    buf(UNITS, Extent::One),
    buf(UNITS, Extent::All),
    buf(UNITS, Extent::Ring),
    buf(UNITS, Extent::All),
    buf(UNITS, Extent::One),
    buf(UNITS, Extent::One),
];

pub const TRAINING: &[Buffer] = &[
    buf(IN, Extent::All),
    buf(1, Extent::All),
    buf(UNITS, Extent::One),
    buf(UNITS, Extent::All),
    buf(UNITS, Extent::All),
    buf(UNITS, Extent::All),
    buf(UNITS, Extent::One),
    buf(UNITS, Extent::One),
    buf(UNITS, Extent::All),
    buf(UNITS, Extent::All),
    buf(UNITS, Extent::Ring),
    buf(UNITS, Extent::One),
    buf(IN, Extent::All),
    buf(UNITS, Extent::One),
];

pub const fn segment(operand: BufferRef, k: usize, matrix: usize) -> Segment {
    Segment {
        operand,
        k,
        matrix: PackedOffset(matrix),
        gates: 1,
        carried: false,
    }
}

pub const NOTHING: Kernel = Kernel {
    width: UNITS,
    products: &[],
    loads: &[],
    vectors: &[],
    scalars: &[],
    stores: &[],
    reductions: &[],
};
pub const PRE: Kernel = Kernel {
    products: &[&[segment(at(X), IN, PW)]],
    vectors: &[PackedOffset(PB)],
    stores: &[at(Z)],
    ..NOTHING
};
pub const STEP: Kernel = Kernel {
    products: &[&[segment(at(H), UNITS, PU)]],
    loads: &[at(Z)],
    stores: &[after(H), at(Y)],
    ..NOTHING
};
pub const DELTA: Kernel = Kernel {
    loads: &[at(DY), after(DH)],
    stores: &[at(DZ)],
    ..NOTHING
};
pub const BACK: Kernel = Kernel {
    products: &[&[segment(at(DZ), UNITS, PUT)]],
    stores: &[at(DH)],
    ..NOTHING
};
pub const INPUT: Kernel = Kernel {
    width: IN,
    products: &[&[segment(at(DZ), UNITS, PWT)]],
    stores: &[at(DX)],
    ..NOTHING
};

pub enum Pre {}
impl Body for Pre {
    const GATES: usize = 1;
    const SMALL_PANEL: usize = small_panel(UNITS);
    type StridedPointers = StridedPointers<0, 0, 1, 0, 1>;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>) {
        let p = k.product::<1>(0);
        let b = k.vector(0);
        for (r, p) in p.iter().enumerate() {
            k.store(0, r, s.add(p[0], b));
        }
    }
}

pub enum Step {}
impl Body for Step {
    const GATES: usize = 1;
    const SMALL_PANEL: usize = small_panel(UNITS);
    type StridedPointers = StridedPointers<1, 0, 2, 0, 1>;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>) {
        let p = k.product::<1>(0);
        for (r, p) in p.iter().enumerate() {
            let h = s.add(p[0], k.load(0, r));
            k.store(0, r, h);
            k.store(1, r, h);
        }
    }
}

pub enum Delta {}
impl Body for Delta {
    const GATES: usize = 0;
    const SMALL_PANEL: usize = small_panel(UNITS);
    type StridedPointers = StridedPointers<2, 0, 1, 0, 0>;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>) {
        for r in 0..R {
            k.store(0, r, s.add(k.load(0, r), k.load(1, r)));
        }
    }
}

pub enum Product<const PANEL: usize> {}
impl<const PANEL: usize> Body for Product<PANEL> {
    const GATES: usize = 1;
    const SMALL_PANEL: usize = PANEL;
    type StridedPointers = StridedPointers<0, 0, 1, 0, 1>;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(_: S, k: &Tile<'_, Self, S, W, R>) {
        for (r, p) in k.product::<1>(0).iter().enumerate() {
            k.store(0, r, p[0]);
        }
    }
}

pub enum Forward {}
impl Scan for Forward {
    #[inline(always)]
    fn pre<S: Simd, W: PanelFormat, A: Positions>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        times: Times,
        _: bool,
        a: &A,
    ) {
        all_at::<S, W, Pre, A>(s, m, w, &PRE, times.first, times.steps, a);
    }
    #[inline(always)]
    fn step<S: Simd, W: PanelFormat, A: Positions>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        t: usize,
        a: &A,
    ) {
        step_at::<S, W, Step, A>(s, m, w, &STEP, t, a);
    }
    #[inline(always)]
    fn post<S: Simd, W: PanelFormat, A: Positions>(
        _: S,
        _: &mut Memory<'_>,
        _: Panels<'_, W>,
        _: Times,
        _: bool,
        _: &A,
    ) {
    }
}

pub enum Backward {}
impl Scan for Backward {
    #[inline(always)]
    fn pre<S: Simd, W: PanelFormat, A: Positions>(
        _: S,
        _: &mut Memory<'_>,
        _: Panels<'_, W>,
        _: Times,
        _: bool,
        _: &A,
    ) {
    }
    #[inline(always)]
    fn step<S: Simd, W: PanelFormat, A: Positions>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        t: usize,
        a: &A,
    ) {
        step_at::<S, W, Delta, A>(s, m, w, &DELTA, t, a);
        step_at::<S, W, Product<{ small_panel(UNITS) }>, A>(s, m, w, &BACK, t, a);
    }
    #[inline(always)]
    fn post<S: Simd, W: PanelFormat, A: Positions>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        times: Times,
        wanted: bool,
        a: &A,
    ) {
        if wanted {
            all_at::<S, W, Product<{ small_panel(IN) }>, A>(
                s,
                m,
                w,
                &INPUT,
                times.first,
                times.steps,
                a,
            );
        }
    }
}

pub const CARRY: CarryOver = CarryOver {
    mask: at(REAL),
    states: &[slice(at(H), UNITS)],
    outputs: &[slice(at(Y), UNITS)],
    inputs: &[],
    zero_output: false,
};
pub const CARRY_BACKWARD: CarryOver = CarryOver {
    mask: at(REAL),
    states: &[slice(at(DH), UNITS)],
    outputs: &[slice(at(DY), UNITS)],
    inputs: &[slice(at(DX), IN)],
    zero_output: false,
};
