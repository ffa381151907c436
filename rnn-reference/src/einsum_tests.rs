//! `einsum` against its definition, on random numbers.

use std::collections::BTreeMap;

use super::cell_tests::{Numbers, build, check, close, size};
use rnn_compiler::{emit::CPU, kernels::forms};

/// `einsum` by its definition. Values are data with a batch of one, which has no letter here.
fn by_definition(equation: &str, values: &[(&[f64], Vec<usize>, String)]) -> Vec<f64> {
    let output: String = equation.split_once("->").unwrap().1[1..].into();
    let mut sizes: BTreeMap<char, usize> = BTreeMap::new();
    for (_, shape, letters) in values {
        sizes.extend(letters.chars().zip(shape.iter().copied()));
    }
    let index = |letters: &str, at: &BTreeMap<char, usize>| -> usize {
        letters.chars().fold(0, |i, l| i * sizes[&l] + at[&l])
    };
    let mut sum = vec![0.0; output.chars().map(|l| sizes[&l]).product()];
    for n in 0..sizes.values().product() {
        let mut rest: usize = n;
        let mut at = BTreeMap::new();
        for (&l, &size) in &sizes {
            at.insert(l, rest % size);
            rest /= size;
        }
        let product =
            |p: f64, (v, _, letters): &(&[f64], Vec<usize>, String)| p * v[index(letters, &at)];
        sum[index(&output, &at)] += values.iter().fold(1.0, product);
    }
    sum
}

/// Equation, shapes of data, shapes of parameters.
type Sum = (
    &'static str,
    &'static [&'static [usize]],
    &'static [&'static [usize]],
);

const SUMS: &[Sum] = &[
    // One product.
    ("bi,ij->bj", &[&[3]], &[&[3, 4]]),
    ("bij,ijkl->bkl", &[&[2, 3]], &[&[2, 3, 4, 2]]),
    ("bij,ij->b", &[&[2, 3]], &[&[2, 3]]),
    // A product for each of the data's other axes.
    ("bij,jk->bik", &[&[3, 2]], &[&[2, 4]]),
    ("bijk,kl->bijl", &[&[2, 2, 3]], &[&[3, 2]]),
    ("bij,ijk->bik", &[&[2, 3]], &[&[2, 3, 4]]),
    // The sum over an axis that is not the last one of data or the first one of the parameter.
    ("bij,ik->bjk", &[&[3, 2]], &[&[3, 4]]),
    ("bij,ik->bkj", &[&[3, 2]], &[&[3, 4]]),
    ("bi,jik->bjk", &[&[3]], &[&[2, 3, 4]]),
    ("bi,jik->bkj", &[&[3]], &[&[2, 3, 4]]),
    ("bi,jki->bjk", &[&[3]], &[&[2, 4, 3]]),
    ("bij,jik->bk", &[&[3, 2]], &[&[2, 3, 4]]),
    ("bj,ij->bi", &[&[3]], &[&[4, 3]]),
    ("bi,ij->b", &[&[3]], &[&[3, 4]]),
    ("bij,jk->bk", &[&[3, 2]], &[&[2, 4]]),
    ("bi,ijk->bj", &[&[2]], &[&[2, 3, 4]]),
    ("bih,ijh->bjh", &[&[2, 3]], &[&[2, 4, 3]]),
    ("bij,jki->bk", &[&[3, 2]], &[&[2, 4, 3]]),
    // Lane by lane.
    ("bij,bij->bij", &[&[2, 3], &[2, 3]], &[]),
    ("bij,ij->bij", &[&[2, 3]], &[&[2, 3]]),
    ("bij,j->bij", &[&[2, 3]], &[&[3]]),
    ("bij,i->bij", &[&[2, 3]], &[&[2]]),
    ("bi,jk->bijk", &[&[2]], &[&[2, 3]]),
    ("bi,bj->bij", &[&[2], &[3]], &[]),
    ("bi,bi->b", &[&[3], &[3]], &[]),
    ("bi,bj->b", &[&[3], &[2]], &[]),
    ("bij,bj->bi", &[&[2, 3], &[3]], &[]),
    ("bi,bij->bj", &[&[2], &[2, 3]], &[]),
    ("bij,bjk->bik", &[&[2, 3], &[3, 4]], &[]),
    ("bij,bkj->bik", &[&[2, 3], &[4, 3]], &[]),
    ("bij,bji->b", &[&[2, 3], &[3, 2]], &[]),
    ("bij->bji", &[&[2, 3]], &[]),
    ("bij->bi", &[&[2, 3]], &[]),
    ("bij->bj", &[&[2, 3]], &[]),
    ("bij->b", &[&[2, 3]], &[]),
    ("bij->bij", &[&[2, 3]], &[]),
    ("bi,bi,i->bi", &[&[3], &[3]], &[&[3]]),
    // Data with data, then a product.
    ("bi,bj,ijk->bk", &[&[2], &[3]], &[&[2, 3, 4]]),
    ("bi,bi,ik->bk", &[&[2], &[2]], &[&[2, 3]]),
    ("bl,bi,ik->blk", &[&[2], &[3]], &[&[3, 4]]),
];

