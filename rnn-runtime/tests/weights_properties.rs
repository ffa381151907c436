//! Saving and loading weights of any names and shapes; files that somebody has damaged.

use proptest::{collection::vec, prelude::*};
use rnn_runtime::{
    params::{Init, ParamSpec},
    weights::{load_bytes, to_bytes},
};

/// Parameters of up to three axes, some of them empty of units of their own, and their weights.
fn model() -> impl Strategy<Value = (Vec<ParamSpec>, Vec<f32>)> {
    vec(vec(1usize..6, 1..4), 1..6).prop_flat_map(|shapes| {
        let specs: Vec<ParamSpec> = (shapes.into_iter().enumerate())
            .map(|(i, shape)| {
                ParamSpec::new(
                    format!("layer_{i}/kernel").leak(),
                    shape.leak(),
                    Init::Zeros,
                )
            })
            .collect();
        let len = specs.iter().map(ParamSpec::len).sum::<usize>();
        let finite = any::<f32>().prop_filter("finite", |x| x.is_finite());
        vec(finite, len).prop_map(move |w| (specs.clone(), w))
    })
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_saved_is_loaded((specs, w) in model()) {
        let bytes = to_bytes(&specs, &w).unwrap();
        let mut read = vec![0.0; w.len()];
        load_bytes("a file", &bytes, &specs, &mut read).unwrap();
        prop_assert_eq!(bits(&read), bits(&w));
    }

    #[test]
    fn the_order_of_parameters_does_not_matter((specs, w) in model()) {
        let bytes = to_bytes(&specs, &w).unwrap();
        let turned: Vec<ParamSpec> = specs.iter().rev().copied().collect();
        let mut read = vec![0.0; w.len()];
        load_bytes("a file", &bytes, &turned, &mut read).unwrap();
        let mut end = w.len();
        for s in &turned {
            let own: Vec<f32> = read.drain(..s.len()).collect();
            prop_assert_eq!(bits(&own), bits(&w[end - s.len()..end]));
            end -= s.len();
        }
    }

    #[test]
    fn a_damaged_file_is_refused_or_read_and_never_half(
        (specs, w) in model(),
        cut in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        shorter: bool,
    ) {
        let mut bytes = to_bytes(&specs, &w).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if shorter {
            bytes.truncate(cut.index(bytes.len()));
        }
        let mut read = vec![7.0; w.len()];
        match load_bytes("a file", &bytes, &specs, &mut read) {
            Ok(()) => prop_assert!(read.iter().all(|x| x.is_finite())),
            Err(e) => {
                prop_assert!(e.to_string().contains("a file"), "{}", e);
                prop_assert!(read.iter().all(|&x| x == 7.0), "changed by a failed load");
            }
        }
    }
}
