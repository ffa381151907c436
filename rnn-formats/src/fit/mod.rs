//! Which tensor of a file is which parameter of a model, and what is wrong if they do not fit.

mod names;

use std::collections::BTreeMap;

pub use names::are_pytorch;
pub(crate) use names::optimizers;

use crate::Tensor;
use names::{Assigned, Assignment};

/// How many tensors are compared with a missing parameter, to find the nearest.
const MAX_COMPARED: usize = 1000;

/// A parameter that a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamShape<'m> {
    /// Its name, `lstm/kernel`.
    pub name: &'m str,
    /// Its axes.
    pub shape: &'m [usize],
}

/// Why tensors are not those of a model's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// One line for each difference.
    pub lines: Vec<String>,
    /// Whether names or shapes differ, which other layers may mend. Else numbers are not finite, and nothing more is wrong.
    pub layers: bool,
}

/// The tensor of each parameter: all of them, and no others.
///
/// # Errors
/// [`Misfit`] with one line for every parameter that is missing (and what is nearest to it in the file) or could be several tensors, tensor
/// that the model does not have, shape that differs, and tensor with a number that is not finite.
///
/// ```
/// use rnn_formats::{Tensor, ParamShape, fit};
///
/// let bias = Tensor::new("sequential/dense/bias", [2], vec![1.0, 2.0])?;
/// let wanted = [ParamShape { name: "dense/bias", shape: &[2] }];
/// let tensors = [bias];
/// assert_eq!(fit(&tensors, &wanted).unwrap()[0].values, [1.0, 2.0]);
///
/// let wanted = [ParamShape { name: "dense/bias", shape: &[3] }];
/// assert_eq!(
///     fit(&tensors, &wanted).unwrap_err().lines,
///     ["dense/bias (`sequential/dense/bias` of the file): expected shape [3], found [2]"],
/// );
/// # Ok::<(), rnn_formats::Error>(())
/// ```
pub fn fit<'t>(
    tensors: &'t [Tensor],
    wanted: &[ParamShape<'_>],
) -> Result<Vec<&'t Tensor>, Misfit> {
    let file = File::of(tensors);
    let assignment = file.assign(wanted, true);
    let misfit = file.misfit(wanted, &assignment);
    if !misfit.lines.is_empty() {
        return Err(misfit);
    }
    let found = assignment.of.iter().filter_map(|a| match a {
        Assigned::Tensor(name) => file.tensor(name),
        _ => None,
    });
    Ok(found.collect())
}

/// The tensor of each parameter that the file has, by name and shape; `None` for others. Tensors that are no parameter's are
/// left out.
///
/// ```
/// use rnn_formats::{ParamShape, Tensor, fit_matching};
///
/// let file = [Tensor::new("lstm/kernel", [1, 4], vec![0.5; 4])?, Tensor::new("head/bias", [9], vec![0.0; 9])?];
/// let wanted = [
///     ParamShape { name: "lstm/kernel", shape: &[1, 4] },
///     ParamShape { name: "head/bias", shape: &[2] },
/// ];
/// let found = fit_matching(&file, &wanted).unwrap();
/// assert_eq!(found, [Some(&file[0]), None]);
/// # Ok::<(), rnn_formats::Error>(())
/// ```
///
/// # Errors
/// The lines of [`fit`], for what matches; and if nothing does.
pub fn fit_matching<'t>(
    tensors: &'t [Tensor],
    wanted: &[ParamShape<'_>],
) -> Result<Vec<Option<&'t Tensor>>, Vec<String>> {
    let file = File::of(tensors);
    let assignment = file.assign(wanted, false);
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (param, assigned) in wanted.iter().zip(&assignment.of) {
        let tensor = match assigned {
            Assigned::Tensor(name) => file.tensor(name).filter(|t| t.shape == param.shape),
            Assigned::OneOf(paths) => {
                problems.push(one_of(param, paths));
                None
            }
            Assigned::Missing => None,
        };
        problems.extend(tensor.and_then(|t| not_finite(&label(param, &t.name), &t.values)));
        found.push(tensor);
    }
    if found.iter().all(Option::is_none) {
        problems = file.misfit(wanted, &assignment).lines;
    }
    match problems.is_empty() {
        true => Ok(found),
        false => Err(problems),
    }
}

/// The tensors of a file.
struct File<'t> {
    tensors: &'t [Tensor],
    /// The first of each name. A file may have a million of them, and each is looked for.
    by_name: BTreeMap<&'t str, &'t Tensor>,
}

