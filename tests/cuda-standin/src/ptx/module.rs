//! A whole PTX text: variables, functions, kernels.

use std::sync::Arc;

use super::{
    body::{Body, Function, Meaning, Names},
    statements::statements,
    text::{split_list, variable, without_comments},
};
use crate::program::{GlobalVariable, Kernel, Module, Parameter};

/// The most threads of a block on any device.
const MOST_THREADS: u32 = 1024;

/// Decodes `source`. `place` gives each variable of global memory its address.
pub fn parse(
    source: &str,
    mut place: impl FnMut(&GlobalVariable) -> Result<u64, String>,
) -> Result<Module, String> {
    let text = without_comments(source);
    let mut module = Module::default();
    let mut names = Names::default();
    let mut kernels = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(|c: char| !c.is_whitespace()) {
        at += start;
        let rest = &text[at..];
        let word = rest.split_whitespace().next().unwrap_or("");
        let after = &rest[word.len()..];
        let line_end = rest.find('\n').unwrap_or(rest.len());
        let semicolon = || rest.find(';').ok_or("a declaration has no `;`");
        at += match word {
            ".version" => {
                module.version = version(after[..line_end - word.len()].trim());
                line_end
            }
            ".target" => {
                module.target = target(after[..line_end - word.len()].trim());
                line_end
            }
            ".address_size" | ".file" | ".loc" => line_end,
            ".global" | ".const" => {
                let end = semicolon()?;
                let variable = variable(&rest[word.len()..end])?;
                let mut global = GlobalVariable {
                    name: variable.name,
                    size: variable.size,
                    initial: variable.initial,
                    address: 0,
                };
                global.address = place(&global)?;
                names.globals.insert(global.name.clone(), global.address);
                module.globals.push(global);
                end + 1
            }
            ".shared" => {
                let end = semicolon()?;
                names.shared.push(rest[word.len()..end].to_owned());
                end + 1
            }
            ".section" => {
                let open = rest.find('{').ok_or("a section has no body")?;
                closing(rest, open)? + 1
            }
            ".func" => function(&mut names, &text, at)? - at,
            ".entry" => {
                let open = rest.find('{').ok_or("a kernel has no body")?;
                let close = closing(rest, open)?;
                kernels.push((at, at + open, at + close));
                close + 1
            }
            other => other.len(),
        };
    }
    // Kernels come last: they may call functions that are defined after them.
    for (start, open, close) in kernels {
        let kernel = kernel(&names, &text, start, open, close)?;
        module.kernels.insert(kernel.name.clone(), Arc::new(kernel));
    }
    Ok(module)
}

/// `8.5` as 805.
fn version(text: &str) -> u32 {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    parts.next().unwrap_or(0) * 100 + parts.next().unwrap_or(0)
}

/// `sm_90a, texmode_independent` as 90.
fn target(text: &str) -> u32 {
    let name = text.split(',').next().unwrap_or("").trim();
    let digits = name.trim_start_matches("sm_");
    let digits = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    digits.parse().unwrap_or(0)
}

/// Where the bracket at `open` closes.
fn closing(text: &str, open: usize) -> Result<usize, String> {
    let mut depth = 0;
    for (at, c) in text[open..].char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(open + at);
                }
            }
            _ => {}
        }
    }
    Err("a bracket is not closed".into())
}

/// Names in a list of parameters: `.param .b32 a, .param .align 8 .b8 b[16]`.
fn parameter_names(list: &str) -> Result<Vec<String>, String> {
    let names = split_list(list).into_iter().map(|parameter| {
        let parameter = parameter.trim_start_matches(".param");
        variable(parameter.trim_start_matches(".reg")).map(|variable| variable.name)
    });
    names.collect()
}

/// Reads `.func (result) name (parameters) { … }` and returns the place after it.
fn function(names: &mut Names, text: &str, start: usize) -> Result<usize, String> {
    let mut rest = text[start + ".func".len()..].trim_start();
    let mut function = Function::default();
    // `.noreturn` and the like.
    while rest.starts_with('.') {
        rest = rest[rest.find(char::is_whitespace).unwrap_or(rest.len())..].trim_start();
    }
    if rest.starts_with('(') {
        let close = closing(rest, 0)?;
        function.results = parameter_names(&rest[1..close])?;
        rest = rest[close + 1..].trim_start();
    }
    let name_end = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | '{' | ';'));
    let name = &rest[..name_end.unwrap_or(rest.len())];
    rest = rest[name.len()..].trim_start();
    if rest.starts_with('(') {
        let close = closing(rest, 0)?;
        function.parameters = parameter_names(&rest[1..close])?;
        rest = &rest[close + 1..];
    }
    let semicolon = rest.find(';').unwrap_or(rest.len());
    let Some(open) = rest.find('{').filter(|open| *open < semicolon) else {
        // A declaration only.
        return Ok(text.len() - rest.len() + (semicolon + 1).min(rest.len()));
    };
    let close = closing(rest, open)?;
    function.body = rest[open + 1..close].to_owned();
    let body_at = text.len() - rest.len() + open;
    function.line = line_of(text, body_at);
    names.functions.insert(name.to_owned(), function);
    Ok(text.len() - rest.len() + close + 1)
}

