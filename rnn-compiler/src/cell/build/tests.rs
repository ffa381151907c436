//! What is wrong with a cell for given sizes, and what is not.

use super::*;
use crate::cell::CellAst;

/// The messages of a cell whose inputs have these shapes; sizes of 0 are a `const`.
fn messages(text: &str, inputs: &[&[usize]]) -> Vec<String> {
    let mut found = Diagnostics::new();
    let cell = CellAst::parse(text.parse().unwrap(), &mut found).unwrap();
    let size = |&n: &usize| match n {
        0 => Size::constant(syn::parse_quote!(N)),
        n => Size::known(n),
    };
    let inputs: Vec<Vec<Size>> = inputs
        .iter()
        .map(|s| s.iter().map(size).collect())
        .collect();
    let cell = CellUse {
        cell,
        arguments: vec![],
    };
    let built = Cell::build(&cell, &inputs, &mut found);
    let messages: Vec<String> = found.take().iter().map(Diagnostic::text).collect();
    assert_eq!(
        built.is_none(),
        !messages.is_empty(),
        "{text}: {messages:?}"
    );
    messages
}

/// A cell's body, shapes of inputs, the code and some words of its one message.
type Mistake = (
    &'static str,
    &'static [&'static [usize]],
    &'static str,
    &'static str,
);

const X: &str =
    "input x: [i]; input m: [j, k]; param p: [i, 4] = zeros; param t: [j, k, 4] = zeros; ";

/// After `X`, with inputs of [3] and [2, 5].
const EINSUMS: &[(&str, &str, &str)] = &[
    ("\"bi,ij\", x, p", "RNN0241", "`->`"),
    (
        "\"bi,ij,j->bj\", x, p",
        "RNN0241",
        "about 3 values, found 2",
    ),
    ("\"bij,ij->bj\", x, p", "RNN0242", "`bij`; it needs 2"),
    ("\"bi,bij->bj\", x, p", "RNN0242", "no batch"),
    (
        "\"bi,bji->bj\", x, m",
        "RNN0243",
        "`i` is 3 in one value of `einsum` and 5",
    ),
    ("\"bi,cj->bij\", x, x", "RNN0244", "`b` and `c`"),
    ("\"ij,ik->jk\", p, p", "RNN0244", "no value"),
    ("\"bi,ij->j\", x, p", "RNN0244", "stands first"),
    ("\"bi,ib->bi\", x, p", "RNN0244", "nowhere else"),
    ("\"ij->ij\", p", "RNN0244", "no value"),
];

