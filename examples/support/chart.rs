//! Curves as an SVG.

/// Points in order.
pub struct Curve {
    /// For the legend.
    pub name: &'static str,
    /// Such as `#0072b2`.
    pub colour: &'static str,
    /// x and y.
    pub points: Vec<(f64, f64)>,
}

/// Curves over the same axes.
pub struct Chart {
    /// Above it.
    pub title: &'static str,
    /// The last one is on top.
    pub curves: Vec<Curve>,
}

const WIDTH: f64 = 1100.0;
const HEIGHT: f64 = 560.0;
const MARGIN: f64 = 56.0;

impl Chart {
    /// The text of an SVG file.
    pub fn svg(&self) -> String {
        let all = || {
            self.curves
                .iter()
                .flat_map(|curve| curve.points.iter().copied())
        };
        let (left, right) = range(all().map(|(x, _)| x));
        let (bottom, top) = range(all().map(|(_, y)| y));
        let x = |at: f64| MARGIN + (at - left) / (right - left) * (WIDTH - 2.0 * MARGIN);
        let y =
            |at: f64| HEIGHT - MARGIN - (at - bottom) / (top - bottom) * (HEIGHT - 2.0 * MARGIN);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"13\" fill=\"#373c43\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{MARGIN}\" y=\"30\" font-size=\"17\">{}</text>\n",
            self.title
        );
        for at in ticks(left, right) {
            let (x, end) = (x(at), HEIGHT - MARGIN);
            svg += &format!(
                "<path d=\"M{x:.1} {MARGIN}V{end}\" stroke=\"#e4e7eb\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{at}</text>\n",
                end + 20.0
            );
        }
        for at in ticks(bottom, top) {
            let (y, end) = (y(at), WIDTH - MARGIN);
            svg += &format!(
                "<path d=\"M{MARGIN} {y:.1}H{end}\" stroke=\"#e4e7eb\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{at}</text>\n",
                MARGIN - 6.0,
                y + 4.0
            );
        }
        for (
            number,
            Curve {
                name,
                colour,
                points,
            },
        ) in self.curves.iter().enumerate()
        {
            let path: Vec<String> = points
                .iter()
                .map(|&(px, py)| format!("{:.1},{:.1}", x(px), y(py)))
                .collect();
            let (row, start) = (MARGIN + 20.0 * (number as f64 + 1.0), MARGIN + 16.0);
            svg += &format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>\n\
                 <path d=\"M{start} {row}h24\" stroke=\"{colour}\" stroke-width=\"3\"/>\
                 <text x=\"{}\" y=\"{}\">{name}</text>\n",
                path.join(" "),
                start + 32.0,
                row + 4.0
            );
        }
        svg + "</svg>\n"
    }
}

/// The least and the largest number, some way apart.
fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    let (least, most) = numbers.fold(start, |(least, most), n| (least.min(n), most.max(n)));
    if least < most {
        (least, most)
    } else {
        (0.0, 1.0)
    }
}

/// About eight round numbers.
fn ticks(from: f64, to: f64) -> impl Iterator<Item = f64> {
    let rough = (to - from) / 8.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|n| n * power)
        .into_iter()
        .find(|&s| s >= rough);
    let step = step.unwrap_or(power);
    let first = (from / step).ceil() as i64;
    (first..)
        .map(move |n| n as f64 * step)
        .take_while(move |&at| at <= to)
}
