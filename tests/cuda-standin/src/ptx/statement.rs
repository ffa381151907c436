//! A statement, taken apart.

use super::opcode::Opcode;

pub struct Statement<'a> {
    pub opcode: Opcode<'a>,
    pub operands: Vec<&'a str>,
}

impl Statement<'_> {
    pub fn operand(&self, index: usize) -> Result<&str, String> {
        let operand = self.operands.get(index).copied();
        operand.ok_or_else(|| format!("operand {index} is missing"))
    }

    pub fn unknown(&self) -> String {
        format!("the stand-in does not know `{}`", self.opcode.stem)
    }
}
