//! What the tool prints and writes.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value as Json;

use crate::failure::{Done, Failure};

/// How a command shows what it does.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// JSON for machines.
    pub json: bool,
    /// No progress.
    pub quiet: bool,
}

impl Output {
    /// Prints a result: its text, or its JSON.
    ///
    /// # Errors
    /// If it cannot be written, for example since a disk is full.
    pub fn print(self, text: &str, json: &Json) -> Done<()> {
        let all = match self.json {
            true => format!("{json:#}\n"),
            false => format!("{}\n", text.trim_end()),
        };
        let mut out = std::io::stdout().lock();
        match out.write_all(all.as_bytes()).and_then(|()| out.flush()) {
            // Nobody reads on: `recurrent inspect a.keras | head -1`.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(e) => Err(Failure::new(format!("the result cannot be printed: {e}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Says on stderr what a user should know of a file that was read. JSON has it among the results.
    pub fn notes(self, notes: &[String]) {
        if self.quiet || self.json {
            return;
        }
        for note in notes {
            complain(&format!("note: {note}"));
        }
    }

    /// Says what takes long. It is on stderr, and only where that is a terminal.
    pub fn progress(self, what: &str) -> ProgressBar {
        if self.quiet || self.json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// Prints to stderr. Where nobody reads it there is nobody to tell, and `eprintln!` would panic.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Whether a result may be written to a path: a file that is there is written over with `--force` alone.
///
/// # Errors
/// If a file is there, or a folder.
pub fn may_write(path: &Path, force: bool) -> Done<()> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => {
            Err(Failure::new(format!("{} is a folder", path.display())).help("name a file"))
        }
        Ok(there) if there.is_file() && !force => {
            Err(Failure::new(format!("{} is there already", path.display()))
                .help("`--force` writes over it"))
        }
        // Into a pipe or a device, nothing is lost.
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all: beside its place first, and then there.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Done<()> {
    // A link stays one, and what it names is written.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|there| !there.is_file()) {
        // A pipe or a device: a file in its place would be none.
        return fs::write(&target, bytes).map_err(|e| Failure::io(path, "written", &e));
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |e: &std::io::Error| Failure::io(path, "written", e);
    let mut file = tempfile::Builder::new()
        .prefix(".recurrent")
        .tempfile_in(folder)
        .map_err(|e| failed(&e))?;
    file.write_all(bytes).map_err(|e| failed(&e))?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    readable(file.path()).map_err(|e| failed(&e))?;
    file.persist(&target).map_err(|e| failed(&e.error))?;
    Ok(())
}

/// Temporary files are for their owner alone; this one is a file like others.
#[cfg(unix)]
fn readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A number with commas: `1,234,567`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
