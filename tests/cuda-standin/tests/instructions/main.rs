//! Each instruction of each type by itself, over the edge cases of its operands, against plain Rust.

mod comparisons;
mod conversions;
mod floats;
mod integers;
#[path = "../support/mod.rs"]
mod support;

use support::{Device, HEADER, Shape};

/// The type of an operand in a test.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Predicate,
    B16,
    F16,
    BF16,
    B32,
    F32,
    B64,
    F64,
}

use Kind::{B16, B32, B64, BF16, F16, F32, F64, Predicate};

impl Kind {
    fn register(self) -> &'static str {
        match self {
            Predicate => "pred",
            B16 | F16 | BF16 => "b16",
            B32 | F32 => "b32",
            B64 | F64 => "b64",
        }
    }

    fn mask(self) -> u64 {
        match self {
            Predicate => 1,
            B16 | F16 | BF16 => 0xffff,
            B32 | F32 => 0xffff_ffff,
            B64 | F64 => u64::MAX,
        }
    }

    /// Values at which an instruction may go wrong.
    fn edges(self) -> Vec<u64> {
        let floats = [
            0.0,
            1.0,
            1.5,
            -2.25,
            3.0,
            0.1,
            1e-3,
            1e10,
            -1e10,
            7.5,
            2.5,
            -0.5,
            123456.79,
            1e-40,
            -1e-42,
            3.4e38,
            1.17549435e-38,
        ];
        match self {
            Predicate => vec![0, 1],
            F32 => {
                let mut edges: Vec<u64> = floats
                    .iter()
                    .map(|x| u64::from((*x as f32).to_bits()))
                    .collect();
                edges.extend([0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000]);
                edges
            }
            F64 => {
                let mut edges: Vec<u64> = floats.iter().map(|x: &f64| x.to_bits()).collect();
                let special = [
                    -0.0,
                    f64::INFINITY,
                    f64::NEG_INFINITY,
                    f64::NAN,
                    1e300,
                    5e-324,
                    1e-310,
                ];
                edges.extend(special.map(f64::to_bits));
                edges
            }
            F16 => vec![
                0, 0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x03ff, 0x7c00, 0xfc00, 0x7e00, 0x8000,
                0x4248,
            ],
            BF16 => vec![
                0, 0x3f80, 0xc000, 0x3eab, 0x7f7f, 0x0001, 0x7f80, 0xff80, 0x7fc0, 0x8000, 0x4049,
            ],
            B16 => vec![
                0, 1, 2, 7, 15, 16, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0xabcd,
            ],
            B32 => vec![
                0,
                1,
                2,
                5,
                31,
                32,
                33,
                63,
                64,
                255,
                0x7fff,
                0x8000,
                0xffff,
                0x1_0000,
                0x7fff_ffff,
                0x8000_0000,
                0xffff_ffff,
                0xdead_beef,
                0x1234_5678,
            ],
            B64 => vec![
                0,
                1,
                3,
                31,
                63,
                64,
                0xffff_ffff,
                0x1_0000_0000,
                0x7fff_ffff_ffff_ffff,
                1 << 63,
                u64::MAX,
                0x0123_4567_89ab_cdef,
            ],
        }
    }

    /// Whether two results count as the same: any NaN is one.
    fn same(self, a: u64, b: u64) -> bool {
        let nan = |bits: u64| match self {
            F32 => f32::from_bits(bits as u32).is_nan(),
            F64 => f64::from_bits(bits).is_nan(),
            F16 => bits & 0x7fff > 0x7c00,
            BF16 => bits & 0x7fff > 0x7f80,
            _ => false,
        };
        a == b || nan(a) && nan(b)
    }
}

