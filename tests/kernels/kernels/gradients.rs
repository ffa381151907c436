//! Gradients of weights: one product over all rows and steps.

use crate::support::{Random, Values, place};
use rnn_runtime::cpu::{
    kernel::Memory,
    ops::{Times, weight_gradients, weight_gradients_masked},
    simd::{Isa, Op, Simd},
};
use rnn_tables::{
    BufferRef, Extent, MatrixGradient, MatrixSlice, VectorGradient, VectorSlice, WeightOffset,
};

const ROWS: usize = 5;
const TIME: usize = 3;

fn gradient(isa: Isa, threads: usize, k: usize, width: usize, v: &mut Values) -> Vec<f32> {
    let matrix = |param, row, column, columns, operand: BufferRef| MatrixGradient {
        operand,
        k,
        gradient: place(1),
        width,
        to: MatrixSlice {
            param: WeightOffset(param),
            columns,
            row,
            column,
        },
    };
    let later = BufferRef {
        after: true,
        ..place(0)
    };
    let columns = 2 * width + 1;
    let size = (k + 1) * columns;
    // Two parts of one parameter side by side, and one part twice: their sums meet.
    let matrices = [
        matrix(0, 1, 0, columns, place(0)),
        matrix(0, 1, width + 1, columns, later),
        matrix(size, 0, 0, width, place(0)),
        matrix(size, 0, 0, width, later),
    ];
    let vectors = [VectorGradient {
        gradient: place(1),
        width,
        accumulated: false,
        to: VectorSlice {
            param: WeightOffset(size),
            offset: k * width,
        },
    }];
    let mut g = vec![0.5; size + (k + 1) * width];
    let times = Times::all(TIME);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, TIME, ROWS);
        weight_gradients(isa, &mut m, &matrices, &vectors, &mut g, times);
    });
    g
}

fn values(k: usize, width: usize) -> Values {
    let buffers = [(k, TIME + 1, Extent::All), (width, TIME, Extent::All)];
    let mut v = Values::new(&buffers, ROWS);
    let mut r = Random::new(5);
    for row in 0..ROWS {
        for t in 0..=TIME {
            v.fill(0, t, row, &r.floats(k));
        }
        for t in 0..TIME {
            v.fill(1, t, row, &r.floats(width));
        }
    }
    v
}

