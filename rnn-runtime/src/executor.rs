//! The seam for devices: the trait that runs the instructions of a schedule.
//!
//! The compiler decides what a model does and writes it down as lists of [`Instruction`]s. An
//! [`Executor`] runs one instruction after another on its device and keeps the values where it wants;
//! [`execute`] walks a list and decides which instructions run. The CPU's executors are in `cpu/run`.

use rnn_tables::{Axis, Instruction};

/// A device that runs a schedule.
pub trait Executor {
    /// Runs an instruction that governs no others.
    fn run(&mut self, instruction: &Instruction);

    /// Whether the gradients of the model's inputs are asked for.
    fn wants_input_gradient(&self) -> bool {
        false
    }

    /// Whether this is the last block of a sequence that runs block by block.
    fn is_last_block(&self) -> bool {
        true
    }

    /// Runs two parts that share no buffer, at once or one after the other.
    fn concurrent(&mut self, parts: &Concurrent<'_>) {
        execute(self, parts.first);
        execute(self, parts.second);
    }
}

/// Two parts of a schedule that may run at once: see [`Instruction::Concurrent`].
#[derive(Clone, Copy, Debug)]
pub struct Concurrent<'a> {
    /// The first part.
    pub first: &'a [Instruction],
    /// The second part.
    pub second: &'a [Instruction],
    /// The buffers of the second part; the first has all others.
    pub buffers: &'a [usize],
    /// The steps of both.
    pub axis: Axis,
    /// Multiplications for one row and one step of both parts, about.
    pub cost: usize,
}

/// Runs a schedule.
pub fn execute<E: Executor + ?Sized>(executor: &mut E, schedule: &[Instruction]) {
    let mut rest = schedule;
    while let Some((instruction, after)) = rest.split_first() {
        let (governed, next) = after.split_at(instruction.governs().min(after.len()));
        rest = next;
        match instruction {
            Instruction::IfInputGradient { .. } => {
                if executor.wants_input_gradient() {
                    execute(executor, governed);
                }
            }
            Instruction::Concurrent {
                first,
                buffers,
                axis,
                cost,
                ..
            } => {
                let (first, second) = governed.split_at((*first).min(governed.len()));
                executor.concurrent(&Concurrent {
                    first,
                    second,
                    buffers,
                    axis: *axis,
                    cost: *cost,
                });
            }
            Instruction::AfterLastBlock => {
                if !executor.is_last_block() {
                    return;
                }
            }
            other => executor.run(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes down the input of every copy.
    #[derive(Default)]
    struct Recorder {
        seen: Vec<usize>,
        wanted: bool,
        last: bool,
    }

    impl Executor for Recorder {
        fn run(&mut self, instruction: &Instruction) {
            if let Instruction::Input { input, .. } = instruction {
                self.seen.push(*input);
            }
        }
        fn wants_input_gradient(&self) -> bool {
            self.wanted
        }
        fn is_last_block(&self) -> bool {
            self.last
        }
    }

    fn input(input: usize) -> Instruction {
        Instruction::Input {
            input,
            to: rnn_tables::BufferRef {
                buffer: 0,
                offset: 0,
                after: false,
                exact: false,
            },
            width: 1,
            axis: None,
        }
    }

    #[test]
    fn governed_instructions_run_where_they_are_wanted() {
        let schedule = [
            input(0),
            Instruction::IfInputGradient { instructions: 4 },
            Instruction::Concurrent {
                first: 2,
                second: 1,
                buffers: &[],
                axis: None,
                cost: 1,
            },
            input(1),
            input(2),
            input(3),
            input(4),
            Instruction::AfterLastBlock,
            input(5),
        ];
        let run = |wanted, last| {
            let mut r = Recorder {
                wanted,
                last,
                ..Recorder::default()
            };
            execute(&mut r, &schedule);
            r.seen
        };
        assert_eq!(run(true, true), [0, 1, 2, 3, 4, 5]);
        assert_eq!(run(false, true), [0, 4, 5]);
        assert_eq!(run(true, false), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_count_beyond_the_end_runs_what_is_there() {
        let mut r = Recorder {
            wanted: true,
            last: true,
            ..Recorder::default()
        };
        let schedule = [Instruction::IfInputGradient { instructions: 9 }, input(1)];
        execute(&mut r, &schedule);
        assert_eq!(r.seen, [1]);
    }
}
