//! A step of a stream allocates nothing and frees nothing, and so does a block of a long sequence under
//! a mask: an allocator that counts says so.

use ndarray::{Array2, Array3};
use recurrent::prelude::*;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
};

/// The system's allocator, counting the calls of each thread.
struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more.
    let _ = CALLS.try_with(|c| c.set(c.get() + 1));
}

// SAFETY: everything is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(p, layout) }
    }
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(p, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Calls of the allocator while `f` runs.
fn calls(f: impl FnOnce()) -> usize {
    let before = CALLS.get();
    f();
    CALLS.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(calls(|| drop(std::hint::black_box(Box::new(1)))), 2);
    assert_eq!(calls(|| ()), 0);
}

rnn_cell! {
    cell Normalised(units) {
        param kernel: [input, units] = glorot_uniform;
        param recurrent_kernel: [units, units] = orthogonal;
        state h: [units];
        let z = x @ kernel + h @ recurrent_kernel;
        next h = tanh((z - mean(z)) * rsqrt(variance(z) + 0.01));
        output softmax(h);
    }
}

#[test]
fn a_step_allocates_nothing() {
    let layers = rnn_model!(Input(_, 3) -> LSTM(40, return_sequences) -> GRU(17, reset_after = false, return_sequences) -> BatchNormalization -> SimpleRNN(5) -> Dense(2, softmax));
    let mut s = layers.stream().unwrap();
    let mut sum = 0.0;
    assert_eq!(
        calls(|| {
            for t in 0..100 {
                sum += s.step(&[t as f32, 0.5, -0.25])[0];
            }
            s.reset();
            sum += s.step(&[1.0, 0.5, -0.25])[0];
        }),
        0
    );

    let ids = rnn_model!(Embedding(10, 8) -> RNN(Normalised(20)) -> Dense(3));
    let mut s = ids.stream().unwrap();
    assert_eq!(
        calls(|| {
            for id in 0..10 {
                match recurrent::model::Id::new(id) {
                    Ok(id) => sum += s.step(&id)[0],
                    Err(_) => unreachable!(),
                }
            }
        }),
        0
    );
    assert!(sum.is_finite());
}

/// Whoever owns the model; whatever the type says of it; in a call on an array; and where a model takes the
/// place of another.
#[test]
fn neither_do_other_streams_nor_a_call() {
    rnn_model! { struct Gated = Embedding(10, 8) -> LSTM(20, return_sequences) -> GRU(5); }
    let id = |t: usize| Id::<10>::new(t as u32 % 10).unwrap_or_else(|_| unreachable!());
    let new = Gated::with_seed(1);
    // Packs the weights.
    drop(new.stream().unwrap());
    let mut new = Some(Arc::new(new));
    let mut old = None;
    let mut shared = Arc::new(Gated::new()).into_stream().unwrap();
    let mut owned = Gated::new().into_stream().unwrap();
    let mut boxed = Gated::new().into_stream().unwrap().boxed();
    let (mut sum, mut y) = (0.0, [0.0; 5]);
    let steps = calls(|| {
        for t in 0..20 {
            sum += owned.step(&id(t))[0] + shared.step(&id(t))[1];
            boxed.step_into(&[(t % 10) as f32], &mut y).unwrap();
            sum += boxed.step(&[3.0]).unwrap()[2] + y[3];
            assert!(owned.is_finite() && boxed.is_finite());
            if let Some(new) = new.take() {
                old = shared.reload(new).ok();
            }
        }
        boxed.reset();
    });
    assert_eq!(steps, 0);
    assert!(old.is_some());

    let model = Gated::new();
    let x = [id(3); 12];
    // The weights are packed by the first.
    assert!(calls(|| sum += model.call(&x)[0]) > 0);
    assert_eq!(
        calls(|| sum += model.call(&x)[0] + model.call(&[id(1)])[0]),
        0
    );
    assert!(sum.is_finite());
}

/// A batch allocates its outputs and its tables, however many blocks its sequences have.
#[test]
fn a_block_under_a_mask_allocates_nothing() {
    const LONG: usize = 3000;
    let model = rnn_model! {
        input x: [time, 3];
        input real: mask[time];
        output y = x -> LSTM(8, mask = real, return_sequences) -> GRU(8) -> Dense(1);
    };
    let x = Array3::from_shape_fn((3, LONG, 3), |(b, t, i)| ((b + 5 * t + i) % 7) as f32 - 3.0);
    let real = Array2::from_shape_fn((3, LONG), |(b, t)| t % (b + 2) != 0);
    let batch = |steps: usize| {
        // Tight arrays: others are copied.
        let x = x.slice(ndarray::s![.., ..steps, ..]).to_owned();
        let real = real.slice(ndarray::s![.., ..steps]).to_owned();
        let mut sum = 0.0;
        let calls = calls(|| sum += model.predict((&x, &real)).unwrap().sum());
        assert!(sum.is_finite());
        calls
    };
    // The counter counts one thread.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.build().unwrap().install(|| {
        // The buffers of the longest stay.
        batch(LONG);
        assert_eq!(batch(LONG), batch(300));
    });
}
