//! Prints one step of a stream as straight-line code. All its tables are constants, so rustc computes
//! every address and every bounds check.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{
    cells::{Emitted, steps},
    tables::{Print, param},
};
use crate::{
    diagnostics::{Bug, Sound},
    ir::{Content, Instruction},
    schedule::Plan,
};

/// The items that the code of a step needs, and the code.
pub(super) struct Step {
    pub items: TokenStream,
    pub code: TokenStream,
}

/// The code of a step. `fields` says how it finds each input in `x`, `cells` has the kernels of each
/// cell by its operation.
pub(super) fn stream(
    rt: &TokenStream,
    plan: &Plan,
    fields: &[TokenStream],
    cells: &[Option<Emitted>],
) -> Sound<Step> {
    print(rt, plan, fields, cells, &plan.schedules.stream)
}

/// The code before the first step.
pub(super) fn start(rt: &TokenStream, plan: &Plan, cells: &[Option<Emitted>]) -> Sound<Step> {
    print(rt, plan, &[], cells, &plan.schedules.stream_start)
}

fn print(
    rt: &TokenStream,
    plan: &Plan,
    fields: &[TokenStream],
    cells: &[Option<Emitted>],
    list: &[Instruction],
) -> Sound<Step> {
    let mut step = Step {
        items: TokenStream::new(),
        code: TokenStream::new(),
    };
    for instruction in list {
        let (items, code) = one(rt, plan, fields, cells, instruction)?;
        step.items.extend(items);
        step.code.extend(code);
    }
    Ok(step)
}

fn one(
    rt: &TokenStream,
    plan: &Plan,
    fields: &[TokenStream],
    cells: &[Option<Emitted>],
    instruction: &Instruction,
) -> Sound<(TokenStream, TokenStream)> {
    let mut items = TokenStream::new();
    let code = match instruction {
        Instruction::Input { input, to, .. } => {
            let layers = &plan.graph.layers;
            let content = layers.layers[layers.inputs[*input].1].outputs[0].content;
            let (to, x) = (to.print(rt), &fields[*input]);
            // One input is borrowed; several are fields.
            let alone = fields.len() == 1;
            match (content, alone) {
                (Content::Mask, true) => quote!(m.set(&#to, &[if *#x { 1.0 } else { 0.0 }]);),
                (Content::Mask, false) => quote!(m.set(&#to, &[if #x { 1.0 } else { 0.0 }]);),
                (_, true) => quote!(m.set(&#to, #x);),
                (_, false) => quote!(m.set(&#to, &#x);),
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
            let (to, x, table) = (to.print(rt), &fields[*input], param(*table));
            let (width, rows) = (width.tokens(), vocabulary.tokens());
            quote!(m.embed(&#to, #width, tables.from(#table), #rows, #x.get());)
        }
        Instruction::MaskIds { input, to, .. } => {
            let (to, x) = (to.print(rt), &fields[*input]);
            quote!(m.set(&#to, &[if #x.get() == 0 { 0.0 } else { 1.0 }]);)
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
                    let name = format_ident!("__CS{cell}");
                    let table = carry.print(rt);
                    items = quote!(const #name: #rt::CarryOver = #table;);
                    quote_spanned!(span=> if !m.carry_over(&#name, t) { #calls })
                }
            }
        }
        Instruction::FinishState {
            value,
            state,
            width,
            ..
        } => {
            let after = crate::ir::BufferRef {
                after: true,
                ..state.clone()
            };
            let (to, from, width) = (value.print(rt), after.print(rt), width.tokens());
            quote!(m.copy_row(&#from, t, &#to, t, #width, 0);)
        }
        Instruction::StartStateFrom {
            state,
            value,
            width,
        } => {
            let (to, from, width) = (state.print(rt), value.print(rt), width.tokens());
            quote!(m.copy_row(&#from, t, &#to, t, #width, 0);)
        }
        other => return Err(Bug::new(format!("{other:?} in a stream"))),
    };
    Ok((items, code))
}
