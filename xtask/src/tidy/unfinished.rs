//! Nothing is put off in the sources: what is left to do is an issue, where it can be found.

use super::{
    Finding, Source,
    source::{Line, has_word},
};

/// Marks in comments.
const MARKS: &[&str] = &["TODO", "FIXME"];
/// Macros that stand for code which does not exist.
const STUBS: &[&str] = &["todo!", "unimplemented!"];

pub fn check(files: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (number, line) in file.numbered() {
            findings.extend(message(line).map(|message| Finding {
                path: file.path().into(),
                line: number,
                message,
            }));
        }
    }
    findings
}

fn message(line: &Line) -> Option<String> {
    if let Some(mark) = MARKS.iter().find(|mark| has_word(&line.comment, mark)) {
        return Some(format!(
            "`{mark}`: do it now, or open an issue and take the mark out; a comment says why the \
             code is as it is"
        ));
    }
    let stub = STUBS.iter().find(|stub| has_word(&line.code, stub))?;
    Some(format!(
        "`{stub}` panics where a user expects an answer; write the code, or refuse the case with \
         an error that names it"
    ))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::messages, *};

    #[test]
    fn marks_count_in_comments_and_stubs_in_code() {
        let text =
            "// TODO: faster\nfn f() { todo!() }\n/* FIXME */ fn g() { unimplemented!(\"x\") }";
        let found = messages(check, &[("src/a.rs", text)]);
        let starts: Vec<&str> = found.iter().map(|line| &line[..18]).collect();
        assert_eq!(
            starts,
            [
                "src/a.rs:1: `TODO`",
                "src/a.rs:2: `todo!",
                "src/a.rs:3: `FIXME"
            ]
        );
    }

    #[test]
    fn neither_counts_in_strings_or_longer_words() {
        let text = "f(\"TODO todo!()\"); // TODOS, my_todo!\nlet todo = 1;";
        assert_eq!(messages(check, &[("src/a.rs", text)]), [""; 0]);
    }
}
