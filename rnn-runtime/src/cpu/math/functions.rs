//! The functions by their names, and where their code stands.
//!
//! The formulas stand in the other files of this folder. Whether a kernel has a copy of one or calls it is [`CALLED`].

use crate::cpu::simd::{CALLED, Simd};

macro_rules! last {
    ($x:ident) => {
        $x
    };
    ($x:ident $y:ident) => {
        $y
    };
}

macro_rules! functions {
    ($($(#[$about:meta])* $function:ident: $name:ident($x:ident $(, $y:ident)?) = $formula:path;)*) => {
        /// A function of this module.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function {
            $(#[doc = concat!("[`", stringify!($name), "`]")] $function,)*
        }

        impl Function {
            /// The function of `x`, or of `x` and `y`.
            #[inline(always)]
            pub(super) fn of<S: Simd>(self, s: S, x: S::V, y: S::V) -> S::V {
                // Those of one argument do not read it.
                let _ = y;
                match self {
                    $(Function::$function => {
                        let $x = x;
                        $(let $y = y;)?
                        $formula(s, $x $(, $y)?)
                    })*
                }
            }
        }

        $(
            $(#[$about])*
            #[inline(always)]
            pub fn $name<S: Simd>(s: S, $x: S::V $(, $y: S::V)?) -> S::V {
                if CALLED {
                    // A function of one argument gets it twice.
                    return s.call(Function::$function, $x, last!($x $($y)?));
                }
                // Without vectors the formula is some thirty instructions for each unit of a tile, and a third as many
                // constants: a tile calls the one copy for its four units. C passes a few floats in registers, where Rust
                // uses memory. Targets that have vectors would not even compile it for theirs.
                #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", simd128)))]
                if const { S::One::LANES == 1 } {
                    #[inline(never)]
                    #[allow(improper_ctypes_definitions)]
                    extern "C" fn copy<S: Simd>(s: S, $x: S::V $(, $y: S::V)?) -> S::V {
                        $formula(s, $x $(, $y)?)
                    }
                    return copy(s, $x $(, $y)?);
                }
                $formula(s, $x $(, $y)?)
            }
        )*
    };
}

functions! {
    /// eˣ, at most [`MAX_ULP`](super::MAX_ULP). Overflows to infinity above 88.72; below -87.3 the
    /// result is subnormal and as exact as those are; 0 below -104.
    Exp: exp(x) = super::exp::exp;

    /// eˣ - 1, without cancellation near 0, at most [`MAX_ULP`](super::MAX_ULP).
    Expm1: expm1(x) = super::exp::expm1;

    /// The logistic function 1 / (1 + e⁻ˣ), at most [`MAX_ULP`](super::MAX_ULP) where it is a
    /// normal number; below -87.3, where it would be subnormal, between 0 and 2⁻¹²⁶.
    Sigmoid: sigmoid(x) = super::exp::sigmoid;

    /// The hyperbolic tangent, at most [`MAX_ULP`](super::MAX_ULP), within [-1, 1].
    /// A zero of either sign gives +0.
    Tanh: tanh(x) = super::tanh::tanh;

    /// The natural logarithm, at most [`MAX_ULP`](super::MAX_ULP): -∞ at ±0, NaN below 0.
    Log: log(x) = super::log::log;

    /// log(1 + x), without cancellation near 0, at most [`MAX_ULP`](super::MAX_ULP):
    /// -∞ at -1, NaN below.
    Log1p: log1p(x) = super::log::log1p;

    /// The error function 2/√π ∫₀ˣ e^(-t²) dt, at most [`MAX_ULP`](super::MAX_ULP).
    Erf: erf(x) = super::erf::erf;

    /// The sine, at most [`MAX_ULP`](super::MAX_ULP) for |x| <= 8192; beyond, a number in [-1, 1]
    /// that loses accuracy with the size of x; NaN for infinities.
    Sin: sin(x) = super::trig::sin;

    /// The cosine, at most [`MAX_ULP`](super::MAX_ULP) for |x| <= 8192; beyond, a number in [-1, 1]
    /// that loses accuracy with the size of x; NaN for infinities.
    Cos: cos(x) = super::trig::cos;

    /// xʸ with the special cases of IEEE 754 (x⁰ = 1ʸ = 1 even for NaN; NaN for a negative finite x
    /// and a y that is no integer).
    ///
    /// The relative error is at most (4 + 4 |y log x|) · 2⁻²⁴: a few units in the last place for
    /// results near 1, some hundred near the ends of the range, because the logarithm is rounded to
    /// an f32 before y multiplies it.
    Pow: pow(x, y) = super::pow::pow;

    /// `log(1 + exp(x))`, without overflow: `max(x, 0) + log1p(exp(-|x|))`.
    Softplus: softplus(x) = super::log::softplus;
}
