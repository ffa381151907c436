//! What holds for every data set, however it is cut and shuffled.

use proptest::prelude::*;

use super::{ids, numbered};

proptest! {
    #[test]
    fn a_split_keeps_every_sample_once_and_in_order(n in 1usize..60, share in 0.0f64..1.0) {
        let data = numbered(n);
        let Ok((first, last)) = data.split(share) else {
            // Only where a part would be empty.
            let kept = (n as f64 * (1.0 - share)).floor() as usize;
            prop_assert!(kept == 0 || kept == n);
            return Ok(());
        };
        prop_assert!(!first.is_empty() && !last.is_empty());
        let mut all = ids(&first);
        all.extend(ids(&last));
        prop_assert_eq!(all, (0..n as u32).collect::<Vec<_>>());
    }

    #[test]
    fn taking_and_skipping_meet(n in 1usize..40, at in 0usize..50) {
        let data = numbered(n).shuffle(3);
        let mut all = Vec::new();
        for part in [data.take(at), data.skip(at)] {
            if !part.is_empty() {
                all.extend(ids(&part));
            }
        }
        prop_assert_eq!(all, ids(&data));
    }

    #[test]
    fn shuffling_is_a_permutation_that_the_seed_decides(n in 1usize..60, seed: u64) {
        let data = numbered(n);
        let shuffled = ids(&data.shuffle(seed));
        prop_assert_eq!(&shuffled, &ids(&data.shuffle(seed)));
        let mut sorted = shuffled;
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..n as u32).collect::<Vec<_>>());
    }

    #[test]
    fn any_share_is_an_answer_or_an_error(n in 0usize..5, share: f64) {
        // NaN, infinities and negative ones are among them.
        if let Ok((a, b)) = numbered(n).split(share) {
            prop_assert_eq!(a.len() + b.len(), n);
        }
    }
}
