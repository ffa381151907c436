//! The seam for devices carries another device than the CPU: one that computes nothing and writes
//! down every instruction that a model's schedules give it.

use std::collections::BTreeSet;

use recurrent::{
    __private_0_1::{Executor, Form, Instruction, Program, execute},
    learner::Learner,
    rnn_model,
};

/// A device that records.
#[derive(Default)]
struct Recorder {
    ran: Vec<Instruction>,
    input_gradient: bool,
}

impl Executor for Recorder {
    fn run(&mut self, instruction: &Instruction) {
        self.ran.push(instruction.clone());
    }
    fn wants_input_gradient(&self) -> bool {
        self.input_gradient
    }
}

fn record(schedule: &[Instruction], input_gradient: bool) -> Vec<Instruction> {
    let mut device = Recorder {
        input_gradient,
        ..Recorder::default()
    };
    execute(&mut device, schedule);
    device.ran
}

/// The cells that run this way, in order.
fn scans(ran: &[Instruction], way: Form) -> Vec<usize> {
    let cell = |i: &Instruction| match i {
        Instruction::Scan { cell, form, .. } => {
            assert_eq!(*form, way);
            Some(*cell)
        }
        _ => None,
    };
    ran.iter().filter_map(cell).collect()
}

/// The weights whose gradients some instructions write.
fn written<P: Program>(ran: &[Instruction]) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    for instruction in ran {
        match instruction {
            Instruction::WeightGradients {
                matrices, vectors, ..
            } => {
                for m in *matrices {
                    for row in m.to.row..m.to.row + m.k {
                        let from = m.to.param.0 + row * m.to.columns + m.to.column;
                        all.extend(from..from + m.width);
                    }
                }
                for v in *vectors {
                    let from = v.to.start();
                    all.extend(from..from + v.width);
                }
            }
            Instruction::Scatter { table, width, .. } => {
                let spec = P::INFO.vocabulary[0];
                all.extend(table.0..table.0 + spec.2 * width);
            }
            Instruction::NormalizeBackward { layer, .. } => {
                for at in [layer.gamma, layer.beta].into_iter().flatten() {
                    all.extend(at.0..at.0 + layer.width);
                }
            }
            _ => {}
        }
    }
    all
}

/// Both passes of training visit the same cells, and the backward pass writes a gradient of every
/// weight that is trained and of no other.
fn check<P: Program + Learner>(model: &P) {
    let schedules = P::INFO.schedules;
    let inference = record(schedules.inference, false);
    let forward = record(schedules.forward, false);
    let backward = record(schedules.backward, true);
    let cells = scans(&forward, Form::Forward);
    let (mut there, mut back) = (cells.clone(), scans(&backward, Form::Backward));
    there.sort_unstable();
    back.sort_unstable();
    // A cell that makes a mask has no gradient.
    assert!(back.iter().all(|cell| there.contains(cell)));
    assert!(!scans(&inference, Form::Inference).is_empty());

    let (mut at, mut trained) = (0, BTreeSet::new());
    for spec in model.specs() {
        if spec.trainable {
            trained.extend(at..at + spec.len());
        }
        at += spec.len();
    }
    assert_eq!(written::<P>(&backward), trained);
    // Without the gradients of the inputs, no further instructions run.
    let without = record(schedules.backward, false);
    assert!(without.len() <= backward.len());
    assert_eq!(written::<P>(&without), trained);
    assert!(without.iter().all(|one| backward.contains(one)));
}

#[test]
fn a_device_is_given_all_that_training_needs() {
    check(
        &rnn_model!(Input(_, 3) -> LSTM(4, return_sequences) -> BatchNormalization -> GRU(5) -> Dense(2)),
    );
    check(
        &rnn_model!(Embedding(9, 3, mask_zero) -> Bidirectional(GRU(4, return_sequences)) -> LSTM(3, trainable = false) -> Dense(2, softmax)),
    );
    check(
        &rnn_model!(Input(_, 3) -> Dense(4) -> Dropout(0.5) -> GaussianNoise(0.1) -> SimpleRNN(3, stateful) -> Dense(1)),
    );
    check(&rnn_model! {
        input x: [_, 3];
        input y: [_, 2];
        let (_, h) = x -> GRU(4, return_state);
        output z = y -> GRU(4, initial_state = h, return_sequences) -> Dense(2);
    });
}

/// Without the gradients of inputs, the backward pass leaves out all layers before the first trained one.
#[test]
fn what_nobody_wants_is_left_out() {
    let model = rnn_model!(Input(_, 3) -> Dense(4, trainable = false) -> LSTM(4) -> Dense(1));
    fn ran<P: Program>(_: &P) -> [Vec<usize>; 2] {
        [false, true].map(|wanted| {
            let ran = record(P::INFO.schedules.backward, wanted);
            scans(&ran, Form::Backward)
        })
    }
    assert_eq!(ran(&model), [vec![2, 1], vec![2, 1, 0]]);
}
