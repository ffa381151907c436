use super::{
    super::{
        Value,
        ast::{Expr, ExprKind, Item},
    },
    *,
};
use proc_macro2::Ident;

fn parse(text: &str) -> Result<CellAst, Vec<String>> {
    let mut d = Diagnostics::new();
    let cell = CellAst::parse(text.parse().unwrap(), &mut d);
    let messages: Vec<String> = d.take().iter().map(Diagnostic::text).collect();
    match cell {
        Some(cell) if messages.is_empty() => Ok(cell),
        None if !messages.is_empty() => Err(messages),
        other => panic!("{other:?} with {messages:?}"),
    }
}

fn body(text: &str) -> Result<Vec<Item>, Vec<String>> {
    parse(&format!("cell C(units) {{ {text} }}")).map(|c| c.items)
}

/// An expression with every pair of parentheses written out.
fn show(e: &Expr) -> String {
    let list = |all: &[Expr]| all.iter().map(show).collect::<Vec<_>>().join(", ");
    match &e.kind {
        ExprKind::Number(x) => x.to_string(),
        ExprKind::Flag(b) => b.to_string(),
        ExprKind::Name(n) => n.clone(),
        ExprKind::Negate(a) => format!("(neg {})", show(a)),
        ExprKind::Binary(o, a, b) => format!("({} {o} {})", show(a), show(b)),
        ExprKind::Compare(o, a, b) => format!("({} {o} {})", show(a), show(b)),
        ExprKind::Call(f, all) => format!("{f}({})", list(all)),
        ExprKind::Einsum(e, _, all) => format!("einsum({e:?}, {})", list(all)),
        ExprKind::Index(a, i) => format!("{}[{i}]", show(a)),
        ExprKind::If(c, a, b) => format!("if {} {{{}}} else {{{}}}", show(c), show(a), show(b)),
    }
}

