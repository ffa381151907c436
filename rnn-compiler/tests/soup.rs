//! Random soups of the grammar's own tokens. For any of them the macros do not panic, give the same output
//! twice, give valid Rust, and report mistakes of the tokens, never of the compiler.

use proc_macro2::TokenStream;
use rnn_compiler::{expand_cell, expand_model};

/// A small generator of numbers (xorshift64*), so that a failure can be repeated from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or(0) % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const MODEL: &[&str] = &[
    "Input",
    "Embedding",
    "SimpleRNN",
    "GRU",
    "LSTM",
    "RNN",
    "Dense",
    "BatchNormalization",
    "Dropout",
    "Activation",
    "Flatten",
    "LSTMCell",
    "GRUCell",
    "Conv1D",
    "my::Cell",
    "->",
    "->",
    "->",
    "=>",
    ";",
    ",",
    ",",
    "=",
    "<",
    ">",
    "_",
    "8",
    "0",
    "1.5",
    "-3",
    "true",
    "True",
    "UNITS",
    "tanh",
    "units",
    "return_sequences",
    "activation",
    "dropout",
    "name",
    "\"a\"",
    "pub",
    "struct",
    "Rows",
    "#[doc = \"x\"]",
    "input",
    "let",
    "output",
    "layer",
    "ids",
    "mask",
    "[_, 8]",
    "[time, 2]",
    "{ a: 1, b: 2 }",
    "[h, c]",
    "Add",
    "Bidirectional",
    "x",
    "y",
    "h",
    "@",
    "krate",
    "cell",
    "broken",
    ":",
    "::",
    "99999999999999999999",
    "1e999",
    "constant(0.5)",
    "'a'",
    "b\"x\"",
    "1u8",
    "$",
    "'life",
];

const CELL: &[&str] = &[
    "cell",
    "C",
    "units",
    "activation",
    "=",
    "tanh",
    "true",
    "param",
    "frozen",
    "state",
    "let",
    "next",
    "output",
    "if",
    "else",
    ":",
    ";",
    ";",
    ";",
    ",",
    "kernel",
    "h",
    "x",
    "z",
    "input",
    "+",
    "-",
    "*",
    "/",
    "@",
    "!",
    "<",
    "<=",
    "==",
    "&&",
    "||",
    "split",
    "concat",
    "select",
    "sigmoid",
    "zeros",
    "ones_in",
    "4",
    "0.5",
    "[input, units]",
    "[units]",
    "[0]",
    "(x)",
    "(units)",
    "pub",
    "mut",
    ".",
    "&",
    "::",
    "1e999",
    "\"a\"",
    "->",
];

/// Tokens between brackets that match.
fn soup(random: &mut Random, tokens: &[&str], depth: usize, text: &mut String) {
    for _ in 0..random.below(12) {
        if depth > 0 && random.below(4) == 0 {
            let (open, close) = [("(", ")"), ("(", ")"), ("[", "]"), ("{", "}")][random.below(4)];
            text.push_str(open);
            soup(random, tokens, depth - 1, text);
            text.push_str(close);
        } else {
            text.push_str(random.pick(tokens));
        }
        text.push(' ');
    }
}

/// A model or a cell that is nearly right: a good one with tokens changed, left out or put in.
fn damaged(random: &mut Random, good: &str, tokens: &[&str]) -> String {
    let mut words: Vec<&str> = good.split(' ').collect();
    for _ in 0..=random.below(4) {
        let at = random.below(words.len());
        match random.below(3) {
            0 => words[at] = random.pick(tokens),
            1 => words.insert(at, random.pick(tokens)),
            _ => drop(words.remove(at)),
        }
        if words.is_empty() {
            break;
        }
    }
    words.join(" ")
}

fn check(text: &str, expand: fn(TokenStream) -> TokenStream) {
    let Ok(tokens) = text.parse::<TokenStream>() else {
        return;
    };
    let first = expand(tokens.clone());
    let second = expand(tokens);
    assert_eq!(first.to_string(), second.to_string(), "{text}");
    assert!(
        !first.to_string().contains("RNN0199"),
        "{text}\nbecomes\n{first}"
    );
    let rust = syn::parse2::<syn::File>(first.clone()).is_ok()
        || syn::parse2::<syn::Expr>(first.clone()).is_ok();
    assert!(rust, "{text}\nbecomes\n{first}");
}

