//! Losses and optimizers that are written as in Keras, `Adam` or `Adam(0.01)`, and not made by a function of their
//! type.
//!
//! Each such type has a hidden constant of its name: an optimizer, or a loss, under a bound that never holds, so that rustc
//! shows the message of that bound. The constant can be called with a type whose name says what to write; nobody can make
//! a value of that type.

use std::marker::PhantomData;

/// The name of a type where a value is needed.
#[derive(Debug)]
pub struct ByName<T>(pub PhantomData<T>);

/// A type for bounds that never hold, which rustc would refuse of a type without a lifetime.
#[derive(Debug)]
pub struct Never<'a>(pub PhantomData<&'a ()>);

/// Declares the constants of a trait with these methods: the type, the type of the argument of a call, the bound, what to
/// write.
macro_rules! by_name {
    ($of:ident $what:literal $methods:tt $($type:ident $argument:ident $bound:ident: $write:literal;)*) => { $(
        #[doc = $write]
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(message = $what, label = "a type, not a value", note = $write)]
        pub trait $bound {}

        #[doc = $write]
        #[doc(hidden)]
        #[derive(Debug)]
        pub enum $argument {}

        #[doc = $write]
        #[doc(hidden)]
        #[allow(non_upper_case_globals)]
        pub const $type: $crate::by_name::ByName<$type> =
            $crate::by_name::ByName(std::marker::PhantomData);

        impl std::ops::Deref for $crate::by_name::ByName<$type> {
            type Target = fn($argument) -> $type;
            fn deref(&self) -> &Self::Target {
                const CALLED: fn($argument) -> $type = |argument| match argument {};
                &CALLED
            }
        }

        impl $of for $crate::by_name::ByName<$type>
        where
            for<'a> $crate::by_name::Never<'a>: $bound,
        $methods
    )* };
}
pub(crate) use by_name;
