use super::{Destination, FusedKernel, Root, cut, forms};
use crate::{
    cell::{
        Cell, CellAst, CellUse, NoGradient, Value,
        graph::{Graph, LeafSource, NodeExtent, NodeOp, Reduce},
        size::Size,
    },
    diagnostics::Diagnostics,
    emit::CPU,
};

const LSTM: &str =
    "cell LSTMCell(units, activation = tanh, recurrent_activation = sigmoid, use_bias = true) {
    param kernel: [input, 4 * units] = glorot_uniform;
    param recurrent_kernel: [units, 4 * units] = orthogonal;
    param bias: [4 * units] = zeros;
    state h: [units];
    state c: [units];
    let z = x @ kernel + h @ recurrent_kernel;
    let z = if use_bias { z + bias } else { z };
    let [i, f, g, o] = split(z);
    next c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g);
    next h = recurrent_activation(o) * activation(c);
    output h;
}";

const GRU: &str = "cell GRUCell(units, activation = tanh, recurrent_activation = sigmoid) {
    param kernel: [input, 3 * units] = glorot_uniform;
    param recurrent_kernel: [units, 2 * units] = orthogonal;
    param candidate: [units, units] = orthogonal;
    param bias: [3 * units] = zeros;
    state h: [units];
    let [xz, xr, xh] = split(x @ kernel + bias);
    let [uz, ur] = split(h @ recurrent_kernel);
    let z = recurrent_activation(xz + uz);
    let r = recurrent_activation(xr + ur);
    let g = activation(xh + (r * h) @ candidate);
    next h = z * h + (1 - z) * g;
    output h;
}";

fn cell(text: &str) -> Cell {
    let mut found = Diagnostics::new();
    let ast = CellAst::parse(text.parse().unwrap(), &mut found);
    let messages = found.take();
    assert!(messages.is_empty(), "{messages:?}");
    let layer = CellUse {
        cell: ast.unwrap(),
        arguments: vec![(
            "units".into(),
            Value::Size(Size::known(64)),
            proc_macro2::Span::call_site(),
        )],
    };
    let cell = Cell::build(&layer, &[vec![Size::known(8)]], &mut found);
    let messages = found.take();
    assert!(messages.is_empty(), "{messages:?}");
    let mut cell = cell.unwrap();
    cell.optimize();
    cell
}

fn show(name: &str, kernels: &[FusedKernel]) -> String {
    kernels
        .iter()
        .map(|p| {
            let products: Vec<_> = p
                .products
                .iter()
                .map(|p| (p.segments.len(), p.gates.len()))
                .collect();
            format!(
                "{name}: width {} products {products:?} loads {} vectors {} stores {} \n",
                p.width,
                p.loads.len(),
                p.vectors.len(),
                p.stores.len(),
            )
        })
        .collect()
}

fn dump(text: &str) -> String {
    let c = cell(text);
    let b = c.backward().unwrap();
    let mut out = String::new();
    for (name, p) in [
        ("stream", forms::inference(&c, false, &CPU)),
        ("infer", forms::inference(&c, true, &CPU)),
        ("train", forms::training(&c, &b, &CPU)),
        ("back", forms::gradient(&b, &CPU)),
    ] {
        let p = p.unwrap();
        out += &show(&format!("{name} pack"), &p.weight_time);
        out += &show(&format!("{name} pre"), &p.prologue);
        out += &show(&format!("{name} step"), &p.step);
        out += &show(&format!("{name} post"), &p.post_loop);
        out += &format!(
            "{name} temps {:?}\n",
            p.temps
                .iter()
                .map(|t| (t.width.to_string(), t.every_step))
                .collect::<Vec<_>>()
        );
    }
    out += &format!(
        "saved {:?}",
        b.saved
            .iter()
            .map(|&k| &c.graph.node(k).op)
            .collect::<Vec<_>>()
    );
    out
}

