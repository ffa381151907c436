//! Files that are damaged or made to mislead: an error, no panic, and no memory or time out of proportion.
#![cfg(feature = "all")]

mod onnx_common;

use onnx_common::{Case, pack, read, read_bytes};
use rnn_formats::{Error, onnx};

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

/// Every pack is read with its end cut off and with bytes that changed.
#[test]
fn damaged() {
    let mut random = Random(13);
    // More of them: `ONNX_DAMAGE=4000`.
    let times = std::env::var("ONNX_DAMAGE").map_or(40, |n| n.parse().unwrap());
    let (mut tried, mut whole) = (0, 0);
    for file in ["node_tests", "pytorch", "grid"] {
        for (number, case) in pack(&format!("{file}.safetensors.z")).values().enumerate() {
            // Of many alike some.
            if file != "node_tests" && number % 4 != 0 {
                continue;
            }
            for _ in 0..times {
                let mut bytes = case.model.clone();
                if random.below(3) == 0 {
                    bytes.truncate(random.below(bytes.len()));
                }
                for _ in 0..random.below(4) {
                    let at = random.below(bytes.len());
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = match random.below(3) {
                            0 => random.below(256) as u8,
                            1 => *byte ^ (1 << random.below(8)),
                            _ => [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
                        };
                    }
                }
                tried += 1;
                whole += usize::from(read_bytes(&bytes, case).is_ok());
            }
        }
    }
    println!("{tried} files, {whole} of them read");
    assert!(tried > 4000 && whole > 0);
}

/// Every length of a file that is cut.
#[test]
fn cut_everywhere() {
    let cases = pack("node_tests.safetensors.z");
    for case in cases.values() {
        for len in 0..case.model.len() {
            let _ = read_bytes(&case.model[..len], case);
        }
    }
}

fn varint(mut n: u64, to: &mut Vec<u8>) {
    while n >= 0x80 {
        to.push(n as u8 | 0x80);
        n >>= 7;
    }
    to.push(n as u8);
}

fn number(field: u64, n: i64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3, &mut out);
    varint(n as u64, &mut out);
    out
}

fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3 | 2, &mut out);
    varint(content.len() as u64, &mut out);
    out.extend(content);
    out
}

fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut all = bytes(4, op.as_bytes());
    all.extend(inputs.iter().flat_map(|i| bytes(1, i.as_bytes())));
    all.extend(outputs.iter().flat_map(|o| bytes(2, o.as_bytes())));
    all.extend(attributes.iter().flat_map(|a| bytes(5, a)));
    bytes(1, &all)
}

fn int(name: &str, value: i64) -> Vec<u8> {
    [bytes(1, name.as_bytes()), number(3, value)].concat()
}

/// A float input or output; 0 is an axis without a size.
fn value(field: u64, name: &str, shape: &[i64]) -> Vec<u8> {
    let dims: Vec<u8> = shape
        .iter()
        .flat_map(|&n| bytes(1, &if n == 0 { vec![] } else { number(1, n) }))
        .collect();
    let tensor = [number(1, 1), bytes(2, &dims)].concat();
    let kind = bytes(1, &tensor);
    bytes(
        field,
        &[bytes(1, name.as_bytes()), bytes(2, &kind)].concat(),
    )
}

fn tensor(name: &str, dims: &[i64], kind: i64, raw: &[u8]) -> Vec<u8> {
    let mut all: Vec<u8> = dims.iter().flat_map(|&d| number(1, d)).collect();
    all.extend(number(2, kind));
    all.extend(bytes(8, name.as_bytes()));
    all.extend(bytes(9, raw));
    bytes(5, &all)
}

fn longs(name: &str, values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, &[values.len() as i64], 7, &raw)
}

fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    let opset = bytes(8, &number(2, 17));
    [number(1, 9), opset, bytes(7, &graph.concat())].concat()
}

fn refused(graph: &[Vec<u8>]) -> String {
    let read = onnx::read(&model(graph), &mut |name| {
        Err(std::io::Error::other(format!("{name} was asked for")))
    });
    match read {
        Ok(imported) => panic!("{:?}", imported.network),
        Err(e) => e.to_string(),
    }
}

fn has(text: &str, part: &str) {
    assert!(text.contains(part), "{text:?} has no {part:?}");
}

