//! The body of a kernel: scopes, registers, labels, calls. A call of a function of the module is expanded where it
//! stands: its parameters lie in the thread's local memory, and its `ret` jumps to the end.

use std::collections::HashMap;

use super::text::{literal, split_list, split_offset, variable};
use crate::program::{Instruction, Kernel, Operation, Slot, Type};

/// How deep calls may stand in one another.
const MOST_CALLS: usize = 24;

/// A function of the module, as text.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// Names of the parameters; those of results first.
    pub results: Vec<String>,
    pub parameters: Vec<String>,
    pub body: String,
    /// The line on which the body begins.
    pub line: u32,
}

/// Names of the module that bodies use.
#[derive(Debug, Default)]
pub struct Names {
    pub globals: HashMap<String, u64>,
    pub functions: HashMap<String, Function>,
    /// Shared variables that stand outside of kernels, as text.
    pub shared: Vec<String>,
}

/// What a name means.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    Register(Slot),
    Shared(u64),
    Local(u64),
    Parameter(u64),
}

/// A function that is being expanded; the kernel itself is the first.
#[derive(Debug, Default)]
struct Frame {
    /// Distinguishes the labels of each expansion.
    number: usize,
    /// Whether it is a function rather than the kernel.
    is_call: bool,
}

pub struct Body<'a> {
    pub kernel: Kernel,
    names: &'a Names,
    scopes: Vec<HashMap<String, Meaning>>,
    frames: Vec<Frame>,
    expansions: usize,
    constants: HashMap<(u64, bool), Slot>,
    specials: HashMap<String, Slot>,
    labels: HashMap<String, u32>,
    branch_tables: HashMap<String, Vec<String>>,
    /// Instructions whose targets are not known yet.
    unresolved: Vec<(usize, Vec<String>)>,
}

impl<'a> Body<'a> {
    pub fn new(kernel: Kernel, names: &'a Names) -> Self {
        Body {
            kernel,
            names,
            scopes: vec![HashMap::new()],
            frames: vec![Frame::default()],
            expansions: 0,
            constants: HashMap::new(),
            specials: HashMap::new(),
            labels: HashMap::new(),
            branch_tables: HashMap::new(),
            unresolved: Vec::new(),
        }
    }