impl<'t> File<'t> {
    fn of(tensors: &'t [Tensor]) -> Self {
        let all = tensors.iter().rev();
        File {
            tensors,
            by_name: all.map(|t| (t.name.as_str(), t)).collect(),
        }
    }

    fn assign(&self, wanted: &[ParamShape<'_>], whole: bool) -> Assignment<'t> {
        let theirs: Vec<&'t str> = self.tensors.iter().map(|t| t.name.as_str()).collect();
        let ours: Vec<&str> = wanted.iter().map(|w| w.name).collect();
        names::assign(&theirs, &ours, whole)
    }

    fn tensor(&self, name: &str) -> Option<&'t Tensor> {
        self.by_name.get(name).copied()
    }

    fn shape(&self, name: &str) -> &'t [usize] {
        self.tensor(name).map_or(&[], |t| &t.shape)
    }

    /// All reasons why these cannot be the parameters, in their order; then the tensors that the model does not have, by
    /// name.
    fn misfit(&self, wanted: &[ParamShape<'_>], assignment: &Assignment<'_>) -> Misfit {
        let (mut problems, mut numbers) = (Vec::new(), 0);
        for (param, assigned) in wanted.iter().zip(&assignment.of) {
            let name = match assigned {
                Assigned::Tensor(name) => *name,
                Assigned::Missing => {
                    let near = self.nearest(param, &assignment.left).map(|name| {
                        format!(
                            "; the nearest in the file is `{}` {:?}",
                            printable(name),
                            self.shape(name)
                        )
                    });
                    problems.push(format!(
                        "{}: missing, expected shape {:?}{}",
                        param.name,
                        param.shape,
                        near.unwrap_or_default()
                    ));
                    continue;
                }
                Assigned::OneOf(paths) => {
                    problems.push(one_of(param, paths));
                    continue;
                }
            };
            let Some(tensor) = self.tensor(name) else {
                continue;
            };
            let label = label(param, name);
            if tensor.shape != param.shape {
                problems.push(format!(
                    "{label}: expected shape {:?}, found {:?}",
                    param.shape, tensor.shape
                ));
                continue;
            }
            if let Some(problem) = not_finite(&label, &tensor.values) {
                problems.push(problem);
                numbers += 1;
            }
        }
        let extra = assignment.left.iter();
        problems.extend(extra.map(|name| {
            format!(
                "{}: not in the model, shape {:?}",
                printable(name),
                self.shape(name)
            )
        }));
        Misfit {
            layers: problems.len() > numbers,
            lines: problems,
        }
    }

    /// The tensor of `left` that a missing parameter may be: one of its shape with the same last part, or else one of
    /// nearly its name.
    fn nearest<'f>(&self, param: &ParamShape<'_>, left: &[&'f str]) -> Option<&'f str> {
        use strsim::osa_distance as distance;

        let (layer, own) = param.name.split_once('/').unwrap_or(("", param.name));
        let last = |name: &str| name.rsplit('/').next() == own.rsplit('/').next();
        let apart = |name: &str| {
            let of_layer = |part: &str| distance(layer, part);
            name.split('/').map(of_layer).min().unwrap_or(usize::MAX)
        };
        let compared = left.iter().take(MAX_COMPARED);
        let (other, _, name) = compared
            .map(|name| {
                let same = last(name) && self.shape(name) == param.shape;
                (!same, apart(name).min(distance(param.name, name)), *name)
            })
            .min()?;
        let near = !other || distance(param.name, name) <= param.name.len() / 3;
        near.then_some(name)
    }
}

/// The problem of a parameter with numbers that are not finite.
fn not_finite(label: &str, values: &[f32]) -> Option<String> {
    let first = values.iter().position(|v| !v.is_finite())?;
    let bad = values.iter().filter(|v| !v.is_finite()).count();
    Some(format!(
        "{label}: {bad} of {} numbers not finite, the first at index {first}",
        values.len()
    ))
}

/// A parameter, and what the file calls it if that is another name.
fn label(param: &ParamShape<'_>, tensor: &str) -> String {
    match param.name == tensor {
        true => param.name.to_owned(),
        false => format!("{} (`{}` of the file)", param.name, printable(tensor)),
    }
}

/// The problem of a parameter that could be several tensors.
fn one_of(param: &ParamShape<'_>, paths: &[&str]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|p| format!("`{}`", printable(p)))
        .collect();
    format!(
        "{}: could be in {}; give the layers the same names in Keras and here",
        param.name,
        paths.join(" or ")
    )
}

/// A name from a file, harmless on a terminal.
fn printable(name: &str) -> String {
    name.escape_debug().to_string()
}
