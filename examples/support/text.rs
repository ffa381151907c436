//! Text as numbers, and characters that are drawn.

use std::{error::Error, fs, path::Path};

/// The printable characters of ASCII, the end of a line, and one for all others.
pub const CHARACTERS: usize = 97;
const FIRST: u32 = ' ' as u32;
const NEWLINE: u32 = 95;
const OTHER: u32 = 96;

/// What there is to read where nothing is given.
const OWN: [&str; 5] = ["CHANGELOG.md", "ARCHITECTURE.md", "src/macros.rs", "README.md", "CONTRIBUTING.md"];

/// The number of a character.
pub fn id(character: char) -> u32 {
    match character {
        '\n' => NEWLINE,
        ' '..='~' => character as u32 - FIRST,
        _ => OTHER,
    }
}

/// The character of a number.
pub fn symbol(id: u32) -> char {
    match id {
        NEWLINE => '\n',
        OTHER.. => '·',
        _ => char::from_u32(id + FIRST).unwrap_or('·'),
    }
}

/// The characters of a file, or of this project's documentation.
///
/// # Errors
/// If a file cannot be read, or is no text in UTF-8.
pub fn read(file: Option<&Path>) -> Result<Vec<u32>, Box<dyn Error>> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut text = String::new();
    match file {
        Some(file) => text = read(file)?,
        None => {
            for file in OWN {
                text += &read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file))?;
            }
        }
    }
    Ok(text.chars().filter(|&c| c != '\r').map(id).collect())
}

/// Pseudo-random numbers (SplitMix64; Steele, Lea and Flood, 2014).
pub struct Dice(pub u64);

impl Dice {
    /// A number in 0..1.
    pub fn roll(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / 2f32.powi(24)
    }
}

/// Draws a character as likely as softmax(logits / temperature) says.
pub fn draw(logits: &[f32], temperature: f32, dice: &mut Dice) -> u32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = logits.iter().map(|x| ((x - most) / temperature).exp()).collect();
    let mut left = dice.roll() * shares.iter().sum::<f32>();
    let found = shares.iter().position(|share| {
        left -= share;
        left < 0.0
    });
    // Rounding may leave a little behind the last one.
    found.unwrap_or(shares.len() - 1) as u32
}
