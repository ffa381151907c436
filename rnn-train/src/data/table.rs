//! Tables of CSV files.

use std::{collections::BTreeSet, fs::File, io, path::Path};

use ndarray::{Array1, Array2};

use rnn_runtime::error::Error;

/// How a CSV file is written.
///
/// Example: [`Table::read_csv_with`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Csv {
    /// What stands between two cells; a comma by default.
    pub delimiter: u8,
    /// Whether the first line names the columns; true by default. Without names they are called `0`, `1`, ….
    pub headers: bool,
}

impl Default for Csv {
    fn default() -> Self {
        Csv {
            delimiter: b',',
            headers: true,
        }
    }
}

/// The rows of a CSV file. Numbers are taken out by the names of their columns.
///
/// ```no_run
/// use recurrent::prelude::*;
///
/// let prices = Table::read_csv("prices.csv")?;
/// let features = prices.floats(&["open", "high", "low", "volume"])?;
/// let close = prices.column("close")?;
/// // Thirty days, and the close of the next.
/// let data = Dataset::windows_with_targets(&features, &close, 30, 1)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    /// The file, for messages.
    file: String,
    names: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads a file with commas whose first line names the columns.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Format`] if a line has more or fewer cells than the first, is not
    /// UTF-8, or two columns have one name.
    pub fn read_csv(path: impl AsRef<Path>) -> Result<Table, Error> {
        Table::read_csv_with(path, Csv::default())
    }

    /// Reads a file that is written in another way.
    ///
    /// # Errors
    /// As [`Table::read_csv`].
    ///
    /// ```no_run
    /// use recurrent::prelude::*;
    ///
    /// let options = Csv { delimiter: b';', ..Csv::default() };
    /// let table = Table::read_csv_with("measured.csv", options)?;
    /// println!("{:?}", table.names());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn read_csv_with(path: impl AsRef<Path>, options: Csv) -> Result<Table, Error> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| Error::Io {
            path: name.clone(),
            near: None,
            source,
        })?;
        Table::parse(&name, file, options)
    }

    /// Reads a table from anything; `name` stands in messages.
    ///
    /// # Errors
    /// As [`Table::read_csv`].
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let text = "length,species\n1.5,setosa\n4.5,virginica\n1.4,setosa\n";
    /// let table = Table::parse("iris", text.as_bytes(), Csv::default())?;
    /// assert_eq!(table.column("length")?.to_vec(), [1.5, 4.5, 1.4]);
    /// let (labels, names) = table.labels("species")?;
    /// assert_eq!(labels.to_vec(), [0, 1, 0]);
    /// assert_eq!(names, ["setosa", "virginica"]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn parse(name: &str, from: impl io::Read, options: Csv) -> Result<Table, Error> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(options.delimiter)
            .has_headers(options.headers)
            .trim(csv::Trim::All)
            .from_reader(from);
        let failed = |e: csv::Error| failed(name, e);
        let headers = reader.headers().map_err(failed)?;
        let names: Vec<String> = match options.headers {
            // Excel writes a mark in front of the first name.
            true => (headers
                .iter()
                .map(|n| n.trim_start_matches('\u{feff}').to_owned()))
            .collect(),
            false => (0..headers.len()).map(|i| i.to_string()).collect(),
        };
        let mut known = BTreeSet::new();
        if let Some(twice) = names.iter().find(|n| !known.insert(n.as_str())) {
            return Err(Error::Format {
                file: name.to_owned(),
                problem: format!("two columns are called `{twice}`"),
            });
        }
        let rows = reader.records().collect::<Result<_, _>>().map_err(failed)?;
        Ok(Table {
            file: name.to_owned(),
            names,
            rows,
        })
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of a column as they are written.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such column; it lists those that there are.
    pub fn text(&self, column: &str) -> Result<Vec<&str>, Error> {
        let at = self.find(column)?;
        Ok(self.rows.iter().map(|row| &row[at]).collect())
    }

    /// One column of numbers, `[rows]`.
    ///
    /// # Errors
    /// As [`Table::floats`].
    pub fn column(&self, column: &str) -> Result<Array1<f32>, Error> {
        let numbers = self.floats(&[column])?;
        Ok(numbers.into_iter().collect())
    }

    /// Some columns of numbers side by side, `[rows, columns]`.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such column; [`Error::Format`] for a cell that is no finite number: it tells line
    /// and column. [`Table::complete`] leaves out rows with empty cells.
    pub fn floats(&self, columns: &[&str]) -> Result<Array2<f32>, Error> {
        let places = self.places(columns)?;
        let cells = self.rows.iter().flat_map(|row| {
            let cell = move |&at: &usize| (row, at);
            places.iter().map(cell)
        });
        let numbers = cells.map(|(row, at)| {
            let number = row[at].parse().ok().filter(|v: &f32| v.is_finite());
            number.ok_or_else(|| {
                let line = row.position().map_or(0, csv::Position::line);
                let (name, cell) = (&self.names[at], &row[at]);
                let problem = match missing(cell) {
                    true => format!("no number for `{name}`: `complete()` leaves out such rows"),
                    false => format!("`{cell}` for `{name}` is no finite number"),
                };
                Error::Format {
                    file: format!("{}, line {line}", self.file),
                    problem,
                }
            })
        });
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
        Array2::from_shape_vec((self.rows.len(), columns.len()), numbers)
            .map_err(|e| Error::Argument(format!("{}: {e}", self.file)))
    }

    /// A column of names as class numbers, and the names of the classes in alphabetical order. Another file may lack a class:
    /// give it these names, [`Table::labels_of`].
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such column.
    pub fn labels(&self, column: &str) -> Result<(Array1<u32>, Vec<String>), Error> {
        let cells = self.text(column)?;
        let names: Vec<&str> = cells
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let number = |cell: &&str| names.binary_search(cell).unwrap_or(0) as u32;
        let labels = cells.iter().map(number).collect();
        Ok((labels, names.iter().map(|n| (*n).to_owned()).collect()))
    }

    /// A column of names as class numbers, by the names of the classes in their order.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such column, or a cell is none of the names: it tells the line.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let train = Table::parse("train", "word\nno\nyes\n".as_bytes(), Csv::default())?;
    /// let test = Table::parse("test", "word\nyes\n".as_bytes(), Csv::default())?;
    /// let (_, names) = train.labels("word")?;
    /// assert_eq!(test.labels_of("word", &names)?.to_vec(), [1]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn labels_of<N: AsRef<str>>(
        &self,
        column: &str,
        names: &[N],
    ) -> Result<Array1<u32>, Error> {
        let at = self.find(column)?;
        let number = |row: &csv::StringRecord| {
            let found = names.iter().position(|n| n.as_ref() == &row[at]);
            found.map(|n| n as u32).ok_or_else(|| {
                let line = row.position().map_or(0, csv::Position::line);
                Error::Argument(format!(
                    "{}, line {line}: `{}` is no class, only {}",
                    self.file,
                    &row[at],
                    names
                        .iter()
                        .map(|n| format!("`{}`", n.as_ref()))
                        .collect::<Vec<_>>()
                        .join(", ")
                ))
            })
        };
        self.rows.iter().map(number).collect()
    }

    /// The rows without a missing cell in these columns: one that is empty, or `NA`, `NaN`, `null` or `?`.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such column.
    ///
    /// ```
    /// use recurrent::prelude::*;
    ///
    /// let text = "a,b\n1,2\n3,\n5,6\n";
    /// let table = Table::parse("ab", text.as_bytes(), Csv::default())?;
    /// assert_eq!(table.column("b").unwrap_err().to_string(), "ab, line 3 cannot be read: no number for `b`: \
    ///     `complete()` leaves out such rows");
    /// assert_eq!(table.complete(&["a", "b"])?.column("b")?.to_vec(), [2.0, 6.0]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn complete(&self, columns: &[&str]) -> Result<Table, Error> {
        let places = self.places(columns)?;
        let whole = |row: &&csv::StringRecord| !places.iter().any(|&at| missing(&row[at]));
        Ok(Table {
            rows: self.rows.iter().filter(whole).cloned().collect(),
            ..self.clone()
        })
    }

    fn places(&self, columns: &[&str]) -> Result<Vec<usize>, Error> {
        columns.iter().map(|c| self.find(c)).collect()
    }

    fn find(&self, column: &str) -> Result<usize, Error> {
        let at = self.names.iter().position(|n| n == column);
        at.ok_or_else(|| {
            let names: Vec<_> = self.names.iter().map(|n| format!("`{n}`")).collect();
            Error::Argument(format!(
                "{} has no column `{column}`, only {}",
                self.file,
                names.join(", ")
            ))
        })
    }
}

