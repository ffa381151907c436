//! A plan as text, one line an instruction and a buffer: what tests show and what a reader of the
//! compiler looks at. Users see the text of `explain.rs`.

use std::fmt::{self, Write as _};

use rnn_tables::{
    Axis, Buffer, CarryOver, Extent, GradientCondition, PackedGate, Perturbation, Slice,
};

use super::{Kernels, Plan, PlannedKernel};
use crate::{
    cell::size::Size,
    ir::{BufferRef, Instruction, Packed, ParamId, Symbolic},
    kernels::PackedVectorSource,
};

/// Everything that a model executes.
pub fn listing(plan: &Plan) -> String {
    let mut text = String::new();
    let s = &plan.schedules;
    let modes = [
        (
            "stream",
            &plan.stream,
            vec![("", &s.stream), ("before the first step", &s.stream_start)],
        ),
        ("inference", &plan.inference, vec![("", &s.inference)]),
        (
            "training",
            &plan.training,
            vec![("", &s.forward), ("backward", &s.backward)],
        ),
    ];
    for (name, mode, runs) in modes {
        if runs.iter().all(|(_, run)| run.is_empty()) {
            continue;
        }
        let _ = writeln!(text, "{name}");
        for (i, b) in mode.buffers.iter().enumerate() {
            let _ = writeln!(text, "  b{i}: {}", Shown(b));
        }
        for (what, run) in runs {
            let optional = name == "stream" && run.is_empty();
            if !what.is_empty() && !optional {
                let _ = writeln!(text, "{what}");
            }
            instructions(&mut text, run);
        }
    }
    weights(&mut text, plan);
    for (i, cell) in plan.cells.iter().enumerate() {
        let Some(cell) = cell else { continue };
        let _ = writeln!(text, "cell {i}: {}", plan.graph.ops[i].text);
        let forms = [
            ("stream", &cell.stream),
            ("inference", &cell.inference),
            ("forward", &cell.forward),
            ("backward", &cell.backward),
        ];
        for (name, kernels) in forms {
            self::kernels(&mut text, name, kernels);
        }
    }
    text
}

/// Writes the parameters, and which of them each packed matrix and vector is made of.
fn weights(text: &mut String, plan: &Plan) {
    let _ = writeln!(text, "weights");
    for (i, p) in plan.graph.params.iter().enumerate() {
        let shape: Vec<String> = p.shape.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "  parameter {i}: {} [{}]", p.name, shape.join(", "));
    }
    for (i, m) in plan.matrices.iter().enumerate() {
        let gate = |g: &PackedGate<Symbolic>| {
            let (from, way) = (&g.from, if g.transposed { "ᵀ" } else { "" });
            let (param, row, column) = (from.param.0, &from.row, &from.column);
            format!("parameter {param}[{row}.., {column}..]{way}")
        };
        let gates: Vec<String> = m.gates.iter().map(gate).collect();
        let _ = writeln!(text, "  m{i}: {} x {}: {}", m.k, m.width, gates.join("; "));
    }
    for (i, v) in plan.vectors.iter().enumerate() {
        let from = match (&v.packed, v.param) {
            (PackedVectorSource::Param(_, from, width), Some(ParamId(param))) => {
                format!("{width}: parameter {param}[{from}..]")
            }
            (PackedVectorSource::Param(..), None) => "no parameter".to_owned(),
            (PackedVectorSource::Computed(_, width), _) => format!("{width}: computed"),
        };
        let _ = writeln!(text, "  v{i}: {from}");
    }
}

/// Writes a list; instructions that another governs are indented.
fn instructions(text: &mut String, list: &[Instruction]) {
    let mut ends: Vec<usize> = Vec::new();
    for (i, one) in list.iter().enumerate() {
        ends.retain(|&end| i < end);
        let _ = writeln!(
            text,
            "  {:width$}{}",
            "",
            Shown(one),
            width = 2 * ends.len()
        );
        if one.governs() > 0 {
            ends.push(i + 1 + one.governs());
        }
    }
}

