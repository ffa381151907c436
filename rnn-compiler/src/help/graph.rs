//! Graphs to propose instead of a chain, which has no names that an argument could read.

use proc_macro2::{Ident, Span};

use super::{Inside, edit::ident};
use crate::syntax::{
    ArgumentAst, BodyAst, ChainAst, InputKind, LayerAst, StatementAst, TargetAst, ValueAst,
    ValueKind,
};

/// `input x: [time, 8]; input m: mask[time]; output y = x -> LSTM(4, mask = m);`
pub fn with_mask(layer: LayerAst, mask: Option<String>) -> BodyAst {
    let mask = mask.filter(|name| own(name)).unwrap_or("m".to_owned());
    let layer = layer.with(ArgumentAst::set("mask", ValueAst::name(&mask)));
    let time = ValueAst::name("time");
    BodyAst::Graph(vec![
        input("x", InputKind::Floats(vec![time.clone(), features()])),
        input(&mask, InputKind::Mask(Some(time))),
        output("y", chain("x", Some(layer))),
    ])
}

/// `input x: [_, 8]; let (_, state) = x -> LSTM(4, return_state);
/// output y = x -> LSTM(4, initial_state = state);`, for a layer with these names of its outputs.
pub fn with_initial_state(
    layer: LayerAst,
    inside: &Inside,
    outputs: &[&str],
    state: Option<String>,
) -> BodyAst {
    let state = state.filter(|name| own(name)).unwrap_or("state".to_owned());
    let layer = layer.without("initial_state");
    let last = layer.clone();
    let last = last.with(ArgumentAst::set("initial_state", ValueAst::name(&state)));
    let skip = || TargetAst::Skip(Span::call_site());
    let name = |name: &str| TargetAst::Name(ident(name));
    let open = ValueAst::new(ValueKind::Open);
    let skipped = outputs.iter().map(|_| skip());
    let mut statements = vec![
        input("x", InputKind::Floats(vec![open, features()])),
        StatementAst::Let {
            targets: skipped.chain([name(&state)]).collect(),
            tuple: true,
            value: chain("x", Some(inside.with_states(layer.clone()))),
        },
    ];
    match (outputs, inside.returns_state(&layer)) {
        (&[y], false) => statements.push(output(y, chain("x", Some(last)))),
        (_, states) => {
            let targets = outputs.iter().map(|y| name(y));
            statements.push(StatementAst::Let {
                targets: targets.chain(states.then(skip)).collect(),
                tuple: true,
                value: chain("x", Some(last)),
            });
            statements.extend(outputs.iter().map(|y| output(y, chain(y, None))));
        }
    }
    BodyAst::Graph(statements)
}

/// Whether a name differs from those that these graphs use.
fn own(name: &str) -> bool {
    !["x", "y", "forward", "backward"].contains(&name)
}

fn features() -> ValueAst {
    ValueAst::new(ValueKind::Whole(8))
}

fn input(name: &str, kind: InputKind) -> StatementAst {
    StatementAst::Input {
        name: ident(name),
        kind,
        span: Span::call_site(),
    }
}

fn output(name: &str, value: ChainAst) -> StatementAst {
    StatementAst::Output {
        name: ident(name),
        value,
    }
}

fn chain(source: &str, layer: Option<LayerAst>) -> ChainAst {
    let sources: Vec<Ident> = vec![ident(source)];
    ChainAst {
        sources,
        tuple: false,
        layers: layer.map(Some).into_iter().collect(),
        span: Span::call_site(),
    }
}
