//! Sums as text, and how many of them come out right.

use std::{collections::BTreeSet, error::Error};

use ndarray::{Array2, ArrayView1};
use recurrent::{
    Error as ModelError,
    metrics::{Direction, Metric, Tally},
    train::{Dataset, Predictions, Target, TargetKind},
};

/// Characters of a question, such as `123+456`.
pub const QUESTION: usize = 7;
/// Characters of an answer, such as `579 `.
pub const ANSWER: usize = 4;
/// Characters that there are.
pub const SYMBOLS: usize = 12;
const ALPHABET: [char; SYMBOLS] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', ' '];

/// Questions with their answers.
pub struct Sums {
    /// Questions backwards, and answers.
    pub data: Dataset,
    /// `[sums, 7]`, backwards.
    pub questions: Array2<u32>,
}

impl Sums {
    /// Draws sums of numbers of one to three digits, none of them twice, `1+2` and `2+1` being the
    /// same.
    ///
    /// # Errors
    /// If there are not as many.
    pub fn draw(count: usize, seed: u64) -> Result<Sums, Box<dyn Error>> {
        if count > 100_000 {
            return Err(format!("{count} different sums are too many to draw").into());
        }
        let (mut random, mut seen) = (Random(seed), BTreeSet::new());
        let (mut questions, mut answers) = (Vec::new(), Vec::new());
        while seen.len() < count {
            let (a, b) = (random.number(), random.number());
            if seen.insert((a.min(b), a.max(b))) {
                let question = format!("{:<QUESTION$}", format!("{a}+{b}"));
                questions.extend(question.chars().rev().map(id));
                answers.extend(format!("{:<ANSWER$}", a + b).chars().map(id));
            }
        }
        let questions = Array2::from_shape_vec((count, QUESTION), questions)?;
        let answers = Array2::from_shape_vec((count, ANSWER), answers)?;
        Ok(Sums {
            data: Dataset::new(&questions, &answers)?,
            questions,
        })
    }
}

/// Number of a character.
fn id(symbol: char) -> u32 {
    ALPHABET
        .iter()
        .position(|&s| s == symbol)
        .unwrap_or(SYMBOLS - 1) as u32
}

/// The characters of these numbers.
pub fn text(ids: impl Iterator<Item = u32>) -> String {
    ids.map(|id| ALPHABET.get(id as usize).copied().unwrap_or('?'))
        .collect()
}

/// Place of the largest number.
pub fn largest(logits: ArrayView1<'_, f32>) -> u32 {
    (0..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best }) as u32
}

/// The right answer.
///
/// # Errors
/// If it is no sum.
pub fn add(question: &str) -> Result<String, Box<dyn Error>> {
    let (a, b) = question
        .trim()
        .split_once('+')
        .ok_or("no `+` in the question")?;
    Ok((a.parse::<u32>()? + b.parse::<u32>()?).to_string())
}

/// Pseudo-random numbers (SplitMix64; Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number of one to three digits, each length as likely, as in Keras's example.
    fn number(&mut self) -> u32 {
        let digits = 1 + (self.next() % 3) as u32;
        (self.next() % 10u64.pow(digits)) as u32
    }
}

/// Share of answers of which every character is right: a metric of samples, not of their steps.
pub struct ExactMatch;

impl Metric for ExactMatch {
    fn name(&self) -> &str {
        "exact_match"
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }

    fn start(&self, _: usize, targets: TargetKind) -> Result<Box<dyn Tally>, ModelError> {
        match targets {
            TargetKind::Labels => Ok(Box::new(Counts::default())),
            TargetKind::Floats => Err(ModelError::Argument("exact_match needs labels".to_owned())),
        }
    }
}

#[derive(Default)]
struct Counts {
    right: usize,
    all: usize,
}

impl Tally for Counts {
    fn add(&mut self, predictions: &Predictions<'_>) {
        let right = |(prediction, target, _): (&[f32], Target<'_>, f32)| match target {
            Target::Label(label) => largest(prediction.into()) == label,
            Target::Floats(_) => false,
        };
        let steps: Vec<bool> = predictions.iter().map(right).collect();
        let answers = steps.chunks_exact(ANSWER);
        self.all += answers.len();
        self.right += answers
            .filter(|steps| steps.iter().all(|&right| right))
            .count();
    }

    fn result(&self) -> f64 {
        self.right as f64 / self.all.max(1) as f64
    }

    fn reset(&mut self) {
        *self = Counts::default();
    }
}
