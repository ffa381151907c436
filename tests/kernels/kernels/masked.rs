//! Masked scans of a cell that adds up its inputs, whose output is ten times its state.

use crate::support::{Random, Values};
use rnn_runtime::cpu::{
    kernel::{
        Body, Memory, NativeF32, PanelFormat, Panels, Positions, StridedPointers, Tile, all_at,
        small_panel, step_at,
    },
    ops::{Scan, Times, backward_masked, forward, forward_masked},
    simd::{Isa, Simd},
};
use rnn_tables::{BufferRef, CarryOver, Extent, Kernel, Slice};

const WIDTH: usize = 5;
const ROWS: usize = 7;
const TIME: usize = 6;

const fn at(buf: usize) -> BufferRef {
    BufferRef {
        buffer: buf,
        offset: 0,
        after: false,
        exact: false,
    }
}

const fn slice(at: BufferRef) -> Slice {
    Slice { at, width: WIDTH }
}

const fn after(buf: usize) -> BufferRef {
    BufferRef {
        after: true,
        ..at(buf)
    }
}

// Buffers.
const X: usize = 0;
const MASK: usize = 1;
const H: usize = 2;
const Y: usize = 3;
const LAST: usize = 4;
const DY: usize = 5;
const DH: usize = 6;
const DX: usize = 7;
/// States that the output is computed from after the scan; nobody reads those of masked steps.
const KEPT: usize = 8;

const ADD: Kernel = Kernel {
    width: WIDTH,
    products: &[],
    loads: &[at(X), at(H)],
    vectors: &[],
    scalars: &[],
    stores: &[after(H), at(KEPT)],
    reductions: &[],
};
const OUT: Kernel = Kernel {
    loads: &[at(KEPT)],
    stores: &[at(Y), at(LAST)],
    ..ADD
};
const BACK: Kernel = Kernel {
    loads: &[at(DY), after(DH)],
    stores: &[at(DH), at(DX)],
    ..ADD
};

/// No kernel here has a product.
const NONE: Panels<'_, NativeF32> = Panels::NONE;

enum Add {}
impl Body for Add {
    const GATES: usize = 0;
    const SMALL_PANEL: usize = small_panel(WIDTH);
    type StridedPointers = StridedPointers<2, 0, 2, 0, 0>;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>) {
        for r in 0..R {
            let h = s.add(k.load(0, r), k.load(1, r));
            k.store(0, r, h);
            k.store(1, r, h);
        }
    }
}

enum Out {}
impl Body for Out {
    const GATES: usize = 0;
    const SMALL_PANEL: usize = small_panel(WIDTH);
    type StridedPointers = StridedPointers<1, 0, 2, 0, 0>;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>) {
        for r in 0..R {
            let y = s.mul(k.load(0, r), s.splat(10.0));
            k.store(0, r, y);
            k.store(1, r, y);
        }
    }
}

enum Back {}
impl Body for Back {
    const GATES: usize = 0;
    const SMALL_PANEL: usize = small_panel(WIDTH);
    type StridedPointers = StridedPointers<2, 0, 2, 0, 0>;
    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>) {
        for r in 0..R {
            let d = s.mul_add(k.load(0, r), s.splat(10.0), k.load(1, r));
            k.store(0, r, d);
            k.store(1, r, d);
        }
    }
}

/// The output is computed after the scan, for all steps at once.
enum Cell {}
impl Scan for Cell {
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
        step_at::<S, W, Add, A>(s, m, w, &ADD, t, a);
    }
    #[inline(always)]
    fn post<S: Simd, W: PanelFormat, A: Positions>(
        s: S,
        m: &mut Memory<'_>,
        w: Panels<'_, W>,
        times: Times,
        _: bool,
        a: &A,
    ) {
        all_at::<S, W, Out, A>(s, m, w, &OUT, times.first, times.steps, a);
    }
}

