//! Prints one step of a stream as straight-line code. All its tables are constants: rustc computes every address, and a vector
//! that is not within its buffer is an error of the compiler.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{
    cells::{Emitted, steps},
    tables::{Print, param},
};
use crate::{
    cell::size::Size,
    diagnostics::{Bug, Sound},
    ir::{BufferRef, Content, Instruction, Symbolic},
    schedule::Plan,
};

/// The code of a step. `fields` says how it finds each input in `x`, `cells` has the kernels of each
/// cell by its operation.
pub(super) fn stream(
    rt: &TokenStream,
    plan: &Plan,
    fields: &[TokenStream],
    cells: &[Option<Emitted>],
) -> Sound<TokenStream> {
    let list = plan.schedules.stream.iter();
    list.map(|i| one(rt, plan, fields, cells, i)).collect()
}

/// The code before the first step.
pub(super) fn start(
    rt: &TokenStream,
    plan: &Plan,
    cells: &[Option<Emitted>],
) -> Sound<TokenStream> {
    let list = plan.schedules.stream_start.iter();
    list.map(|i| one(rt, plan, &[], cells, i)).collect()
}

fn one(
    rt: &TokenStream,
    plan: &Plan,
    fields: &[TokenStream],
    cells: &[Option<Emitted>],
    instruction: &Instruction,
) -> Sound<TokenStream> {
    Ok(match instruction {
        Instruction::Input {
            input, to, width, ..
        } => {
            let layers = &plan.graph.layers;
            let content = layers.layers[layers.inputs[*input].1].outputs[0].content;
            let (to, x) = (floats(rt, to, width), &fields[*input]);
            // One input is borrowed; several are fields.
            let alone = fields.len() == 1;
            match (content, alone) {
                (Content::Mask, true) => quote!(m.set(#to, &[if *#x { 1.0 } else { 0.0 }]);),
                (Content::Mask, false) => quote!(m.set(#to, &[if #x { 1.0 } else { 0.0 }]);),
                (_, true) => quote!(m.set(#to, #x);),
                (_, false) => quote!(m.set(#to, &#x);),
            }
        }
        Instruction::Gather {
            input,
            table,
            vocabulary,
            to,
            width,
            ..
        } => {
            let (to, x, table) = (floats(rt, to, width), &fields[*input], param(*table));
            let rows = vocabulary.tokens();
            quote!(m.embed(#to, tables.from(#table), #rows, #x.get());)
        }
        Instruction::MaskIds { input, to, .. } => {
            let (to, x) = (floats(rt, to, &Size::known(1)), &fields[*input]);
            quote!(m.set(#to, &[if #x.get() == 0 { 0.0 } else { 1.0 }]);)
        }
        Instruction::Scan { cell, carry, .. } => {
            let Some(Some(emitted)) = cells.get(*cell) else {
                return Err(Bug::new("a stream's cell has no kernels"));
            };
            let span = Span::call_site().located_at(plan.graph.ops[*cell].span);
            let calls = steps(rt, &emitted.step, true, None);
            match carry {
                None => quote_spanned!(span=> #calls),
                Some(carry) => {
                    let mask = floats(rt, &carry.mask, &Size::known(1));
                    let held = hold(rt, carry);
                    quote_spanned!(span=> if m.is_padding(#mask) { #held } else { #calls })
                }
            }
        }
        Instruction::FinishState {
            value,
            state,
            width,
            ..
        } => copy(rt, &after(state), value, width),
        Instruction::StartStateFrom {
            state,
            value,
            width,
        } => copy(rt, value, state, width),
        other => return Err(Bug::new(format!("{other:?} in a stream"))),
    })
}

/// Floats of a stream, as a constant that rustc checks.
fn floats(rt: &TokenStream, at: &BufferRef, width: &Size) -> TokenStream {
    let (at, width) = (at.print(rt), width.tokens());
    quote!(const { #rt::StreamSlice::<Self, { #width }>::new(&#at) })
}

/// A state after the step.
fn after(state: &BufferRef) -> BufferRef {
    BufferRef {
        after: true,
        ..state.clone()
    }
}

fn copy(rt: &TokenStream, from: &BufferRef, to: &BufferRef, width: &Size) -> TokenStream {
    let (from, to) = (floats(rt, from, width), floats(rt, to, width));
    quote!(m.copy(#from, #to);)
}

/// What a step of padding does: states and outputs stay.
fn hold(rt: &TokenStream, carry: &rnn_tables::CarryOver<Symbolic>) -> TokenStream {
    let states = carry.states.iter();
    let states = states.map(|state| copy(rt, &state.at, &after(&state.at), &state.width));
    let outputs = carry.outputs.iter().map(|output| {
        let at = floats(rt, &output.at, &output.width);
        match carry.zero_output {
            true => quote!(m.clear(#at);),
            false => quote!(m.hold_output(#at);),
        }
    });
    quote!(#(#states)* #(#outputs)*)
}
