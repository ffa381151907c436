//! What the page asks for.

use recurrent::stream::ProgramStream;

use crate::{
    Digits,
    drawing::{Drawing, Picture, SIDE},
};

/// The guess after each row: how likely each of the ten digits is.
pub type Guesses = [[f32; 10]; SIDE];

/// A drawing and what the network thinks of it.
pub struct Page {
    /// The lines.
    pub drawing: Drawing,
    /// What the network reads.
    pub picture: Picture,
    /// The guesses of the last [`read`](Self::read).
    pub guesses: Guesses,
    stream: ProgramStream<Digits>,
}

impl Page {
    /// An empty page. A `static` may hold it: nothing has to be set up.
    pub const fn new() -> Page {
        Page {
            drawing: Drawing::new(),
            picture: [[0.0; SIDE]; SIDE],
            guesses: [[0.0; 10]; SIDE],
            stream: Digits::stream(),
        }
    }

    /// Makes the picture of the drawing.
    pub fn look(&mut self) {
        self.picture = self.drawing.picture();
    }

    /// Reads the picture from the top, a step for each row.
    pub fn read(&mut self) {
        self.stream.reset();
        for (row, guess) in self.picture.iter().zip(&mut self.guesses) {
            *guess = *self.stream.step(row);
        }
    }

    /// Reads the picture again and again: this many steps, to measure one.
    pub fn run(&mut self, steps: usize) {
        for row in self.picture.iter().cycle().take(steps) {
            self.stream.step(row);
        }
    }
}

impl Default for Page {
    fn default() -> Page {
        Page::new()
    }
}
