//! The kernels that belong to no model.

use super::parameters;

/// The text before every kernel.
pub(super) const COMMON: [&str; 2] = [
    include_str!("kernels/memory.cuh"),
    include_str!("kernels/math.cuh"),
];

const TENSOR: &str = include_str!("kernels/tensor.cuh");
const GRADIENT_TILE: &str = include_str!("kernels/gradient_tile.cuh");
const TENSOR_GRADIENTS: &str = include_str!("kernels/tensor_gradients.cuh");

/// The kernels that belong to no model, in groups that are compiled when one of them is first needed: NVRTC takes seconds for
/// all of them. The first group is needed by every model.
pub(super) const OPERATIONS: [&[&str]; 9] = [
    &[include_str!("kernels/moves.cuh")],
    &[include_str!("kernels/random.cuh")],
    &[include_str!("kernels/normalize.cuh")],
    &[GRADIENT_TILE, include_str!("kernels/gradients.cuh")],
    &[include_str!("kernels/losses.cuh")],
    &[include_str!("kernels/optimize.cuh")],
    &[TENSOR, include_str!("kernels/fragments.cuh")],
    &[
        TENSOR,
        GRADIENT_TILE,
        TENSOR_GRADIENTS,
        include_str!("kernels/gradients_tf32.cuh"),
    ],
    &[
        TENSOR,
        GRADIENT_TILE,
        TENSOR_GRADIENTS,
        include_str!("kernels/gradients_bf16.cuh"),
    ],
];

/// Those that every training needs: gradients, losses, steps of optimizers.
pub(super) const TRAINING: [usize; 3] = [3, 4, 5];

/// The kernels that belong to no model, as the texts that are compiled one by one, when a model needs them.
pub fn operations() -> [String; OPERATIONS.len()] {
    OPERATIONS.map(text_of)
}

/// A group as text.
pub(super) fn text_of(kernels: &[&str]) -> String {
    let mut source = parameters::declarations();
    for text in COMMON.iter().chain(kernels) {
        source += text;
    }
    source
}

/// The group of [`OPERATIONS`] with a kernel of this name.
pub(super) fn group_of(kernel: &str) -> usize {
    let declared = format!(" {kernel}(const ");
    let is_in = |group: &&[&str]| group.iter().any(|text| text.contains(&declared));
    match OPERATIONS.iter().position(is_in) {
        Some(group) => group,
        None => unreachable!("no kernel {kernel}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_prepares_what_it_runs() {
        let kernels = ["matrix_gradient", "score_rows", "parameter_sums"];
        assert_eq!(kernels.map(group_of), TRAINING);
    }

    #[test]
    fn every_operation_is_found_where_it_stands() {
        let mut found = 0;
        for (group, texts) in OPERATIONS.iter().enumerate() {
            let entries = texts
                .iter()
                .flat_map(|text| text.split("__global__ ").skip(1));
            for entry in entries {
                let name = entry
                    .split("(const ")
                    .next()
                    .and_then(|s| s.split(' ').next_back());
                assert_eq!(group_of(name.unwrap()), group, "{name:?}");
                found += 1;
            }
        }
        assert!(found > 30, "{found}");
    }
}