fn missing(cell: &str) -> bool {
    ["", "na", "nan", "null", "?"].contains(&cell.to_ascii_lowercase().as_str())
}

fn failed(file: &str, error: csv::Error) -> Error {
    let problem = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::Io {
            path: file.to_owned(),
            near: None,
            source,
        },
        _ => Error::Format {
            file: file.to_owned(),
            problem,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &[u8]) -> Result<Table, Error> {
        Table::parse("t.csv", text, Csv::default())
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let excel = table("\u{feff}a,\"b, in m\"\r\n1, 2e3 \r\n\"3\",-4\r\n".as_bytes()).unwrap();
        assert_eq!(excel.names(), ["a", "b, in m"]);
        let numbers = excel.floats(&["b, in m", "a"]).unwrap();
        assert_eq!(numbers, ndarray::array![[2000.0, 1.0], [-4.0, 3.0]]);
    }

    #[test]
    fn a_file_without_names_has_numbers() {
        let options = Csv {
            delimiter: b'\t',
            headers: false,
        };
        let table = Table::parse("t", "1\t2\n3\t4\n".as_bytes(), options).unwrap();
        assert_eq!(
            (table.len(), table.names()),
            (2, &["0".to_owned(), "1".to_owned()][..])
        );
        assert_eq!(table.column("1").unwrap().to_vec(), [2.0, 4.0]);
    }

    #[test]
    fn errors_tell_line_and_column() {
        let words = |e: Result<Array1<f32>, Error>| e.unwrap_err().to_string();
        let good = table(b"a,b\n1,x\n2,inf\n").unwrap();
        let unknown = words(good.column("c"));
        assert_eq!(unknown, "t.csv has no column `c`, only `a`, `b`");
        let text = words(good.column("b"));
        assert_eq!(
            text,
            "t.csv, line 2 cannot be read: `x` for `b` is no finite number"
        );
        let short = table(b"a,b\n1\n").unwrap_err().to_string();
        assert!(
            short.starts_with("t.csv cannot be read: ") && short.contains("line: 2"),
            "{short}"
        );
        assert!(
            table(b"a,a\n")
                .unwrap_err()
                .to_string()
                .contains("two columns are called `a`")
        );
        assert!(table(b"a\n\xff\n").is_err());
        let empty = table(b"").unwrap();
        assert!(empty.is_empty() && empty.names().is_empty());
        let missing = Table::read_csv("no/such/file.csv").unwrap_err();
        assert!(matches!(missing, Error::Io { .. }));
    }
}
