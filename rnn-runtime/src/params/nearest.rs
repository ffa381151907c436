//! What a wrong name may have meant.

/// Longer names are not compared: the time grows with the product of both lengths.
const MAX_LENGTH: usize = 256;

/// How many characters have to be changed, added or removed to make one name of the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    if a.len().max(b.len()) > MAX_LENGTH {
        return if a == b { 0 } else { a.len().max(b.len()) };
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted() {
        assert_eq!(distance("gru/kernel", "gru/kernel"), 0);
        assert_eq!(distance("glov/embedings", "glove/embeddings"), 2);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ä", "a"), 1);
        let long = "x".repeat(MAX_LENGTH + 1);
        assert_eq!(distance(&long, &long), 0);
        assert_eq!(distance(&long, "x"), MAX_LENGTH + 1);
    }
}
