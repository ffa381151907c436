//! The kernels of a stream, whose tables are constants, against those of a batch of one row: the same bits, on every
//! instruction set and for plain vectors of every width.

use crate::support::Random;
use rnn_runtime::cpu::{
    arena::{Arena, Length},
    kernel::{
        AllPositions, Body, Buf, Memory, NativeF32, PanelFormat, Panels, PortableF32, READ_PAST,
        StepMemory, StepPanels, StepTile, StepValues, StreamBody, StreamSlice, StreamTables,
        StridedPointers, Tile, packed_len, packed_start, padded, run_step, small_panel, step_at,
        stream_layout, stream_len,
    },
    simd::{Isa, Op, Plain, Simd},
};
use rnn_tables::{Buffer, BufferRef, Extent, Kernel, PackedOffset, Segment};

const INPUTS: usize = 3;

// Buffers.
const X: usize = 0;
const H: usize = 1;
const OUT: usize = 2;
const SUM: usize = 3;
const LARGEST: usize = 4;

/// A kernel of `WIDTH` units and two gates over an input and a state: `h' = x W + h U + b + h · max(h before)`, kept exact, with
/// the sum of its units and the largest.
enum Stream<const WIDTH: usize> {}

const fn place(buffer: usize) -> BufferRef {
    BufferRef {
        buffer,
        offset: 0,
        after: false,
        exact: false,
    }
}

impl<const WIDTH: usize> Stream<WIDTH> {
    const LAYOUT: [Buf; 5] = {
        const fn buffer(width: usize, extent: Extent) -> Buffer {
            Buffer {
                width,
                unaligned: false,
                extent,
                axis: 0,
            }
        }
        stream_layout(&[
            buffer(INPUTS, Extent::One),
            buffer(WIDTH, Extent::Ring),
            buffer(WIDTH, Extent::One),
            buffer(1, Extent::One),
            buffer(1, Extent::One),
        ])
    };
    const W: usize = 0;
    const U: usize = packed_start(packed_len(INPUTS, 2, WIDTH), WIDTH).0;
    const BIAS: usize = packed_start(Self::U + packed_len(WIDTH, 2, WIDTH), READ_PAST).0;

    const fn segment(operand: usize, k: usize, matrix: usize) -> Segment {
        Segment {
            operand: place(operand),
            k,
            matrix: PackedOffset(matrix),
            gates: 2,
            carried: false,
        }
    }
}

impl<const WIDTH: usize> Length for Stream<WIDTH> {
    const LEN: usize = stream_len(&Self::LAYOUT);
}

impl<const WIDTH: usize> StreamTables for Stream<WIDTH> {
    const BUFFERS: &'static [Buf] = &Self::LAYOUT;
    const PACKED: usize = Self::BIAS + padded(WIDTH) + READ_PAST;
}

impl<const WIDTH: usize> StreamBody for Stream<WIDTH> {
    type Program = Self;
    const KERNEL: Kernel = Kernel {
        width: WIDTH,
        products: &[&[
            Self::segment(X, INPUTS, Self::W),
            Self::segment(H, WIDTH, Self::U),
        ]],
        loads: &[place(H)],
        vectors: &[PackedOffset(Self::BIAS)],
        scalars: &[place(LARGEST)],
        stores: &[
            BufferRef {
                after: true,
                ..place(H)
            },
            BufferRef {
                exact: true,
                ..place(OUT)
            },
        ],
        reductions: &[place(SUM), place(LARGEST)],
    };

    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat>(s: S, k: &StepTile<'_, Self, S, W>) {
        let p = k.zeros::<2>();
        let p = k.segment::<0, 0, 2>(p);
        let p = k.segment::<0, 1, 2>(p);
        let gate = s.mul(p[1], s.add(k.load::<0>(), k.vector::<0>()));
        let h = s.add(p[0], gate);
        k.store::<0>(h);
        k.store::<1>(h);
        k.sum::<0>(h);
        k.max::<1>(h);
        if k.last() {
            k.set::<0>(s.mul(s.splat(2.0), k.scalar::<0>()));
        }
    }
}

