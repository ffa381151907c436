//! Numbers of the program that a parameter starts with: an array, or a function that writes them.

use std::ptr::fn_addr_eq;

/// How many axes an array may have.
const MAX_AXES: usize = 8;

/// Numbers of the program that a parameter starts with. `rnn_cell!` makes one of an array or a function:
/// `frozen param a: [order, order] = MATRIX;`.
///
/// ```
/// use recurrent::params::{Init, OwnInit, ParamSpec};
///
/// /// 0, 1, 2, … of a parameter of any shape.
/// fn count(_shape: &[usize], values: &mut [f32]) {
///     for (i, value) in values.iter_mut().enumerate() {
///         *value = i as f32;
///     }
/// }
/// let spec = ParamSpec::new("rnn/a", &[2, 2], Init::Own(OwnInit::new(None, count)));
/// assert_eq!(recurrent::init::initialise(&[spec], 0), [0.0, 1.0, 2.0, 3.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OwnInit {
    axes: Option<Axes>,
    write: fn(&[usize], &mut [f32]),
}

/// The shape of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct Axes {
    count: usize,
    sizes: [usize; MAX_AXES],
}

impl PartialEq for OwnInit {
    /// Whether both have one shape and one function.
    fn eq(&self, other: &Self) -> bool {
        self.axes == other.axes && fn_addr_eq(self.write, other.write)
    }
}

impl OwnInit {
    /// What `write` writes: it is given the parameter's shape, and its floats, row-major. `axes` is the shape that it is
    /// made for; `None` for any.
    pub const fn new(axes: Option<Axes>, write: fn(&[usize], &mut [f32])) -> Self {
        OwnInit { axes, write }
    }

    /// Whether a parameter of this shape can start with it.
    pub const fn fits(&self, shape: &[usize]) -> bool {
        let Some(Axes { count, sizes }) = self.axes else {
            return true;
        };
        if count != shape.len() {
            return false;
        }
        let mut i = 0;
        while i < count {
            if i >= MAX_AXES || sizes[i] != shape[i] {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Writes the numbers of a parameter of this shape.
    pub(crate) fn write(&self, shape: &[usize], values: &mut [f32]) {
        (self.write)(shape, values);
    }
}

/// What a parameter can start with. `Kind` tells arrays and functions apart, which rustc cannot by itself.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a parameter cannot start with `{Self}`",
    label = "neither an array of floats nor a function that writes them",
    note = "an array is `const A: [[f32; 4]; 4] = …;`, with as many axes as the parameter",
    note = "a function is `fn a(shape: &[usize], values: &mut [f32])`: it writes all numbers, row-major"
)]
pub trait OwnNumbers<Kind> {
    /// The shape; `None` for any.
    const AXES: Option<Axes>;
    /// Writes the numbers of a parameter of this shape.
    fn write(&self, shape: &[usize], values: &mut [f32]);
}

/// An [`OwnNumbers`] that is an array.
#[doc(hidden)]
#[derive(Debug)]
pub enum ByArray {}

/// An [`OwnNumbers`] that is a function.
#[doc(hidden)]
#[derive(Debug)]
pub enum ByFunction {}

impl<F: Fn(&[usize], &mut [f32])> OwnNumbers<ByFunction> for F {
    const AXES: Option<Axes> = None;

    fn write(&self, shape: &[usize], values: &mut [f32]) {
        self(shape, values);
    }
}

impl<T: Nested, const N: usize> OwnNumbers<ByArray> for [T; N] {
    const AXES: Option<Axes> = Some(<[T; N] as Nested>::AXES);

    fn write(&self, _: &[usize], values: &mut [f32]) {
        self.copy_to(values);
    }
}

/// A number, or an array of them.
#[doc(hidden)]
pub trait Nested {
    /// The shape.
    const AXES: Axes;
    /// Writes all numbers, row-major, into as many floats.
    fn copy_to(&self, values: &mut [f32]);
}

macro_rules! number {
    ($($number:ty)*) => {$(
        impl Nested for $number {
            const AXES: Axes = Axes { count: 0, sizes: [0; MAX_AXES] };

            #[allow(clippy::unnecessary_cast)]
            fn copy_to(&self, values: &mut [f32]) {
                values.fill(*self as f32);
            }
        }
    )*};
}

number!(f32 f64);

impl<T: Nested, const N: usize> Nested for [T; N] {
    const AXES: Axes = {
        let inner = T::AXES;
        let mut axes = Axes {
            count: inner.count + 1,
            sizes: [N; MAX_AXES],
        };
        let mut i = 1;
        while i < MAX_AXES {
            axes.sizes[i] = inner.sizes[i - 1];
            i += 1;
        }
        axes
    };

    fn copy_to(&self, values: &mut [f32]) {
        let part = values.len() / N.max(1);
        for (one, values) in self.iter().zip(values.chunks_exact_mut(part.max(1))) {
            one.copy_to(values);
        }
    }
}

/// The shape of what a parameter starts with.
#[doc(hidden)]
pub const fn axes_of<Kind, T: OwnNumbers<Kind>>(_: &T) -> Option<Axes> {
    T::AXES
}

/// Writes what a parameter starts with.
#[doc(hidden)]
pub fn write_own<Kind, T: OwnNumbers<Kind>>(numbers: &T, shape: &[usize], values: &mut [f32]) {
    numbers.write(shape, values);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        init::initialise,
        params::{Init, ParamSpec},
    };

    const MATRIX: [[f64; 3]; 2] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];

    fn sizes(shape: &[usize], values: &mut [f32]) {
        for (value, size) in values.iter_mut().zip(shape) {
            *value = *size as f32;
        }
    }

    const ARRAY: OwnInit = OwnInit::new(axes_of(&MATRIX), |s, v| write_own(&MATRIX, s, v));
    const FUNCTION: OwnInit = OwnInit::new(axes_of(&sizes), |s, v| write_own(&sizes, s, v));

    #[test]
    fn arrays_have_shapes_and_functions_have_any() {
        for (shape, fits) in [
            (&[2, 3][..], true),
            (&[3, 2], false),
            (&[6], false),
            (&[2, 3, 1], false),
            (&[], false),
        ] {
            assert_eq!(ARRAY.fits(shape), fits, "{shape:?}");
            assert!(FUNCTION.fits(shape));
        }
        let deep = OwnInit::new(axes_of(&[[[[[[[[[0.0f32]]]]]]]]]), |_, _| {});
        assert!(!deep.fits(&[1; 9]) && !deep.fits(&[1; 8]));
    }

    #[test]
    fn a_parameter_starts_with_them() {
        let specs = [
            ParamSpec::new("rnn/a", &[2, 3], Init::Own(ARRAY)).frozen(),
            ParamSpec::new("rnn/b", &[2, 2], Init::Own(FUNCTION)),
        ];
        let weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0, 2.0, 0.0, 0.0];
        assert_eq!(initialise(&specs, 7), weights);
        assert_eq!(Init::Own(ARRAY), Init::Own(ARRAY));
        assert_ne!(Init::Own(ARRAY), Init::Own(FUNCTION));
    }
}