/// Runs `instruction`, with `$d`, `$a`, `$b` and `$c` for its operands, on all tuples of `cases`.
fn results(instruction: &str, result: Kind, sources: &[Kind], cases: &[[u64; 3]]) -> Vec<u64> {
    let mut text = String::new();
    for (index, kind) in sources.iter().enumerate() {
        let name = ["a", "b", "c"][index];
        text += &format!("  ld.global.u64 %w, [%p+{}];\n", 8 * index);
        text += &match kind {
            Predicate => format!("  setp.ne.u64 %{name}, %w, 0;\n"),
            B16 | F16 | BF16 => format!("  cvt.u16.u64 %{name}, %w;\n"),
            B32 | F32 => format!("  cvt.u32.u64 %{name}, %w;\n"),
            B64 | F64 => format!("  mov.b64 %{name}, %w;\n"),
        };
    }
    let registers: String = sources
        .iter()
        .zip(["a", "b", "c"])
        .map(|(kind, name)| format!("  .reg .{} %{name};\n", kind.register()))
        .collect();
    let back = match result {
        Predicate => "selp.u64 %w, 1, 0, %d;",
        B16 | F16 | BF16 => "cvt.u64.u16 %w, %d;",
        B32 | F32 => "cvt.u64.u32 %w, %d;",
        B64 | F64 => "mov.b64 %w, %d;",
    };
    let statement = instruction.replace('$', "%");
    let source = format!(
        "{HEADER}.visible .entry k(.param .u64 from, .param .u64 to)
{{
  .reg .b64 %p, %o, %w, %x0, %x1;
  .reg .b32 %i, %r0, %r1;
  .reg .pred %q0;
  .reg .{} %d;
{registers}
  ld.param.u64 %p, [from];
  ld.param.u64 %o, [to];
  mov.u32 %i, %tid.x;
  mad.wide.u32 %p, %i, 24, %p;
  mad.wide.u32 %o, %i, 8, %o;
{text}  {statement}
  {back}
  st.global.u64 [%o], %w;
  ret;
}}
",
        result.register()
    );
    let mut device = Device::new();
    let mut all = Vec::new();
    for part in cases.chunks(1024) {
        let bytes: Vec<u8> = part
            .iter()
            .flatten()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let from = device.bytes(&bytes);
        let to = device.empty(8 * part.len());
        device.run_clean(&source, &Shape::threads(part.len() as u32), &[from, to]);
        let (bytes, _) = device.memory.read(to, 8 * part.len()).unwrap();
        let words = bytes.chunks_exact(8);
        all.extend(words.map(|word| u64::from_le_bytes(word.try_into().unwrap())));
    }
    all
}

/// All tuples of edge cases; of three operands every third one.
fn tuples(sources: &[Kind]) -> Vec<[u64; 3]> {
    let edges = |index: usize| sources.get(index).map_or(vec![0], |kind| kind.edges());
    let mut all = Vec::new();
    for a in edges(0) {
        for b in edges(1) {
            for c in edges(2) {
                all.push([a, b, c]);
            }
        }
    }
    let step = if sources.len() == 3 { 3 } else { 1 };
    all.into_iter().step_by(step).collect()
}

/// Compares an instruction with `reference`.
fn check(
    instruction: &str,
    result: Kind,
    sources: &[Kind],
    reference: impl Fn(u64, u64, u64) -> u64,
) {
    let cases = tuples(sources);
    let found = results(instruction, result, sources, &cases);
    for ([a, b, c], found) in cases.iter().zip(found) {
        let expected = reference(*a, *b, *c) & result.mask();
        assert!(
            result.same(found, expected),
            "{instruction} of {a:#x}, {b:#x}, {c:#x}: {found:#x}, expected {expected:#x}"
        );
    }
}

fn f(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn d(bits: u64) -> f64 {
    f64::from_bits(bits)
}

fn of(value: f32) -> u64 {
    u64::from(value.to_bits())
}

/// A denormal number as the zero of its sign.
fn z(value: f32) -> f32 {
    if value.is_subnormal() {
        0_f32.copysign(value)
    } else {
        value
    }
}

/// The neighbours of an exact value that a direction chooses from: `exact` is the value itself in 64 bits.
fn directed(exact: f64, rounding: &str) -> f32 {
    let nearest = exact as f32;
    let toward = match rounding {
        "rm" => f64::NEG_INFINITY,
        "rp" => f64::INFINITY,
        _ => 0.0,
    };
    let wrong = match toward {
        0.0 => f64::from(nearest).abs() > exact.abs(),
        t if t < 0.0 => f64::from(nearest) > exact,
        _ => f64::from(nearest) < exact,
    };
    match (wrong, rounding) {
        (false, _) => nearest,
        (true, "rm") => nearest.next_down(),
        (true, "rp") => nearest.next_up(),
        (true, _) if nearest > 0.0 => nearest.next_down(),
        (true, _) => nearest.next_up(),
    }
}

#[test]
fn an_unknown_instruction_is_refused() {
    let source =
        format!("{HEADER}.visible .entry k() {{ .reg .b32 %r; frobnicate.b32 %r, 1; ret; }}");
    let error = cuda::ptx::parse(&source, |_| Ok(0)).unwrap_err();
    assert!(
        error.contains("line 4") && error.contains("frobnicate"),
        "{error}"
    );
}
