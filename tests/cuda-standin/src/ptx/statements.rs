//! All statements of a body: blocks, labels, declarations, instructions, calls.

use super::{
    body::Body,
    decode::{self, Decoded},
};
use crate::program::{Instruction, Operation, Type};

/// Decodes `text`, whose first line is `line`, into `body`.
pub fn statements(body: &mut Body<'_>, text: &str, line: u32) -> Result<(), String> {
    let bytes = text.as_bytes();
    let (mut at, mut counted, mut line) = (0, 0, line);
    while at < bytes.len() {
        line += newlines(&bytes[counted..at]);
        counted = at;
        let rest = &text[at..];
        match bytes[at] {
            c if c.is_ascii_whitespace() => at += 1,
            b'{' => {
                body.open_scope();
                at += 1;
            }
            b'}' => {
                body.close_scope();
                at += 1;
            }
            // A source location ends with its line.
            _ if rest.starts_with(".loc") && !rest.starts_with(".local") => {
                at += rest.find('\n').unwrap_or(rest.len());
            }
            _ => match label(rest) {
                Some(name) => {
                    at += name.len() + 1;
                    let after = text[at..].trim_start();
                    let table = after.strip_prefix(".branchtargets");
                    let table = table.map(|list| list.split(';').next().unwrap_or(""));
                    body.define_label(name, table);
                }
                None => {
                    let end = rest
                        .find(';')
                        .ok_or_else(|| format!("line {line}: a statement has no `;`"))?;
                    let statement = rest[..end].trim();
                    let result = one(body, statement, line);
                    result.map_err(|error| match error.starts_with("line ") {
                        true => error,
                        false => format!("line {line}: {error} in `{statement}`"),
                    })?;
                    at += end + 1;
                }
            },
        }
    }
    Ok(())
}

fn one(body: &mut Body<'_>, text: &str, line: u32) -> Result<(), String> {
    let first = text.split_whitespace().next().unwrap_or("");
    if first.is_empty() {
        return Ok(());
    }
    if first.starts_with('.') {
        return body.declare(first, text[first.len()..].trim());
    }
    let (instruction, call) = match decode::instruction(body, text, line)? {
        Decoded::Instruction => return Ok(()),
        Decoded::Call(instruction, call) => (instruction, call),
    };
    // A guarded call is a branch around it.
    let skip = (!instruction.guard.is_none()).then(|| {
        let mut branch = Instruction::new(Operation::Branch, Type::U32, line);
        branch.guard = instruction.guard;
        branch.guard_negated = !instruction.guard_negated;
        let label = body.skip_label();
        body.push_branch(branch, vec![label.clone()], text);
        label
    });
    match body.enter(&call.name, &call.results, &call.arguments)? {
        Some((function, outer)) => {
            statements(body, &function.body, function.line)?;
            body.leave(outer);
        }
        None => decode::outside(body, &call, instruction, text)?,
    }
    if let Some(label) = skip {
        body.place_label(label);
    }
    Ok(())
}

/// The name before a `:`, if `text` begins with a label.
fn label(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '%')))?;
    let after = &text[end..];
    (end > 0 && after.starts_with(':') && !after.starts_with("::")).then_some(&text[..end])
}

fn newlines(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u32
}
