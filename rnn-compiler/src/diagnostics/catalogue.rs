//! Every message by its code.

/// What a code means.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// `RNN0107`; never reused for something else.
    pub code: &'static str,
    /// The mistake in a few words.
    pub title: &'static str,
    /// Why it is one, and what to do.
    pub explanation: &'static str,
}

const fn entry(code: &'static str, title: &'static str, explanation: &'static str) -> Entry {
    Entry {
        code,
        title,
        explanation,
    }
}

/// The meaning of a code.
pub fn explain(code: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|e| e.code == code)
}

/// All codes, in order. `RNN00xx`: how something is written. `RNN01xx`: layers, their arguments and
/// shapes. `RNN02xx`: what a cell computes.
/// `RNN03xx`: what a model cannot do.
#[rustfmt::skip] // a table reads best with a line for each row
pub const CATALOGUE: &[Entry] = &[
    entry("RNN0001", "nested too deeply", "Brackets, operators or `else if` are nested deeper than any model needs. Give inner parts names with `let`."),
    entry("RNN0002", "not a cell", "`rnn_cell!` holds one cell: attributes, a visibility, the word `cell` and its name."),
    entry("RNN0003", "cell without a name", "The name stands after the word `cell`."),
    entry("RNN0004", "cell without arguments", "The arguments stand in parentheses after the name; most cells have at least `units`."),
    entry("RNN0005", "cell without a body", "The statements stand in braces after the arguments."),
    entry("RNN0006", "more than one cell", "Write one cell in one `rnn_cell!`."),
    entry("RNN0007", "attribute that is not valid", "Attributes are those of Rust; they go to the type."),
    entry("RNN0008", "visibility that is not valid", "Visibilities are those of Rust: `pub`, `pub(crate)` or nothing."),
    entry("RNN0009", "argument of a cell that cannot be read", "An argument is a name, with a default after `=` if it need not be given. It has no type: one without a default is a size."),
    entry("RNN0010", "argument declared twice", "Every argument of a cell has a name of its own."),
    entry("RNN0011", "not a statement", "The statements of a cell are `input`, `param`, `frozen param`, `state`, `let`, `next`, `output` and `if`."),
    entry("RNN0012", "`frozen` without `param`", "Only parameters can be frozen: those that an optimizer leaves alone."),
    entry("RNN0013", "statement that cannot be read", "Something is missing inside a statement; the help shows its form."),
    entry("RNN0014", "statement that does not end", "Every statement ends with `;`. The language has no methods, no types and no powers by `^`."),
    entry("RNN0015", "parameter without an initialiser", "A parameter says how it starts: `= zeros`, `= glorot_uniform`, or the name of an argument."),
    entry("RNN0016", "shape without sizes", "A parameter, a state or an input has at least one size."),
    entry("RNN0017", "`let` with `mut` or a type", "Values of a cell do not change and have no types. A later `let` of the same name replaces the earlier one."),
    entry("RNN0018", "parts of a split that cannot be read", "The parts of a vector stand in brackets: `let [i, f, g, o] = split(z);`."),
    entry("RNN0019", "block without braces", "The branches of `if` stand in braces."),
    entry("RNN0020", "`if` that cannot be read", "An `if` has a condition that is known when the model is compiled. As a value it needs `else`, and one expression in each branch."),
    entry("RNN0021", "comparison of a comparison", "A comparison has two sides: `select(a < b, x, y)`."),
    entry("RNN0022", "row that is not a whole number", "`bias[0]` is a row of a parameter with two or more axes. Parts of a vector come from `split`."),
    entry("RNN0023", "number too large", "Sizes fit into 31 bits, other numbers into 32-bit floats."),
    entry("RNN0024", "not a number", "Numbers have no types and no quotes."),
    entry("RNN0025", "not a value", "A value is a number, the name of a `const`, a flag, or a name such as `tanh`."),
    entry("RNN0026", "expression that cannot be read", "An expression is made of names, numbers, calls, parentheses and the operators `+ - * / @`."),
    entry("RNN0027", "name that Rust keeps for itself", "`self`, `super`, `crate`, `Self` and `_` name nothing that is declared: a state may become the field of a structure."),
    entry("RNN0030", "model without layers", "A model is a chain of layers: `A -> B -> C`."),
    entry("RNN0032", "named model without `=` or `{`", "A named model is written `pub struct Rows = Input(28, 28) -> LSTM(64);`, or with the statements of a graph in braces. It has no generics."),
    entry("RNN0033", "`<` without `>`", "Angle brackets around a model stand on both sides."),
    entry("RNN0034", "something after the model", "One `rnn_model!` holds one model. `import` takes layers and weights, so no `weights` stand after it."),
    entry("RNN0035", "`;` missing or too much", "A named model is an item and ends with `;`, a model without a name is an expression and does not."),
    entry("RNN0036", "named model without `struct` or name", "Attributes and a visibility belong to `struct Name = …;`."),
    entry("RNN0037", "file that cannot be named", "A file is a path in quotes: `import(\"models/amp.keras\")`, or `, weights = \"amp.safetensors\"` after the layers. After the path of an ONNX graph may stand `, states = stream`."),
    entry("RNN0040", "layer missing", "A layer stands on both sides of every `->`."),
    entry("RNN0041", "layers not joined by `->`", "Layers are joined by `->` and have their arguments in parentheses."),
    entry("RNN0042", "argument that cannot be read", "Arguments are divided by `,`; a named one is written `name = value`."),
    entry("RNN0043", "Python's name", "`True`, `False` and `None` are `true`, `false` and leaving the argument out."),
    entry("RNN0044", "not a statement of a graph", "The statements of a graph are `input`, `layer`, `let` and `output`. A model of one chain has no statements."),
    entry("RNN0045", "statement of a graph that does not end", "Every statement of a graph ends with `;`."),
    entry("RNN0046", "input that cannot be read", "An input has a name and says what it is: `input x: [_, 28];`, `input words: ids;`, `input real: mask;`."),
    entry("RNN0047", "list or structure that cannot be read", "A list is written `[a, b]`, a structure `{ location: 2, pressure: 1 }`; the parts of a structure have names of their own."),
    entry("RNN0048", "value, layer or output without a name", "`let`, `layer` and `output` are followed by a name: none of Rust's words, and with a small letter first, as it becomes the name of a field."),
    entry("RNN0049", "names of a `let` that cannot be read", "Several values get names in parentheses: `let (y, state) = …;`, `_` for one that nobody reads. Values do not change."),
    entry("RNN0050", "statement without `=`", "What is computed stands after `=`; values, layers and outputs have no types."),
    entry("RNN0051", "chain without a start", "In a graph a chain starts with the value that its first layer reads: `x -> LSTM(64)`."),
    entry("RNN0052", "values before a layer that cannot be read", "Several values stand in parentheses by their names: `(a, b) -> Add`. A chain among them gets a name by `let` first."),
    entry("RNN0053", "empty graph", "A graph has at least an input and an output."),
    entry("RNN0054", "graph without an input", "A graph computes something from its inputs: `input x: [_, 28];`."),
    entry("RNN0055", "graph without an output", "What a graph gives is named by `output y = …;`."),
    entry("RNN0056", "axis of an input that cannot be read", "An axis is a number, the name of a `const`, `_` or a name for an open one; the last one may be a structure. Ids and masks have one axis, the steps."),
    entry("RNN0057", "graph in the wrong brackets", "A graph with a name stands in braces without `=`, a graph without a name directly in `rnn_model!`."),
    entry("RNN0058", "`layer` of several layers", "A `layer` statement names one layer. A chain that is used twice is written twice, with the names of its layers."),
    entry("RNN0100", "layer that will come", "Keras has this layer; it is not supported yet."),
    entry("RNN0101", "unknown layer", "Layers have Keras's names. A cell runs inside `RNN(…)`."),
    entry("RNN0102", "no input", "The shape of the first layer's input has to be known: start with `Input(…)` or `Embedding(…)`."),
    entry("RNN0103", "`Input` that is not first", "A chain has one `Input`, at its start."),
    entry("RNN0104", "nothing but an input", "A model has at least one layer that computes."),
    entry("RNN0105", "`Embedding` of numbers", "An `Embedding` looks up class ids, so it stands first, or after `Input(length)`."),
    entry("RNN0106", "class ids where numbers are needed", "`Input(_)` is a sequence of ids for an `Embedding`. Give the features, too: `Input(_, 28)`."),
    entry("RNN0107", "no sequence", "A recurrent layer runs over time. The layer before it gives one vector: a recurrent layer without `return_sequences` returns only its last output."),
    entry("RNN0108", "`Flatten` of an open length", "The number of outputs of `Flatten` is steps times features, so the steps must be known."),
    entry("RNN0110", "too large to be addressed", "A parameter or a value has more numbers than can be addressed."),
    entry("RNN0111", "two layers of one name", "Weights are stored under the name of their layer. Names that are not given are Keras's: `lstm`, `lstm_1`."),
    entry("RNN0112", "name that cannot be one", "A layer's name is a text of letters, digits, `_`, `-` and `.`."),
    entry("RNN0113", "unrolling an open length", "Only a known number of steps can be unrolled."),
    entry("RNN0114", "cell without a state", "A cell that runs over time hands a state from step to step."),
    entry("RNN0115", "several values into one layer", "This layer reads one value. `(a, b) -> Concatenate -> LSTM(64)` joins them first; `Add`, `RNN` of a cell with several inputs and others read several."),
    entry("RNN0120", "unknown argument", "Arguments have Keras's names."),
    entry("RNN0121", "argument that will come", "Keras's layer has this argument; it is not supported yet, or written differently here."),
    entry("RNN0122", "argument missing", "An argument without a default must be given."),
    entry("RNN0123", "too many arguments", "More arguments without a name than the layer has places."),
    entry("RNN0124", "argument given twice", "Every argument is given once, by place or by name."),
    entry("RNN0125", "argument without a name after one with a name", "Arguments without names stand before those with names; flags may stand anywhere."),
    entry("RNN0126", "value of the wrong kind", "The argument wants another kind of value; the help shows one."),
    entry("RNN0127", "size 0", "Every size is at least 1. For a `const` this is checked when the program is compiled."),
    entry("RNN0128", "size too large", "A size is at most 2147483648."),
    entry("RNN0129", "number out of range", "Rates are at least 0 and below 1, other numbers above 0."),
    entry("RNN0130", "unknown activation", "Activations have Keras's names."),
    entry("RNN0131", "unknown initialiser", "Initialisers have Keras's names."),
    entry("RNN0132", "matrix initialiser for a vector", "`orthogonal` and `identity` make matrices; a bias is a vector."),
    entry("RNN0133", "not a cell", "`RNN` takes a cell: `LSTMCell`, `GRUCell`, `SimpleRNNCell`, or one made by `rnn_cell!`."),
    entry("RNN0134", "numbers of a name", "Some activations and initialisers take one number: `leaky_relu(0.1)`, `constant(0.5)`."),
    entry("RNN0135", "unknown regulariser", "There are `l1(0.01)`, `l2(0.01)` and `l1_l2(0.01, 0.01)`: `kernel_regularizer = l2(0.01)`."),
    entry("RNN0136", "unknown constraint", "There are `max_norm(2)`, `min_max_norm(0, 1)`, `non_neg` and `unit_norm`: `kernel_constraint = max_norm(2)`."),
    entry("RNN0137", "no layer inside a layer", "`Bidirectional` and `TimeDistributed` take a layer with its arguments: `Bidirectional(LSTM(64))`."),
    entry("RNN0150", "argument that is no named value", "`initial_state` and `mask` take values of the graph by their names: `let (_, state) = a -> LSTM(64, return_state); let y = b -> LSTM(64, initial_state = state);`"),
    entry("RNN0151", "values with other steps", "Values are joined step by step, so they have the same steps. Two `_` are two lengths; a name is one: `input a: [time, 28]; input b: [time, 3];`"),
    entry("RNN0152", "wrong number of states", "An LSTM has two states, h and c, a GRU one, a cell of your own as many as it declares: `initial_state = [h, c]`."),
    entry("RNN0153", "`initial_state` of a stateful layer", "A stateful layer starts where the call before ended; `model.set_states(…)` changes that. Remove `stateful` or `initial_state`. Learned states are a start of their own, too."),
    entry("RNN0154", "state of another shape", "A state has the layer's units and no open axis: `LSTM(64, initial_state = state)` takes the state of `LSTM(64, return_state)`. A state of several axes is a value with all of them: `let s = v -> Reshape(6, 7);`"),
    entry("RNN0155", "mask that does not fit", "A mask is an input with the steps of what it masks, or a value that carries one: `input x: [time, 8]; input m: mask[time]; let y = x -> LSTM(64, mask = m);`"),
    entry("RNN0156", "several axes where vectors are needed", "The layer works on vectors. `TimeDistributed(Flatten)` puts the numbers of a step side by side, `Flatten` those of a row: `x -> TimeDistributed(Flatten) -> LSTM(64)`."),
    entry("RNN0157", "too few or too many values to merge", "`Add` and its like take at least two values, `Subtract` two: `(a, b) -> Add`."),
    entry("RNN0158", "values of two shapes", "Values are merged number by number, so they have one shape: `let a = x -> Dense(64); let b = y -> Dense(64); let c = (a, b) -> Add;`"),
    entry("RNN0159", "axis that is not the last one", "Features are the last axis, and layers work on them step by step: leave `axis` out, or write `axis = -1`."),
    entry("RNN0160", "`RepeatVector` of a sequence", "It repeats one vector: `LSTM(64) -> RepeatVector(10)`."),
    entry("RNN0161", "`Permute` that does not fit", "`Permute(2, 1)` exchanges steps and features of a sequence of known length: `Input(28, 8) -> Permute(2, 1)`."),
    entry("RNN0162", "`Reshape` that does not fit", "The numbers of a row stay the same, and their number is known: `Input(4, 6) -> Reshape(3, 8)`."),
    entry("RNN0163", "`TimeDistributed` of this layer", "It applies a layer of vectors to every step: `TimeDistributed(Dense(10))`."),
    entry("RNN0164", "`Bidirectional` of this layer", "It runs a recurrent layer in both directions: `Bidirectional(LSTM(64))`."),
    entry("RNN0165", "two directions that do not match", "One layer reads forwards, the other backwards, and both return the same: `Bidirectional(LSTM(64), backward_layer = GRU(64, go_backwards))`."),
    entry("RNN0166", "directions that do not merge", "`sum`, `mul` and `ave` need outputs of one size, `concat` vectors of any; `none` takes all: `merge_mode = none`."),
    entry("RNN0167", "other values than names", "A layer with `return_state` gives its output and its states: `let (y, state) = x -> LSTM(64, return_state);`. An output is one value."),
    entry("RNN0168", "stateful layer used twice", "The states of a stateful layer go on from call to call of the model; two uses would be two sequences. Write the layer at both places: `let a = x -> LSTM(8, stateful); let b = y -> LSTM(8, stateful);`"),
    entry("RNN0169", "shared layer of two sizes", "A shared layer with weights has one set of them, so all that it reads has one size: `let a = x -> Dense(64) -> shared;`"),
    entry("RNN0170", "value that is never used", "What nobody reads is most often a mistake. `_` in `let (y, _) = …` or a name with `_` in front says that it is none."),
    entry("RNN0172", "axis of an input that is no size", "Only steps can be open: `input x: [_, 28];`. Features are a number or a `const`."),
    entry("RNN0173", "two of one name", "Inputs, outputs and layers have names of their own. The parts of a structure are named after both: `parts_location`."),
    entry("RNN0174", "unknown value", "Values are inputs and what `let` names, in the order of the text: `let y = x -> LSTM(64); output z = y -> Dense(10);`"),
    entry("RNN0175", "output of ids or a mask", "An output is of numbers: `output y = words -> Embedding(1000, 64);`"),
    entry("RNN0176", "input of too many axes", "An input has at most three axes of features besides batch and time. Numbers of several axes can stand side by side in one."),
    entry("RNN0177", "too many inputs or outputs", "A model has at most 16 inputs and 16 outputs; the parts of a structure are inputs of their own. `Concatenate` joins outputs."),
    entry("RNN0178", "argument of a declaration at a call", "A call of a shared layer takes `initial_state` and `mask`; the other arguments are those of every call: `layer l = LSTM(64); let y = x -> l(mask = m);`"),
    entry("RNN0179", "size that is a const generic", "A model is compiled for its sizes: they are numbers, or `const`s of the program. A generic of the function around the model is neither: `const UNITS: usize = 64;` outside of it."),
    entry("RNN0180", "cell that is not imported", "A cell is an item of Rust's: `use recurrent::cells::Sru;`, or its path in the model, `RNN(recurrent::cells::Sru(8))`."),
    entry("RNN0199", "bug of the compiler", "Please report it with the model."),
    entry("RNN0201", "argument of a cell missing", "An argument without a default must be given."),
    entry("RNN0202", "unknown activation or initialiser", "Activations and initialisers have Keras's names."),
    entry("RNN0204", "name declared twice", "Inputs, parameters and states have names of their own."),
    entry("RNN0205", "`next` of an unknown state", "`next` gives a state its value after the step; declare it by `state h: [units];`."),
    entry("RNN0206", "output that is a number", "The output of a cell is a vector."),
    entry("RNN0207", "outputs that cannot be told apart", "A cell has one `output` statement: `output h;`, `output a, b;` or, with a name for each, `output location = a, pressure = b;`."),
    entry("RNN0208", "`split` in the wrong place", "`split` gives several vectors: `let [a, b] = split(z);`."),
    entry("RNN0209", "`split` of a number", "Only vectors have parts."),
    entry("RNN0210", "parts of unequal size", "The units of a split vector, or the columns of a split matrix, are a multiple of the number of parts."),
    entry("RNN0211", "part across a `concat`", "A split may not cut a part of a `concat` in two."),
    entry("RNN0212", "state without `next`", "Every state gets a value for the next step."),
    entry("RNN0213", "cell without an output", "A cell ends with `output h;`."),
    entry("RNN0214", "not a size", "Sizes are whole numbers, `input`, arguments, and their sums and products."),
    entry("RNN0215", "size that does not divide", "A size divided by another has to be whole."),
    entry("RNN0216", "`if` on values", "`if` is decided when the model is compiled; `select(a > b, x, y)` chooses by value."),
    entry("RNN0217", "unknown initialiser in a cell", "Initialisers have Keras's names; `ones_in(from, to, rest)` is ones in some columns and another in the rest."),
    entry("RNN0218", "unknown name", "A name is an argument, a parameter, a state, `x`, `input`, or comes from a `let` before."),
    entry("RNN0219", "matrix among vectors", "A matrix stands on the right of `@`, or gives a row: `bias[0]`."),
    entry("RNN0220", "flag or function where a value is needed", "Flags stand in conditions; functions are called."),
    entry("RNN0221", "comparison where a value is needed", "A comparison is the first argument of `select`."),
    entry("RNN0222", "row that does not exist", "Only a parameter with two or more axes has rows."),
    entry("RNN0223", "product without a matrix", "The right side of `@` is a parameter with two axes."),
    entry("RNN0224", "product of sizes that do not fit", "A vector of n units is multiplied by a matrix of n rows."),
    entry("RNN0225", "wrong number of arguments of a function", "The message says how many it takes."),
    entry("RNN0226", "`concat` of a number", "Only vectors are joined."),
    entry("RNN0227", "`select` without a comparison", "`select(a > b, x, y)` takes a comparison first."),
    entry("RNN0228", "unknown function", "Functions are those of the cell language and Keras's activations."),
    entry("RNN0229", "values of two shapes", "Lane-by-lane maths takes values of one shape, and single numbers."),
    entry("RNN0230", "state of another shape", "What a state becomes has the shape that it was declared with."),
    entry("RNN0231", "product of a constant", "The left side of `@` has to depend on the input or a state."),
    entry("RNN0240", "overlapping parts of open sizes", "The cell uses parts of a vector that overlap; that can be compiled only if the sizes are numbers."),
    entry("RNN0241", "equation of `einsum` that cannot be read", "`einsum(\"bij,ijkl->bkl\", a, kernel)`: letters for the axes of each value, an arrow, and the letters of the result. A letter stands once in a value."),
    entry("RNN0242", "letters that do not fit a value's axes", "Data has the batch's letter and one for each axis; a parameter has one for each axis."),
    entry("RNN0243", "letter of two sizes", "A letter of `einsum` stands for axes of one size."),
    entry("RNN0244", "batch of `einsum`", "The first letter of data is the batch. It stands first in the result, too, and nowhere else: the rows of a batch know nothing of each other."),
    entry("RNN0245", "`einsum` in too many parts", "Axes that are no rows or columns of a matrix are looped over when the model is compiled: their sizes are numbers, and their product is at most 256."),
    entry("RNN0246", "`input` in the wrong place", "`input` statements stand first in a cell."),
    entry("RNN0247", "input that does not fit the cell", "A cell without `input` statements takes one vector; with them, one value for each, with their axes and sizes. A name that is new takes any size."),
    entry("RNN0248", "`dropout` that drops nothing sensible", "`dropout(v, rate)` takes a value and a rate that is known when the model is compiled, at least 0 and below 1."),
    entry("RNN0249", "value with several axes where a vector is needed", "`split`, `concat` and `softmax` take vectors; `flatten(v)` makes one. `split` takes a matrix, too: its columns."),
    entry("RNN0250", "condition on a `const`", "`if` compares numbers that are known to the compiler; the value of a `const` is not."),
    entry("RNN0251", "array of another shape", "A parameter starts with an array of the program, and the two differ in shape; rustc shows where the array is named in the cell."),
    entry("RNN0252", "name in a cell that nothing reads", "What no statement reads is most often a mistake: a bias that was forgotten, a gate that does nothing: a warning. `_bias` or `let [a, _] = split(z);` says that it is none."),
    entry("RNN0300", "model that cannot stream", "A stream sees one step at a time. `Bidirectional`, `go_backwards`, `Flatten`, `Reshape` and `Permute` of a sequence, `RepeatVector`, `initial_state` and models with several axes of time need the whole sequence: use `predict`. `import(\"model.onnx\", states = stream)` leaves the states of an ONNX graph to the stream."),
    entry("RNN0310", "file that cannot be read", "The path starts at the folder of the crate's Cargo.toml. A file that is there and cannot be read is damaged, or of no known format."),
    entry("RNN0311", "file without layers", "PyTorch's state dicts and files of weights alone have no architecture: write the layers, and `, weights = \"…\"` after them."),
    entry("RNN0312", "layer of a file that is not understood", "The file has a layer, an operator or an argument that there is no layer for here. All of them are listed at once."),
    entry("RNN0313", "weights that do not fit", "Names and shapes of a file's tensors have to be those of the model's parameters, and the layers here compute what the file's do."),
    entry("RNN0314", "files without the feature", "Files are read while a program is compiled if the feature `import` of recurrent is on: its readers take time to build, so others go without."),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Every code in the compiler's sources, this file apart.
    fn used(folder: &Path, codes: &mut BTreeSet<String>) {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                used(&path, codes);
            } else if path.file_name().unwrap() != "catalogue.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let found = (text.match_indices("\"RNN").map(|(i, _)| i + 1))
                    // In what rustc says for us.
                    .chain(text.match_indices("\"[RNN").map(|(i, _)| i + 2))
                    .filter_map(|i| text.get(i..i + 7));
                let number = |t: &&str| t[3..].bytes().all(|b| b.is_ascii_digit());
                codes.extend(found.filter(number).map(str::to_owned));
            }
        }
    }

    #[test]
    fn codes_are_unique_and_in_order() {
        let codes: Vec<_> = CATALOGUE.iter().map(|e| e.code).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        assert!(explain("RNN0107").is_some() && explain("RNN9999").is_none());
    }

    #[test]
    fn every_code_used_is_explained_and_every_explanation_used() {
        let mut codes = BTreeSet::new();
        used(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut codes,
        );
        let explained: BTreeSet<_> = CATALOGUE.iter().map(|e| e.code.to_owned()).collect();
        assert_eq!(codes, explained);
    }
}
