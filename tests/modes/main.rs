//! One model, many ways to run it: stream, sequence, batch, looped, unrolled, in training, on every
//! instruction set and number of threads. All must agree, with one another bit for bit and with
//! the interpreter in f64 to the accuracy of f32.

mod check;
mod numbers;

/// Passes the same tokens to the compiler and to the interpreter and compares what they compute.
/// `stream` is for models that can run step by step, `whole` for the others.
macro_rules! check {
    ($($name:ident: $how:ident { $($model:tt)* })*) => {
        $(#[test]
        fn $name() {
            let oracle = crate::check::oracle(stringify!($($model)*));
            crate::check::$how(recurrent::rnn_model!($($model)*), &oracle);
        })*
    };
}

/// Two models that must compute the same bits from the same weights: with `same`, forwards and
/// backwards; with `same_program`, in a stream, too, and by the same plan.
macro_rules! same {
    ($($name:ident: $how:ident { $($a:tt)* } { $($b:tt)* })*) => {
        $(#[test]
        fn $name() {
            crate::check::$how(
                &mut recurrent::rnn_model!($($a)*),
                &mut recurrent::rnn_model!($($b)*),
            );
        })*
    };
}

mod cells;
mod layers;
mod sizes;
mod sweeps;
mod threads;
