/// Which steps of an input a mask calls valid, told from the input alone. What is computed comes from
/// the mask itself, which a layer makes; this only divides a batch before any layer has run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaskRule {
    /// The input is a mask: those where it is not 0.
    Given,
    /// Ids other than 0.
    NonZeroId,
    /// Steps with a feature that is not this number.
    DiffersFrom(f32),
}

/// A mask that is told from an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputMask {
    /// The number of the input.
    pub input: usize,
    /// Which of its steps are valid.
    pub rule: MaskRule,
}
