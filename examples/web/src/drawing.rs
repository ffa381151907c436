//! Strokes of a pen, and the picture that they make.
//!
//! The network has learned from scanned digits: each fills the height of 32 × 32 pixels, is centred, and has about as much ink as
//! any other. A picture has 8 × 8 fields, each the part of its 16 pixels that has ink. A drawing is brought to that form.

/// Rows of a picture, and fields of a row.
pub const SIDE: usize = 8;
/// Pixels of a field along each side.
const PIXELS: usize = 4;
/// Pixels of the fine picture along each side.
const FINE: usize = SIDE * PIXELS;
/// Points that are kept. A longer drawing loses every second one.
const POINTS: usize = 1024;

/// From the middle of the pen's line to the edge of the picture, in pixels.
const MARGIN: f32 = 2.3;
/// The height of all lines, in pixels.
const HEIGHT: f32 = FINE as f32 - 2.0 * MARGIN;
/// The greatest width of all lines: scanned digits are narrower than high.
const WIDTH: f32 = 20.0;
/// Pixels with ink of a scanned digit, in the mean of `examples/data/digits.csv`.
const INK: usize = 312;
/// The thinnest and the thickest pen: half its width, squared.
const THIN: f32 = 1.5 * 1.5;
const THICK: f32 = 4.2 * 4.2;

/// Parts of full brightness, row by row from the top.
pub type Picture = [[f32; SIDE]; SIDE];

#[derive(Clone, Copy)]
struct Point {
    x: f32,
    y: f32,
    /// No line leads to it.
    first: bool,
}

/// Lines of a pen on a square from 0 to 1, whose origin is the upper left corner.
pub struct Drawing {
    points: [Point; POINTS],
    len: usize,
    /// The next point goes on with the line.
    down: bool,
}

impl Drawing {
    /// Without a line.
    pub const fn new() -> Drawing {
        let point = Point {
            x: 0.0,
            y: 0.0,
            first: false,
        };
        Drawing {
            points: [point; POINTS],
            len: 0,
            down: false,
        }
    }

    /// Takes all lines away.
    pub fn clear(&mut self) {
        (self.len, self.down) = (0, false);
    }

    /// Draws a line to a point, or begins one there. A point that is no number is left out.
    pub fn line_to(&mut self, x: f32, y: f32) {
        if !(x.is_finite() && y.is_finite()) {
            return;
        }
        if self.len == POINTS {
            self.thin();
        }
        let first = !self.down;
        if let Some(point) = self.points.get_mut(self.len) {
            *point = Point {
                x: x.clamp(0.0, 1.0),
                y: y.clamp(0.0, 1.0),
                first,
            };
            self.len += 1;
            self.down = true;
        }
    }

    /// Lifts the pen: the next point begins a line.
    pub fn lift(&mut self) {
        self.down = false;
    }

