//! Layers that are cells: scanned over time, or applied to every row and step.

use proc_macro2::{Span, TokenStream};

use super::{
    arguments::LayerArguments,
    context::{Before, Built, Context, Incoming, OutMask, guess, last_output},
    mask_argument::own_mask,
    state_argument::initial_states,
};
use crate::{
    cell::{
        Cell, CellAst, Item, MAX_SIZE, Value,
        size::{Size, by_name},
    },
    diagnostics::{Diagnostic, Diagnostics},
    ir::{CellUse, Content, LayerKind, Port, Rnn, Shape, Time, UsedCell},
};

/// Parses one of the compiler's own cells.
pub(crate) fn parse(text: &str, found: &mut Diagnostics) -> Option<CellAst> {
    match text.parse::<TokenStream>() {
        Ok(tokens) => CellAst::parse(tokens, found),
        Err(e) => {
            found.push(
                Diagnostic::new(
                    "RNN0199",
                    Span::call_site(),
                    format!("a built-in cell cannot be read: {e}"),
                )
                .help("this is a bug of the compiler; please report it"),
            );
            None
        }
    }
}

/// Builds a layer that scans cells over time. `units` is the guess for its output after a mistake.
pub(crate) fn recurrent(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    cells: Option<Vec<UsedCell>>,
    units: Option<&Size>,
    found: &mut Diagnostics,
) -> Built {
    let flag = |name| given.flag(name).unwrap_or(false);
    let return_sequences = flag("return_sequences");
    let input = context.sequence(given, found);
    let time = match input {
        _ if !return_sequences => Time::None,
        Some(input) => input.time.clone(),
        None => Time::unknown(),
    };
    let failed = Built::failed(units.map(|u| Shape::vector(time.clone(), u.clone())));
    let unroll = given.flag("unroll");
    if unroll == Some(true) && input.is_some_and(|i| i.time.is_open()) {
        let span = given.get("unroll").map_or(given.span, |(_, span)| span);
        found.push(
            Diagnostic::new(
                "RNN0113",
                span,
                format!("{} cannot be unrolled over an open time axis", given.text),
            )
            .help("give the input a length: Input(28, …), or remove `unroll`"),
        );
        return failed;
    }
    let (Some(cells), Some(input), true) = (cells, input, given.complete) else {
        return failed;
    };
    let Some(mut read) = same_time(given, context, found) else {
        return failed;
    };
    // A user's cell may take several axes; the layers' own cells take one.
    if given.raw("cell").is_none() && input.axes.len() > 1 {
        found.push(several_axes(given, input));
        return failed;
    }
    let (mut states, mut outputs) = (Vec::new(), Vec::new());
    for cell in &cells {
        let Some(built) = check(given, &cell.cell, &read, found) else {
            return failed;
        };
        if built.states.is_empty() {
            found.push(
                Diagnostic::new(
                    "RNN0114",
                    given.span,
                    format!(
                        "{} has no state, so it cannot run over time",
                        cell.cell.cell.name
                    ),
                )
                .help("declare one: `state h: [units];` and `next h = …;`"),
            );
            return failed;
        }
        states.extend(
            built
                .states
                .iter()
                .map(|s| (s.name.clone(), s.shape.clone())),
        );
        outputs = built.outputs.iter().map(|o| o.shape.clone()).collect();
        read = outputs.clone();
    }
    let stateful = flag("stateful");
    let Ok(initial) = initial_states(given, context, &states, stateful, found) else {
        return failed;
    };
    let Ok(reads_mask) = own_mask(given, context, &input.time, found) else {
        return failed;
    };
    let mut shapes: Vec<Shape> = outputs
        .iter()
        .map(|axes| Shape {
            content: Content::Numbers,
            time: time.clone(),
            axes: axes.clone(),
        })
        .collect();
    let count = shapes.len();
    let return_state = flag("return_state");
    if return_state {
        shapes.extend(states.iter().map(|(_, axes)| Shape {
            content: Content::Numbers,
            time: Time::None,
            axes: axes.clone(),
        }));
    }
    Built {
        kind: Some(LayerKind::Rnn(Box::new(Rnn {
            stem: given.def.stem,
            cells,
            return_sequences,
            return_state,
            go_backwards: flag("go_backwards"),
            unroll,
            stateful,
            zero_output_for_mask: flag("zero_output_for_mask"),
            states,
            outputs,
            seed: given.whole("seed"),
        }))),
        shapes,
        outputs: count,
        mask: if return_sequences {
            OutMask::Kept
        } else {
            OutMask::Lost
        },
        reads_mask,
        also_reads: Vec::new(),
        initial,
        activity: None,
    }
}

