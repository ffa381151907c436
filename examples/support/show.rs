//! What the example prints: confusion, and a digit that is read row by row.

use ndarray::ArrayView1;

/// Darker and darker.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// The class of the largest number.
pub fn best(logits: ArrayView1<'_, f32>) -> usize {
    let start = (0, f32::NEG_INFINITY);
    let (class, _) =
        logits.iter().enumerate().fold(
            start,
            |best, (class, &x)| if x > best.1 { (class, x) } else { best },
        );
    class
}

/// How often each digit was taken for which: a row for every digit, a column for every guess.
pub fn confusion(guesses: &[usize], labels: &[u32]) -> String {
    let mut counts = [[0usize; 10]; 10];
    for (&guess, &label) in guesses.iter().zip(labels) {
        counts[label as usize][guess] += 1;
    }
    let most = counts.iter().flatten().max().copied().unwrap_or(0);
    let width = most.to_string().len().max(2) + 1;
    let mut text = String::from("digit │ guessed\n      │");
    for guess in 0..10 {
        text += &format!("{guess:>width$}");
    }
    text += &format!("\n──────┼{}\n", "─".repeat(10 * width));
    for (digit, row) in counts.iter().enumerate() {
        text += &format!("{digit:>5} │");
        for &count in row {
            match count {
                0 => text += &format!("{:>width$}", "·"),
                _ => text += &format!("{count:>width$}"),
            }
        }
        text.push('\n');
    }
    text
}

/// A row of an image, and what is made of all rows up to it.
pub fn row(pixels: ArrayView1<'_, f32>, logits: &[f32]) -> String {
    let mut text = String::new();
    for &pixel in pixels {
        let shade = (pixel * SHADES.len() as f32) as usize;
        let shade = SHADES[shade.min(SHADES.len() - 1)];
        // Two, as letters are twice as high as they are wide.
        text.extend([shade, shade]);
    }
    text += " │";
    for (class, share) in softmax(logits).into_iter().take(3) {
        text += &format!("  {class} {:>3.0} %", share * 100.0);
    }
    text
}

/// Classes with their shares, the largest first.
fn softmax(logits: &[f32]) -> Vec<(usize, f32)> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|x| (x - most).exp()).collect();
    let sum: f32 = powers.iter().sum();
    let mut shares: Vec<_> = powers.into_iter().map(|p| p / sum).enumerate().collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}
