//! Masks as expressions: Keras 3 writes a mask as operations on an input, and here it goes with the values.
//!
//! Equal expressions have equal numbers. So a mask that a layer is given can be compared with the one that it would have.

use std::collections::HashMap;

use crate::Value;

/// The number of an expression.
pub(super) type MaskId = usize;

/// An operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operand {
    /// A value of the model.
    Value(Value),
    /// A mask.
    Mask(MaskId),
    /// A number, by its bits.
    Number(u64),
}

/// All expressions so far.
#[derive(Debug, Default)]
pub(super) struct Masks {
    known: HashMap<(String, Vec<Operand>), MaskId>,
}

impl Masks {
    /// The expression of an operation, by Keras's class.
    pub fn of(&mut self, class: &str, operands: Vec<Operand>) -> MaskId {
        let next = self.known.len();
        *self
            .known
            .entry((class.to_owned(), operands))
            .or_insert(next)
    }

    /// A number as an operand.
    pub fn number(x: f64) -> Operand {
        Operand::Number(x.to_bits())
    }

    /// Ids that are not 0.
    pub fn ids(&mut self, value: Value) -> MaskId {
        self.of("NotEqual", vec![Operand::Value(value), Masks::number(0.0)])
    }

    /// Steps that are not all this number.
    pub fn value(&mut self, value: Value, number: f64) -> MaskId {
        let differs = self.of(
            "NotEqual",
            vec![Operand::Value(value), Masks::number(number)],
        );
        self.of("Any", vec![Operand::Mask(differs)])
    }

    /// A mask that is an input.
    pub fn input(&mut self, value: Value) -> MaskId {
        self.of("Input", vec![Operand::Value(value)])
    }

    /// Steps that are valid in one of several values, if all have masks.
    pub fn any(&mut self, masks: &[Option<MaskId>]) -> Option<MaskId> {
        let all: Option<Vec<MaskId>> = masks.iter().copied().collect();
        let mut all = all?.into_iter();
        let first = all.next()?;
        Some(all.fold(first, |a, b| {
            self.of("LogicalOr", vec![Operand::Mask(a), Operand::Mask(b)])
        }))
    }

    /// Steps that are valid in one of several values side by side.
    pub fn joined(&mut self, values: &[(Value, Option<MaskId>)]) -> Option<MaskId> {
        if values.iter().all(|(_, mask)| mask.is_none()) {
            return None;
        }
        let mut parts = Vec::new();
        for (value, mask) in values {
            let part = match mask {
                None => self.of("OnesLike", vec![Operand::Value(*value)]),
                Some(mask) => {
                    let wide = self.of("ExpandDims", vec![Operand::Mask(*mask)]);
                    let zeros = self.of("ZerosLike", vec![Operand::Value(*value)]);
                    self.of("LogicalOr", vec![Operand::Mask(wide), Operand::Mask(zeros)])
                }
            };
            parts.push(Operand::Mask(part));
        }
        let all = self.of("Concatenate", parts);
        Some(self.of("Any", vec![Operand::Mask(all)]))
    }
}
