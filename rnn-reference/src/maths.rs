//! The functions of the cell language on one `f64`.

use rnn_compiler::cell::graph::{Binary, Compare, Unary};

pub(super) fn unary(u: Unary, x: f64) -> f64 {
    match u {
        Unary::Neg => -x,
        Unary::Exp => x.exp(),
        Unary::Expm1 => x.exp_m1(),
        Unary::Log => x.ln(),
        Unary::Log1p => x.ln_1p(),
        Unary::Tanh => x.tanh(),
        Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Unary::Erf => erf(x),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Sqrt => x.sqrt(),
        Unary::Rsqrt => 1.0 / x.sqrt(),
        Unary::Abs => x.abs(),
        Unary::Sign if x > 0.0 => 1.0,
        Unary::Sign if x < 0.0 => -1.0,
        Unary::Sign => 0.0,
        // log(1 + exp(x)), where the exponential does not overflow.
        Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Unary::Flush if x.abs() < Unary::FLUSHED => 0.0,
        Unary::Detach | Unary::Broadcast | Unary::Flush => x,
    }
}

pub(super) fn binary(b: Binary, x: f64, y: f64) -> f64 {
    match b {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div => x / y,
        Binary::Min => x.min(y),
        Binary::Max => x.max(y),
        Binary::Pow => x.powf(y),
    }
}

pub(super) fn compare(how: Compare, a: f64, b: f64) -> bool {
    match how {
        Compare::Lt => a < b,
        Compare::Le => a <= b,
        Compare::Gt => a > b,
        Compare::Ge => a >= b,
        Compare::Eq => a == b,
    }
}

/// `2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1))` (Abramowitz and Stegun, 7.1.6): all terms
/// have one sign, so nothing cancels. Beyond 6 the nearest `f64` is ±1.
fn erf(x: f64) -> f64 {
    if x.abs() >= 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > sum.abs() * 1e-18 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Abramowitz and Stegun, table 7.1, and of mpmath with 20 digits.
    #[test]
    fn erf_has_its_known_values() {
        for (x, y) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (-1.0, -0.842_700_792_949_714_9),
            (7.0, 1.0),
        ] {
            assert!((erf(x) - y).abs() < 1e-15, "erf({x}) = {}", erf(x));
        }
    }

    #[test]
    fn softplus_does_not_overflow() {
        assert_eq!(unary(Unary::Softplus, 1000.0), 1000.0);
        assert!((unary(Unary::Softplus, 0.0) - 2f64.ln()).abs() < 1e-16);
        assert!(unary(Unary::Softplus, -800.0) >= 0.0);
    }

    #[test]
    fn states_are_flushed_where_the_compiled_ones_are() {
        let flush = |x| unary(Unary::Flush, x);
        let smallest = 2f64.powi(-63);
        let kept = [smallest, -smallest, 1.5];
        assert_eq!(kept.map(flush), kept);
        assert_eq!([smallest.next_down(), -1e-30, 1e-40].map(flush), [0.0; 3]);
        assert!(flush(f64::NAN).is_nan());
    }
}