enum CellBack {}
impl Scan for CellBack {
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
        step_at::<S, W, Back, A>(s, m, w, &BACK, t, a);
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

const CARRY: CarryOver = CarryOver {
    mask: at(MASK),
    states: &[slice(at(H))],
    outputs: &[slice(at(Y)), slice(at(LAST))],
    inputs: &[],
    zero_output: false,
};

const CARRY_BACKWARD: CarryOver = CarryOver {
    mask: at(MASK),
    states: &[slice(at(DH))],
    outputs: &[slice(at(DY))],
    inputs: &[slice(at(DX))],
    zero_output: false,
};

const ONLY_LAST: &[Slice] = &[slice(at(LAST))];

fn held(zero_output: bool) -> CarryOver {
    CarryOver {
        zero_output,
        ..CARRY
    }
}

fn carry_backward(zero_output: bool) -> CarryOver {
    CarryOver {
        zero_output,
        ..CARRY_BACKWARD
    }
}

/// Full, empty, padded on either side, with holes.
fn real(row: usize, t: usize) -> bool {
    match row {
        0 => true,
        1 => false,
        2 => t < 3,
        3 => t >= 2,
        4 => t != 1 && t != 4,
        5 => t == 3,
        _ => t + 1 == TIME,
    }
}

fn values() -> Values {
    let one = (WIDTH, TIME + 1, Extent::All);
    let mut v = Values::new(
        &[
            one,
            (1, TIME + 1, Extent::All),
            (WIDTH, 2, Extent::Ring),
            one,
            (WIDTH, 2, Extent::Last),
            one,
            (WIDTH, 2, Extent::Ring),
            one,
            one,
        ],
        ROWS,
    );
    let mut r = Random::new(3);
    for row in 0..ROWS {
        for t in 0..TIME {
            v.fill(X, t, row, &r.floats(WIDTH));
            v.fill(DY, t, row, &r.floats(WIDTH));
            v.fill(MASK, t, row, &[f32::from(real(row, t))]);
        }
        // A state that is not zero: outputs before the first valid step are, nevertheless.
        v.fill(H, 0, row, &r.floats(WIDTH));
        for ring in 0..2 {
            v.fill(DH, ring, row, &[0.0; WIDTH]);
        }
    }
    v
}

/// Outputs of all steps of a row, and its last state.
fn plain(v: &Values, row: usize, zero: bool) -> (Vec<Vec<f32>>, Vec<f32>) {
    let mut h = v.row(H, 0, row, WIDTH).to_vec();
    let (mut out, mut y) = (vec![0.0; WIDTH], Vec::new());
    for t in 0..TIME {
        if real(row, t) {
            let x = v.row(X, t, row, WIDTH);
            h.iter_mut().zip(x).for_each(|(h, x)| *h += x);
            out = h.iter().map(|h| h * 10.0).collect();
        } else if zero {
            out.fill(0.0);
        }
        y.push(out.clone());
    }
    (y, h)
}

#[test]
fn a_masked_step_repeats_the_output_or_gives_zeros() {
    for &isa in Isa::available() {
        for zero in [false, true] {
            for whole in [true, false] {
                let mut v = values();
                let expected: Vec<_> = (0..ROWS).map(|row| plain(&v, row, zero)).collect();
                let mut y = vec![Vec::new(); ROWS];
                let mut run = |v: &mut Values, times: Times, before| {
                    let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, 1, ROWS);
                    forward_masked::<Cell, _>(isa, &mut m, NONE, times, &held(zero), before);
                    for (row, y) in y.iter_mut().enumerate() {
                        y.extend(times.range().map(|t| v.row(Y, t, row, WIDTH).to_vec()));
                    }
                };
                if whole {
                    run(&mut v, Times::all(TIME), None);
                } else {
                    // Two blocks of four steps and two, as long sequences run.
                    let first = Times {
                        first: 0,
                        steps: 4,
                        total: usize::MAX,
                    };
                    run(&mut v, first, None);
                    for row in 0..ROWS {
                        for t in 0..2 {
                            let x = v.row(X, 4 + t, row, WIDTH).to_vec();
                            v.fill(X, t, row, &x);
                            v.fill(MASK, t, row, &[f32::from(real(row, 4 + t))]);
                        }
                    }
                    run(&mut v, Times::all(2), Some(4));
                }
                for (row, (outputs, state)) in expected.iter().enumerate() {
                    let what = format!("{isa} zero {zero} whole {whole} row {row}");
                    assert_eq!(&y[row], outputs, "{what}");
                    assert_eq!(v.row(LAST, 1, row, WIDTH), outputs[TIME - 1], "{what}");
                    assert_eq!(v.row(H, 0, row, WIDTH), state, "{what}");
                }
            }
        }
    }
}

#[test]
fn gradients_go_to_where_outputs_came_from() {
    for &isa in Isa::available() {
        for zero in [false, true] {
            let mut v = values();
            let mut expected = vec![vec![vec![0.0; WIDTH]; TIME]; ROWS];
            for (row, dx) in expected.iter_mut().enumerate() {
                let (mut dh, mut later) = (vec![0.0; WIDTH], vec![0.0; WIDTH]);
                for t in (0..TIME).rev() {
                    for (j, d) in v.row(DY, t, row, WIDTH).iter().enumerate() {
                        match (real(row, t), zero) {
                            (true, _) => {
                                dh[j] += 10.0 * (d + later[j]);
                                later[j] = 0.0;
                                dx[t][j] = dh[j];
                            }
                            (false, false) => later[j] += d,
                            (false, true) => {}
                        }
                    }
                }
            }
            let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, 1, ROWS);
            let times = Times::all(TIME);
            backward_masked::<CellBack, _>(isa, &mut m, NONE, times, true, &carry_backward(zero));
            for (row, dx) in expected.iter().enumerate() {
                for (t, dx) in dx.iter().enumerate() {
                    let found = v.row(DX, t, row, WIDTH);
                    for (a, b) in found.iter().zip(dx) {
                        let what = format!("{isa} zero {zero} row {row} step {t}");
                        assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "{what}: {a} {b}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_full_mask_gives_the_bits_of_none() {
    for &isa in Isa::available() {
        let (mut a, mut b) = (values(), values());
        for row in 0..ROWS {
            for t in 0..TIME {
                b.fill(MASK, t, row, &[1.0]);
            }
        }
        let times = Times::all(TIME);
        let mut m = Memory::new(a.arena.floats_mut(), &a.bufs, 1, ROWS);
        forward::<Cell, _>(isa, &mut m, NONE, times);
        let mut m = Memory::new(b.arena.floats_mut(), &b.bufs, 1, ROWS);
        forward_masked::<Cell, _>(isa, &mut m, NONE, times, &held(false), None);
        for row in 0..ROWS {
            for t in 0..TIME {
                assert_eq!(a.row(Y, t, row, WIDTH), b.row(Y, t, row, WIDTH));
            }
            assert_eq!(a.row(LAST, 1, row, WIDTH), b.row(LAST, 1, row, WIDTH));
        }
    }
}

#[test]
#[should_panic(expected = "needs all its steps")]
fn the_gradient_of_a_masked_output_has_all_its_steps() {
    let mut v = values();
    let mut back = carry_backward(false);
    back.outputs = ONLY_LAST;
    let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, 1, ROWS);
    backward_masked::<CellBack, _>(Isa::SCALAR, &mut m, NONE, Times::all(TIME), true, &back);
}
