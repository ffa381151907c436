//! The two directions of a `Bidirectional` layer as one call that may run them at once.
//!
//! Only the sweeps run at once. States before the first step and after the last, masks of dropout
//! and gradients of weights may be read by both directions, so they stay outside of the call.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::quote;

use super::cells::form;
use crate::ir::{
    CellOp, LayerId, OpKind, Plan, ValueId,
    plan::{CellPlan, Phases, Ref},
};

/// Which of the three runs over a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Inference,
    Forward,
    Backward,
}

/// The code of one operation.
#[derive(Default)]
pub(super) struct Parts {
    /// Bindings that the others use.
    pub lets: TokenStream,
    /// What comes before the sweep.
    pub before: TokenStream,
    /// The sweep.
    pub run: TokenStream,
    /// What comes after it.
    pub after: TokenStream,
}

/// Two directions whose sweeps have no buffer in common.
pub(super) struct Pair {
    first: Vec<usize>,
    second: Vec<usize>,
    /// Forks of what the directions write: backwards these come first.
    forks: Vec<usize>,
    /// The first arguments of the call.
    arguments: TokenStream,
    /// The members' code so far.
    parts: BTreeMap<usize, Parts>,
    /// Backwards: what waits for the directions.
    late: TokenStream,
}

/// All pairs of a run.
pub(super) fn pairs(rt: &TokenStream, plan: &Plan, run: Run) -> Vec<Pair> {
    let mut halves: BTreeMap<LayerId, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (i, op) in plan.graph.ops.iter().enumerate() {
        if let Some(half) = op.half {
            let (first, second) = halves.entry(half.layer).or_default();
            if half.second { second } else { first }.push(i);
        }
    }
    let halves = halves.into_values();
    halves
        .filter_map(|(first, second)| pair(rt, plan, run, first, second))
        .collect()
}