/// The shapes of one step of all inputs, which have the same steps.
fn same_time(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    found: &mut Diagnostics,
) -> Option<Vec<Vec<Size>>> {
    let first = context.input()?;
    for value in &context.inputs[1..] {
        let other = value.shape()?;
        if other.content != Content::Numbers {
            found.push(no_numbers(given, other));
            return None;
        }
        if other.time != first.time {
            found.push(axes_differ(
                given,
                (&context.inputs[0], first),
                (value, other),
            ));
            return None;
        }
    }
    Some(
        context
            .inputs
            .iter()
            .filter_map(|i| i.shape().map(|s| s.axes.clone()))
            .collect(),
    )
}

/// The message for ids or a mask among several values that a layer reads.
fn no_numbers(given: &LayerArguments<'_>, other: &Shape) -> Diagnostic {
    let (what, help) = match other.content {
        Content::Mask => ("a mask", "a mask is an argument: `x -> LSTM(64, mask = m)`"),
        _ => (
            "class ids",
            "put an Embedding before: `let words = ids -> Embedding(1000, 64);`",
        ),
    };
    Diagnostic::new(
        "RNN0106",
        given.span,
        format!(
            "{} needs numbers [batch, …, features], found {what} {other}",
            given.text
        ),
    )
    .help(help)
}

/// Checks the `axis` of a layer that works on the last axis; any other is reported.
pub(crate) fn last_axis(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    does: &str,
    found: &mut Diagnostics,
) -> bool {
    let Some((Value::Number(axis), span)) = given.get("axis") else {
        return true;
    };
    // Axis 0 is the batch, axis 1 time if there is one.
    let last = context
        .input()
        .map(|s| s.axes.len() + usize::from(s.is_sequence()));
    if *axis == -1.0 || last.is_some_and(|last| *axis == last as f64) {
        return true;
    }
    found.push(
        Diagnostic::new("RNN0159", span, format!("{} {does}", given.text))
            .note("steps are computed one by one, so that a model can stream")
            .help("leave `axis` out"),
    );
    false
}

/// The message for two values of different steps that one layer reads.
fn axes_differ(
    given: &LayerArguments<'_>,
    (first, a): (&Incoming, &Shape),
    (second, b): (&Incoming, &Shape),
) -> Diagnostic {
    let d = Diagnostic::new(
        "RNN0151",
        given.span,
        format!(
            "{} needs values with the same steps, found {a} and {b}",
            given.text
        ),
    );
    match (&a.time, &b.time) {
        (Time::Any(_), Time::Any(_)) => {
            let input = |value: &Incoming, name: &str| {
                let first = value.before.first();
                let own = first.and_then(Before::input_name).unwrap_or(name);
                let shape = first.and_then(|b| b.shape.as_ref());
                match shape
                    .filter(|s| s.is_sequence())
                    .map(|s| (s.content, s.axes.clone()))
                {
                    Some((Content::Ids, _)) => format!("input {own}: ids[time];"),
                    Some((Content::Numbers, axes)) => {
                        let axes: Vec<String> = axes.iter().map(ToString::to_string).collect();
                        format!("input {own}: [time, {}];", axes.join(", "))
                    }
                    _ => format!("input {own}: [time, 28];"),
                }
            };
            d.note("each `_` and each name is a length of its own")
                .help(format!(
                    "give both lengths the same name: `{} {}`",
                    input(first, "a"),
                    input(second, "b")
                ))
        }
        (Time::None, time) | (time, Time::None) => {
            let vector = if a.time == Time::None { first } else { second };
            let repeat = match time {
                Time::Steps(n) => {
                    format!("repeat the vector for every step: `v -> RepeatVector({n})`")
                }
                _ => "give the sequence a length, such as 10, and repeat the vector as often: `v -> RepeatVector(10)`"
                    .to_owned(),
            };
            let last = last_output(vector);
            match last.and_then(|layer| Some((layer, layer.with_sequences()?))) {
                Some((layer, with)) => d
                    .note(format!("{} returns only its last output", layer.text))
                    .help(format!("write {with}; or {repeat}")),
                None => d.help(repeat),
            }
        }
        (Time::Steps(a), Time::Steps(b)) => d.help(
            by_name(std::slice::from_ref(a), std::slice::from_ref(b))
                .unwrap_or("give both inputs the same length".to_owned()),
        ),
        _ => d.help("give both inputs the same length"),
    }
}