/// The same for a batch.
enum Batch<const PANEL: usize> {}

impl<const PANEL: usize> Body for Batch<PANEL> {
    const GATES: usize = 2;
    const SMALL_PANEL: usize = PANEL;
    type StridedPointers = StridedPointers<1, 1, 2, 2, 2>;

    #[inline(always)]
    fn tile<S: Simd, W: PanelFormat, const R: usize>(s: S, k: &Tile<'_, Self, S, W, R>) {
        let p = k.product::<2>(0);
        let bias = k.vector(0);
        for (r, p) in p.iter().enumerate() {
            let gate = s.mul(p[1], s.add(k.load(0, r), bias));
            let h = s.add(p[0], gate);
            k.store(0, r, h);
            k.store(1, r, h);
            k.sum(0, r, h);
            k.max(1, r, h);
            if k.last() {
                k.set(0, r, s.mul(s.splat(2.0), k.scalar(0, r)));
            }
        }
    }
}

struct Compare<'a, const WIDTH: usize, const PANEL: usize, W: PanelFormat> {
    weights: &'a [W::Element],
    inputs: &'a [[f32; INPUTS]],
    what: String,
}

impl<const WIDTH: usize, const PANEL: usize, W: PanelFormat> Op for Compare<'_, WIDTH, PANEL, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let panels = Panels::<W>::new(self.weights);
        let checked = StepPanels::<Stream<WIDTH>, W>::new(panels).expect("enough weights");
        let mut batch = Arena::new(Stream::<WIDTH>::LEN);
        // Made with no room: it grows.
        let mut stream = Arena::new(0);
        for (t, x) in self.inputs.iter().enumerate() {
            let values = StepValues::<Stream<WIDTH>>::new(&mut stream);
            let mut m = StepMemory::new(values, checked, t);
            m.set(const { StreamSlice::<_, INPUTS>::new(&place(X)) }, x);
            run_step::<S, W, Stream<WIDTH>>(s, &mut m);

            let mut m = Memory::new(batch.floats_mut(), &Stream::<WIDTH>::LAYOUT, 1, 1);
            m.row_mut(&place(X), INPUTS, 0, 0).copy_from_slice(x);
            let kernel = &Stream::<WIDTH>::KERNEL;
            step_at::<S, W, Batch<PANEL>, _>(s, &mut m, panels, kernel, t, &AllPositions);
            let widths = [INPUTS, WIDTH, WIDTH, 1, 1];
            for (buf, width) in Stream::<WIDTH>::LAYOUT.iter().zip(widths) {
                // Both steps of a state; what stands after a row's values is nobody's.
                for first in (buf.offset()..buf.offset() + buf.len()).step_by(buf.row()) {
                    let bits = |all: &[f32]| {
                        all[first..first + width]
                            .iter()
                            .map(|x| x.to_bits())
                            .collect::<Vec<_>>()
                    };
                    let (a, b) = (bits(stream.floats()), bits(batch.floats()));
                    assert_eq!(a, b, "{}: step {t}", self.what);
                }
            }
        }
    }
}

fn same_bits<const WIDTH: usize, const PANEL: usize>() {
    assert_eq!(small_panel(WIDTH), PANEL);
    let mut r = Random::new(WIDTH as u64);
    let inputs: Vec<[f32; INPUTS]> = (0..5).map(|_| std::array::from_fn(|_| r.float())).collect();
    let packed = <Stream<WIDTH> as StreamTables>::PACKED;
    // Whatever the layout of a format is, every element is a weight.
    let weights: Vec<f32> = r.floats(packed).iter().map(|w| 0.2 * w).collect();
    for &isa in Isa::available() {
        let what = format!("{isa}, width {WIDTH}");
        let (weights, inputs) = (&weights[..], &inputs[..]);
        isa.dispatch(Compare::<WIDTH, PANEL, NativeF32> {
            weights,
            inputs,
            what: what.clone(),
        });
        isa.dispatch(Compare::<WIDTH, PANEL, PortableF32> {
            weights,
            inputs,
            what,
        });
    }
    let plain = |lanes: usize| Compare::<WIDTH, PANEL, PortableF32> {
        weights: &weights,
        inputs: &inputs,
        what: format!("{lanes} lanes, width {WIDTH}"),
    };
    plain(1).run(Plain::<1>);
    plain(2).run(Plain::<2>);
    plain(4).run(Plain::<4>);
    plain(16).run(Plain::<16>);
}