    /// Leaves out every second point of each line, but not where it begins or ends.
    fn thin(&mut self) {
        let (mut kept, mut odd) = (0, false);
        for at in 0..self.len {
            let point = self.points[at];
            let ends = at + 1 == self.len || self.points[at + 1].first;
            odd = !odd && !point.first;
            if !odd || ends {
                self.points[kept] = point;
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// What the network reads of it: dark, if there is no line.
    pub fn picture(&self) -> Picture {
        let mut picture = [[0.0; SIDE]; SIDE];
        let points = self.points.get(..self.len).unwrap_or_default();
        if points.is_empty() {
            return picture;
        }
        let squares = squares(points);
        let mut sorted = squares;
        // As many pixels as are nearest to the lines.
        let (_, radius, _) = sorted.select_nth_unstable_by(INK, f32::total_cmp);
        let radius = radius.clamp(THIN, THICK);
        for (row, fields) in picture.iter_mut().enumerate() {
            for (column, field) in fields.iter_mut().enumerate() {
                let pixels = (0..PIXELS * PIXELS).filter(|pixel| {
                    let (y, x) = (
                        row * PIXELS + pixel / PIXELS,
                        column * PIXELS + pixel % PIXELS,
                    );
                    squares[y * FINE + x] <= radius
                });
                *field = pixels.count() as f32 / (PIXELS * PIXELS) as f32;
            }
        }
        picture
    }
}

impl Default for Drawing {
    fn default() -> Drawing {
        Drawing::new()
    }
}

/// The square of the distance from the middle of each pixel to the nearest line, after the lines have been brought to the size of
/// a scanned digit.
fn squares(points: &[Point]) -> [f32; FINE * FINE] {
    let range = |of: fn(&Point) -> f32| {
        let values = points.iter().map(of);
        values.fold((1.0f32, 0.0f32), |(low, high), v| (low.min(v), high.max(v)))
    };
    let ((left, right), (top, bottom)) = (range(|p| p.x), range(|p| p.y));
    let (width, height) = (right - left, bottom - top);
    // A bar stays a bar, and a dot a dot.
    let down = HEIGHT / height.max(0.5 * width).max(0.1);
    let across = down.min(WIDTH / width.max(0.01));
    let middle = FINE as f32 / 2.0;
    let place = |p: &Point| {
        let (x, y) = (p.x - (left + right) / 2.0, p.y - (top + bottom) / 2.0);
        (middle + x * across, middle + y * down)
    };

    let mut squares = [f32::MAX; FINE * FINE];
    let mut from = (0.0, 0.0);
    for point in points {
        let to = place(point);
        if point.first {
            from = to;
        }
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx * dx + dy * dy;
        for (at, square) in squares.iter_mut().enumerate() {
            let (x, y) = (
                (at % FINE) as f32 + 0.5 - from.0,
                (at / FINE) as f32 + 0.5 - from.1,
            );
            let along = match length > 0.0 {
                true => ((x * dx + y * dy) / length).clamp(0.0, 1.0),
                false => 0.0,
            };
            let (x, y) = (x - along * dx, y - along * dy);
            *square = square.min(x * x + y * y);
        }
        from = to;
    }
    squares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(lines: &[&[(f32, f32)]]) -> Drawing {
        let mut drawing = Drawing::new();
        for line in lines {
            line.iter().for_each(|&(x, y)| drawing.line_to(x, y));
            drawing.lift();
        }
        drawing
    }

    #[test]
    fn a_drawing_fills_the_height_wherever_and_however_large_it_is() {
        let large = drawn(&[&[(0.2, 0.1), (0.6, 0.1), (0.3, 0.9)]]).picture();
        let small = drawn(&[&[(0.55, 0.55), (0.65, 0.55), (0.575, 0.75)]]).picture();
        assert_eq!(large, small);
        let rows: Vec<bool> = large
            .iter()
            .map(|row| row.iter().any(|&x| x > 0.0))
            .collect();
        assert_eq!(rows, [true; SIDE]);
        assert!(large.iter().all(|row| row[0] == 0.0 && row[7] == 0.0));
    }

    #[test]
    fn nothing_is_dark_and_a_dot_is_a_dot() {
        assert_eq!(Drawing::new().picture(), [[0.0; SIDE]; SIDE]);
        let dot = drawn(&[&[(0.9, 0.9)]]).picture();
        assert!(
            dot[0][0] == 0.0 && dot[3][3] > 0.5 && dot[4][4] > 0.5,
            "{dot:?}"
        );
        let mut none = Drawing::new();
        none.line_to(f32::NAN, 0.5);
        assert_eq!(none.picture(), [[0.0; SIDE]; SIDE]);
    }

    #[test]
    fn a_long_drawing_loses_points_and_no_lines() {
        let wave = |count: usize| {
            let point = |k: usize| {
                let t = k as f32 / (count - 1) as f32;
                (0.3 + 0.4 * t, 0.1 + 0.8 * (4.0 * t - 2.0).abs() / 2.0)
            };
            let line: Vec<(f32, f32)> = (0..count).map(point).collect();
            drawn(&[&line, &[(0.5, 0.5), (0.5, 0.6)]])
        };
        let (short, long) = (wave(401).picture(), wave(8001));
        assert!(
            long.len <= POINTS && long.points[..long.len].iter().filter(|p| p.first).count() == 2
        );
        let pairs = short
            .iter()
            .flatten()
            .zip(long.picture().into_iter().flatten());
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) <= 2.0 / 16.0);
    }

    #[test]
    fn dots_alone_are_never_too_many() {
        let mut drawing = Drawing::new();
        for k in 0..5000 {
            drawing.line_to(k as f32 / 5000.0, 0.5);
            drawing.lift();
        }
        assert_eq!(drawing.len, POINTS);
    }
}