#[test]
fn graphs_that_are_none() {
    let (x, y) = (value(11, "x", &[0, 0, 3]), value(12, "y", &[]));
    let ring = [
        x.clone(),
        node("Add", &["x", "b"], &["a"], &[]),
        node("Relu", &["a"], &["b"], &[]),
        node("Relu", &["b"], &["y"], &[]),
        y.clone(),
    ];
    has(
        &refused(&ring),
        "node 0 (Add): reads what is computed from its own output",
    );
    let own = [x.clone(), node("Relu", &["y"], &["y"], &[]), y.clone()];
    has(&refused(&own), "from its own output");
    let twice = [
        x.clone(),
        node("Relu", &["x"], &["x"], &[]),
        value(12, "x", &[]),
    ];
    has(&refused(&twice), "gives `x`, which an input has given");
    let missing = [x.clone(), node("Add", &["x", "w"], &["y"], &[]), y.clone()];
    has(&refused(&missing), "its input `w` is missing");
    has(
        &refused(&[x.clone(), y.clone()]),
        "output `y` is given by no node",
    );
    has(&refused(std::slice::from_ref(&x)), "no outputs");
    has(
        &refused(&[x.clone(), node("LSTM", &["x"], &["y"], &[]), y.clone()]),
        "its W is left out",
    );
    has(
        &refused(&[x.clone(), node("Loop", &["x"], &["y"], &[]), y.clone()]),
        "there is no layer for this operator",
    );
    // All at once.
    let several = [
        x,
        node("Sin", &["x"], &["a"], &[]),
        node("Cos", &["x"], &["b"], &[]),
        node("Add", &["a", "b"], &["y"], &[]),
        y,
    ];
    let text = refused(&several);
    assert_eq!(text.lines().count(), 2, "{text}");
    // Nothing at all.
    for file in [&b""[..], b"\x08", b"PK\x03\x04", &[0xff; 64], &[0; 64]] {
        assert!(onnx::read(file, &mut |_| Ok(vec![])).is_err());
    }
}

/// An output that is an input is a model of no layers.
#[test]
fn an_input_that_is_its_own_output() {
    let file = model(&[value(11, "x", &[0, 3]), value(12, "x", &[])]);
    let imported = onnx::read(&file, &mut |_| Ok(vec![])).unwrap();
    let network = imported.network.unwrap();
    assert!(network.layers.is_empty());
    assert_eq!(
        onnx_common::text(&network),
        "input x: [3];\noutput x_1 = x;\n"
    );
}

#[test]
fn sizes_that_lie() {
    let (x, y) = (value(11, "x", &[0, 0, 3]), value(12, "y", &[]));
    let with = |t: Vec<u8>| {
        refused(&[
            x.clone(),
            t,
            node("Add", &["x", "w"], &["y"], &[]),
            y.clone(),
        ])
    };
    has(
        &with(tensor("w", &[1 << 62, 1 << 62], 1, &[0; 4])),
        "damaged at byte",
    );
    has(&with(tensor("w", &[-3], 1, &[0; 4])), "damaged at byte");
    has(
        &with(tensor("w", &[3], 1, &[0; 4])),
        "expected 12 bytes of tensor `w` [3], found 4",
    );
    has(
        &with(tensor("w", &[1 << 40], 1, &[0; 4])),
        "bytes of tensor `w`",
    );
    has(
        &with(tensor("w", &[0, 1 << 40, 1 << 40], 1, &[])),
        "damaged at byte",
    );
    has(
        &with(tensor("w", &[1], 8, &[])),
        "strings are not understood",
    );
    let inputs = [
        &[1_i64 << 62, 2, 3][..],
        &[2, -1, 3],
        &[i64::MIN, 2, 3],
        &[0, 0, 1 << 32],
    ];
    for shape in inputs {
        let graph = [
            value(11, "x", shape),
            node("Relu", &["x"], &["y"], &[]),
            y.clone(),
        ];
        has(&refused(&graph), "input `x`");
    }
    // A length that is longer than the file, than the message around it, or negative.
    for length in [100_u64, 1 << 40, u64::MAX, u64::MAX - 5] {
        let mut file = vec![7 << 3 | 2];
        varint(length, &mut file);
        file.extend([0; 8]);
        let e = onnx::read(&file, &mut |_| Ok(vec![])).unwrap_err();
        assert!(matches!(e, Error::Damaged { .. }), "{e}");
    }
    let inner = [5 << 3 | 2, 2, 9 << 3 | 2, 100, 0, 0];
    let e = onnx::read(&bytes(7, &inner), &mut |_| Ok(vec![])).unwrap_err();
    has(&e.to_string(), "damaged at byte 6");
}

/// Constants that grow from node to node, and shapes of nothing but size.
#[test]
fn small_files_of_large_constants() {
    let (x, y) = (value(11, "x", &[0, 0, 3]), value(12, "y", &[]));
    let last = node("Add", &["x", "c"], &["y"], &[]);
    let fill = |shape: &[i64]| {
        refused(&[
            x.clone(),
            longs("s", shape),
            node("ConstantOfShape", &["s"], &["b"], &[]),
            node("Concat", &["b", "b"], &["c"], &[int("axis", 0)]),
            last.clone(),
            y.clone(),
        ])
    };
    has(&fill(&[1 << 20, 1 << 20]), "too large for so small a file");
    has(&fill(&[1 << 62, 1 << 62]), "do not fit side by side");
    has(&fill(&[-1]), "its shape is none");
    let mut graph = vec![x.clone(), longs("a0", &[1, 2, 3])];
    for k in 0..60 {
        let (from, to) = (format!("a{k}"), format!("a{}", k + 1));
        graph.push(node("Concat", &[&from, &from], &[&to], &[int("axis", 0)]));
    }
    graph.extend([node("Add", &["x", "a60"], &["y"], &[]), y.clone()]);
    has(&refused(&graph), "too large for so small a file");
    // What flows may not grow, either.
    let mut graph = vec![x.clone()];
    let mut from = "x".to_owned();
    for k in 0..60 {
        let to = format!("f{k}");
        graph.push(node("Concat", &[&from, &from], &[&to], &[int("axis", 2)]));
        from = to;
    }
    graph.extend([node("Relu", &[&from], &["y"], &[]), y.clone()]);
    has(&refused(&graph), "too large for so small a file");
    let graph = [
        x.clone(),
        longs("s", &[1, 1, 1 << 50]),
        node("Expand", &["x", "s"], &["y"], &[]),
        y.clone(),
    ];
    assert!(!refused(&graph).is_empty());
    let graph = [
        x,
        longs("a", &[0]),
        longs("b", &[1 << 61]),
        longs("c", &[1]),
        node("Range", &["a", "b", "c"], &["r"], &[]),
        node("Add", &["x", "r"], &["y"], &[]),
        y,
    ];
    has(&refused(&graph), "too large for so small a file");
}

