//! Curves of a history as an image.

use std::{io, path::Path, sync::OnceLock};

use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::{FontStyle, register_font},
};

use super::History;
use rnn_runtime::error::{Error, name_folder};

/// A font of our own, so that a plot looks the same everywhere and needs no font of the system.
static FONT: &[u8] = include_bytes!("font/recurrent-plot-sans.ttf");
const FONT_NAME: &str = "recurrent-plot-sans";

/// One panel of an SVG; a PNG has [`PNG_SCALE`] times as many pixels.
const PANEL: (u32, u32) = (760, 460);

/// Sharp on screens of high resolution; small marks stay round.
const PNG_SCALE: u32 = 2;

/// Two colours that differ for nearly everybody, in grey too (Okabe and Ito, 2008).
const TRAINING: RGBColor = RGBColor(0, 114, 178);
const VALIDATION: RGBColor = RGBColor(213, 94, 0);
const INK: RGBColor = RGBColor(55, 60, 67);
const GRID: RGBColor = RGBColor(228, 231, 235);

impl History {
    /// Draws the loss and every metric over the epochs, training and validation in one panel, to
    /// `path`: an SVG if it ends in `.svg`, a PNG if it ends in `.png`.
    ///
    /// # Errors
    /// [`Error::Argument`] if it ends in something else or there is nothing to draw,
    /// [`Error::Io`] if the file cannot be written.
    ///
    /// ```no_run
    /// # fn example(history: recurrent::train::History) -> Result<(), recurrent::Error> {
    /// history.plot("loss.png")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let panels = self.panels();
        if panels.is_empty() {
            return Err(Error::Argument(
                "the history has nothing to plot".to_owned(),
            ));
        }
        let not_written = |source| Error::Io {
            path: path.display().to_string(),
            near: None,
            source: name_folder(path, source),
        };
        let failed = |message: String| not_written(io::Error::other(message));
        // Asked before: what the PNG's encoder says of a missing folder is text.
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::metadata(folder).map_err(not_written)?;
        }
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        if !REGISTERED.get_or_init(|| register_font(FONT_NAME, FontStyle::Normal, FONT).is_ok()) {
            return Err(failed("the built-in font cannot be read".to_owned()));
        }
        let size = |scale| size(panels.len(), scale);
        match path
            .extension()
            .and_then(|e| e.to_str())
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("svg") => {
                let mut text = String::new();
                draw(SVGBackend::with_string(&mut text, size(1)), &panels, 1).map_err(failed)?;
                // Viewers do not know our font; it has the widths of a common sans serif.
                let text = text.replace(FONT_NAME, "DejaVu Sans, Verdana, sans-serif");
                std::fs::write(path, text).map_err(not_written)
            }
            Some("png") => {
                let backend = BitMapBackend::new(path, size(PNG_SCALE));
                draw(backend, &panels, PNG_SCALE).map_err(failed)
            }
            _ => Err(Error::Argument(format!(
                "{}: a plot is a .png or an .svg",
                path.display()
            ))),
        }
    }

    /// One panel for every name, with its numbers of validation.
    fn panels(&self) -> Vec<Panel> {
        let names = self.names();
        let names = names.into_iter().filter(|name| !name.starts_with("val_"));
        let panel = |name: &str| Panel {
            title: name.replace('_', " "),
            training: self.points(name),
            validation: self.points(&format!("val_{name}")),
        };
        names
            .map(panel)
            .filter(|p| !p.training.is_empty() || !p.validation.is_empty())
            .collect()
    }

    /// Epoch from 1 and figure, where it is finite.
    fn points(&self, name: &str) -> Vec<(f64, f64)> {
        let all = self.epochs().iter().zip(self.logs());
        all.filter_map(|(&epoch, logs)| Some(((epoch + 1) as f64, logs.get(name)?)))
            .filter(|(_, value)| value.is_finite())
            .collect()
    }
}

struct Panel {
    title: String,
    training: Vec<(f64, f64)>,
    validation: Vec<(f64, f64)>,
}

/// Panels in two columns, if there are several.
fn grid(panels: usize) -> (usize, usize) {
    (panels.div_ceil(2), panels.min(2))
}

fn size(panels: usize, scale: u32) -> (u32, u32) {
    let (rows, columns) = grid(panels);
    (
        PANEL.0 * scale * columns as u32,
        PANEL.1 * scale * rows as u32,
    )
}