    pub fn bind(&mut self, name: &str, meaning: Meaning) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.into(), meaning);
        }
    }

    /// Ends the kernel and resolves branches.
    pub fn finish(mut self) -> Result<Kernel, String> {
        let end = Instruction::new(Operation::Exit, Type::U32, 0);
        self.push(end, "ret");
        for (at, labels) in std::mem::take(&mut self.unresolved) {
            let target = |label: &String| match self.labels.get(label) {
                Some(target) => Ok(*target),
                None => Err(format!("label {label} is missing")),
            };
            let targets: Result<Vec<u32>, String> = labels.iter().map(target).collect();
            self.kernel.code[at].targets = targets?.into();
        }
        Ok(self.kernel)
    }

    /// Appends an instruction.
    pub fn push(&mut self, instruction: Instruction, text: &str) {
        self.kernel.code.push(instruction);
        let words: Vec<&str> = text.split_whitespace().collect();
        self.kernel.texts.push(words.join(" "));
    }

    /// Appends a branch to labels.
    pub fn push_branch(&mut self, instruction: Instruction, labels: Vec<String>, text: &str) {
        self.unresolved.push((self.kernel.code.len(), labels));
        self.push(instruction, text);
    }

    /// The label as it is called in this expansion.
    pub fn label(&self, name: &str) -> String {
        match self.frames.last() {
            Some(frame) if frame.is_call => format!("{name}#{}", frame.number),
            _ => name.into(),
        }
    }

    /// The label after the function that is being expanded; none in the kernel itself.
    pub fn end_label(&self) -> Option<String> {
        let frame = self.frames.last().filter(|frame| frame.is_call)?;
        Some(format!("end#{}", frame.number))
    }

    /// A label that no text can have.
    pub fn skip_label(&mut self) -> String {
        self.expansions += 1;
        format!("skip#{}", self.expansions)
    }

    /// Puts `label` before the next instruction.
    pub fn place_label(&mut self, label: String) {
        self.labels.insert(label, self.kernel.code.len() as u32);
    }

    pub fn branch_table(&self, name: &str) -> Result<Vec<String>, String> {
        let table = self.branch_tables.get(&self.label(name));
        table.cloned().ok_or_else(|| format!("no table {name}"))
    }

    fn local(&mut self, size: usize, align: usize) -> u64 {
        let start = self.kernel.local.next_multiple_of(align.max(8));
        self.kernel.local = start + size;
        start as u64
    }

    /// `.b32 %r<9>` or `.pred p, q`.
    fn registers(&mut self, declaration: &str) -> Result<(), String> {
        let (ty, names) = declaration
            .split_once(char::is_whitespace)
            .ok_or("registers without names")?;
        let ty = Type::parse(ty.trim_start_matches('.')).ok_or("registers of an unknown type")?;
        for name in names.split(',').map(str::trim) {
            let (base, count) = match name.split_once('<') {
                Some((base, count)) => {
                    let count = count.trim_end_matches('>').trim().parse::<usize>();
                    (base, Some(count.map_err(|_| "number of registers")?))
                }
                None => (name, None),
            };
            match count {
                Some(count) => {
                    for number in 0..count {
                        self.register(&format!("{base}{number}"), ty);
                    }
                }
                None => self.register(base, ty),
            }
        }
        Ok(())
    }

    fn register(&mut self, name: &str, ty: Type) {
        let slot = match ty {
            Type::Predicate => {
                self.kernel.predicates += 1;
                Slot::predicate(self.kernel.predicates - 1)
            }
            _ => self.slot(ty.size() == 8),
        };
        self.bind(name, Meaning::Register(slot));
    }

    fn slot(&mut self, wide: bool) -> Slot {
        let line = self.kernel.lines;
        self.kernel.lines += if wide { 2 } else { 1 };
        Slot::register(line, wide)
    }

    pub fn constant(&mut self, value: u64, wide: bool) -> Slot {
        let value = if wide { value } else { value & 0xffff_ffff };
        if let Some(slot) = self.constants.get(&(value, wide)) {
            return *slot;
        }
        let slot = self.slot(wide);
        self.constants.insert((value, wide), slot);
        self.kernel.constants.push((slot, value));
        slot
    }

    fn meaning(&self, name: &str) -> Option<Meaning> {
        let scopes = self.scopes.iter().rev();
        scopes.filter_map(|scope| scope.get(name)).next().copied()
    }

    /// The address of a variable of any space.
    fn address_of(&self, name: &str) -> Option<u64> {
        match self.meaning(name) {
            Some(Meaning::Shared(at) | Meaning::Local(at) | Meaning::Parameter(at)) => Some(at),
            Some(Meaning::Register(_)) => None,
            None => self.names.globals.get(name).copied(),
        }
    }

    /// The slot of an operand of type `ty`.
    pub fn operand(&mut self, text: &str, ty: Type) -> Result<Slot, String> {
        let text = text.trim();
        if text == "_" {
            return Ok(Slot::NONE);
        }
        if let Some(Meaning::Register(slot)) = self.meaning(text) {
            return Ok(slot);
        }
        if text.starts_with('%') {
            if let Some(slot) = self.specials.get(text) {
                return Ok(*slot);
            }
            let slot = self.slot(matches!(text, "%clock64" | "%globaltimer" | "%gridid"));
            self.specials.insert(text.into(), slot);
            self.kernel.specials.push((slot, text.into()));
            return Ok(slot);
        }
        let wide = ty.size() == 8;
        if let Some(bits) = literal(text, ty) {
            return Ok(self.constant(bits, wide));
        }
        if text == "WARP_SZ" {
            return Ok(self.constant(32, wide));
        }
        let (name, offset) = split_offset(text);
        // `mov.b64 %rd1, kernel_param_0` asks for an address in the space of parameters.
        match self.address_of(name) {
            Some(address) => Ok(self.constant(address.wrapping_add(offset as u64), wide)),
            None => Err(format!("nothing is called `{name}`")),
        }
    }

    /// `{a, b}` or `a` as a list of slots.
    pub fn operands(&mut self, text: &str, ty: Type) -> Result<Vec<Slot>, String> {
        let inside = text.trim().trim_start_matches('{').trim_end_matches('}');
        let parts = inside.split(',');
        parts.map(|part| self.operand(part, ty)).collect()
    }

    /// `[base+offset]` as the slot of the base, none if the address is a constant, and an offset. The last result tells
    /// whether the variable lies in local memory.
    pub fn address(&self, text: &str) -> Result<(Slot, i64, bool), String> {
        let text = text.trim().trim_start_matches('[').trim_end_matches(']');
        let (name, offset) = split_offset(text.trim());
        let local = matches!(self.meaning(name), Some(Meaning::Local(_)));
        if let Some(Meaning::Register(slot)) = self.meaning(name) {
            return Ok((slot, offset, false));
        }
        if let Some(address) = self.address_of(name) {
            return Ok((Slot::NONE, address as i64 + offset, local));
        }
        match literal(text.trim(), Type::U64) {
            Some(address) => Ok((Slot::NONE, address as i64, false)),
            None => Err(format!("nothing is called `{name}`")),
        }
    }

    /// Begins a block of statements with names of its own.
    pub fn open_scope(&mut self) {
        self.scopes.push(HashMap::new());
    }

    pub fn close_scope(&mut self) {
        self.scopes.pop();
    }

    /// A label stands before the next instruction, or before a table of branches.
    pub fn define_label(&mut self, name: &str, table: Option<&str>) {
        let name = self.label(name);
        match table {
            Some(list) => {
                let targets = split_list(list)
                    .into_iter()
                    .map(|l| self.label(l))
                    .collect();
                self.branch_tables.insert(name, targets);
            }
            None => self.place_label(name),
        }
    }

    /// Declares what a directive of a body declares.
    pub fn declare(&mut self, directive: &str, rest: &str) -> Result<(), String> {
        match directive {
            ".reg" => self.registers(rest),
            ".shared" => {
                let variable = variable(rest)?;
                let start = self.kernel.static_shared.next_multiple_of(variable.align);
                self.kernel.static_shared = start + variable.size;
                self.bind(&variable.name, Meaning::Shared(start as u64));
                Ok(())
            }
            // Parameters of a call lie in local memory, as they do on the hardware.
            ".local" | ".param" => {
                let variable = variable(rest)?;
                let start = self.local(variable.size, variable.align);
                self.bind(&variable.name, Meaning::Local(start));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Begins to expand a function of the module with its parameters bound, and returns it with what `leave` needs; none
    /// if the module has no such function.
    pub fn enter(
        &mut self,
        name: &str,
        results: &[String],
        arguments: &[String],
    ) -> Result<Option<(&'a Function, Outer)>, String> {
        let names = self.names;
        let Some(function) = names.functions.get(name) else {
            return Ok(None);
        };
        if self.frames.len() > MOST_CALLS {
            return Err(format!("`{name}` calls itself, or calls are too deep"));
        }
        let formal = function.results.iter().zip(results);
        let formal = formal.chain(function.parameters.iter().zip(arguments));
        let mut scope = HashMap::new();
        for (formal, actual) in formal {
            let meaning = self
                .meaning(actual)
                .ok_or_else(|| format!("nothing is called `{actual}`"))?;
            scope.insert(formal.clone(), meaning);
        }
        self.expansions += 1;
        self.frames.push(Frame {
            number: self.expansions,
            is_call: true,
        });
        // The function sees its own names only.
        let outer = std::mem::replace(&mut self.scopes, vec![scope]);
        Ok(Some((function, Outer(outer))))
    }

    /// Ends the expansion of a function.
    pub fn leave(&mut self, outer: Outer) {
        let end = self.end_label();
        self.scopes = outer.0;
        self.frames.pop();
        if let Some(end) = end {
            self.place_label(end);
        }
    }
}

/// The names around a call.
pub struct Outer(Vec<HashMap<String, Meaning>>);
