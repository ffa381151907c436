//! A batch for a model, and inference over it.

use crate::{
    numbers::{Batch, Content, Data, Random},
    subject::Subject,
};
use recurrent::{
    __private_0_1::{MaskRule, ModelInfo},
    learner::ValueSpec,
};

/// A batch that the model takes; `time` steps where their number is open, one more on each further
/// axis.
pub fn batch(info: &ModelInfo, rows: usize, time: usize, seed: u64) -> Data {
    let mut r = Random::new(seed);
    let masking = (info.input_masks.iter()).any(|m| matches!(m.rule, MaskRule::DiffersFrom(_)));
    let one = |(i, input): (usize, &ValueSpec)| {
        let open = time + info.input_axes[i].unwrap_or(0);
        let time = input.time.map_or(1, |t| t.unwrap_or(open));
        let vocabulary = info.vocabulary.iter().filter(|v| v.0 == i).map(|v| v.2);
        let content = match (input.ids, input.features) {
            (true, _) => Content::Ids(vocabulary.min().unwrap()),
            (false, []) if input.time.is_some() => Content::Mask,
            _ => Content::Floats,
        };
        let padded = input.ids || masking && input.time.is_some();
        let width = input.features.iter().product();
        Batch::new((rows, time, width), content, padded, &mut r)
    };
    let inputs = info.inputs.iter().enumerate().map(one).collect();
    Data { inputs }
}

/// All outputs of inference from zero states.
pub fn infer(model: &mut dyn Subject, x: &Data) -> Vec<Vec<f32>> {
    model.start();
    model.infer(&x.views()).unwrap();
    outputs(model)
}

/// All outputs of the last run.
pub fn outputs(model: &dyn Subject) -> Vec<Vec<f32>> {
    let all = 0..model.outputs().len();
    all.map(|i| model.output(i).to_vec()).collect()
}
