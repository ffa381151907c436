//! Lists in sentences. A file may have thousands of things that one sentence lists, with names of any length.

/// How many things a sentence names.
pub(crate) const MOST_NAMED: usize = 20;
/// The most characters of one of them.
const MOST_OF_ONE: usize = 200;

/// The first `most` of them in one text, and how many more there are.
pub(crate) fn listed(all: impl IntoIterator<Item = String>, between: &str, most: usize) -> String {
    let mut all = all.into_iter();
    let first = all.by_ref().take(most);
    let mut first: Vec<String> = first.map(|one| cut(one, MOST_OF_ONE)).collect();
    match all.count() {
        0 => {}
        more => first.push(format!("and {more} more")),
    }
    first.join(between)
}

/// So many characters of a text at most.
pub(crate) fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{cut, listed};

    #[test]
    fn lists_have_ends() {
        let of = |count: usize| listed((0..count).map(|n| n.to_string()), ", ", 3);
        assert_eq!(of(0), "");
        assert_eq!(of(3), "0, 1, 2");
        assert_eq!(of(1000), "0, 1, 2, and 997 more");
        assert_eq!(cut("größer".to_owned(), 6), "größer");
        assert_eq!(cut("größer".to_owned(), 3), "grö…");
        let long = listed(["ä".repeat(10_000)], "; ", 3);
        assert_eq!(long.chars().count(), 201);
    }
}
