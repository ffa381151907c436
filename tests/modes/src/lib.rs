//! One model, many ways to run it: stream, sequence, batch, looped, unrolled, in training, on every
//! instruction set and number of threads. All must agree, with one another bit for bit and with
//! the interpreter in f64 to the accuracy of f32.
//!
//! `tests/` has a program for each topic. What they share is here and knows a model as a
//! [`Subject`](subject::Subject), so that rustc compiles it once and not once a model; a program
//! has so few models that rustc compiles it with little memory.

#[path = "../../support/bits.rs"]
mod bits;
pub mod cells;
pub mod check;
#[path = "../../support/device.rs"]
mod device;
mod gradients;
pub mod numbers;
pub mod oracle;
mod run;
mod steps;
pub mod subject;

pub use device::{check_device, on_device};

/// Passes the same tokens to the compiler and to the interpreter and compares what they compute:
/// `check! { name: how { model } … }`.
///
/// `stream` is for models that can run step by step, `whole` for the others; `long_stream` and
/// `long` are the same for wide layers and long sequences, on several numbers of threads; `blocks`
/// is for streams of sequences that inference cuts into blocks of time. Layers that draw random
/// numbers need a `seed`.
#[macro_export]
macro_rules! check {
    ($($name:ident: $how:ident { $($model:tt)* })*) => {
        $(#[test]
        fn $name() {
            let oracle = $crate::oracle::oracle(stringify!($($model)*));
            let mut model = $crate::on_device(recurrent::rnn_model!($($model)*));
            $crate::check::$how(&mut model, &oracle);
            $crate::check_device();
        })*
    };
}

/// Two models that must compute the same bits from the same weights: with `same`, forwards and
/// backwards; with `same_program`, in a stream, too, and by the same plan.
#[macro_export]
macro_rules! same {
    ($($name:ident: $how:ident { $($a:tt)* } { $($b:tt)* })*) => {
        $(#[test]
        fn $name() {
            $crate::check::$how(
                &mut $crate::on_device(recurrent::rnn_model!($($a)*)),
                &mut $crate::on_device(recurrent::rnn_model!($($b)*)),
            );
            $crate::check_device();
        })*
    };
}