/// Builds a layer that applies a cell without states to every row and step. `features` is the guess
/// for its output after a mistake; `None` stands for those of its input.
pub(crate) fn pointwise(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    text: &str,
    features: Option<&Size>,
    found: &mut Diagnostics,
    kind: impl FnOnce(UsedCell) -> LayerKind,
) -> Built {
    let input = context.floats(given, found);
    let width = input.map(Shape::width);
    let failed = Built::failed(guess(input, features.or(width.as_ref())));
    let (Some(input), true) = (input, given.complete) else {
        return failed;
    };
    if input.axes.len() > 1 {
        found.push(several_axes(given, input));
        return failed;
    }
    let Some(cell) = parse(text, found) else {
        return failed;
    };
    let cell = given.used(cell);
    match check(given, &cell.cell, std::slice::from_ref(&input.axes), found) {
        Some(built) => {
            let shapes = built.outputs.iter().map(|o| Shape {
                content: Content::Numbers,
                time: input.time.clone(),
                axes: o.shape.clone(),
            });
            Built {
                shapes: shapes.collect(),
                ..Built::new(kind(cell), input.clone())
            }
        }
        None => failed,
    }
}

/// The message for an input with several axes of a layer that takes vectors.
fn several_axes(given: &LayerArguments<'_>, input: &Shape) -> Diagnostic {
    Diagnostic::new(
        "RNN0156",
        given.span,
        format!(
            "{} needs vectors [batch, …, features], found {input}",
            given.text
        ),
    )
    .help(if input.is_sequence() {
        "put the numbers of a step side by side: TimeDistributed(Flatten)".to_owned()
    } else {
        format!("put the numbers side by side: Flatten -> {}", given.text)
    })
}

/// What to write where a layer of several values reads one: a chain has no other.
fn few_values(given: &LayerArguments<'_>, context: &Context<'_>) -> String {
    let axes = context
        .input()
        .filter(|s| !s.is_sequence())
        .map(Shape::width);
    let features = axes.and_then(|n| n.value()).unwrap_or(28);
    match context.scope.is_empty() {
        true => format!(
            "a chain has one value; write a graph: `input a: [{features}]; input b: [{features}]; output y = (a, b) -> {};`",
            given.text
        ),
        false => format!("write them in parentheses: `(a, b) -> {}`", given.text),
    }
}

/// A value to merge, as the merging cell sees it.
pub(crate) struct Merged {
    /// Its name.
    pub value: String,
    /// The name of its mask, 1 at valid steps and 0 at padded ones, if it has one and the layer reads it.
    pub valid: Option<String>,
}

