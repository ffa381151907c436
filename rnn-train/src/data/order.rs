//! Random orders.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// Shuffles `order` (Fisher and Yates; Durstenfeld, 1964). The result depends only on the seed and on
/// `stream` (such as the epoch), so epoch 7 has the same order whether the six before it were trained in
/// this run or in an earlier one.
pub(crate) fn permute(order: &mut [usize], seed: u64, stream: u64) {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    for last in (1..order.len()).rev() {
        order.swap(last, below(&mut generator, last as u64 + 1) as usize);
    }
}

/// Uniform in `0..bound`, without the bias of a remainder (Lemire, 2019).
fn below(generator: &mut ChaCha8Rng, bound: u64) -> u64 {
    let threshold = bound.wrapping_neg() % bound;
    loop {
        let wide = u128::from(generator.next_u64()) * u128::from(bound);
        if wide as u64 >= threshold {
            return (wide >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_of_every_stream() {
        let mut orders = Vec::new();
        for stream in 0..3 {
            let mut order: Vec<usize> = (0..100).collect();
            permute(&mut order, 1, stream);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..100));
            assert!(!orders.contains(&order));
            orders.push(order);
        }
        let mut again: Vec<usize> = (0..100).collect();
        permute(&mut again, 1, 1);
        assert_eq!(again, orders[1]);
    }

    #[test]
    fn all_orders_are_about_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            let mut order = [0, 1, 2];
            permute(&mut order, seed, 0);
            *counts.entry(order).or_insert(0) += 1;
        }
        // 1000 each, standard deviation 29.
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|c| (855..=1145).contains(c)),
            "{counts:?}"
        );
    }
}