#[test]
fn a_stream_gives_the_bits_of_a_batch() {
    same_bits::<1, 1>();
    same_bits::<2, 2>();
    same_bits::<3, 4>();
    same_bits::<4, 4>();
    same_bits::<5, 8>();
    same_bits::<7, 8>();
    same_bits::<8, 0>();
    same_bits::<9, 0>();
    same_bits::<11, 0>();
    same_bits::<16, 0>();
    same_bits::<17, 0>();
    same_bits::<31, 0>();
    same_bits::<33, 0>();
    same_bits::<50, 0>();
}

#[test]
fn weights_that_are_too_few_are_refused() {
    let few = [0.0; <Stream<9> as StreamTables>::PACKED - 1];
    assert!(StepPanels::<Stream<9>, NativeF32>::new(Panels::new(&few)).is_none());
}

/// Ids of a table, of which only two rows are the table's.
#[test]
fn an_id_after_its_table_reads_no_other_weights() {
    let mut values = Arena::new(Stream::<4>::LEN);
    let weights = [0.0; <Stream<4> as StreamTables>::PACKED];
    let panels = StepPanels::<Stream<4>, NativeF32>::new(Panels::new(&weights)).unwrap();
    let table = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let to = StreamSlice::<Stream<4>, 2>::output(&place(OUT));
    for (id, row) in [(1, [3.0, 4.0]), (2, [0.0; 2]), (u32::MAX, [0.0; 2])] {
        let mut of = StepValues::new(&mut values);
        StepMemory::new(of.reborrow(), panels, 0).embed(to, &table, 2, id);
        assert_eq!(*of.results().array(to), row, "{id}");
    }
}

#[test]
fn a_step_of_padding_holds_what_was_before_it() {
    let mut values = Arena::new(Stream::<4>::LEN);
    let weights = [0.0; <Stream<4> as StreamTables>::PACKED];
    let panels = StepPanels::<Stream<4>, NativeF32>::new(Panels::new(&weights)).unwrap();
    let (x, h) = (
        StreamSlice::<Stream<4>, 1>::new(&place(X)),
        StreamSlice::<Stream<4>, 4>::new(&place(H)),
    );
    let after = StreamSlice::<Stream<4>, 4>::new(&BufferRef {
        after: true,
        ..place(H)
    });
    let mut m = StepMemory::new(StepValues::new(&mut values), panels, 0);
    assert!(m.is_padding(x));
    m.set(x, &[1.0]);
    assert!(!m.is_padding(x));
    m.set(h, &[1.0, 2.0, 3.0, 4.0]);
    let mut m = StepMemory::new(StepValues::new(&mut values), panels, 3);
    m.hold_output(h);
    let odd = Stream::<4>::LAYOUT[H].offset() + Stream::<4>::LAYOUT[H].row();
    assert_eq!(values.floats()[odd..odd + 4], [1.0, 2.0, 3.0, 4.0]);
    let mut m = StepMemory::new(StepValues::new(&mut values), panels, 1);
    m.clear(after);
    m.copy(h, after);
    assert_eq!(values.floats()[odd - 16..odd - 12], [1.0, 2.0, 3.0, 4.0]);
}

#[test]
#[should_panic(expected = "too small")]
fn floats_that_are_not_in_their_buffer_are_refused() {
    let _ = StreamSlice::<Stream<4>, 17>::new(&place(OUT));
}

#[test]
#[should_panic(expected = "two steps")]
fn an_output_is_the_same_at_all_times() {
    let _ = StreamSlice::<Stream<4>, 4>::output(&place(H));
}
