//! The parameters of kernels: each list is written once, and is a structure in Rust and in CUDA.

/// A type that stands in a kernel's parameters.
pub(super) trait Parameter: Copy {
    /// Its name in CUDA.
    const NAME: &'static str;
}

macro_rules! named {
    ($($type:ty = $name:literal;)*) => {$(
        impl Parameter for $type {
            const NAME: &'static str = $name;
        }
    )*};
}
named! {
    i32 = "int";
    u32 = "unsigned";
    u64 = "unsigned long long";
    f32 = "float";
    f64 = "double";
}

/// Pointers into the memory of the device.
macro_rules! pointers {
    ($($(#[$doc:meta])* $type:ident = $name:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[repr(transparent)]
        pub(super) struct $type(pub u64);
        named! { $type = $name; }
    )*};
}
pointers! {
    /// Floats that a kernel may write.
    Floats = "float*";
    /// Doubles that a kernel may write.
    Doubles = "double*";
    /// Whole numbers that a kernel reads.
    Words = "const unsigned*";
    /// A pair of the seed and the number of the step, which change from batch to batch while a graph stays.
    Seeds = "const unsigned long long*";
    /// What is packed from what.
    PackTasks = "const PackTask*";
    /// The chunks of the trained weights.
    UpdateChunks = "const UpdateChunk*";
}

impl Floats {
    /// The float after so many others.
    pub fn after(self, floats: usize) -> Floats {
        Floats(self.0.wrapping_add(4 * floats as u64))
    }
}

impl Words {
    /// The number after so many others.
    pub fn after(self, words: usize) -> Words {
        Words(self.0.wrapping_add(4 * words as u64))
    }
}

impl PackTasks {
    /// The task after so many others.
    pub fn after(self, tasks: usize) -> PackTasks {
        PackTasks(self.0.wrapping_add((tasks * size_of::<PackTask>()) as u64))
    }
}

impl Doubles {
    /// The double after so many others.
    pub fn after(self, doubles: usize) -> Doubles {
        Doubles(self.0.wrapping_add(8 * doubles as u64))
    }
}

/// A structure for the parameters of a kernel of the same name in lower case, or for a part of them.
macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident $(for $kernel:literal)? { $($(#[$of:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            #[repr(C)]
            pub(super) struct $name { $($(#[$of])* pub $field: $type,)* }

            impl Parameter for $name {
                const NAME: &'static str = stringify!($name);
            }

            // SAFETY: it is `repr(C)` and has no pointers of the host: numbers, and pointers of the device.
            unsafe impl cudarc::driver::DeviceRepr for $name {}

            $(impl Operation for $name {
                const KERNEL: &'static str = $kernel;
            })?
        )*

        /// All structures as CUDA.
        pub(super) fn declarations() -> String {
            let mut text = String::new();
            $(
                text += concat!("struct ", stringify!($name), " {\n");
                $(
                    text += &format!("  {} {};\n", <$type as Parameter>::NAME, stringify!($field));
                )*
                text += "};\n";
            )*
            text
        }
    };
}

/// All parameters of a kernel.
pub(super) trait Operation: cudarc::driver::DeviceRepr {
    /// The kernel's name.
    const KERNEL: &'static str;
}

parameters! {
    /// A vector of every row at every step.
    View {
        /// The vector of the first row at the first step.
        base: Floats,
        /// Floats from one row to the next.
        row: i32,
        /// Which of its steps holds which time: see `step_of` in `memory.cuh`.
        extent: i32,
        /// 1 for the value after a step.
        after: i32,
        /// Steps of its axis.
        total: i32,
    }

    /// What a fused kernel is told beside its tables, which are constants in its text.
    Run {
        /// The values.
        values: Floats,
        /// The packed weights.
        packed: Floats,
        /// Steps that count, one number a row and step; null: all of them.
        mask: Floats,
        /// Floats from one row of the mask to the next.
        mask_row: i32,
        /// Rows of the batch.
        rows: i32,
        /// The first step.
        first: i32,
        /// How many.
        steps: i32,
        /// Steps of the axis.
        total: i32,
        /// States are zero at the first step: products with them are left out there.
        fresh: i32,
    }

    /// One gate of a packed matrix, or a packed vector.
    PackTask {
        /// Its first float among all weights.
        from: u32,
        /// Floats from one row of the parameter to the next.
        columns: u32,
        /// Rows of the product.
        k: u32,
        /// Columns of the product.
        width: u32,
        /// It is read by columns.
        transposed: u32,
        /// Where the packed matrix starts.
        to: u32,
        /// Which of its gates this is.
        gate: u32,
        /// How many it has.
        gates: u32,
        /// What its numbers become: its number is in `layout.rs`.
        precision: u32,
    }

    /// Packs weights: `[k][gates][width]`, or as fragments.
    Pack for "pack" {
        weights: Floats,
        packed: Floats,
        tasks: PackTasks,
        count: i32,
    }

    /// `[rows][time][width]` from the host becomes a value.
    CopyIn for "copy_in" {
        to: View,
        x: Floats,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// A value becomes `[rows][time][width]` for the host.
    CopyOut for "copy_out" {
        from: View,
        y: Floats,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// Rows of a table by ids.
    Gather for "gather" {
        to: View,
        table: Floats,
        ids: Words,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// The gradient of a table: for each id that came, the sum of the gradients of its places in their order.
    Scatter for "scatter" {
        from: View,
        gradient: Floats,
        /// Each id that came, once.
        ids: Words,
        /// Where the places of each id start, and where the last end.
        starts: Words,
        /// Places: `row * steps + step`.
        places: Words,
        /// How many ids came, a single number.
        count: Words,
        steps: i32,
        rows: i32,
        width: i32,
    }

    /// 1 where an id is not 0.
    MaskIds for "mask_ids" {
        to: View,
        ids: Words,
        rows: i32,
        steps: i32,
    }

    /// The numbers of a row, cut into other steps.
    Reshape for "reshape" {
        from: View,
        to: View,
        rows: i32,
        /// Floats of a row at all steps.
        floats: i32,
        from_width: i32,
        to_width: i32,
    }

    /// `[time, width]` to `[width, time]`.
    Permute for "permute" {
        from: View,
        to: View,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// The steps last to first.
    Reverse for "reverse" {
        from: View,
        to: View,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// A value without time at every step.
    Repeat for "repeat" {
        from: View,
        to: View,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// The sum over time.
    SumOverTime for "sum_over_time" {
        from: View,
        to: View,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// The sum of two values.
    Sum for "sum" {
        from: View,
        and_: View,
        to: View,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// Zeros.
    Clear for "clear" {
        to: View,
        rows: i32,
        first: i32,
        steps: i32,
        width: i32,
    }

    /// One step of a value becomes one step of another.
    CopyStep for "copy" {
        from: View,
        to: View,
        from_time: i32,
        to_time: i32,
        rows: i32,
        width: i32,
    }

    /// A state of masked rows stays: forwards it goes to the next step, backwards its gradient to the one before.
    Hold for "hold" {
        from: View,
        to: View,
        mask: View,
        time: i32,
        rows: i32,
        width: i32,
    }

    /// Outputs of masked steps, after a scan: those of the step before, or zeros.
    HoldOutputs for "hold_outputs" {
        output: View,
        mask: View,
        rows: i32,
        steps: i32,
        width: i32,
        zero: i32,
    }

    /// Moves the gradients of outputs that were held to where they came from, before a scan backwards.
    Release for "release" {
        output: View,
        mask: View,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// Zeros at masked steps.
    ClearMasked for "clear_masked" {
        to: View,
        mask: View,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// Changes values at random: see `rnn_tables::Perturbation`.
    Perturb for "perturb" {
        from: View,
        to: View,
        seeds: Seeds,
        stream: u64,
        /// 0: dropped with a probability. 1: a normal number is added. 2: one is a factor. 3: copied.
        kind: i32,
        every_step: i32,
        rows: i32,
        steps: i32,
        width: i32,
        rate: f32,
        scale: f32,
        offset: f32,
        dropped: f32,
        stddev: f32,
    }

    /// The masks of a cell's own dropout.
    DropoutMask for "dropout_mask" {
        to: View,
        seeds: Seeds,
        stream: u64,
        rows: i32,
        width: i32,
        rate: f32,
    }

    /// What the size of a value costs: one sum a row.
    Penalty for "penalty" {
        value: View,
        to: Doubles,
        rows: i32,
        steps: i32,
        width: i32,
        l1: f32,
        l2: f32,
    }

    /// Its gradient.
    PenaltyBackward for "penalty_backward" {
        value: View,
        gradient: View,
        rows: i32,
        steps: i32,
        width: i32,
        l1: f32,
        l2: f32,
    }

    /// Statistics of a batch: see `rnn_tables::Normalize`.
    Statistics for "statistics" {
        input: View,
        saved: View,
        mask: View,
        moving_mean: Floats,
        moving_variance: Floats,
        rows: i32,
        steps: i32,
        width: i32,
        momentum: f32,
        epsilon: f32,
    }

    /// Normalises by them.
    Normalize for "normalize" {
        input: View,
        output: View,
        saved: View,
        gamma: Floats,
        beta: Floats,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// The gradients of scale and offset, and the two means that the gradient of the input needs.
    NormalizeSums for "normalize_sums" {
        input: View,
        d_output: View,
        saved: View,
        mask: View,
        gamma: Floats,
        beta: Floats,
        means: Floats,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// The gradient of the input.
    NormalizeBackward for "normalize_backward" {
        input: View,
        d_output: View,
        d_input: View,
        saved: View,
        mask: View,
        gamma: Floats,
        means: Floats,
        rows: i32,
        steps: i32,
        width: i32,
    }

    /// The gradient of a rectangle of a matrix, or, with several parts of the steps, terms of it.
    MatrixGradient for "matrix_gradient" {
        operand: View,
        gradient: View,
        mask: View,
        to: Floats,
        /// Floats from one row of the parameter to the next.
        columns: i32,
        rows: i32,
        steps: i32,
        k: i32,
        width: i32,
        /// Parts of the steps; the terms of each go to its own place, `k * width` floats after the last.
        parts: i32,
    }

    /// Adds the terms of a gradient in their order.
    AddParts for "add_parts" {
        from: Floats,
        to: Floats,
        columns: i32,
        k: i32,
        width: i32,
        parts: i32,
    }

    /// The gradient of a part of a vector.
    VectorGradient for "vector_gradient" {
        gradient: View,
        mask: View,
        to: Floats,
        rows: i32,
        steps: i32,
        width: i32,
        /// As in [`MatrixGradient`], `width` floats after the last.
        parts: i32,
    }

    /// How many rows of an output are not masked.
    CountRows for "count_rows" {
        mask: View,
        to: Doubles,
        rows: i32,
        steps: i32,
        /// Rows of a step.
        each: i32,
    }

    /// A loss or a metric of every row of an output.
    ScoreRows for "score_rows" {
        prediction: View,
        /// Nothing if it is not wanted.
        gradient: View,
        mask: View,
        /// Targets that are numbers; null: `labels` are the targets.
        floats: Floats,
        labels: Words,
        /// The weight of every row; null: 1.
        weights: Floats,
        /// How many rows are not masked; null: all of them.
        counter: Doubles,
        /// Two for each block: the sum, and that of the weights.
        sums: Doubles,
        rows: i32,
        steps: i32,
        /// Rows of a step.
        each: i32,
        features: i32,
        rule: i32,
        from_logits: i32,
        /// The smoothing, the delta or the threshold.
        option: f32,
        k: i32,
        /// The gradient is multiplied by it.
        share: f64,
    }

    /// Adds up what blocks have left.
    AddUp for "add_up" {
        from: Doubles,
        to: Doubles,
        /// What the sums are divided by; null: `by`.
        counter: Doubles,
        by: f64,
        count: i32,
        /// From one block's numbers to the next's.
        stride: i32,
        /// How many sums.
        numbers: i32,
        /// To a float.
        round: i32,
    }

    /// Some weights of one trained parameter.
    UpdateChunk {
        from: u32,
        count: u32,
        /// The number of the parameter among the trained.
        parameter: u32,
        non_negative: u32,
        l1: f32,
        l2: f32,
    }

    /// The sums of the squares of gradients.
    GradientSquares for "gradient_squares" {
        weights: Floats,
        gradients: Floats,
        chunks: UpdateChunks,
        to: Doubles,
        penalties: i32,
    }

    /// What the penalties of weights cost.
    WeightCosts for "weight_costs" {
        weights: Floats,
        chunks: UpdateChunks,
        to: Doubles,
    }

    /// The sums of the chunks of each parameter.
    ParameterSums for "parameter_sums" {
        from: Doubles,
        /// The first chunk of each parameter, and where the last ends.
        starts: Words,
        to: Doubles,
    }

    /// One step of an optimizer.
    UpdateWeights for "update_weights" {
        weights: Floats,
        gradients: Floats,
        slot0: Floats,
        slot1: Floats,
        slot2: Floats,
        chunks: UpdateChunks,
        /// The sum of the squares of each parameter's gradients, if a norm is clipped.
        squares: Doubles,
        bound: f64,
        parameters: i32,
        clip: i32,
        penalties: i32,
        decays: i32,
        rule: i32,
        decay: f32,
        rate: f32,
        momentum: f32,
        rho: f32,
        rest_1: f32,
        rest_2: f32,
        epsilon: f32,
    }

    /// Projects a parameter onto its constraint.
    Constrain for "constrain" {
        weights: Floats,
        /// Of each norm, then of each member.
        places: Words,
        norms: u32,
        members: u32,
        lanes: u32,
        kind: i32,
        min: f64,
        max: f64,
        rate: f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_is_the_same_in_cuda() {
        let text = declarations();
        let view = "struct View {\n  float* base;\n  int row;\n  int extent;\n  int after;\n  int total;\n};\n";
        assert!(text.contains(view), "{text}");
        assert_eq!(size_of::<View>(), 24);
        assert_eq!(size_of::<CopyIn>(), 48);
    }
}