/// Builds a layer that makes one value of several of the same shape, element by element: `maths`
/// gives the statements of its cell. `masks`: it looks at masks.
pub(crate) fn merge(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    least: usize,
    most: usize,
    masks: bool,
    found: &mut Diagnostics,
    maths: impl FnOnce(&[Merged]) -> String,
) -> Built {
    let failed = Built::failed(context.input().cloned());
    let n = context.inputs.len();
    if n < least || n > most {
        let what = if least == most { "exactly" } else { "at least" };
        let example = if n > most {
            format!("take two of them: `(a, b) -> {}`", given.text)
        } else {
            few_values(given, context)
        };
        found.push(
            Diagnostic::new(
                "RNN0157",
                given.span,
                format!("{} needs {what} {least} values, found {n}", given.text),
            )
            .help(example),
        );
        return failed;
    }
    let Some(first) = context.floats(given, found) else {
        return failed;
    };
    for value in &context.inputs[1..] {
        let Some(other) = value.shape() else {
            return failed;
        };
        if other.content != Content::Numbers {
            found.push(no_numbers(given, other));
            return failed;
        }
        if other.time != first.time {
            found.push(axes_differ(
                given,
                (&context.inputs[0], first),
                (value, other),
            ));
            return failed;
        }
        if other.axes != first.axes {
            found.push(
                Diagnostic::new(
                    "RNN0158",
                    given.span,
                    format!(
                        "{} needs values of one shape, found {first} and {other}",
                        given.text
                    ),
                )
                .help(by_name(&first.axes, &other.axes).unwrap_or(format!(
                    "bring both to one size, `let b = b -> Dense({});`, or write `(a, b) -> Concatenate`",
                    first.width()
                ))),
            );
            return failed;
        }
    }
    if !given.complete {
        return failed;
    }
    let read: Vec<Option<Port>> = context
        .inputs
        .iter()
        .map(|i| i.mask.filter(|_| masks))
        .collect();
    let names: Vec<Merged> = (0..n)
        .map(|i| Merged {
            value: format!("x{i}"),
            valid: read[i].map(|_| format!("r{i}")),
        })
        .collect();
    let axes =
        |i: usize| -> Vec<String> { (0..first.axes.len()).map(|a| format!("n{i}_{a}")).collect() };
    let values = (0..n).map(|i| format!("input x{i}: [{}]; ", axes(i).join(", ")));
    let of_masks = || (0..n).filter(|&i| read[i].is_some());
    let inputs: String = values
        .chain(of_masks().map(|i| format!("input m{i}: [one{i}]; ")))
        .chain(of_masks().map(|i| format!("let r{i} = sum(m{i}); ")))
        .collect();
    let text = format!("cell Merge() {{ {inputs} {} }}", maths(&names));
    let Some(cell) = parse(&text, found) else {
        return failed;
    };
    let cell = given.used(cell);
    let mut shapes = vec![first.axes.clone(); n];
    shapes.extend(of_masks().map(|_| vec![Size::known(1)]));
    match check(given, &cell.cell, &shapes, found) {
        Some(_) => Built {
            also_reads: read.into_iter().flatten().collect(),
            ..Built::new(LayerKind::Pointwise { cell }, first.clone())
        },
        None => failed,
    }
}

/// The statements of a cell that folds values with a function without a neutral element. As in Keras,
/// where one of two values is padding, the result is the other.
pub(crate) fn fold_valid(x: &[Merged], function: &str) -> String {
    let mut text = String::new();
    let (mut all, mut valid) = (x[0].value.clone(), x[0].valid.clone());
    for (i, next) in x.iter().enumerate().skip(1) {
        let value = match &next.valid {
            Some(r) => format!("select({r} > 0.5, {}, {all})", next.value),
            None => next.value.clone(),
        };
        text += &format!("let v{i} = {value}; ");
        let before = match &valid {
            Some(r) => format!("select({r} > 0.5, {all}, v{i})"),
            None => all,
        };
        text += &format!("let a{i} = {function}({before}, v{i}); ");
        valid = valid
            .zip(next.valid.as_ref())
            .map(|(a, b)| format!("({a} + {b})"));
        all = format!("a{i}");
    }
    format!("{text}output {all};")
}

