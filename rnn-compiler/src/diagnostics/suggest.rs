//! "Did you mean": the closest of a list of names.

/// The name nearest to `found` by edit distance, if near enough to be a slip; case is ignored.
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = found.to_lowercase();
    known
        .into_iter()
        .map(|name| (distance(&wanted, &name.to_lowercase()), name))
        .filter(|(d, name)| *d <= (found.len().max(name.len()) / 3).max(1))
        // One letter is never a slip for another letter.
        .filter(|(d, name)| *d < name.len().min(found.len()))
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name)
}

/// Levenshtein distance with transpositions of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut d = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(rows[i - 2][j - 2] + 1);
            }
            row.push(d);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let layers = ["LSTM", "GRU", "Dense", "Embedding"];
        assert_eq!(did_you_mean("LTSM", layers), Some("LSTM"));
        assert_eq!(did_you_mean("dense", layers), Some("Dense"));
        assert_eq!(did_you_mean("Embeding", layers), Some("Embedding"));
        assert_eq!(did_you_mean("Conv2D", layers), None);
        assert_eq!(did_you_mean("y", ["x", "h"]), None);
    }
}
