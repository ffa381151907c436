//! Prints the compiler's tables as `const`s of a program: the same types, whose sizes are expressions.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use rnn_tables::{
    Buffer, BufferRef, CarryOver, Extent, Form, GradientCondition, Instruction, Kernel, MaskRule,
    MatrixGradient, MatrixSlice, Normalize, OutputRange, PackedGate, PackedVector, Perturbation,
    Segment, Slice, VectorGradient, VectorSlice,
};

use super::names::{none, some};
use crate::{
    cell::size::Size,
    ir::{Packed, ParamId, Symbolic},
};

/// An expression that can stand in a `const`. `rt` is the path of the runtime's items.
pub(super) trait Print {
    fn print(&self, rt: &TokenStream) -> TokenStream;
}

/// Types that `quote!` prints itself.
macro_rules! plain {
    ($($t:ty)*) => {$(
        impl Print for $t {
            fn print(&self, _: &TokenStream) -> TokenStream {
                quote!(#self)
            }
        }
    )*};
}
plain!(usize bool u64 f32);

impl Print for Size {
    fn print(&self, _: &TokenStream) -> TokenStream {
        self.tokens()
    }
}

/// The name of the `const` that says where a parameter starts: `__O2`.
pub(super) fn param(id: ParamId) -> TokenStream {
    let name = format_ident!("__O{}", id.0);
    quote!(#name)
}

/// The name of the `const` that says where packed weights start: `__M4` of a matrix, `__V1` of a
/// vector.
pub(super) fn packed(id: Packed) -> TokenStream {
    let name = match id {
        Packed::Matrix(i) => format_ident!("__M{i}"),
        Packed::Vector(i) => format_ident!("__V{i}"),
    };
    quote!(#name)
}

impl Print for MaskRule {
    fn print(&self, rt: &TokenStream) -> TokenStream {
        match self {
            MaskRule::Given => quote!(#rt::MaskRule::Given),
            MaskRule::NonZeroId => quote!(#rt::MaskRule::NonZeroId),
            MaskRule::DiffersFrom(value) => quote!(#rt::MaskRule::DiffersFrom(#value)),
        }
    }
}

impl Print for OutputRange {
    fn print(&self, rt: &TokenStream) -> TokenStream {
        match self {
            OutputRange::Unknown => quote!(#rt::OutputRange::Unknown),
            OutputRange::Logits => quote!(#rt::OutputRange::Logits),
            OutputRange::Probabilities => quote!(#rt::OutputRange::Probabilities),
            OutputRange::Signed => quote!(#rt::OutputRange::Signed),
        }
    }
}

impl Print for ParamId {
    fn print(&self, _: &TokenStream) -> TokenStream {
        param(*self)
    }
}

impl Print for Packed {
    fn print(&self, _: &TokenStream) -> TokenStream {
        packed(*self)
    }
}

impl<T: Print> Print for Vec<T> {
    fn print(&self, rt: &TokenStream) -> TokenStream {
        let all = self.iter().map(|one| one.print(rt));
        quote!(&[#(#all),*])
    }
}

impl<T: Print> Print for Option<T> {
    fn print(&self, rt: &TokenStream) -> TokenStream {
        self.as_ref().map_or_else(none, |one| some(&one.print(rt)))
    }
}

/// Structures, field by field.
macro_rules! tables {
    ($($table:ident { $($field:ident),* })*) => {$(
        impl Print for $table<Symbolic> {
            fn print(&self, rt: &TokenStream) -> TokenStream {
                $(let $field = self.$field.print(rt);)*
                quote!(#rt::$table { $($field: #$field),* })
            }
        }
    )*};
}
tables! {
    Buffer { width, unaligned, extent, axis }
    BufferRef { buffer, offset, after, exact }
    Slice { at, width }
    Segment { operand, k, matrix, gates, carried }
    Kernel { width, products, loads, vectors, scalars, stores, reductions }
    MatrixSlice { param, columns, row, column }
    VectorSlice { param, offset }
    PackedGate { from, k, width, transposed, to, gate, gates }
    PackedVector { from, width, to }
    MatrixGradient { operand, k, gradient, width, to }
    VectorGradient { gradient, width, accumulated, to }
    CarryOver { mask, states, outputs, inputs, zero_output }
    Normalize {
        input, output, d_output, d_input, saved, mask, width, gamma, beta, moving_mean,
        moving_variance, momentum, epsilon
    }
}

/// Enumerations, variant by variant. The generic parameter stands in brackets.
macro_rules! variants {
    ($($of:ident $([$stage:ty])? {
        $($variant:ident $({ $($field:ident),* })?,)*
    })*) => {$(
        impl Print for $of $(<$stage>)? {
            fn print(&self, rt: &TokenStream) -> TokenStream {
                match self {$(
                    $of::$variant $({ $($field),* })? => {
                        $($(let $field = $field.print(rt);)*)?
                        quote!(#rt::$of::$variant $({ $($field: #$field),* })?)
                    }
                )*}
            }
        }
    )*};
}
variants! {
    Extent { One, Ring, All, Last, }
    GradientCondition { Always, IfInputGradient, }
    Form { Stream, Inference, Forward, Backward, }
    Perturbation {
        Bernoulli { rate, scale, offset, dropped },
        Additive { stddev },
        Multiplicative { stddev },
    }
    Instruction [Symbolic] {
        Input { input, to, width, axis },
        Gather { input, table, vocabulary, to, width, axis },
        Scatter { input, table, gradient, width, axis },
        MaskIds { input, to, axis },
        Reshape { from, from_width, from_axis, to, to_width, to_axis },
        Permute { from, width, axis, to },
        Reverse { from, to, width, axis },
        Repeat { from, to, width, axis },
        SumOverTime { from, to, width, axis },
        Sum { from, to, width, axis },
        Clear { to, width, axis },
        Perturb { how, from, to, width, every_step, stream, axis },
        PerturbBackward { how, from, to, width, every_step, stream, axis },
        DropoutMask { to, width, rate, stream },
        Penalty { value, width, l1, l2, axis },
        PenaltyBackward { value, gradient, width, l1, l2, axis },
        Normalize { layer, axis },
        NormalizeBackward { layer, axis, input_gradient },
        StartState { state, width },
        StartStateFrom { state, value, width },
        FinishState { value, state, width, axis },
        EndGradient { state, width, axis },
        EndGradientFrom { state, value, width, axis },
        StartGradient { value, state, width },
        OnlyLastGradient { gradient, width, axis },
        BroadcastLastGradient { to, from, width, axis },
        ClearAccumulator { to, width },
        Scan { cell, form, axis, carry, input_gradient, cost },
        WeightGradients { matrices, vectors, axis, mask },
        IfInputGradient { instructions },
        Concurrent { first, second, buffers, axis, cost },
        AfterLastBlock,
    }
}
