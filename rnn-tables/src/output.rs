/// What numbers a model gives, as far as its last operations tell: whether they are what a loss is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputRange {
    /// Nothing is known.
    #[default]
    Unknown,
    /// A product with weights and nothing after it: any number, such as the logits of a loss.
    Logits,
    /// Between 0 and 1, as after a sigmoid or a softmax.
    Probabilities,
    /// Between -1 and 1, as after a tanh.
    Signed,
}