/// Fields without an end to their number, and nesting: time and memory stay in proportion.
#[test]
fn many_and_deep() {
    // Empty messages.
    for field in [1, 5, 11, 12] {
        let graph = vec![bytes(field, &[]); 200_000].concat();
        let e = onnx::read(&bytes(7, &graph), &mut |_| Ok(vec![])).unwrap_err();
        has(&e.to_string(), "fewer messages in so small a file");
    }
    // Graphs in attributes in nodes in graphs.
    let mut inner = Vec::new();
    for _ in 0..2000 {
        let attribute = bytes(5, &bytes(6, &inner));
        inner = bytes(1, &[bytes(4, b"If"), attribute].concat());
    }
    assert!(onnx::read(&bytes(7, &inner), &mut |_| Ok(vec![])).is_err());
    // Types of types.
    let mut inner = Vec::new();
    for _ in 0..2000 {
        inner = bytes(4, &bytes(1, &inner));
    }
    let input = bytes(11, &[bytes(1, b"x"), bytes(2, &inner)].concat());
    has(&refused(&[input]), "what is no tensor is not understood");
    // A long chain, and many layers of one name.
    let start = std::time::Instant::now();
    let mut graph = vec![value(11, "x", &[0, 0, 3])];
    let mut from = "x".to_owned();
    for k in 0..20_000 {
        let to = format!("t{k}");
        let mut all = node("Tanh", &[&from], &[&to], &[]);
        if k % 2 == 0 {
            let named = [
                bytes(3, b"/a/b/Tanh"),
                bytes(4, b"Tanh"),
                bytes(1, from.as_bytes()),
                bytes(2, to.as_bytes()),
            ];
            all = bytes(1, &named.concat());
        }
        graph.push(all);
        from = to;
    }
    graph.push(value(12, &from, &[]));
    let imported = onnx::read(&model(&graph), &mut |_| Ok(vec![])).unwrap();
    assert_eq!(imported.network.unwrap().layers.len(), 20_000);
    // A second in a build that is not optimised; minutes if it grew with the square.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn files_beside() {
    let (x, y) = (value(11, "x", &[0, 0, 3]), value(12, "y", &[]));
    let entry = |key: &str, value: &str| {
        bytes(
            13,
            &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat(),
        )
    };
    let with = |entries: &[Vec<u8>]| {
        let mut all = [number(1, 3), number(2, 1), bytes(8, b"w"), number(14, 1)].concat();
        all.extend(entries.concat());
        [
            x.clone(),
            bytes(5, &all),
            node("Add", &["x", "w"], &["y"], &[]),
            y.clone(),
        ]
    };
    for name in [
        "../w",
        "a/../../w",
        "/etc/passwd",
        "C:\\w",
        "..\\w",
        "",
        "a//b",
    ] {
        let text = refused(&with(&[entry("location", name)]));
        has(&text, "a tensor may only lie in a file beside the model");
    }
    has(&refused(&with(&[])), "the file in which tensor `w` lies");
    has(
        &refused(&with(&[entry("location", "w.data")])),
        "w.data was asked for",
    );
    let whole = |entries: &[Vec<u8>], data: &[u8]| {
        onnx::read(&model(&with(entries)), &mut |_| Ok(data.to_vec()))
    };
    let at = |offset: &str, length: &str| {
        vec![
            entry("location", "w.data"),
            entry("offset", offset),
            entry("length", length),
        ]
    };
    assert!(whole(&at("4", "12"), &[0; 16]).is_ok());
    for (offset, length) in [
        ("8", "12"),
        ("18446744073709551615", "12"),
        ("4", "8"),
        ("-1", "12"),
        ("x", "12"),
    ] {
        assert!(
            whole(&at(offset, length), &[0; 16]).is_err(),
            "{offset} {length}"
        );
    }
}

/// Whatever is wrong is said for all nodes, and a model that is right is read.
#[test]
fn all_packs_are_read() {
    for file in ["node_tests", "pytorch", "grid"] {
        for (name, case) in &pack(&format!("{file}.safetensors.z")) {
            let case: &Case = case;
            assert!(read(case).is_ok(), "{name}");
        }
    }
}