fn kernel(
    names: &Names,
    text: &str,
    start: usize,
    open: usize,
    close: usize,
) -> Result<Kernel, String> {
    let head = &text[start + ".entry".len()..open];
    let (name, list, directives) = match head.find('(') {
        Some(bracket) => {
            let end = closing(head, bracket)?;
            (&head[..bracket], &head[bracket + 1..end], &head[end + 1..])
        }
        None => {
            let end = head.trim_start().find(char::is_whitespace);
            let end = end.map_or(head.len(), |end| end + head.len() - head.trim_start().len());
            (&head[..end], "", &head[end..])
        }
    };
    let mut kernel = Kernel {
        name: name.trim().to_owned(),
        most_threads: MOST_THREADS,
        ..Kernel::default()
    };
    let mut meanings = Vec::new();
    let mut offset = 0_usize;
    for parameter in split_list(list) {
        let parameter = variable(parameter.trim_start_matches(".param"))?;
        offset = offset.next_multiple_of(parameter.align);
        kernel.parameters.push(Parameter {
            offset,
            size: parameter.size,
        });
        meanings.push((parameter.name, Meaning::Parameter(offset as u64)));
        offset += parameter.size;
    }
    directives_of(&mut kernel, directives);
    let name = kernel.name.clone();
    let body_text = &text[open + 1..close];
    let mut body = Body::new(kernel, names);
    for (name, meaning) in &meanings {
        body.bind(name, *meaning);
    }
    let mut dynamic = Vec::new();
    for declaration in &names.shared {
        let shared = variable(declaration)?;
        if shared.is_open {
            dynamic.push(shared.name);
            continue;
        }
        // A variable that another kernel uses takes no space here.
        if !mentions(body_text, &shared.name)
            && !names
                .functions
                .values()
                .any(|function| mentions(&function.body, &shared.name))
        {
            continue;
        }
        let start = body.kernel.static_shared.next_multiple_of(shared.align);
        body.kernel.static_shared = start + shared.size;
        body.bind(&shared.name, Meaning::Shared(start as u64));
    }
    // Dynamic shared memory follows the static part, which is known once all declarations are.
    let mut end = body.kernel.static_shared;
    let functions = names
        .functions
        .values()
        .map(|function| function.body.as_str());
    for text in functions.chain([body_text]) {
        for statement in text.split(';') {
            let declared = statement
                .find(".shared .align")
                .map(|at| &statement[at + 7..]);
            if let Some(shared) = declared.and_then(|text| variable(text).ok()) {
                end = end.next_multiple_of(shared.align) + shared.size;
            }
        }
    }
    for name in dynamic {
        body.bind(&name, Meaning::Shared(end.next_multiple_of(16) as u64));
    }
    statements(&mut body, body_text, line_of(text, open))
        .map_err(|error| format!("kernel {name}: {error}"))?;
    let mut kernel = body
        .finish()
        .map_err(|error| format!("kernel {name}: {error}"))?;
    kernel.static_shared = kernel.static_shared.max(end);
    Ok(kernel)
}

/// What stands between a kernel's parameters and its body.
fn directives_of(kernel: &mut Kernel, text: &str) {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .collect();
    for (at, word) in words.iter().enumerate() {
        let number = |place: usize| {
            let word = words.get(at + place);
            word.and_then(|word| word.parse::<u32>().ok()).unwrap_or(1)
        };
        let sizes = [number(1), number(2), number(3)];
        match *word {
            ".reqnctapercluster" => kernel.cluster = Some(sizes),
            ".maxntid" | ".reqntid" => kernel.most_threads = sizes.iter().product(),
            _ => {}
        }
    }
}

fn mentions(text: &str, name: &str) -> bool {
    text.contains(name)
}

fn line_of(text: &str, at: usize) -> u32 {
    let newlines = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n');
    newlines.count() as u32 + 1
}