/// Builds a layer that puts values of these axes side by side, by the cell `text`.
pub(crate) fn side_by_side(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    axes: &[Vec<Size>],
    text: &str,
    found: &mut Diagnostics,
    built: impl FnOnce(UsedCell, Size) -> Built,
) -> Built {
    let n = context.inputs.len();
    if n < 2 {
        found.push(
            Diagnostic::new(
                "RNN0157",
                given.span,
                format!("{} needs at least 2 values, found {n}", given.text),
            )
            .help(few_values(given, context)),
        );
        return Built::failed(None);
    }
    let Some(shapes) = same_time(given, context, found) else {
        return Built::failed(None);
    };
    if let Some(wide) = context
        .inputs
        .iter()
        .filter_map(Incoming::shape)
        .find(|s| s.axes.len() != 1)
    {
        found.push(several_axes(given, wide));
        return Built::failed(None);
    }
    let width = axes.iter().flatten().fold(Size::known(0), |n, a| &n + a);
    if !given.complete {
        return Built::failed(None);
    }
    let Some(cell) = parse(text, found) else {
        return Built::failed(None);
    };
    let cell = given.used(cell);
    match check(given, &cell.cell, &shapes, found) {
        Some(_) => built(cell, width),
        None => Built::failed(None),
    }
}

/// `initial_state` and `mask` of a layer with these states.
pub(crate) fn reads(
    given: &LayerArguments<'_>,
    context: &Context<'_>,
    states: &[(String, Vec<Size>)],
    stateful: bool,
    time: &Time,
    found: &mut Diagnostics,
) -> Option<(Vec<Port>, Option<Port>)> {
    let initial = initial_states(given, context, states, stateful, found).ok()?;
    let mask = own_mask(given, context, time, found).ok()?;
    Some((initial, mask))
}

/// Builds the cell for this input and checks that its parameters can be addressed.
pub(super) fn check(
    given: &LayerArguments<'_>,
    cell: &CellUse,
    inputs: &[Vec<Size>],
    found: &mut Diagnostics,
) -> Option<Cell> {
    if let Some(d) = other_inputs(given, &cell.cell, inputs.len()) {
        found.push(d);
        return None;
    }
    let built = Cell::build(cell, inputs, found)?;
    for p in &built.params {
        if !fits(&p.shape) {
            let shape: Vec<String> = p.shape.iter().map(ToString::to_string).collect();
            found.push(
                Diagnostic::new(
                    "RNN0110",
                    given.span,
                    format!(
                        "`{}` of {} would be [{}], more than can be addressed",
                        p.name,
                        given.text,
                        shape.join(", ")
                    ),
                )
                .help(format!(
                    "a parameter has at most {MAX_SIZE} numbers; make the layer smaller"
                )),
            );
            return None;
        }
    }
    Some(built)
}

/// The message for more or fewer values than the cell has inputs.
fn other_inputs(given: &LayerArguments<'_>, cell: &CellAst, count: usize) -> Option<Diagnostic> {
    let inputs = cell.items.iter().filter_map(|item| match item {
        Item::Input { name, .. } => Some(name.to_string()),
        _ => None,
    });
    let names: Vec<String> = inputs.collect();
    let (text, class) = (given.text, &cell.name);
    if count == names.len().max(1) {
        return None;
    }
    let d = |words| Diagnostic::new("RNN0247", given.span, words);
    Some(match names.len() {
        0 | 1 => d(format!("{class} takes one value, found {count}"))
            .note("a cell that takes several declares them: `input a: [n]; input b: [m];`")
            .help(format!(
                "join them first: `(a, b) -> Concatenate -> {text}`"
            )),
        n => d(format!(
            "{class} takes {n} inputs ({}), found {count}",
            names.join(", ")
        ))
        .help(format!(
            "write a value for each: `({}) -> {text}`",
            names.join(", ")
        )),
    })
}

/// Whether a parameter of this shape can be addressed, as far as its sizes are known.
pub(crate) fn fits(shape: &[Size]) -> bool {
    shape
        .iter()
        .filter_map(Size::value)
        .try_fold(1usize, |product, n| product.checked_mul(n))
        .is_some_and(|product| product <= MAX_SIZE)
}
