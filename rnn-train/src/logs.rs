//! Named numbers.

/// Loss and metrics by name, in the order in which they were set: `loss`, the metrics, and the
/// same with `val_` in front.
///
/// ```
/// use recurrent::train::Logs;
///
/// let mut logs = Logs::default();
/// logs.set("loss", 0.5);
/// logs.set("loss", 0.25);
/// assert_eq!(logs.get("loss"), Some(0.25));
/// assert_eq!(logs.to_string(), "loss: 0.2500");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logs(Vec<(String, f64)>);

impl Logs {
    /// The number of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| *value)
    }

    /// Sets a number, in its old place if it has one.
    pub fn set(&mut self, name: &str, value: f64) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Names and numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As Keras prints them: four digits, small and large ones with an exponent.
impl std::fmt::Display for Logs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            let gap = if index > 0 { " - " } else { "" };
            let size = value.abs();
            if size != 0.0 && size.is_finite() && !(1e-3..1e5).contains(&size) {
                write!(f, "{gap}{name}: {value:.4e}")?;
            } else {
                write!(f, "{gap}{name}: {value:.4}")?;
            }
        }
        Ok(())
    }
}