const MISTAKES: &[Mistake] = &[
    ("output a; input a: [n];", &[&[3]], "RNN0246", "after"),
    (
        "input a: [n]; if true { input b: [n]; } output a;",
        &[&[3]],
        "RNN0246",
        "inside an `if`",
    ),
    (
        "output x;",
        &[&[3, 4]],
        "RNN0247",
        "one vector at a step, found [3, 4]",
    ),
    ("output x;", &[&[3], &[4]], "RNN0247", "found [3] and [4]"),
    (
        "input a: [n]; output a;",
        &[&[3], &[4]],
        "RNN0247",
        "1 inputs (`a`), found 2",
    ),
    (
        "input a: [n]; output a;",
        &[&[3, 4]],
        "RNN0247",
        "has 1 axis, found [3, 4]",
    ),
    (
        "input a: [n, n]; output a;",
        &[&[3, 4]],
        "RNN0247",
        "axis 1 of input `a` of C has 3 units, found 4",
    ),
    (
        "input a: [n]; input a: [n]; output a;",
        &[&[3], &[3]],
        "RNN0204",
        "two inputs",
    ),
    (
        "output dropout(x, 1);",
        &[&[3]],
        "RNN0248",
        "below 1, found 1",
    ),
    (
        "output dropout(x, sum(x));",
        &[&[3]],
        "RNN0248",
        "known when the model is compiled",
    ),
    (
        "output dropout(0.5, 0.5) * x;",
        &[&[3]],
        "RNN0248",
        "single number",
    ),
    (
        "input a: [n, m]; output concat(a, a);",
        &[&[3, 4]],
        "RNN0249",
        "the shape [3, 4]",
    ),
    (
        "input a: [n, m]; output softmax(a);",
        &[&[3, 4]],
        "RNN0249",
        "flatten",
    ),
    (
        "input a: [n, m]; let [p, q] = split(a); output p;",
        &[&[4, 4]],
        "RNN0249",
        "`split`",
    ),
    (
        "param k: [2, 2, input] = zeros; let [a, b] = split(k); output x;",
        &[&[3]],
        "RNN0249",
        "3 axes",
    ),
    (
        "param k: [input, 5] = zeros; let [a, b] = split(k); output x @ a;",
        &[&[3]],
        "RNN0210",
        "5 columns into 2",
    ),
    (
        "if input > 2 { output x; } else { output -x; }",
        &[&[0]],
        "RNN0250",
        "`const`",
    ),
    ("output x, y = x;", &[&[3]], "RNN0207", "some have none"),
    (
        "output y = x, y = x;",
        &[&[3]],
        "RNN0207",
        "two outputs named `y`",
    ),
    ("output x; output x;", &[&[3]], "RNN0207", "two `output`"),
    (
        "param p: [input] = legendre; output x * p;",
        &[&[3]],
        "RNN0217",
        "`= self::legendre`",
    ),
    (
        "param p: [input] = Unknown; output x * p;",
        &[&[3]],
        "RNN0217",
        "no initialiser `Unknown`",
    ),
    (
        "output x * m::A;",
        &[&[3]],
        "RNN0218",
        "write `frozen param a: [units] = m::A;`, and `a` here",
    ),
    (
        "param p: [m::N] = zeros; output x;",
        &[&[3]],
        "RNN0214",
        "not a size",
    ),
    ("output x, 1;", &[&[3]], "RNN0206", "single number"),
    (
        "param k: [input, 2] = zeros; output x * k;",
        &[&[3]],
        "RNN0219",
        "`k` is a matrix",
    ),
    (
        "param k: [input, 2] = zeros; output x + x @ k;",
        &[&[3]],
        "RNN0229",
        "`x` has 3 units, `x @ k` has 2 units",
    ),
    (
        "param k: [input, 2] = zeros; output select(x > 0, x @ k, x);",
        &[&[3]],
        "RNN0229",
        "the left side of the comparison has 3 units, the second argument has 2",
    ),
    (
        "input a: [n, m]; param k: [n * m, 2] = zeros; output a @ k;",
        &[&[3, 2]],
        "RNN0224",
        "flatten",
    ),
    (
        "state s: [2, 3]; next s = x; output x;",
        &[&[6]],
        "RNN0230",
        "the shape [2, 3], found 6 units",
    ),
    (
        "param k: [2, 3, 3] = identity; output x;",
        &[&[3]],
        "RNN0132",
        "3 axes",
    ),
    (
        "output x; let z = x[0];",
        &[&[3]],
        "RNN0222",
        "two or more axes",
    ),
    (
        "input a: [n, m]; param k: [m, 2] = zeros; output flatten(einsum(\"bij,jk->bik\", a, k));",
        &[&[0, 2]],
        "RNN0245",
        "has to be a number",
    ),
    (
        "input a: [n, m]; param k: [m, 2] = zeros; output einsum(\"bij,jk->bik\", a, k);",
        &[&[300, 2]],
        "RNN0245",
        "300 parts",
    ),
];

#[test]
fn every_mistake_is_one_message() {
    let check = |text: &str, inputs: &[&[usize]], code: &str, words: &str| {
        let messages = messages(&format!("cell C() {{ {text} }}"), inputs);
        assert_eq!(messages.len(), 1, "{text}: {messages:?}");
        let m = &messages[0];
        assert!(m.starts_with(&format!("[{code}]")), "{text}: {m}");
        assert!(m.contains(words), "{text}: {m}");
    };
    for (text, inputs, code, words) in MISTAKES {
        check(text, inputs, code, words);
    }
    for (call, code, words) in EINSUMS {
        let text = format!("{X} output x, einsum({call});");
        check(&text, &[&[3], &[2, 5]], code, words);
    }
}

/// Mistakes of statements that have nothing to do with each other are shown together; those that
/// follow from others are not.
#[test]
fn independent_mistakes_are_shown_together() {
    let text = "cell C(units = 4) {
        param k: [input, wrong] = zeros;
        param b: [units] = zeross;
        state h: [units];
        let a = x @ k + b;
        let [p, q] = split(tanhh(h));
        let r = p * q;
        if unknown > 0 { let s = h; }
        next h = h + s + r + other + yet_another;
        output a * s, h * nobody;
    }";
    let codes: Vec<String> = messages(text, &[&[3]])
        .iter()
        .map(|m| m[1..8].to_owned())
        .collect();
    assert_eq!(
        codes,
        [
            "RNN0218", "RNN0217", "RNN0228", "RNN0218", "RNN0218", "RNN0218", "RNN0218"
        ]
    );
}

/// Sizes may stay open wherever nothing is looped over.
#[test]
fn sizes_may_be_consts() {
    let text = "cell C() {
        input a: [n, m]; input c: [n];
        param k: [n, m, 3] = zeros;
        state s: [n, m];
        next s = einsum(\"bij,bij->bij\", a, s) + a;
        output einsum(\"bij,ijk->bk\", a, k), einsum(\"bi,bi->b\", c, c);
    }";
    assert_eq!(messages(text, &[&[0, 0], &[0]]), Vec::<String>::new());
    // A concatenation is cut anywhere if its sizes are numbers.
    let text = "cell C() { let [a, b] = split(concat(x, x, x)); output a * b; }";
    assert_eq!(messages(text, &[&[4]]), Vec::<String>::new());
    assert!(messages(text, &[&[0]])[0].starts_with("[RNN0210]"));
}
