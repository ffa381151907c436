//! A stream of each row gives the bits of the batch, on every instruction set.

use recurrent::{
    Isa,
    cells::{
        EchoState, IndRnn, Janet, LayerNormLstm, LiGru, LiquidTimeConstant, MinimalGatedUnit,
        PeepholeLstm, SLstm, Sru,
    },
    learner::{InputView, Learner, Values},
    model::{Model, Streamable},
};

const FEATURES: usize = 3;
const ROWS: usize = 3;
const STEPS: usize = 7;

fn streams_equal_batches<M>(mut model: M)
where
    M: Model + Streamable<StepInput = [f32; FEATURES]>,
    for<'s> M::StepOutput<'s>: AsRef<[f32]>,
{
    let x: Vec<f32> = (0..ROWS * STEPS * FEATURES)
        .map(|i| (i as f32 * 0.7).sin())
        .collect();
    for &isa in Isa::available() {
        model.set_isa(isa);
        let view = InputView {
            batch: ROWS,
            time: STEPS,
            values: Values::Floats(&x),
        };
        model.infer(&[view]).expect("inference");
        let y = model.output(0).to_vec();
        let width = y.len() / (ROWS * STEPS);
        assert!(y.iter().all(|y| y.is_finite()), "{isa}: {y:?}");
        assert!(y.iter().any(|&y| y != 0.0), "{isa}: nothing");
        let mut stream = model.stream().expect("a stream");
        for row in 0..ROWS {
            stream.reset();
            for t in 0..STEPS {
                let at = row * STEPS + t;
                let step = x[at * FEATURES..][..FEATURES].try_into().expect("a step");
                let found = stream.step(&step);
                for (found, y) in found.as_ref().iter().zip(&y[at * width..][..width]) {
                    assert_eq!(
                        found.to_bits(),
                        y.to_bits(),
                        "{isa}, row {row}, step {t}: {found} instead of {y}"
                    );
                }
            }
        }
    }
}

/// 19 units: blocks of every width, and a rest.
macro_rules! streams {
    ($($test:ident: { $($cell:tt)* })*) => {
        $(#[test]
        fn $test() {
            streams_equal_batches(
                recurrent::rnn_model!(Input(_, 3) -> RNN($($cell)*, return_sequences) -> Dense(2)),
            );
        })*
    };
}

streams! {
    layer_norm_lstm: { LayerNormLstm(19) }
    peephole_lstm: { PeepholeLstm(19) }
    minimal_gated_unit: { MinimalGatedUnit(19) }
    li_gru: { LiGru(19) }
    ind_rnn: { IndRnn(19) }
    sru: { Sru(19) }
    janet: { Janet(19) }
    slstm: { SLstm(19) }
    slstm_by_its_path: { recurrent::cells::SLstm(19, exponential_forget) }
    liquid_time_constant: { LiquidTimeConstant(19, ode_unfolds = 2) }
    echo_state: { EchoState(19, leak_rate = 0.5) }
}