fn pair(
    rt: &TokenStream,
    plan: &Plan,
    run: Run,
    first: Vec<usize>,
    second: Vec<usize>,
) -> Option<Pair> {
    let (&from, &to) = (first.first()?, second.last()?);
    let mut written: BTreeSet<ValueId> = BTreeSet::new();
    let (mut a, mut b) = (BTreeSet::new(), BTreeSet::new());
    for (list, buffers) in [(&first, &mut a), (&second, &mut b)] {
        for &i in list {
            let (OpKind::Cell(c), Some(cell)) = (&plan.graph.ops[i].kind, &plan.cells[i]) else {
                return None;
            };
            written.extend(&plan.graph.ops[i].outputs);
            written.extend(c.finals.iter().flatten());
            buffers.extend(touched(plan, run, i, c, cell));
        }
    }
    if !a.is_disjoint(&b) {
        return None;
    }
    let mut forks = Vec::new();
    for i in from..=to {
        let op = &plan.graph.ops[i];
        match op.kind {
            _ if op.half.is_some() => {}
            OpKind::Fork if written.contains(&op.inputs[0]) => forks.push(i),
            // Of the sequence that the second direction reads.
            OpKind::Fork | OpKind::Reverse => {}
            _ => return None,
        }
    }
    let names = first.iter().chain(&second);
    let cost = |what: &str| -> TokenStream {
        let names = names.map(|&i| form(what, i));
        quote!(0 #(+ <#names as #rt::Sweep>::COST)*)
    };
    let times = super::run::times(plan.graph.ops[from].axis);
    let arguments = match run {
        Run::Inference => quote!(&[#(#b),*]),
        Run::Forward => {
            let cost = cost("Forward");
            quote!(&[#(#b),*], #cost, #times)
        }
        Run::Backward => {
            let cost = cost("Backward");
            quote!(&[#(#b),*], #cost, #times)
        }
    };
    Some(Pair {
        first,
        second,
        forks,
        arguments,
        parts: BTreeMap::new(),
        late: TokenStream::new(),
    })
}

/// The buffers that a sweep reads and writes.
fn touched(plan: &Plan, run: Run, i: usize, c: &CellOp, cell: &CellPlan) -> BTreeSet<usize> {
    let op = &plan.graph.ops[i];
    let (phases, values) = match run {
        Run::Inference => (&cell.inference, &plan.inference.values),
        Run::Forward => (&cell.forward, &plan.training.values),
        Run::Backward => (&cell.backward, &plan.training.values),
    };
    let mut all = BTreeSet::new();
    let mut add = |r: &Ref| {
        all.insert(r.buf);
    };
    all_places(phases, &mut add);
    // What a masked sweep holds.
    c.mask.iter().for_each(|&m| add(&values[m]));
    let own = op.inputs.iter().chain(&op.outputs);
    match run {
        Run::Inference => cell.states.iter().for_each(|s| add(&s.0)),
        Run::Forward => cell.states.iter().for_each(|s| add(&s.1)),
        Run::Backward => {
            cell.state_gradients.iter().for_each(|s| add(&s.0));
            cell.spread.iter().flatten().for_each(&mut add);
        }
    }
    match run {
        Run::Backward => own.for_each(|&v| add(&plan.gradients[v])),
        _ => own.for_each(|&v| add(&values[v])),
    }
    all
}

fn all_places(phases: &Phases, add: &mut impl FnMut(&Ref)) {
    for phase in phases.pre.iter().chain(&phases.step).chain(&phases.post) {
        for (segments, _) in &phase.products {
            segments.iter().for_each(|s| add(&s.src));
        }
        let vectors = phase.loads.iter().chain(&phase.stores);
        let numbers = phase.scalars.iter().chain(&phase.reductions);
        vectors.chain(numbers).for_each(&mut *add);
    }
}

/// The code of cell `i`, or none yet: that of both directions comes with the last cell of both.
pub(super) fn forwards(pairs: &mut [Pair], i: usize, parts: Parts) -> TokenStream {
    let Some(pair) = pairs.iter_mut().find(|p| p.has(i)) else {
        let Parts {
            lets,
            before,
            run,
            after,
        } = parts;
        return quote!(#before #lets #run #after);
    };
    pair.parts.insert(i, parts);
    match pair.second.last() == Some(&i) {
        true => pair.code(|list| list.to_vec()),
        false => quote!(),
    }
}

/// The code of operation `i`, from the last to the first. Not `trained`: only who wants the
/// gradient of the inputs needs it.
pub(super) fn backwards(pairs: &mut [Pair], i: usize, parts: Parts, trained: bool) -> TokenStream {
    let Some(pair) = pairs.iter_mut().find(|p| p.spans(i)) else {
        return parts.backwards(trained);
    };
    if pair.forks.contains(&i) {
        return parts.backwards(trained);
    }
    if !pair.has(i) {
        pair.late.extend(parts.backwards(trained));
        return quote!();
    }
    let parts = match trained {
        true => parts,
        false => parts.if_wanted(),
    };
    pair.parts.insert(i, parts);
    if pair.first.first() != Some(&i) {
        return quote!();
    }
    let code = pair.code(|list| list.iter().rev().copied().collect());
    let late = std::mem::take(&mut pair.late);
    quote!(#code #late)
}

impl Parts {
    fn backwards(self, trained: bool) -> TokenStream {
        let Parts {
            lets,
            before,
            run,
            after,
        } = self;
        match trained {
            true => quote!(#lets #before #run #after),
            false => quote!(if c.wants_input_gradient() { #lets #before #run #after }),
        }
    }

    fn if_wanted(self) -> Parts {
        let wrap = |code: TokenStream| match code.is_empty() {
            true => code,
            false => quote!(if c.wants_input_gradient() { #code }),
        };
        Parts {
            lets: self.lets,
            before: wrap(self.before),
            run: wrap(self.run),
            after: wrap(self.after),
        }
    }
}

impl Pair {
    fn has(&self, i: usize) -> bool {
        self.first.contains(&i) || self.second.contains(&i)
    }

    /// Whether `i` stands between the first cell of the first and the last of the second.
    fn spans(&self, i: usize) -> bool {
        self.first.first() <= Some(&i) && Some(&i) <= self.second.last()
    }

    /// The code of all members, in this order within a direction.
    fn code(&self, order: impl Fn(&[usize]) -> Vec<usize>) -> TokenStream {
        let (first, second) = (order(&self.first), order(&self.second));
        let all = |part: fn(&Parts) -> &TokenStream, of: &[usize]| -> TokenStream {
            let parts = of.iter().filter_map(|i| self.parts.get(i));
            let parts = parts.filter(|p| !part(p).is_empty());
            parts
                .map(|p| {
                    let (lets, part) = (&p.lets, part(p));
                    quote!(#lets #part)
                })
                .collect()
        };
        let members = [first.as_slice(), &second].concat();
        let before = all(|p| &p.before, &members);
        let after = all(|p| &p.after, &members);
        let (a, b) = (all(|p| &p.run, &first), all(|p| &p.run, &second));
        let arguments = &self.arguments;
        quote! {
            #before
            c.both(#arguments, |c| { #a }, |c| { #b });
            #after
        }
    }
}