fn kernels(text: &mut String, form: &str, kernels: &Kernels) {
    let parts = [
        ("with the weights", &kernels.weight_time),
        ("prologue", &kernels.prologue),
        ("step", &kernels.step),
        ("post-loop", &kernels.post_loop),
    ];
    for (part, list) in parts {
        for kernel in list {
            let _ = writeln!(text, "  {form}, {part}: {}", Shown(kernel));
        }
    }
}

/// Shows a table as one line of the listing.
struct Shown<'a, T>(&'a T);

/// Several, with commas.
fn list<'a, T>(all: &'a [T]) -> String
where
    Shown<'a, T>: fmt::Display,
{
    let all = all.iter().map(|one| Shown(one).to_string());
    all.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Shown<'_, Buffer<Symbolic>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Buffer {
            width,
            unaligned,
            extent,
            axis,
        } = self.0;
        match extent {
            Extent::One => write!(f, "{width}")?,
            Extent::Ring => write!(f, "2 in turn of {width}")?,
            Extent::All => write!(f, "axis {axis} of {width}")?,
            Extent::Last => write!(f, "the last step, and all others, of {width}")?,
        }
        f.write_str(if *unaligned { ", read in parts" } else { "" })
    }
}

impl fmt::Display for Shown<'_, BufferRef> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0.buffer)?;
        if self.0.offset != Size::known(0) {
            write!(f, "+{}", self.0.offset)?;
        }
        f.write_str(if self.0.after { "'" } else { "" })
    }
}

impl fmt::Display for Shown<'_, Slice<Symbolic>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", Shown(&self.0.at), self.0.width)
    }
}

impl fmt::Display for Shown<'_, Packed> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Packed::Matrix(i) => write!(f, "m{i}"),
            Packed::Vector(i) => write!(f, "v{i}"),
        }
    }
}

impl fmt::Display for Shown<'_, Axis> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(axis) => write!(f, "over axis {axis}"),
            None => f.write_str("once"),
        }
    }
}

impl fmt::Display for Shown<'_, GradientCondition> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            GradientCondition::Always => "",
            GradientCondition::IfInputGradient => ", gradient of the input if asked for",
        })
    }
}

impl fmt::Display for Shown<'_, Perturbation> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Perturbation::Bernoulli {
                rate,
                scale,
                offset,
                dropped,
            } => write!(f, "{dropped} at rate {rate}, else x * {scale} + {offset}"),
            Perturbation::Additive { stddev } => write!(f, "x + {stddev} * normal"),
            Perturbation::Multiplicative { stddev } => write!(f, "x * (1 + {stddev} * normal)"),
        }
    }
}

impl fmt::Display for Shown<'_, CarryOver<Symbolic>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.0;
        write!(f, "masked by {}", Shown(&c.mask))?;
        write!(f, ", carries {}", list(&c.states))?;
        match c.zero_output {
            true => write!(f, ", zeroes {}", list(&c.outputs))?,
            false => write!(f, ", keeps {}", list(&c.outputs))?,
        }
        match c.inputs.is_empty() {
            true => Ok(()),
            false => write!(f, ", clears {}", list(&c.inputs)),
        }
    }
}

impl fmt::Display for Shown<'_, PlannedKernel> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let k = &self.0.tables;
        write!(f, "{} units", k.width)?;
        for product in &k.products {
            let segments = product.iter().map(|s| {
                let operand = Shown(&s.operand);
                let start = if s.carried { ", zero at first" } else { "" };
                format!(
                    "{operand}[{}] @ {} x{}{start}",
                    s.k,
                    Shown(&s.matrix),
                    s.gates
                )
            });
            write!(f, "; {}", segments.collect::<Vec<_>>().join(" + "))?;
        }
        let parts = [
            ("reads", list(&k.loads)),
            ("weights", list(&k.vectors)),
            ("scalars", list(&k.scalars)),
            ("writes", list(&k.stores)),
            ("reduces to", list(&k.reductions)),
        ];
        for (what, all) in parts.iter().filter(|(_, all)| !all.is_empty()) {
            write!(f, "; {what} {all}")?;
        }
        match self.0.only_input_gradient {
            true => f.write_str("; for the gradient of the input only"),
            false => Ok(()),
        }
    }
}

