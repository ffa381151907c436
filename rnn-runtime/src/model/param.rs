//! The numbers of one parameter, by its name.

use std::ops::Range;

use ndarray::{ArrayBase, ArrayViewD, Data, Dimension, IxDyn};

use super::Program;
use crate::{
    error::Error,
    params::{ParamSpec, distance},
};

/// A parameter and where its weights are.
pub(super) fn find<'a>(
    params: &'a [ParamSpec],
    name: &str,
) -> Option<(&'a ParamSpec, Range<usize>)> {
    let mut at = 0;
    for p in params {
        if p.name == name {
            return Some((p, at..at + p.len()));
        }
        at += p.len();
    }
    None
}

/// The same, or an error that lists the parameters, the nearest first.
fn known<'a>(params: &'a [ParamSpec], name: &str) -> Result<(&'a ParamSpec, Range<usize>), Error> {
    find(params, name).ok_or_else(|| {
        let mut others: Vec<&ParamSpec> = params.iter().collect();
        others.sort_by_key(|p| distance(p.name, name));
        let others = others.iter().map(|p| format!("`{}` {:?}", p.name, p.shape));
        let others = others.collect::<Vec<_>>().join(", ");
        Error::Argument(match others.is_empty() {
            true => format!("there is no parameter `{name}`: this model has none"),
            false => format!("there is no parameter `{name}`; this model has {others}"),
        })
    })
}

/// What [`Model::param_view`](super::Model::param_view) gives.
pub(super) fn view<'a, P: Program>(model: &'a P, name: &str) -> Result<ArrayViewD<'a, f32>, Error> {
    let (spec, range) = known(P::INFO.params, name)?;
    model.data().check()?;
    let weights = model.data().host_weights()?;
    let values = weights.get(range).unwrap_or_default();
    ArrayViewD::from_shape(IxDyn(spec.shape), values)
        .map_err(|e| Error::Argument(format!("{name}: {e}")))
}

/// What [`Model::set_param`](super::Model::set_param) does.
pub(super) fn set<P: Program, A, S, D>(
    model: &mut P,
    name: &str,
    value: &ArrayBase<S, D>,
) -> Result<(), Error>
where
    A: Copy + Into<f64>,
    S: Data<Elem = A>,
    D: Dimension,
{
    let (spec, range) = known(P::INFO.params, name)?;
    if value.shape() != spec.shape {
        return Err(Error::Shape {
            what: name.to_owned(),
            expected: format!("{:?}", spec.shape),
            found: format!("{:?}", value.shape()),
        });
    }
    let floats = value.iter().map(|x| (*x).into() as f32);
    if let Some(index) = floats.clone().position(|x| !x.is_finite()) {
        let index = indices(spec.shape, index);
        return Err(Error::Argument(format!(
            "{name}: the number at {index:?} is not finite, or too large for f32"
        )));
    }
    // The other weights come from the device that has them.
    model.data_mut().weights_mut();
    model.data().check()?;
    let weights = model.data_mut().weights_mut();
    for (to, x) in weights[range].iter_mut().zip(floats) {
        *to = x;
    }
    Ok(())
}

/// The indices of a number of an array of this shape.
fn indices(shape: &[usize], mut number: usize) -> Vec<usize> {
    let mut found: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&size| {
            let index = number % size.max(1);
            number /= size.max(1);
            index
        })
        .collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Init;

    #[test]
    fn numbers_are_found_by_their_indices() {
        assert_eq!(indices(&[2, 3], 5), [1, 2]);
        assert_eq!(indices(&[2, 3, 4], 17), [1, 1, 1]);
        assert_eq!(indices(&[7], 6), [6]);
    }

    #[test]
    fn an_unknown_name_lists_the_nearest_first() {
        let specs = [
            ParamSpec::new("gru/kernel", &[2, 3], Init::Zeros),
            ParamSpec::new("glove/embeddings", &[9, 2], Init::Zeros),
        ];
        assert_eq!(
            known(&specs, "glov/embedding").unwrap_err().to_string(),
            "there is no parameter `glov/embedding`; this model has `glove/embeddings` [9, 2], `gru/kernel` [2, 3]"
        );
        assert_eq!(
            known(&[], "x").unwrap_err().to_string(),
            "there is no parameter `x`: this model has none"
        );
        assert_eq!(known(&specs, "glove/embeddings").unwrap().1, 6..24);
    }
}
