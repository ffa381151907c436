//! Text as numbers, and characters that are drawn.

use std::{error::Error, fs, path::Path};

/// The printable characters of ASCII, the end of a line, and one for all others.
pub const CHARACTERS: usize = 97;
const FIRST: u32 = ' ' as u32;
const NEWLINE: u32 = 95;
const OTHER: u32 = 96;

/// Where this project says what it is.
const TEXTS: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];
/// Where it says what its parts are, in comments.
const SOURCES: [&str; 5] = [
    "src",
    "rnn-compiler/src",
    "rnn-macros/src",
    "rnn-runtime/src",
    "rnn-train/src",
];

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
    let text = match file {
        Some(file) => one(file)?,
        None => documentation(Path::new(env!("CARGO_MANIFEST_DIR")))?,
    };
    Ok(text.chars().filter(|&c| c != '\r').map(id).collect())
}

fn one(path: &Path) -> Result<String, Box<dyn Error>> {
    Ok(fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// The texts, and what documents the sources.
fn documentation(project: &Path) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for file in TEXTS {
        text += &one(&project.join(file))?;
    }
    for folder in SOURCES {
        comments(&project.join(folder), &mut text)?;
    }
    Ok(text)
}

/// The lines of `//!` and `///` in a folder of sources, in the order of their names.
fn comments(folder: &Path, text: &mut String) -> Result<(), Box<dyn Error>> {
    let failed = |error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries
        .map(|entry| Ok(entry.map_err(failed)?.path()))
        .collect::<Result<Vec<_>, String>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            comments(&path, text)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for line in one(&path)?.lines().map(str::trim_start) {
                let comment = line
                    .strip_prefix("//!")
                    .or_else(|| line.strip_prefix("///"));
                if let Some(comment) = comment {
                    *text += comment.strip_prefix(' ').unwrap_or(comment);
                    text.push('\n');
                }
            }
        }
    }
    Ok(())
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
    let shares: Vec<f32> = logits
        .iter()
        .map(|x| ((x - most) / temperature).exp())
        .collect();
    let mut left = dice.roll() * shares.iter().sum::<f32>();
    let found = shares.iter().position(|share| {
        left -= share;
        left < 0.0
    });
    // Rounding may leave a little after the last one.
    found.unwrap_or(shares.len() - 1) as u32
}