#[test]
fn sums_are_what_they_are_defined_as() {
    for (equation, data, params) in SUMS {
        let words: Vec<&str> = equation.split_once("->").unwrap().0.split(',').collect();
        let list = |shape: &[usize]| format!("{shape:?}");
        let mut text = String::from("cell Sum() {");
        for (i, shape) in data.iter().enumerate() {
            text += &format!("input x{i}: {};", list(shape));
        }
        let mut operands: Vec<String> = Vec::new();
        for (i, shape) in params.iter().enumerate() {
            text += &format!("param p{i}: {} = ones;", list(shape));
        }
        // As it is, and as a value that is computed, in parts where that is possible.
        for (i, shape) in data.iter().enumerate() {
            text += &format!("let y{i} = tanh(x{i}) * x{i};");
            if let [n] = shape {
                let names: Vec<String> = (0..*n).map(|j| format!("y{i}_{j}")).collect();
                let names = names.join(", ");
                text += &format!("let [{names}] = split(y{i}); let y{i} = concat({names});");
            }
        }
        for v in ["x", "y"] {
            let data = (0..data.len()).map(|i| format!("{v}{i}"));
            let params = (0..params.len()).map(|i| format!("p{i}"));
            let all: Vec<String> = data.chain(params).collect();
            operands.push(format!("einsum({equation:?}, {})", all.join(", ")));
        }
        text += &format!("output {}; }}", operands.join(", "));
        check(&text, &[], data);

        let cell = build(&text, &[], data).unwrap();
        let numbers = Numbers::of(&cell);
        let (_, out) = numbers.step(&cell);
        let computed: Vec<Vec<f64>> = (numbers.inputs.iter())
            .map(|x| x.iter().map(|x| x.tanh() * x).collect())
            .collect();
        for (inputs, out) in [&numbers.inputs, &computed].into_iter().zip(&out) {
            let of_data = inputs.iter().zip(*data).map(|(x, s)| (x, s, 1));
            let of_params = numbers.weights.iter().zip(*params).map(|(x, s)| (x, s, 0));
            let values: Vec<_> = of_data
                .chain(of_params)
                .zip(&words)
                .map(|((x, s, skip), w)| (x.as_slice(), s.to_vec(), w[skip..].to_owned()))
                .collect();
            close(equation, out, &by_definition(equation, &values), 1e-12);
        }
        let shape: Vec<usize> = cell.outputs[0].shape.iter().map(size).collect();
        let letters = equation.split_once("->").unwrap().1;
        assert_eq!(shape.len(), (letters.len() - 1).max(1), "{equation}");
    }
}

/// The contraction of all axes is one product, whatever their number; each kept axis gives one.
#[test]
fn sums_become_few_products() {
    let count = |equation: &str, data: &[usize], param: &[usize]| {
        let text = format!(
            "cell Sum() {{ input x: {data:?}; param p: {param:?} = ones;
            output einsum({equation:?}, x, p); }}"
        );
        let cell = build(&text, &[], &[data]).unwrap();
        let program = forms::inference(&cell, false, &CPU).unwrap();
        program.step.iter().map(|p| p.products.len()).sum::<usize>()
    };
    assert_eq!(count("bij,ijkl->bkl", &[8, 9], &[8, 9, 7, 6]), 1);
    assert_eq!(count("bij,jk->bik", &[5, 9], &[9, 7]), 5);
}
