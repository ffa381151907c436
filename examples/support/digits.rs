//! Images with their labels, from the file of small digits or from MNIST.

use std::{error::Error, fs, path::Path};

use ndarray::{Array3, Axis};
use recurrent::prelude::*;

use super::idx::{self, Labelled};

/// The digits that come with this example: 8 × 8 pixels of 0 to 16, then the label.
const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv");
/// Pixels along each side of them.
const SIDE: usize = 8;
/// The brightest pixel.
const BRIGHTEST: f32 = 16.0;

/// What is trained on, and what is held out.
pub struct Digits {
    /// To train on.
    pub train: Dataset,
    /// Held out, as a data set.
    pub test: Dataset,
    /// Held out: `[images, height, width]`, each pixel 0 to 1.
    pub images: Array3<f32>,
    /// The digits that they show.
    pub labels: Vec<u32>,
}

impl Digits {
    /// The small digits in an order drawn by `seed`, a fifth of them held out.
    ///
    /// # Errors
    /// If the file cannot be read, or is none of digits.
    pub fn small(seed: u64) -> Result<Digits, Box<dyn Error>> {
        let text = fs::read_to_string(SMALL).map_err(|error| format!("{SMALL}: {error}"))?;
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let row = line.split(',').map(|field| field.trim().parse::<u8>());
            let row: Vec<u8> = row.collect::<Result<_, _>>().unwrap_or_default();
            match row.split_last() {
                Some((label @ 0..10, image)) if image.len() == SIDE * SIDE => {
                    pixels.extend(image.iter().map(|&pixel| f32::from(pixel) / BRIGHTEST));
                    labels.push(u32::from(*label));
                }
                _ => {
                    let line = number + 1;
                    return Err(format!("{SMALL}:{line}: expected 64 pixels and a digit").into());
                }
            }
        }
        let images = Array3::from_shape_vec((labels.len(), SIDE, SIDE), pixels)?;
        let all = Dataset::new(&images, &labels)?.shuffle(seed);
        let (train, test) = all.split(0.2)?;
        Ok(Digits {
            images: images.select(Axis(0), test.rows()),
            labels: test.rows().iter().map(|&row| labels[row]).collect(),
            train,
            test,
        })
    }

    /// MNIST's own division: 60,000 images to train on, 10,000 held out.
    ///
    /// # Errors
    /// If its files are not in `folder`, are damaged, or hold images of another size.
    pub fn mnist(folder: &Path) -> Result<Digits, Box<dyn Error>> {
        let (train, test) = idx::mnist(folder)?;
        let arrays = |part: Labelled| -> Result<(Array3<f32>, Vec<u32>), Box<dyn Error>> {
            let shape = (part.labels.len(), part.height, part.width);
            Ok((Array3::from_shape_vec(shape, part.pixels)?, part.labels))
        };
        let (train_images, train_labels) = arrays(train)?;
        let (images, labels) = arrays(test)?;
        Ok(Digits {
            train: Dataset::new(train_images, train_labels)?,
            test: Dataset::new(&images, &labels)?,
            images,
            labels,
        })
    }
}
