//! Losses and optimizers that are written as in Keras, `Adam` or `Adam(0.01)`, and not made by a function of their
//! type.
//!
//! Each such type has a hidden function of its name. The name alone is then a value that is no loss and no optimizer,
//! and a call needs an argument under a bound that never holds; rustc shows the message of that bound.

/// Declares the functions: the type, the bound, what to write. They cannot be called: nothing implements the bound.
macro_rules! by_name {
    ($($type:ident $bound:ident: $write:literal;)*) => { $(
        #[doc = $write]
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(
            message = "losses and optimizers are made by a function of their type, not by its name alone",
            label = "the name alone takes no argument",
            note = $write
        )]
        pub trait $bound {}

        #[doc = $write]
        #[doc(hidden)]
        #[allow(non_snake_case)]
        pub fn $type(write_default_or_new: impl $bound) -> $type {
            let _ = write_default_or_new;
            $type::default()
        }
    )* };
}
pub(crate) use by_name;
