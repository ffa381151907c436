//! What NVRTC makes of CUDA's mathematics, against the same functions of Rust in 64 bits.

#[path = "support/bench.rs"]
mod loading;

use std::fmt::Write;

use cuda::bench::{Bench, Config};
use cudarc::{
    driver::{CudaContext, LaunchConfig, PushKernelArg},
    nvrtc::{CompileOptions, compile_ptx_with_opts},
};

/// A function of `x` in CUDA, the same in 64 bits, and how far they may be apart, relatively.
type Function = (&'static str, fn(f64) -> f64, f64);

/// Functions of 32 bits, as models use them.
const SINGLE: &[Function] = &[
    ("expf(x)", f64::exp, 3e-7),
    ("tanhf(x)", f64::tanh, 3e-7),
    ("log1pf(fabsf(x))", |x| x.abs().ln_1p(), 3e-7),
    ("expm1f(x)", f64::exp_m1, 3e-7),
    ("erff(x)", erf, 5e-7),
    ("sinf(x)", f64::sin, 3e-7),
    ("cosf(x)", f64::cos, 3e-7),
    // Large arguments take the slow path, with 64-bit carries and a table in constant memory.
    (
        "sinf(1e6f * x)",
        |x| f64::from(1e6_f32 * x as f32).sin(),
        4e-7,
    ),
    (
        "powf(fabsf(x), 1.7f)",
        |x| x.abs().powf(f64::from(1.7_f32)),
        5e-7,
    ),
    ("sqrtf(fabsf(x))", |x| x.abs().sqrt(), 1e-7),
    ("logf(fabsf(x))", |x| x.abs().ln(), 3e-7),
    ("1.0f / x", |x| 1.0 / x, 1e-7),
    ("rsqrtf(fabsf(x))", |x| 1.0 / x.abs().sqrt(), 3e-7),
    ("__expf(x)", f64::exp, 2e-6),
    ("__fdividef(x, 3.0f)", |x| x / 3.0, 3e-7),
    ("tanf(x)", f64::tan, 5e-7),
    ("atanf(x)", f64::atan, 4e-7),
    ("sinhf(x)", f64::sinh, 4e-7),
    ("asinhf(x)", f64::asinh, 4e-7),
    ("cbrtf(x)", f64::cbrt, 3e-7),
    ("roundf(x)", f64::round, 0.0),
    ("rintf(x)", f64::round_ties_even, 0.0),
    ("floorf(x)", f64::floor, 0.0),
    ("truncf(x)", f64::trunc, 0.0),
    ("fmodf(x, 0.75f)", |x| x % 0.75, 0.0),
    ("ldexpf(x, 3)", |x| 8.0 * x, 0.0),
    ("copysignf(2.0f, x)", |x| 2.0_f64.copysign(x), 0.0),
    ("fminf(x, 0.25f)", |x| x.min(0.25), 0.0),
    ("hypotf(x, 2.0f)", |x| x.hypot(2.0), 3e-7),
    ("exp2f(x)", f64::exp2, 3e-7),
    ("log2f(fabsf(x))", |x| x.abs().log2(), 3e-7),
    ("__saturatef(x)", |x| x.clamp(0.0, 1.0), 0.0),
    (
        "1.0f / (1.0f + expf(-x))",
        |x| 1.0 / (1.0 + (-x).exp()),
        3e-7,
    ),
    ("x > 20.0f ? x : log1pf(expf(x))", |x| x.exp().ln_1p(), 4e-7),
    (
        "__uint_as_float(__float_as_uint(x) ^ 0x80000000u)",
        |x| -x,
        0.0,
    ),
];

/// Functions of 64 bits, as losses and optimizers use them. The result is rounded to 32.
const DOUBLE: &[Function] = &[
    ("exp((double)x)", f64::exp, 1e-7),
    ("log(fabs((double)x))", |x| x.abs().ln(), 1e-7),
    ("sqrt(fabs((double)x))", |x| x.abs().sqrt(), 1e-7),
    ("1.0 / (double)x", |x| 1.0 / x, 1e-7),
    ("rsqrt(fabs((double)x))", |x| 1.0 / x.abs().sqrt(), 1e-7),
    ("tanh((double)x)", f64::tanh, 1e-7),
    ("log1p(fabs((double)x))", |x| x.abs().ln_1p(), 1e-7),
    ("expm1((double)x)", f64::exp_m1, 1e-7),
    ("pow(fabs((double)x), 1.3)", |x| x.abs().powf(1.3), 1e-7),
    ("sin((double)x)", f64::sin, 1e-7),
    ("sin(1e9 * (double)x)", |x| (1e9 * x).sin(), 1e-7),
    ("cos((double)x)", f64::cos, 1e-7),
    ("erf((double)x)", erf, 3e-7),
    ("floor((double)x)", f64::floor, 0.0),
    ("fma((double)x, 2.0, 1.0)", |x| x.mul_add(2.0, 1.0), 1e-7),
];

/// The series and the continued fraction of the error function; a relative error below 1e-12.
fn erf(x: f64) -> f64 {
    let magnitude = x.abs();
    let value = if magnitude < 3.0 {
        let (mut term, mut sum, mut n) = (magnitude, magnitude, 0.0);
        while term.abs() > 1e-17 * sum.abs() {
            n += 1.0;
            term *= -magnitude * magnitude / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    } else {
        let fraction = (1..60)
            .rev()
            .fold(magnitude, |rest, k| magnitude + f64::from(k) / 2.0 / rest);
        1.0 - (-magnitude * magnitude).exp() / fraction / std::f64::consts::PI.sqrt()
    };
    value.copysign(x)
}

/// Numbers from −8 to 8, none of them zero.
fn inputs() -> Vec<f32> {
    (0..256).map(|i| (i as f32 - 127.5) / 16.0).collect()
}

/// The largest distance of each function, relatively, for results that are not tiny.
fn distances(functions: &[Function], options: &[&str], arch: &'static str) -> Vec<f64> {
    let mut source = String::new();
    for (number, (text, ..)) in functions.iter().enumerate() {
        writeln!(
            source,
            "extern \"C\" __global__ void f{number}(const float* in, float* out) {{ float x = in[threadIdx.x]; out[threadIdx.x] = (float)({text}); }}"
        )
        .unwrap();
    }
    let context = CudaContext::new(0).unwrap();
    let stream = context.default_stream();
    let options = CompileOptions {
        arch: Some(arch),
        options: options.iter().map(|option| option.to_string()).collect(),
        ..CompileOptions::default()
    };
    let module = context
        .load_module(compile_ptx_with_opts(&source, options).unwrap())
        .unwrap();
    let x = inputs();
    let from = stream.clone_htod(&x).unwrap();
    let mut worst = Vec::new();
    for (number, (_, reference, _)) in functions.iter().enumerate() {
        let function = module.load_function(&format!("f{number}")).unwrap();
        let mut to = stream.alloc_zeros::<f32>(x.len()).unwrap();
        let mut launch = stream.launch_builder(&function);
        launch.arg(&from).arg(&mut to);
        let shape = LaunchConfig {
            grid_dim: (1, 1, 1),
            block_dim: (256, 1, 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: the arguments are the kernel's parameters.
        unsafe { launch.launch(shape) }.unwrap();
        let found = stream.clone_dtoh(&to).unwrap();
        let distance = |(x, found): (&f32, &f32)| {
            let expected = reference(f64::from(*x));
            (f64::from(*found) - expected).abs() / expected.abs().max(1e-3)
        };
        worst.push(x.iter().zip(&found).map(distance).fold(0.0, f64::max));
    }
    worst
}

fn agree(bench: &Bench, functions: &[Function], options: &[&str], arch: &'static str, factor: f64) {
    let found = distances(functions, options, arch);
    for ((text, _, allowed), found) in functions.iter().zip(found) {
        assert!(
            found <= allowed * factor,
            "{text} for {arch} {options:?}: {found:.1e}"
        );
    }
    assert_eq!(bench.reports(), [""; 0]);
}

#[test]
fn functions_of_32_bits() {
    let Some(bench) = loading::load("functions_of_32_bits") else {
        return;
    };
    for arch in ["compute_80", "compute_90"] {
        agree(&bench, SINGLE, &[], arch, 1.0);
    }
    // Last bits that the hardware rounds otherwise.
    bench.configure(Config {
        perturb: 3,
        ..Config::default()
    });
    agree(&bench, &SINGLE[..2], &[], "compute_90", 3.0);
}

#[test]
fn functions_of_64_bits() {
    let Some(bench) = loading::load("functions_of_64_bits") else {
        return;
    };
    agree(&bench, DOUBLE, &[], "compute_80", 1.0);
    agree(&bench, DOUBLE, &[], "compute_90", 1.0);
}

#[test]
fn fast_mathematics_run() {
    let Some(bench) = loading::load("fast_mathematics_run") else {
        return;
    };
    // Fast functions promise little; sine and cosine lose all digits of large arguments.
    let few: Vec<Function> = SINGLE
        .iter()
        .filter(|(text, ..)| !text.contains("1e6f") && !text.starts_with("fmod"))
        .copied()
        .collect();
    for ((text, ..), found) in few
        .iter()
        .zip(distances(&few, &["--use_fast_math"], "compute_90"))
    {
        assert!(found < 1e-3, "{text}: {found:.1e}");
    }
    assert_eq!(bench.reports(), [""; 0]);
}

/// Integers, a jump table, functions that are not inlined, local arrays, an assertion.
const PROGRAMS: &str = r#"
extern "C" __global__ void integers(const unsigned* in, unsigned long long* out) {
    unsigned x = in[threadIdx.x];
    unsigned long long h = x;
    h *= 0x9E3779B97F4A7C15ull;
    h ^= h >> 31;
    h = h % 1000003ull + h / 77ull;
    h += __umul64hi(h, 0x9E3779B97F4A7C15ull) + __umulhi(x, 0xD2511F53u) + __popc(x) + __clz(x) + __brev(x);
    h += __byte_perm(x, (unsigned)h, 0x5410) + __funnelshift_l(x, (unsigned)h, 7) + __clzll(h);
    h += (unsigned long long)(long long)((int)x % 37) + x / 13u + x % 11u + (unsigned long long)((long long)h / 19);
    out[threadIdx.x] = h;
}
__device__ __noinline__ float sum(const float* values, int count) {
    float total = 0.0f;
    for (int i = 0; i < count; i++) total += values[i];
    return total;
}
extern "C" __global__ void jumps(const int* in, float* out) {
    float values[16];
    int x = in[threadIdx.x];
    for (int i = 0; i < 16; i++) values[(i * 7 + x) & 15] = i + x;
    float result;
    switch (x & 7) {
        case 0: result = sum(values, 3); break;
        case 1: result = sinf(x); break;
        case 2: result = values[x & 15]; break;
        case 3: result = expf(1.0f / (x + 1)); break;
        case 4: result = sum(values, 16); break;
        case 5: result = -x; break;
        case 6: result = x * x; break;
        default: result = 2.5f;
    }
    out[threadIdx.x] = result;
}
extern "C" __device__ void __assertfail(const char*, const char*, unsigned, const char*, size_t);
extern "C" __global__ void asserts(int* out) {
    if (threadIdx.x == 40) __assertfail("x < 40", "file.cu", 12, "asserts", 1);
    out[threadIdx.x] = 1;
}
"#;

#[test]
fn programs() {
    let Some(bench) = loading::load("programs") else {
        return;
    };
    let context = CudaContext::new(0).unwrap();
    let stream = context.default_stream();
    for arch in ["compute_80", "compute_90"] {
        let options = CompileOptions {
            arch: Some(arch),
            ..CompileOptions::default()
        };
        let module = context
            .load_module(compile_ptx_with_opts(PROGRAMS, options).unwrap())
            .unwrap();
        let shape = LaunchConfig {
            grid_dim: (1, 1, 1),
            block_dim: (64, 1, 1),
            shared_mem_bytes: 0,
        };
        let x: Vec<u32> = (0..64_u32)
            .map(|i| i.wrapping_mul(0x9e37_79b9) >> (i % 32))
            .collect();
        let from = stream.clone_htod(&x).unwrap();
        let mut to = stream.alloc_zeros::<u64>(64).unwrap();
        let function = module.load_function("integers").unwrap();
        let mut launch = stream.launch_builder(&function);
        launch.arg(&from).arg(&mut to);
        // SAFETY: the arguments are the kernel's parameters.
        unsafe { launch.launch(shape) }.unwrap();
        for (x, found) in x.iter().zip(stream.clone_dtoh(&to).unwrap()) {
            assert_eq!(found, hashed(*x), "{arch}, {x:#x}");
        }
        let x: Vec<i32> = (0..64).collect();
        let from = stream.clone_htod(&x).unwrap();
        let mut to = stream.alloc_zeros::<f32>(64).unwrap();
        let function = module.load_function("jumps").unwrap();
        let mut launch = stream.launch_builder(&function);
        launch.arg(&from).arg(&mut to);
        // SAFETY: the arguments are the kernel's parameters.
        unsafe { launch.launch(shape) }.unwrap();
        for (x, found) in x.iter().zip(stream.clone_dtoh(&to).unwrap()) {
            let expected = jumped(*x);
            assert!(
                (found - expected).abs() <= 3e-7 * expected.abs().max(1.0),
                "{arch}, {x}: {found} {expected}"
            );
        }
        assert_eq!(bench.reports(), [""; 0]);
        let mut to = stream.alloc_zeros::<i32>(64).unwrap();
        let function = module.load_function("asserts").unwrap();
        let mut launch = stream.launch_builder(&function);
        launch.arg(&mut to);
        // SAFETY: the argument is the kernel's parameter.
        unsafe { launch.launch(shape) }.unwrap();
        assert!(stream.synchronize().is_err());
        let reports = bench.reports();
        assert!(
            reports[0].contains("assertion `x < 40` failed at file.cu:12"),
            "{reports:?}"
        );
        bench.reset();
        // cudarc keeps errors of events.
        let _ = context.check_err();
    }
}

fn hashed(x: u32) -> u64 {
    let mut h = u64::from(x).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    h ^= h >> 31;
    h = h % 1_000_003 + h / 77;
    let high = ((u128::from(h) * 0x9e37_79b9_7f4a_7c15) >> 64) as u64;
    let bits = x.count_ones() + x.leading_zeros();
    let high32 = (u64::from(x) * 0xd251_1f53) >> 32;
    // As C adds them: from the left, in 64 bits from the first 64-bit number on.
    h = h
        .wrapping_add(high)
        .wrapping_add(high32)
        .wrapping_add(u64::from(bits))
        .wrapping_add(u64::from(x.reverse_bits()));
    let low = h as u32;
    let permuted = (x & 0xffff) | (low & 0xffff) << 16;
    let shifted = (low << 7) | (x >> 25);
    // Both are unsigned numbers of 32 bits, and their sum is one.
    let sum = permuted
        .wrapping_add(shifted)
        .wrapping_add(h.leading_zeros());
    h = h.wrapping_add(u64::from(sum));
    let quotient = (h as i64 / 19) as u64;
    h.wrapping_add(
        (i64::from(x as i32 % 37) as u64)
            .wrapping_add(u64::from(x / 13))
            .wrapping_add(u64::from(x % 11))
            .wrapping_add(quotient),
    )
}

fn jumped(x: i32) -> f32 {
    let mut values = [0.0; 16];
    for i in 0..16 {
        values[((i * 7 + x) & 15) as usize] = (i + x) as f32;
    }
    match x & 7 {
        0 => values[..3].iter().sum(),
        1 => (x as f32).sin(),
        2 => values[(x & 15) as usize],
        3 => (1.0 / (x as f32 + 1.0)).exp(),
        4 => values.iter().sum(),
        5 => -x as f32,
        6 => (x * x) as f32,
        _ => 2.5,
    }
}
