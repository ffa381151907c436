//! What the tool prints and writes.

use std::{io::Write as _, path::Path, time::Duration};

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
    pub fn print(self, text: &str, json: &Json) {
        let all = match self.json {
            true => format!("{json:#}\n"),
            false => format!("{}\n", text.trim_end()),
        };
        // Nobody reads it: `recurrent inspect a.keras | head -1`.
        let _ = std::io::stdout().lock().write_all(all.as_bytes());
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

/// Writes a file whole or not at all: beside its place first, and then there.
pub fn write(path: &Path, bytes: &[u8]) -> Done<()> {
    let folder = match path.parent() {
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
    file.persist(path).map_err(|e| failed(&e.error))?;
    Ok(())
}

/// Temporary files are for their owner alone; this one is a file like others.
#[cfg(unix)]
fn readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
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
