//! What activity regularisers cost, each summed up by itself.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rnn_tables::BufferRef;

/// For every penalty of a model one sum a row.
///
/// The length of a block of steps depends on the number of threads. If all penalties were added to one number,
/// the order of their terms would depend on it too, and so would the last bits. The terms of one penalty always come in
/// the same order. So each penalty has a sum of its own, and the sums are added at the end in a fixed order.
///
/// A lock guards the sums, since two parts of a model may run at once. No value belongs to both parts, so no sum
/// does.
#[derive(Default)]
pub struct Penalties {
    rows: usize,
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    all: BTreeMap<Key, Vec<f64>>,
    /// The penalties that this block had.
    seen: Vec<Penalty>,
}

/// A penalty, and how many that look the same came before it in its block.
type Key = (Penalty, usize);

/// Buffer, offset, step and width of a value, and the bits of `l1` and `l2`.
type Penalty = (usize, usize, bool, usize, u32, u32);

impl Penalties {
    /// For so many rows.
    pub fn new(rows: usize) -> Self {
        Penalties {
            rows,
            ..Penalties::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another block of steps begins: every penalty goes on with its sums.
    pub fn begin_block(&self) {
        self.lock().seen.clear();
    }

    /// Lets `add` add to the sums of this penalty of a value.
    pub fn of(
        &self,
        value: &BufferRef,
        width: usize,
        [l1, l2]: [f32; 2],
        add: impl FnOnce(&mut [f64]),
    ) {
        let penalty = (
            value.buffer,
            value.offset,
            value.after,
            width,
            l1.to_bits(),
            l2.to_bits(),
        );
        let (key, taken) = {
            let mut sums = self.lock();
            let same = sums.seen.iter().filter(|p| **p == penalty).count();
            sums.seen.push(penalty);
            let key = (penalty, same);
            let taken = sums.all.remove(&key);
            (key, taken)
        };
        let mut own = taken.unwrap_or_else(|| vec![0.0; self.rows]);
        add(&mut own);
        self.lock().all.insert(key, own);
    }

    /// Adds all penalties of each row to its number in `to`.
    pub fn total(self, to: &mut [f64]) {
        let sums = self.sums.into_inner();
        let sums = sums.unwrap_or_else(PoisonError::into_inner);
        for own in sums.all.into_values() {
            to.iter_mut().zip(own).for_each(|(to, own)| *to += own);
        }
    }
}