fn draw<B: DrawingBackend>(backend: B, panels: &[Panel], scale: u32) -> Result<(), String> {
    let root = backend.into_drawing_area();
    root.fill(&WHITE).map_err(|e| e.to_string())?;
    for (area, panel) in root.split_evenly(grid(panels.len())).iter().zip(panels) {
        panel.draw(area, scale).map_err(|e| e.to_string())?;
    }
    root.present().map_err(|e| e.to_string())
}

impl Panel {
    fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        scale: u32,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let (x, y) = (self.epochs(), self.values());
        let font = |size: u32| (FONT_NAME, size * scale).into_font().color(&INK);
        let mut chart = ChartBuilder::on(area)
            .margin(18 * scale)
            .margin_right(28 * scale)
            .caption(&self.title, font(22))
            .x_label_area_size(42 * scale)
            .y_label_area_size(68 * scale)
            .build_cartesian_2d(x.clone(), y.clone())?;
        let digits = digits(y.end - y.start);
        // A label at every epoch while there are few.
        let epochs = ((x.end - x.start).round() as usize + 1).min(11);
        chart
            .configure_mesh()
            .bold_line_style(GRID.stroke_width(scale))
            .light_line_style(TRANSPARENT)
            .axis_style(INK.stroke_width(scale))
            .x_desc("epoch")
            .x_labels(epochs)
            .y_labels(7)
            .x_label_formatter(&|epoch| {
                if epoch.fract() == 0.0 {
                    format!("{epoch}")
                } else {
                    String::new()
                }
            })
            .y_label_formatter(&|value| format!("{value:.digits$}"))
            .label_style(font(14))
            .axis_desc_style(font(15))
            .set_all_tick_mark_size(5 * scale)
            .draw()?;
        curve(&mut chart, &self.training, TRAINING, "training", scale)?;
        curve(
            &mut chart,
            &self.validation,
            VALIDATION,
            "validation",
            scale,
        )?;
        if self.validation.is_empty() {
            return Ok(());
        }
        chart
            .configure_series_labels()
            .position(self.free_corner(&y))
            .margin(12 * scale)
            .background_style(WHITE.mix(0.85))
            .border_style(GRID.stroke_width(scale))
            .legend_area_size(30 * scale)
            .label_font(font(14))
            .draw()?;
        Ok(())
    }

    /// From the first epoch to the last; wider if there is only one.
    fn epochs(&self) -> std::ops::Range<f64> {
        let all = || self.training.iter().chain(&self.validation).map(|p| p.0);
        let (first, last) = (
            all().fold(f64::MAX, f64::min),
            all().fold(f64::MIN, f64::max),
        );
        if last > first {
            first..last
        } else {
            first - 1.0..first + 1.0
        }
    }

    /// From the smallest figure to the largest, and a little beyond.
    fn values(&self) -> std::ops::Range<f64> {
        let all = || self.training.iter().chain(&self.validation).map(|p| p.1);
        let (low, high) = (
            all().fold(f64::MAX, f64::min),
            all().fold(f64::MIN, f64::max),
        );
        let room = match 0.06 * (high - low) {
            room if room > 0.0 && room.is_finite() => room,
            _ => 0.1 * low.abs().max(1e-6),
        };
        low - room..high + room
    }

    /// The right corner that is farther from the ends of the curves.
    fn free_corner(&self, y: &std::ops::Range<f64>) -> SeriesLabelPosition {
        let ends = [&self.training, &self.validation];
        let ends: Vec<f64> = ends.iter().filter_map(|c| c.last()).map(|p| p.1).collect();
        let mean = ends.iter().sum::<f64>() / ends.len().max(1) as f64;
        if mean < 0.5 * (y.start + y.end) {
            SeriesLabelPosition::UpperRight
        } else {
            SeriesLabelPosition::LowerRight
        }
    }
}

/// Digits after the point that tell the labels of this range apart.
fn digits(range: f64) -> usize {
    (1.0 - range.log10().floor()).clamp(0.0, 9.0) as usize
}

type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A line with a dot at every epoch, if there are few.
fn curve<'a, B: DrawingBackend + 'a>(
    chart: &mut Chart<'a, B>,
    points: &[(f64, f64)],
    colour: RGBColor,
    label: &str,
    scale: u32,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    if points.is_empty() {
        return Ok(());
    }
    let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2 * scale));
    chart.draw_series(line)?.label(label).legend(move |(x, y)| {
        PathElement::new(
            [(x, y), (x + 22 * scale as i32, y)],
            colour.stroke_width(2 * scale),
        )
    });
    if points.len() <= 30 {
        chart.draw_series(
            points
                .iter()
                .map(|&p| Circle::new(p, 3 * scale, colour.filled())),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