#[test]
fn every_size_against_plain_loops() {
    for width in 1..=40 {
        let k = 1 + width * 11 % 37;
        let mut v = values(k, width);
        let columns = 2 * width + 1;
        let size = (k + 1) * columns;
        let mut plain = vec![0.5; size + (k + 1) * width];
        for t in 0..TIME {
            for row in 0..ROWS {
                let d = v.row(1, t, row, width);
                for (shift, at) in [(0, 0), (1, width + 1)] {
                    let x = v.row(0, t + shift, row, k);
                    for (i, x) in x.iter().enumerate() {
                        for (j, d) in d.iter().enumerate() {
                            let product = f64::from(*x) * f64::from(*d);
                            plain[(i + 1) * columns + at + j] += product;
                            plain[size + i * width + j] += product;
                        }
                    }
                }
                for (j, d) in d.iter().enumerate() {
                    plain[size + k * width + j] += f64::from(*d);
                }
            }
        }
        for &isa in Isa::available() {
            let g = gradient(isa, 1, k, width, &mut v);
            for (i, (g, p)) in g.iter().zip(&plain).enumerate() {
                let off = (f64::from(*g) - p).abs();
                assert!(off < 1e-5, "{isa}: [{k}, {width}], number {i}: {g} and {p}");
            }
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    // More than 400 000 products, so that they are divided.
    let mut v = values(130, 120);
    for &isa in Isa::available() {
        let one = gradient(isa, 1, 130, 120, &mut v);
        let three = gradient(isa, 3, 130, 120, &mut v);
        assert!(
            one.iter()
                .zip(&three)
                .all(|(a, b)| a.to_bits() == b.to_bits()),
            "{isa}"
        );
    }
}

/// Whether an instruction set rounds a product and its sum once.
struct Fused;

impl Op for Fused {
    type Output = bool;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> bool {
        S::FUSED
    }
}

/// Several hundred places are added part by part, which must not show: each sum is that of one loop
/// over all of them. Some parts have no place at all.
#[test]
fn many_places_are_added_in_order() {
    const STEPS: usize = 97;
    for (k, width) in [(1, 1), (7, 20), (12, 16), (13, 40), (30, 33)] {
        let buffers = [k, width, 1].map(|width| (width, STEPS, Extent::All));
        let mut v = Values::new(&buffers, ROWS);
        let mut r = Random::new(9);
        for t in 0..STEPS {
            for row in 0..ROWS {
                v.fill(0, t, row, &r.floats(k));
                v.fill(1, t, row, &r.floats(width));
                let real = !(20..75).contains(&t) && (t + row) % 3 > 0;
                v.fill(2, t, row, &[f32::from(u8::from(real))]);
            }
        }
        let matrix = MatrixGradient {
            operand: place(0),
            k,
            gradient: place(1),
            width,
            to: MatrixSlice {
                param: WeightOffset(0),
                columns: width,
                row: 0,
                column: 0,
            },
        };
        for &isa in Isa::available() {
            let fused = isa.dispatch(Fused);
            for masked in [false, true] {
                let mut plain = vec![0.0f32; k * width];
                for t in 0..STEPS {
                    for row in 0..ROWS {
                        if masked && v.row(2, t, row, 1) == [0.0] {
                            continue;
                        }
                        let (x, d) = (v.row(0, t, row, k), v.row(1, t, row, width));
                        for (i, sum) in plain.iter_mut().enumerate() {
                            let (x, d) = (x[i / width], d[i % width]);
                            *sum = if fused {
                                d.mul_add(x, *sum)
                            } else {
                                d * x + *sum
                            };
                        }
                    }
                }
                let mut g = vec![0.0; k * width];
                let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, STEPS, ROWS);
                let times = Times::all(STEPS);
                if masked {
                    let (matrices, mask) = (&[matrix], &place(2));
                    weight_gradients_masked(isa, &mut m, matrices, &[], &mut g, times, mask);
                } else {
                    weight_gradients(isa, &mut m, &[matrix], &[], &mut g, times);
                }
                let same = g
                    .iter()
                    .zip(&plain)
                    .all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(
                    same,
                    "{isa} [{k}, {width}] masked {masked}: {g:?} and {plain:?}"
                );
            }
        }
    }
}

/// Adds the gradient of this part of a parameter to 12 floats.
fn part(change: impl FnOnce(&mut MatrixGradient)) -> Vec<f32> {
    let mut v = values(3, 4);
    let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, TIME, ROWS);
    let mut g = vec![0.5; 12];
    let mut matrix = MatrixGradient {
        operand: place(0),
        k: 3,
        gradient: place(1),
        width: 4,
        to: MatrixSlice {
            param: WeightOffset(0),
            columns: 4,
            row: 0,
            column: 0,
        },
    };
    change(&mut matrix);
    let times = Times::all(TIME);
    weight_gradients(Isa::SCALAR, &mut m, &[matrix], &[], &mut g, times);
    g
}

/// Sums that wrap look small: they must not pass for places of the parameter.
#[test]
#[should_panic(expected = "a parameter is too small")]
fn a_row_beyond_all_numbers_is_refused() {
    // (row + k - 1) * columns wraps to 0.
    part(|m| m.to.row = usize::MAX / 2 - 1);
}

#[test]
#[should_panic(expected = "a parameter is too small")]
fn a_parameter_beyond_all_numbers_is_refused() {
    part(|m| m.to.param.0 = usize::MAX - 7);
}

#[test]
#[should_panic(expected = "a parameter is too small")]
fn a_column_beyond_all_numbers_is_refused() {
    part(|m| m.to.column = usize::MAX - 3);
}

/// Its span would wrap: two such parts would seem to have nothing in common.
#[test]
#[should_panic(expected = "a parameter is too small")]
fn a_parameter_with_too_many_columns_is_refused() {
    part(|m| (m.k, m.to.columns) = (1, usize::MAX - 1));
}

#[test]
#[should_panic(expected = "a parameter is too small")]
fn a_vector_beyond_all_numbers_is_refused() {
    let mut v = values(3, 4);
    let mut m = Memory::new(v.arena.floats_mut(), &v.bufs, TIME, ROWS);
    let vector = VectorGradient {
        gradient: place(1),
        width: 4,
        accumulated: false,
        to: VectorSlice {
            param: WeightOffset(usize::MAX - 1),
            offset: 0,
        },
    };
    let times = Times::all(TIME);
    weight_gradients(Isa::SCALAR, &mut m, &[], &[vector], &mut [0.5; 4], times);
}

#[test]
fn a_part_without_rows_has_no_gradient() {
    assert_eq!(part(|m| m.k = 0), [0.5; 12]);
    assert_ne!(part(|_| ()), [0.5; 12]);
}