#[test]
fn soups_of_models() {
    for seed in 1..=4000 {
        let mut text = String::new();
        soup(&mut Random(seed), MODEL, 4, &mut text);
        check(&text, expand_model);
    }
}

#[test]
fn soups_of_cells() {
    for seed in 1..=4000 {
        let mut text = "cell C ( units , activation = tanh ) { ".to_owned();
        soup(&mut Random(seed), CELL, 4, &mut text);
        text.push('}');
        check(&text, expand_cell);
        check(
            &format!("@krate(k) @cell(C) {{ {text} }} Input(_, 8) -> RNN(C(4)) -> Dense(2)"),
            expand_model,
        );
    }
}

#[test]
fn damaged_models() {
    const GOOD: &str = "pub struct Rows = Input ( 28 , 28 ) -> LSTM ( 64 , relu , return_sequences ) -> \
        BatchNormalization -> RNN ( LSTMCell ( 3 , activation = tanh ) , go_backwards ) -> Dropout ( 0.5 ) -> \
        Dense ( units = 10 , name = \"out\" ) ;";
    for seed in 1..=4000 {
        check(&damaged(&mut Random(seed), GOOD, MODEL), expand_model);
    }
}

#[test]
fn soups_of_graphs() {
    for seed in 1..=4000 {
        let mut text = "input x : [ _ , 8 ] ; ".to_owned();
        soup(&mut Random(seed), MODEL, 4, &mut text);
        check(&text, expand_model);
        check(&format!("pub struct Rows {{ {text} }}"), expand_model);
    }
}

#[test]
fn damaged_graphs() {
    const GOOD: &str = "input x : [ time , 8 ] ; input words : ids [ _ ] ; input m : mask [ time ] ; \
        input parts : [ 4 , { a : 1 , b : 3 } ] ; input v : [ 4 ] ; layer shared = Dense ( 8 , relu ) ; \
        let ( y , h , _ ) = x -> LSTM ( 4 , return_state , mask = m ) ; let z = ( y , h ) -> Add -> Dense ( 2 ) ; \
        let both = words -> Embedding ( 9 , 8 , mask_zero ) -> Bidirectional ( GRU ( 4 ) , merge_mode = sum ) ; \
        let stack = x -> RNN ( [ LSTMCell ( 4 ) , SimpleRNNCell ( 4 ) ] , initial_state = [ h , v , both ] ) ; \
        let whole = parts -> Concatenate -> Reshape ( 2 , 8 ) -> Permute ( 2 , 1 ) -> Flatten ; \
        output seen = x -> shared -> shared ; output copy = z ; output w = whole ; \
        output t = x -> TimeDistributed ( Dense ( 3 ) ) -> Masking ( 0.5 ) -> GRU ( 2 ) ; output s = stack ;";
    let good = expand_model(GOOD.parse().unwrap()).to_string();
    assert!(!good.contains("compile_error"), "{good}");
    for seed in 1..=1000 {
        let text = damaged(&mut Random(seed), GOOD, MODEL);
        // Every other one as a type.
        match seed % 2 {
            0 => check(&text, expand_model),
            _ => check(&format!("struct Rows {{ {text} }}"), expand_model),
        }
    }
}

#[test]
fn damaged_cells() {
    const GOOD: &str = "pub cell C ( units , activation = tanh , use_bias = true ) { \
        param kernel : [ input , 2 * units ] = glorot_uniform ; state h : [ units ] ; \
        let [ a , b ] = split ( x @ kernel ) ; if use_bias { let a = a + 1 ; } else { let a = - a ; } \
        let z = if use_bias { a } else { b } ; next h = activation ( select ( a > b , z , h ) ) ; output h ; }";
    for seed in 1..=4000 {
        let text = damaged(&mut Random(seed), GOOD, CELL);
        check(&text, expand_cell);
        check(
            &format!("@krate(k) @cell(C) {{ {text} }} Input(_, 8) -> RNN(C(4)) -> Dense(2)"),
            expand_model,
        );
    }
}