/// One product of all gates before the scan, one at every step. Only the input projection is stored
/// between kernels. Backward: the maths, one product of four operands, and the gradient of the
/// input after the scan.
#[test]
fn lstm_has_one_stage() {
    let text = dump(LSTM);
    for line in [
        "stream step: width 64 products [(1, 4), (1, 4)] loads 1 vectors 4 stores 3",
        "stream temps []",
        "infer pre: width 64 products [(1, 4)] loads 0 vectors 4 stores 4",
        "infer step: width 64 products [(1, 4)] loads 5 vectors 0 stores 3",
        "train step: width 64 products [(1, 4)] loads 5 vectors 0 stores 8",
        "back step: width 64 products [] loads 9 vectors 0 stores 5",
        "back step: width 64 products [(4, 1)] loads 0 vectors 0 stores 1",
        "back post: width 8 products [(4, 1)] loads 0 vectors 0 stores 1",
        "back temps []",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
}

/// The candidate needs the reset state, so there is a second kernel. Only this one needs the update
/// gate, so it computes the gate, which is not stored.
#[test]
fn gru_without_reset_after_has_two_stages() {
    let text = dump(GRU);
    for line in [
        "stream step: width 64 products [(1, 1), (1, 1)] loads 1 vectors 1 stores 1",
        "stream step: width 64 products [(1, 2), (1, 1), (1, 1)] loads 1 vectors 2 stores 2",
        "stream temps [(\"64\", false)]",
        "infer step: width 64 products [(1, 1)] loads 2 vectors 0 stores 1",
        "infer step: width 64 products [(1, 1), (1, 1)] loads 3 vectors 0 stores 2",
        "back step: width 64 products [(2, 1)] loads 1 vectors 0 stores 1",
        "back post: width 8 products [(3, 1)] loads 0 vectors 0 stores 1",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
}

/// Maths on parameters only is done once, when weights are packed.
#[test]
fn maths_on_parameters_is_packed() {
    let text = dump(
        "cell Decay(units) {
            param decay: [units] = zeros;
            param kernel: [input, units] = glorot_uniform;
            state h: [units];
            let a = exp(-exp(decay));
            next h = a * h + (1 - a) * (x @ kernel);
            output h;
        }",
    );
    assert!(text.contains("infer pack: width 64"), "{text}");
}

/// A softmax over units needs its maximum, then its sum: three kernels.
#[test]
fn reductions_separate_kernels() {
    let text = dump(
        "cell Attention(units) {
            param kernel: [input, units] = glorot_uniform;
            state h: [units];
            next h = softmax(x @ kernel + h);
            output h;
        }",
    );
    assert_eq!(text.matches("stream step:").count(), 3, "{text}");
}

/// A product that is normalised as a whole and read in parts is computed once; the deviations are
/// computed once a row; cheap maths is done again rather than stored.
#[test]
fn a_normalisation_reads_its_product_once() {
    let text = dump(
        "cell Normal(units) {
            param kernel: [input, 2 * units] = glorot_uniform;
            param recurrent_kernel: [units, 2 * units] = orthogonal;
            param gamma: [2 * units] = ones;
            state h: [units];
            let a = h @ recurrent_kernel;
            let a = a - mean(a);
            let a = a * rsqrt(mean(a * a) + 0.001) * gamma;
            let [f, g] = split(a + x @ kernel);
            next h = sigmoid(f) * h + (1 - sigmoid(f)) * tanh(g);
            output h;
        }",
    );
    for line in [
        // The product and its mean, the deviation, the rest.
        "infer step: width 64 products [(1, 2)] loads 0 vectors 0 stores 2",
        "infer step: width 64 products [] loads 2 vectors 0 stores 0",
        "infer step: width 64 products [] loads 5 vectors 2 stores 2",
        // Gates, both sums of the normalisation and the accumulator of gamma; then its product.
        "back step: width 64 products [] loads 7 vectors 2 stores 6",
        "back step: width 64 products [] loads 4 vectors 0 stores 2",
        "back step: width 64 products [(2, 1)] loads",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
    assert_eq!(text.matches("infer step:").count(), 3, "{text}");
    assert_eq!(text.matches("back step:").count(), 3, "{text}");
    assert_eq!(text.matches("products [(1, 2)]").count(), 6, "{text}");
}

/// A graph that no cell can give is an error. A guess would be a wrong value in a user's model.
#[test]
fn an_impossible_graph_is_a_mistake_of_the_compiler() {
    let mut graph = Graph::default();
    let number = graph.number(2.0);
    let node = graph.add_node(NodeOp::Reduce(Reduce::Sum, number), NodeExtent::Row);
    let root = Root {
        node,
        destination: Destination::Output(0),
        offset: Size::known(0),
        width: Size::known(1),
        exact: false,
    };
    let bug = cut(&graph, &[root], true, &CPU).unwrap_err();
    let message = bug.diagnostic(proc_macro2::Span::call_site(), "Input(2)");
    for part in ["RNN0199", "not a vector", "Input(2)", "please report it"] {
        assert!(message.text().contains(part), "{}", message.text());
    }
}

/// A step reads inputs, states and masks only.
#[test]
fn a_step_that_reads_a_gradient_is_a_mistake_of_the_compiler() {
    let mut cell = cell(LSTM);
    let slot = LeafSource::OutputGradient(0);
    let leaf = cell.graph.leaf(slot, Size::known(0), Size::known(64));
    cell.out[0] = vec![leaf];
    let error = cell.backward().unwrap_err();
    assert!(matches!(error, NoGradient::Bug(_)), "{error:?}");
}
