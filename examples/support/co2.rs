//! The record of Mauna Loa (`data/README.md` has its source).

use std::{error::Error, fmt, fs};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/co2.csv");

/// A month of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Such as 1989.
    pub year: u32,
    /// 1 to 12.
    pub month: u32,
}

impl Month {
    /// The year with a fraction.
    pub fn decimal(self) -> f64 {
        f64::from(self.year) + (f64::from(self.month) - 0.5) / 12.0
    }

    fn parse(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-')?;
        let month = Month {
            year: year.parse().ok()?,
            month: month.parse().ok()?,
        };
        (1..=12).contains(&month.month).then_some(month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.year, self.month)
    }
}

/// Monthly means, without a gap.
pub struct Record {
    /// The months.
    pub months: Vec<Month>,
    /// Carbon dioxide in parts per million.
    pub ppm: Vec<f32>,
}

impl Record {
    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read, or a line is none of it.
    pub fn read() -> Result<Record, Box<dyn Error>> {
        let text = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
        let mut record = Record {
            months: Vec::new(),
            ppm: Vec::new(),
        };
        for (number, line) in text.lines().enumerate().skip(1) {
            let parsed = line.split_once(',').and_then(|(month, ppm)| {
                Some((
                    Month::parse(month)?,
                    ppm.parse().ok().filter(|p: &f32| p.is_finite())?,
                ))
            });
            let follows = |month: Month| match record.months.last() {
                None => true,
                Some(&Month { year, month: 12 }) => {
                    month
                        == Month {
                            year: year + 1,
                            month: 1,
                        }
                }
                Some(&last) => {
                    month
                        == Month {
                            month: last.month + 1,
                            ..last
                        }
                }
            };
            match parsed {
                Some((month, ppm)) if follows(month) => {
                    record.months.push(month);
                    record.ppm.push(ppm);
                }
                _ => {
                    let line = number + 1;
                    return Err(
                        format!("{FILE}:{line}: expected the next month and its ppm").into(),
                    );
                }
            }
        }
        Ok(record)
    }

    /// Place of a month.
    ///
    /// # Errors
    /// If the record has it not.
    pub fn index(&self, month: Month) -> Result<usize, Box<dyn Error>> {
        let found = self.months.iter().position(|&m| m == month);
        Ok(found.ok_or_else(|| format!("{FILE}: there is no {month}"))?)
    }

    /// By how much each month exceeds the one `lag` months before, from month number `lag` on.
    pub fn growth(&self, lag: usize) -> Vec<f32> {
        self.ppm
            .iter()
            .zip(self.ppm.iter().skip(lag))
            .map(|(before, now)| now - before)
            .collect()
    }
}