fn expr(text: &str) -> String {
    match body(&format!("let z = {text};")).unwrap().as_slice() {
        [Item::Let { value, .. }] => show(value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_whole_cell_is_read() {
    let cell = parse(
        "/// Doc.
        pub(crate) cell Name(units, activation = tanh, use_bias = true, slope = 0.1) {
            param kernel: [input, 4 * units] = glorot_uniform;
            frozen param moving_mean: [units] = zeros;
            state h: [units];
            state c: [units];
            let [i, f, g, o] = split(x @ kernel + h @ recurrent_kernel);
            if use_bias { let z = 1; } else if slope > 0 { let z = 2; } else { let z = 3; }
            let z = if use_bias { z + bias[0] } else { z };
            next c = f * c + i * activation(g);
            output h;
        }",
    )
    .unwrap();
    assert_eq!(cell.name, "Name");
    assert_eq!(cell.attrs.len(), 1);
    assert!(matches!(cell.vis, syn::Visibility::Restricted(_)));
    let defaults: Vec<_> = cell.arguments.iter().map(|a| a.default.clone()).collect();
    assert_eq!(
        defaults,
        [
            None,
            Some(Value::Name("tanh".into())),
            Some(Value::Flag(true)),
            Some(Value::Number(0.1))
        ]
    );
    assert_eq!(cell.items.len(), 9);
    let Item::Param {
        name,
        shape,
        init,
        trainable: true,
    } = &cell.items[0]
    else {
        panic!()
    };
    assert_eq!(name, "kernel");
    assert_eq!(
        shape.iter().map(show).collect::<Vec<_>>(),
        ["input", "(4 * units)"]
    );
    assert_eq!(show(init), "glorot_uniform");
    assert!(matches!(
        &cell.items[1],
        Item::Param {
            trainable: false,
            ..
        }
    ));
    assert!(matches!(&cell.items[4], Item::Let { names, parts: true, .. } if names.len() == 4));
    let Item::If { otherwise, .. } = &cell.items[5] else {
        panic!()
    };
    assert!(matches!(otherwise.as_slice(), [Item::If { otherwise, .. }] if otherwise.len() == 1));
}

#[test]
fn inputs_and_outputs_may_be_several() {
    let items = body(
        "input location: [i1]; input pressure: [i2, 2 * i3]; state s: [units, 3];
        output s == 1, b; output location = a, pressure = b;",
    )
    .unwrap();
    let [
        Item::Input { shape: one, .. },
        Item::Input { name, shape: two },
        Item::State { shape: three, .. },
        Item::Output { values: plain, .. },
        Item::Output { values: named, .. },
    ] = items.as_slice()
    else {
        panic!("{items:?}")
    };
    assert_eq!(name, "pressure");
    let shape = |s: &[Expr]| s.iter().map(show).collect::<Vec<_>>();
    assert_eq!(shape(one), ["i1"]);
    assert_eq!(shape(two), ["i2", "(2 * i3)"]);
    assert_eq!(shape(three), ["units", "3"]);
    let outputs = |values: &[(Option<Ident>, Expr)]| -> Vec<String> {
        let text = |(n, e): &(Option<Ident>, Expr)| match n {
            Some(n) => format!("{n}: {}", show(e)),
            None => show(e),
        };
        values.iter().map(text).collect()
    };
    assert_eq!(outputs(plain), ["(s == 1)", "b"]);
    assert_eq!(outputs(named), ["location: a", "pressure: b"]);
}

#[test]
fn operators_bind_as_in_rust() {
    assert_eq!(expr("a + b * c - d"), "((a + (b * c)) - d)");
    assert_eq!(expr("a @ b + c / d @ e"), "((a @ b) + ((c / d) @ e))");
    assert_eq!(expr("-a * b"), "((neg a) * b)");
    assert_eq!(expr("a - -b"), "(a - (neg b))");
    assert_eq!(expr("a * (b + 1)"), "(a * (b + 1))");
    assert_eq!(
        expr("select(a + 1 >= b, x, y[1])"),
        "select(((a + 1) >= b), x, y[1])"
    );
    assert_eq!(
        expr("if a && !b || c { 1 } else { 2 }"),
        "if ((a & (neg b)) | c) {1} else {2}"
    );
    assert_eq!(
        expr("if a { 1 } else if b { 2 } else { 3 }"),
        "if a {1} else {if b {2} else {3}}"
    );
    assert_eq!(expr("f()"), "f()");
    assert_eq!(
        expr("einsum(\"bi,ij->bj\", a + b, k[0][1],) * 2"),
        "(einsum(\"bi,ij->bj\", (a + b), k[0][1]) * 2)"
    );
    assert_eq!(expr("a < b"), "(a < b)");
}

#[test]
fn one_parse_shows_every_mistake() {
    let messages =
        body("let = 1; let a = ; nexd h = a; output a b; state h: [units]; let z = 1 let y = 2;");
    let codes: Vec<String> = messages
        .unwrap_err()
        .iter()
        .map(|m| m[1..8].to_owned())
        .collect();
    assert_eq!(
        codes,
        ["RNN0013", "RNN0026", "RNN0011", "RNN0014", "RNN0014"]
    );
}

/// A mistake, and words that its message must have.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("fn C() {}", "RNN0002", "write `cell C`"),
    ("(units) {}", "RNN0002", "pub cell MyCell"),
    ("cell (units) {}", "RNN0003", "name"),
    ("cell C {}", "RNN0004", "cell C(units)"),
    ("cell C(units)", "RNN0005", "output h;"),
    ("cell C(units) {} cell", "RNN0006", "one cell"),
    ("#[= 1] cell C(units) {}", "RNN0007", "attribute"),
    ("pub(no way) cell C(units) {}", "RNN0008", "pub(crate)"),
    ("cell C(units: usize) {}", "RNN0009", "no types"),
    ("cell C(3) {}", "RNN0009", "argument"),
    ("cell C(a = 1 2) {}", "RNN0009", "default"),
    ("cell C(a = +) {}", "RNN0025", "`tanh`"),
    ("cell C(units, units) {}", "RNN0010", "twice"),
    ("cell C(units) { h = 1; }", "RNN0011", "next h = …"),
    ("cell C(units) { return h; }", "RNN0011", "output h;"),
    (
        "cell C(units) { parm k: [1] = zeros; }",
        "RNN0011",
        "did you mean `param`",
    ),
    (
        "cell C(units) { frozen k: [1] = zeros; }",
        "RNN0012",
        "frozen param",
    ),
    (
        "cell C(units) { param k [1] = zeros; }",
        "RNN0013",
        "param k: [input",
    ),
    (
        "cell C(units) { param k: 3 = zeros; }",
        "RNN0013",
        "brackets",
    ),
    ("cell C(units) { let z == 1; }", "RNN0013", "expected `=`"),
    (
        "cell C(units) { let [a b] = z; }",
        "RNN0013",
        "expected `,`",
    ),
    (
        "cell C(units) { let z = x.tanh(); }",
        "RNN0026",
        "write `tanh(x)`",
    ),
    ("cell C(units) { let z = x ^ 2; }", "RNN0014", "pow(x, 2)"),
    ("cell C(units) { let z = x as f32; }", "RNN0014", "no types"),
    ("cell C(units) { let z = a = b; }", "RNN0014", "next h"),
    ("cell C(units) { param k: [1]; }", "RNN0015", "zeros"),
    (
        "cell C(units) { param k: [] = zeros; }",
        "RNN0016",
        "no sizes",
    ),
    (
        "cell C(units) { let mut z = 1; }",
        "RNN0017",
        "without `mut`",
    ),
    ("cell C(units) { let z: f32 = 1; }", "RNN0017", "no types"),
    ("cell C(units) { let (a, b) = z; }", "RNN0018", "brackets"),
    ("cell C(units) { let [] = z; }", "RNN0018", "no parts"),
    ("cell C(units) { if a b }", "RNN0019", "{"),
    ("cell C(units) { if { } }", "RNN0020", "condition"),
    ("cell C(units) { let z = if a { b }; }", "RNN0020", "else"),
    (
        "cell C(units) { let z = if a { b; } else { c }; }",
        "RNN0020",
        "one value",
    ),
    (
        "cell C(units) { let z = select(a < b < c, a, b); }",
        "RNN0021",
        "comparisons",
    ),
    ("cell C(units) { let z = b[i]; }", "RNN0022", "`b[0]`"),
    (
        "cell C(units) { input x; }",
        "RNN0013",
        "input x: [features]",
    ),
    ("cell C(units) { output a = , b; }", "RNN0026", "value"),
    (
        "cell C(units) { let z = einsum(a, b); }",
        "RNN0241",
        "in quotes",
    ),
    (
        "cell C(units) { let z = einsum(\"bi->b\"); }",
        "RNN0241",
        "values after",
    ),
    ("cell C(units) { let z = 1e999; }", "RNN0023", "large"),
    (
        "cell C(units) { let z = \"a\"; }",
        "RNN0024",
        "without quotes",
    ),
    ("cell C(units) { let z = 1i32; }", "RNN0024", "write `1`"),
    ("cell C(units) { let z = x ** 2; }", "RNN0014", "operator"),
    ("cell C(units) { let z = [a, b]; }", "RNN0026", "concat"),
    ("cell C(units) { let z = &a; }", "RNN0026", "references"),
    ("cell C(units) { let z = (a, b); }", "RNN0026", "tuples"),
    ("cell C(units) { let z = f(a b); }", "RNN0026", "`,`"),
];

#[test]
fn every_mistake_teaches() {
    for (text, code, words) in MISTAKES {
        let messages = parse(text).expect_err(text);
        assert_eq!(messages.len(), 1, "{text}: {messages:?}");
        let message = &messages[0];
        assert!(
            message.starts_with(&format!("[{code}]")),
            "{text}: {message}"
        );
        assert!(message.contains(words), "{text}: {message}");
        assert!(message.contains("help: "), "{text}: {message}");
    }
}

#[test]
fn hostile_depth_is_an_error() {
    let cases = [
        format!("{}a{}", "(".repeat(500), ")".repeat(500)),
        format!("{}a", "-".repeat(50_000)),
        format!("a{}", " + a".repeat(50_000)),
        format!("{}{{ b }}", "if a { b } else ".repeat(5_000)),
        format!("{}a{}", "f(".repeat(47), ")".repeat(47)),
    ];
    for case in cases {
        let messages = body(&format!("let z = {case};")).unwrap_err();
        assert!(messages[0].starts_with("[RNN0001]"), "{messages:?}");
    }
    let statements = format!("{}{{ }}", "if a { } else ".repeat(5_000));
    assert!(body(&statements).unwrap_err()[0].starts_with("[RNN0001]"));
}