impl fmt::Display for Shown<'_, Instruction> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Instruction as I;
        match self.0 {
            I::Input {
                input,
                to,
                width,
                axis,
            } => {
                write!(f, "input {input} -> {}[{width}] {}", Shown(to), Shown(axis))
            }
            I::Gather {
                input,
                table,
                vocabulary,
                to,
                width,
                axis,
            } => write!(
                f,
                "rows of parameter {} [{vocabulary}, {width}] by input {input} -> {} {}",
                table.0,
                Shown(to),
                Shown(axis)
            ),
            I::Scatter {
                input,
                table,
                gradient,
                width,
                axis,
            } => write!(
                f,
                "gradient of parameter {} += rows {}[{width}] by input {input} {}",
                table.0,
                Shown(gradient),
                Shown(axis)
            ),
            I::MaskIds { input, to, axis } => {
                write!(f, "input {input} is not 0 -> {} {}", Shown(to), Shown(axis))
            }
            I::Reshape {
                from,
                from_width,
                from_axis,
                to,
                to_width,
                to_axis,
            } => write!(
                f,
                "reshape {}[{from_width}] {} -> {}[{to_width}] {}",
                Shown(from),
                Shown(from_axis),
                Shown(to),
                Shown(to_axis)
            ),
            I::Permute {
                from,
                width,
                axis,
                to,
            } => write!(
                f,
                "permute {}[{width}] {} -> {}",
                Shown(from),
                Shown(axis),
                Shown(to)
            ),
            I::Reverse {
                from,
                to,
                width,
                axis,
            } => write!(
                f,
                "reverse {}[{width}] -> {} {}",
                Shown(from),
                Shown(to),
                Shown(axis)
            ),
            I::Repeat {
                from,
                to,
                width,
                axis,
            } => write!(
                f,
                "repeat {}[{width}] -> {} {}",
                Shown(from),
                Shown(to),
                Shown(axis)
            ),
            I::SumOverTime {
                from,
                to,
                width,
                axis,
            } => write!(
                f,
                "sum over time {}[{width}] -> {} {}",
                Shown(from),
                Shown(to),
                Shown(axis)
            ),
            I::Sum {
                from,
                to,
                width,
                axis,
            } => write!(
                f,
                "sum {} -> {}[{width}] {}",
                list(from),
                Shown(to),
                Shown(axis)
            ),
            I::Clear { to, width, axis } => {
                write!(f, "clear {}[{width}] {}", Shown(to), Shown(axis))
            }
            I::Perturb {
                how,
                from,
                to,
                width,
                every_step,
                axis,
                ..
            } => {
                let each = if *every_step {
                    ""
                } else {
                    ", one draw for all steps"
                };
                write!(
                    f,
                    "perturb {}[{width}] -> {}: {}{each} {}",
                    Shown(from),
                    Shown(to),
                    Shown(how),
                    Shown(axis)
                )
            }
            I::PerturbBackward {
                how,
                from,
                to,
                width,
                axis,
                ..
            } => write!(
                f,
                "perturb backward {}[{width}] -> {}: {} {}",
                Shown(from),
                Shown(to),
                Shown(how),
                Shown(axis)
            ),
            I::DropoutMask {
                to, width, rate, ..
            } => {
                write!(f, "dropout mask -> {}[{width}] at rate {rate}", Shown(to))
            }
            I::Penalty {
                value,
                width,
                l1,
                l2,
                axis,
            } => write!(
                f,
                "penalty of {}[{width}], l1 {l1}, l2 {l2} {}",
                Shown(value),
                Shown(axis)
            ),
            I::PenaltyBackward {
                value,
                gradient,
                width,
                l1,
                l2,
                axis,
            } => write!(
                f,
                "{}[{width}] += gradient of the penalty of {}, l1 {l1}, l2 {l2} {}",
                Shown(gradient),
                Shown(value),
                Shown(axis)
            ),
            I::Normalize { layer, axis } => write!(
                f,
                "normalize {}[{}] -> {} {}",
                Shown(&layer.input),
                layer.width,
                Shown(&layer.output),
                Shown(axis)
            ),
            I::NormalizeBackward {
                layer,
                axis,
                input_gradient,
            } => write!(
                f,
                "normalize backward {}[{}] -> {} {}{}",
                Shown(&layer.d_output),
                layer.width,
                Shown(&layer.d_input),
                Shown(axis),
                Shown(input_gradient)
            ),
            I::StartState { state, width } => write!(f, "start {}[{width}] at zero", Shown(state)),
            I::StartStateFrom {
                state,
                value,
                width,
            } => {
                write!(f, "start {}[{width}] at {}", Shown(state), Shown(value))
            }
            I::FinishState {
                value,
                state,
                width,
                axis,
            } => write!(
                f,
                "state {}[{width}] after the last step -> {} {}",
                Shown(state),
                Shown(value),
                Shown(axis)
            ),
            I::EndGradient { state, width, axis } => {
                write!(f, "end {}[{width}] at zero {}", Shown(state), Shown(axis))
            }
            I::EndGradientFrom {
                state,
                value,
                width,
                axis,
            } => write!(
                f,
                "end {}[{width}] at {} {}",
                Shown(state),
                Shown(value),
                Shown(axis)
            ),
            I::StartGradient {
                value,
                state,
                width,
            } => write!(
                f,
                "gradient {}[{width}] before the first step -> {}",
                Shown(state),
                Shown(value)
            ),
            I::OnlyLastGradient {
                gradient,
                width,
                axis,
            } => write!(
                f,
                "only the last step of {}[{width}] {}",
                Shown(gradient),
                Shown(axis)
            ),
            I::BroadcastLastGradient {
                to,
                from,
                width,
                axis,
            } => write!(
                f,
                "{}[{width}] at the last step -> {} {}",
                Shown(from),
                Shown(to),
                Shown(axis)
            ),
            I::ClearAccumulator { to, width } => {
                write!(f, "clear accumulator {}[{width}]", Shown(to))
            }
            I::Scan {
                cell,
                form,
                axis,
                carry,
                input_gradient,
                ..
            } => {
                let form = format!("{form:?}").to_lowercase();
                write!(f, "scan cell {cell}, {form}, {}", Shown(axis))?;
                if form == "backward" {
                    write!(f, "{}", Shown(input_gradient))?;
                }
                match carry {
                    None => Ok(()),
                    Some(carry) => write!(f, ", {}", Shown(carry)),
                }
            }
            I::WeightGradients {
                matrices,
                vectors,
                axis,
                mask,
            } => {
                write!(f, "weight gradients {}", Shown(axis))?;
                for m in matrices {
                    write!(
                        f,
                        "; parameter {}[{}.., {}..] += {}[{}]ᵀ {}[{}]",
                        m.to.param.0,
                        m.to.row,
                        m.to.column,
                        Shown(&m.operand),
                        m.k,
                        Shown(&m.gradient),
                        m.width
                    )?;
                }
                for v in vectors {
                    let how = if v.accumulated { "accumulated " } else { "" };
                    write!(
                        f,
                        "; parameter {}[{}..] += {how}{}[{}]",
                        v.to.param.0,
                        v.to.offset,
                        Shown(&v.gradient),
                        v.width
                    )?;
                }
                match mask {
                    None => Ok(()),
                    Some(mask) => write!(f, "; masked by {}", Shown(mask)),
                }
            }
            I::IfInputGradient { .. } => f.write_str("if the gradients of inputs are wanted"),
            I::Concurrent {
                first,
                second,
                buffers,
                ..
            } => write!(
                f,
                "at once: {first}, and {second} with the buffers {buffers:?}"
            ),
            I::AfterLastBlock => f.write_str("the rest after the last block only"),
        }
    }
}