/// Sums, masks, einsum and parameters of many shapes, which the compiler rearranges most.
#[test]
fn damaged_maths() {
    const MATHS: &[&str] = &[
        "0",
        "1",
        "2",
        "x",
        "w",
        "h",
        "k",
        "p",
        "c",
        "a",
        "b",
        "m",
        "units",
        "i",
        "j",
        "[0]",
        "[1]",
        "[i, j]",
        "[units]",
        "[j, units]",
        "[0, units]",
        "[i, 2 * j]",
        "+",
        "-",
        "*",
        "/",
        "@",
        "dropout(",
        "sum(",
        "mean(",
        "variance(",
        "max_of(",
        "min_of(",
        "softmax(",
        "flatten(",
        "tanh(",
        "rsqrt(",
        "stop_gradient(",
        "concat(",
        ")",
        ", 0.5 )",
        "\"bij,jk->bik\"",
        "\"bi,bi->b\"",
        "\"bij,ij->b\"",
        "\"b->bi\"",
        "\"bi,jk->bijk\"",
        "h * 0 + 1",
        "x * 0",
    ];
    const GOOD: &str = "cell C ( units = 3 ) { input x : [i, j] ; input w : [units] ; \
        param k : [j, units] = zeros ; param p : [2, i, units] = zeros ; param c : [units] = ones ; \
        state h : [units] ; state s : [i, units] ; \
        let a = einsum( \"bij,jk->bik\" , x , k ) + s ; let m = dropout( a , 0.5 ) ; \
        let b = einsum( \"bij,ij->b\" , m , p [0] ) ; let z = w - mean( w ) ; \
        let z = z * rsqrt( variance( w ) + 0.001 ) * c ; let [ f , g , q ] = split( z * h ) ; \
        next s = tanh( m * p [1] ) ; next h = softmax( w + z ) * b + concat( f , g , q ) ; \
        output a , h * sum( dropout( flatten( s ) , 0.2 ) ) ; }";
    const MODEL: &str = "input x : [ t , 2 , 4 ] ; input w : [ t , 3 ] ; \
        let ( y , z ) = ( x , w ) -> RNN ( C ( 3 ) , return_sequences ) ; \
        output y = y ; output z = z ;";
    let model = |cell: &str| format!("@krate(k) @cell(C) {{ {cell} }} {MODEL}");
    let good = expand_model(model(GOOD).parse().unwrap()).to_string();
    assert!(!good.contains("compile_error"), "{good}");
    for seed in 1..=1500 {
        check(
            &model(&damaged(&mut Random(seed), GOOD, MATHS)),
            expand_model,
        );
    }
}

/// Axes without floats, and more axes than letters.
#[test]
fn shapes_at_the_edge() {
    let many = "1, ".repeat(30);
    for body in [
        "param p: [0, 3] = zeros; output einsum(\"bi,jk->bik\", x, p);",
        "param p: [0, 3] = zeros; output einsum(\"bi,jk->bi\", x, p);",
        "param p: [2, 0] = zeros; output einsum(\"bi,ij->bj\", x, p), x @ p;",
        "param p: [2, 0] = zeros; output sum(x @ p), softmax(x @ p);",
        "param p: [0] = zeros; output concat(p, x), sum(p) * x;",
        "state s: [0]; next s = s; output concat(s, x), sum(s) * x;",
        "state s: [0, 2]; param p: [2, 3] = zeros; next s = s; output flatten(s @ p), s * x;",
        "output einsum(\"bi,bi->b\", x, x), einsum(\"bi->b\", x);",
        &format!("state s: [{many} 2]; param p: [2, 3] = zeros; next s = s; output s @ p;"),
        &format!("state s: [{many} 2]; next s = s * 2; output flatten(s);"),
    ] {
        let text =
            format!("@krate(k) @cell(C) {{ cell C() {{ {body} }} }} Input(_, 2) -> RNN(C())");
        check(&text, expand_model);
    }
}

/// A raw name is in the names that are made of it without its `r#`. The fuzzer found this one.
#[test]
fn raw_names() {
    for text in [
        "pub struct r#Amp = Inpu Dense(1);",
        "pub struct r#Amp = Input(_, 2) -> LSTM(2) -> Dense(1);",
        "pub struct r#Amp { input x: [2]; let y = x -> Dense(1); output y; output z = y; }",
    ] {
        check(text, expand_model);
    }
}
