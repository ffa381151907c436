//! `unsafe` stays in the kernels, and each block says why it is sound.

use super::{
    Finding, Source,
    source::{Line, has_word},
};

/// The only folder of the CPU whose code may be unsafe.
const HOME: &str = "rnn-runtime/src/cpu/";
/// The files that call the driver of a GPU and its compiler, hand memory to it, or declare what both sides read.
const DEVICE: [&str; 4] = [
    "rnn-runtime/src/cuda/compile.rs",
    "rnn-runtime/src/cuda/device.rs",
    "rnn-runtime/src/cuda/parameters.rs",
    "rnn-runtime/src/cuda/staging.rs",
];
/// Its tests from outside, which cannot do without the loads and stores of vectors.
const TESTS: &str = "tests/kernels/kernels/";
/// Programs for machines without an operating system: what they call, the linker or the machine has.
const FIRMWARE: &str = "tests/bare/firmware.rs";
const SILENT: &str = "tests/bare/silent.rs";
const EMBEDDED: &str = "examples/embedded/src/";
/// The functions that a page in a browser calls, over one value in memory.
const WEB: &str = "examples/web/src/exports.rs";
/// What stands in for CUDA's driver in tests: the functions that C calls, their loader, functions for all lanes of a warp,
/// and tests that launch kernels.
const CUDA: &[&str] = &[
    "tests/cuda-standin/nvrtc/",
    "tests/cuda-standin/src/bench.rs",
    "tests/cuda-standin/src/compiler.rs",
    "tests/cuda-standin/src/driver/",
    "tests/cuda-standin/src/simd/",
    "tests/cuda-standin/tests/",
];
/// How many lines above a block its reason may begin.
const REACH: usize = 6;

pub fn check(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let home = [HOME, TESTS, FIRMWARE, SILENT, EMBEDDED, WEB]
            .iter()
            .chain(&DEVICE)
            .chain(CUDA)
            .any(|folder| file.path().starts_with(folder));
        let allowed = home || is_counting_allocator(file);
        for (number, line) in file
            .numbered()
            .filter(|(_, line)| has_word(&line.code, "unsafe"))
        {
            let mut find = |message: String| {
                findings.push(Finding {
                    path: file.path().into(),
                    line: number,
                    message,
                });
            };
            if !allowed {
                find(format!(
                    "`unsafe` outside of {HOME}; offer what you need as a safe function there, \
                     with its conditions checked at its boundary"
                ));
            }
            if opens(line) && !explained(file, number) {
                find(format!(
                    "`unsafe` without a reason; write `// SAFETY: …` at most {REACH} lines above, \
                     naming what makes every operation in it sound"
                ));
            }
        }
    }
    findings
}

/// A test that counts allocations must implement an unsafe trait, wherever it stands.
fn is_counting_allocator(file: &Source) -> bool {
    let test = file
        .path()
        .split('/')
        .any(|part| part == "tests" || part == "benches");
    test && file
        .numbered()
        .any(|(_, line)| line.code.contains("GlobalAlloc for "))
}

/// Whether `line` makes a promise (a block, an implementation, foreign items) rather than asks
/// for one (a function, a trait, a pointer to a function: their `# Safety` is clippy's matter).
fn opens(line: &Line) -> bool {
    line.code.match_indices("unsafe").any(|(at, word)| {
        let rest = line.code[at + word.len()..].trim_start();
        // A brace that rustfmt has put on the next line still opens a block.
        rest.is_empty()
            || ["{", "impl", "extern {"]
                .iter()
                .any(|start| rest.starts_with(start))
    })
}

fn explained(file: &Source, number: usize) -> bool {
    file.comments(number.saturating_sub(REACH), number)
        .any(|comment| comment.contains("SAFETY") || comment.contains("# Safety"))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    #[test]
    fn kernels_may_be_unsafe_with_a_reason() {
        let text = "// SAFETY: `i < n`.\nlet x = unsafe { *p.add(i) };\nunsafe fn f() {}\n";
        assert_eq!(
            messages(check, &[("rnn-runtime/src/cpu/a.rs", text)]),
            [""; 0]
        );
    }

    #[test]
    fn the_reason_is_at_most_six_lines_above() {
        let text = |blank: usize| format!("// SAFETY: x\n{}unsafe {{ f() }}", "\n".repeat(blank));
        let path = "rnn-runtime/src/cpu/a.rs";
        assert_eq!(messages(check, &[(path, &text(5))]), [""; 0]);
        let found = messages(check, &[(path, &text(6))]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("a.rs:8: `unsafe` without a reason"),
            "{found:?}"
        );
    }

    #[test]
    fn implementations_need_a_reason_too() {
        let found = messages(
            check,
            &[("rnn-runtime/src/cpu/a.rs", "unsafe impl Send for A {}")],
        );
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn other_folders_are_safe() {
        let text = "// SAFETY: none\nunsafe fn f() {}\n#![forbid(unsafe_code)]\n\"unsafe\"";
        let found = messages(check, &[("rnn-compiler/src/a.rs", text)]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("a.rs:2: `unsafe` outside of rnn-runtime/src/cpu/"),
            "{found:?}"
        );
    }

    #[test]
    fn tests_of_kernels_may_be_unsafe_with_a_reason() {
        let path = "tests/kernels/kernels/a.rs";
        let text = "// SAFETY: `a` has LANES floats.\nlet v = unsafe { s.load(a) };\n";
        assert_eq!(messages(check, &[(path, text)]), [""; 0]);
        let found = messages(check, &[(path, "let v = unsafe { s.load(a) };")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("without a reason"), "{found:?}");
        // No other test of the runtime.
        assert_eq!(
            messages(check, &[("tests/kernels/kernels.rs", text)]).len(),
            1
        );
    }

    #[test]
    fn the_interpreter_of_kernels_is_safe() {
        let text = "// SAFETY: the program's.\nunsafe { call() }";
        let driver = "tests/cuda-standin/src/driver/a.rs";
        assert_eq!(messages(check, &[(driver, text)]), [""; 0]);
        let machine = "tests/cuda-standin/src/machine/a.rs";
        assert_eq!(messages(check, &[(machine, text)]).len(), 1);
    }

    #[test]
    fn a_test_may_count_allocations() {
        let text = "// SAFETY: forwards to the system's.\nunsafe impl GlobalAlloc for Counting {}";
        assert_eq!(messages(check, &[("tests/allocations.rs", text)]), [""; 0]);
        assert_eq!(messages(check, &[("src/allocations.rs", text)]).len(), 1);
    }
}
