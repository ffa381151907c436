//! Help for targets that do not fit the loss: which loss they are for.

use super::LossTargets;
use crate::predictions::TargetKind;
use rnn_runtime::learner::ValueSpec;

/// What to do about targets of shape `[n, …]` that the loss does not take.
pub(super) fn remedy(takes: &LossTargets, spec: &ValueSpec, shape: &[usize]) -> String {
    let loss = takes.loss.as_str();
    let classes = spec.features.last().copied().unwrap_or(1);
    let time = usize::from(spec.time.is_some());
    // How many axes targets of floats have, and class numbers, the batch included.
    let full = 1 + time + spec.features.len();
    let one_answer = time == 1 && shape.len() < full - 1 + usize::from(classes == 1);
    if one_answer {
        return format!(
            "the output `{}` has an answer for every step: leave `return_sequences` of the last \
             recurrent layer out, or give a target for each",
            spec.name
        );
    }
    match takes.kind {
        TargetKind::Labels => {
            let one_hot = shape.len() == full && shape.last() == Some(&classes) && classes > 1;
            match one_hot {
                true => format!(
                    "{loss} takes class numbers: use CategoricalCrossentropy for one-hot targets"
                ),
                false => format!("{loss} takes one class number for each answer"),
            }
        }
        TargetKind::Floats => {
            let last = shape.last().copied();
            let numbers =
                classes > 1 && (shape.len() == full - 1 || shape.len() == full && last == Some(1));
            match numbers {
                true if takes.classes => format!(
                    "{loss} takes one-hot targets: use SparseCategoricalCrossentropy for class \
                     numbers"
                ),
                true => format!(
                    "{loss} takes a number for each of the output: use \
                     SparseCategoricalCrossentropy for class numbers, or end in Dense(1)"
                ),
                false => format!("{loss} takes as many numbers as the output has"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_say_which_loss_they_are_for() {
        let words = |loss: &str, kind, classes, time, features, shape: &[usize]| {
            let takes = LossTargets {
                kind,
                loss: loss.to_owned(),
                classes,
            };
            let spec = ValueSpec {
                name: "y",
                ids: false,
                time,
                features,
            };
            remedy(&takes, &spec, shape)
        };
        use TargetKind::{Floats, Labels};
        let sparse = "sparse_categorical_crossentropy";
        assert_eq!(
            words(sparse, Labels, true, None, &[2], &[8, 2]),
            "sparse_categorical_crossentropy takes class numbers: use CategoricalCrossentropy for \
             one-hot targets"
        );
        assert!(words(sparse, Labels, true, Some(None), &[2], &[8, 5, 2]).contains("one-hot"));
        assert!(words(sparse, Labels, true, None, &[3], &[8, 2]).ends_with("for each answer"));
        assert!(words(sparse, Labels, true, Some(None), &[2], &[8]).contains("return_sequences"));
        assert_eq!(
            words("categorical_crossentropy", Floats, true, None, &[3], &[8]),
            "categorical_crossentropy takes one-hot targets: use SparseCategoricalCrossentropy for \
             class numbers"
        );
        assert_eq!(
            words("mean_squared_error", Floats, false, None, &[3], &[8, 1]),
            "mean_squared_error takes a number for each of the output: use \
             SparseCategoricalCrossentropy for class numbers, or end in Dense(1)"
        );
        assert!(
            words("mean_squared_error", Floats, false, Some(None), &[1], &[8])
                .contains("return_sequences")
        );
        assert!(
            words("mean_squared_error", Floats, false, None, &[3], &[8, 2])
                .ends_with("as many numbers as the output has")
        );
    }
}
