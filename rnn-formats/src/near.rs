//! A file that is not there, and those that may be meant.

use std::{fs, path::Path};

use strsim::osa_distance;

/// The most names of a folder that are looked at.
const MAX_NAMES: usize = 1000;

/// The most folders within a folder that are looked into.
const MAX_FOLDERS: usize = 50;

/// Endings of the files that are read.
const ENDINGS: [&str; 12] = [
    "aidax",
    "bin",
    "ckpt",
    "h5",
    "hdf5",
    "json",
    "keras",
    "nam",
    "onnx",
    "pt",
    "pth",
    "safetensors",
];

/// The file that is meant by `path`, which is not there: [`near_beside`] it, or one of its name in a folder within `folder`, where
/// relative paths start. It is a path that can be written in place of `path`. Up to 52 folders are looked into.
///
/// ```
/// use rnn_formats::near_file;
///
/// let folder = std::env::temp_dir().join(format!("recurrent-near-{}", std::process::id()));
/// std::fs::create_dir_all(folder.join("models"))?;
/// std::fs::write(folder.join("models/Amp.keras"), "")?;
/// let near = |path: &str| near_file(&folder, path);
/// assert_eq!(near("amp.keras").as_deref(), Some("models/Amp.keras"));
/// assert_eq!(near("models/amp.h5").as_deref(), Some("models/Amp.keras"));
/// assert_eq!(near("models/voice.h5"), None);
/// std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn near_file(folder: &Path, path: &str) -> Option<String> {
    if let Some(found) = near_beside(folder, path) {
        return Some(found);
    }
    let asked = Path::new(path);
    if asked.is_absolute() {
        return None;
    }
    let name = asked.file_name()?.to_str()?;
    let mut within = names(folder, true);
    within.retain(|own| !own.starts_with('.') && own != "target");
    within.sort();
    within.truncate(MAX_FOLDERS);
    // Straight beside the manifest, or in a folder there.
    let in_root = (path != name)
        .then(|| nearest(folder, name, true))
        .flatten();
    in_root.or_else(|| {
        let mut all = within.iter();
        all.find_map(|own| Some(format!("{own}/{}", nearest(&folder.join(own), name, true)?)))
    })
}

/// The file that is meant by `path`, which is not there, in the same folder: its name is nearly the same, or has another ending
/// of files that are read. Relative paths start at `folder`. No other folder is looked into.
///
/// ```
/// use rnn_formats::near_beside;
///
/// let folder = std::env::temp_dir().join(format!("recurrent-beside-{}", std::process::id()));
/// std::fs::create_dir_all(folder.join("models"))?;
/// std::fs::write(folder.join("models/amp.keras"), "")?;
/// std::fs::write(folder.join("models/voice.csv"), "")?;
/// let near = |path: &str| near_beside(&folder, path);
/// assert_eq!(near("models/amps.keras").as_deref(), Some("models/amp.keras"));
/// assert_eq!(near("models/amp.h5").as_deref(), Some("models/amp.keras"));
/// assert_eq!(near("models/voice.h5"), None);
/// assert_eq!(near("amp.keras"), None);
/// std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn near_beside(folder: &Path, path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?.to_str()?;
    let before = path.strip_suffix(name)?;
    let found = nearest(&folder.join(before), name, false)?;
    Some(format!("{before}{found}"))
}

/// The name in a folder that is nearest to this one. `same`: but for capitals it has to be the same.
fn nearest(folder: &Path, name: &str, same: bool) -> Option<String> {
    let all = names(folder, false).into_iter();
    let near = all.filter_map(|other| Some((apart(&other, name, same)?, other)));
    Some(near.min()?.1)
}

/// How far a name is from the one that was asked for; `None`: too far.
fn apart(other: &str, name: &str, same: bool) -> Option<usize> {
    let (own, lower) = (other.to_lowercase(), name.to_lowercase());
    if same || own == lower {
        return (own == lower).then_some(0);
    }
    // The distance is no less than the difference of the lengths; a name that was asked for may be very long.
    let (length, asked) = (own.chars().count(), lower.chars().count());
    if length.abs_diff(asked) <= 2 {
        let distance = osa_distance(&own, &lower);
        if distance <= 2 && distance * 4 <= name.len() {
            return Some(distance);
        }
    }
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let (_, ending) = own.rsplit_once('.')?;
    let is_other =
        ENDINGS.contains(&ending) && !stem(&own).is_empty() && stem(&own) == stem(&lower);
    is_other.then_some(10)
}

/// The names of the files of a folder, or of the folders in it.
fn names(folder: &Path, folders: bool) -> Vec<String> {
    let Ok(all) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let own = all.take(MAX_NAMES).filter_map(|entry| {
        let entry = entry.ok()?;
        let is_folder = entry.path().is_dir();
        (is_folder == folders).then(|| entry.file_name().into_string().ok())?
    });
    own.collect()
}

#[cfg(test)]
mod tests {
    use super::apart;

    #[test]
    fn names_of_files_that_are_read() {
        let near = |other, name: &str| apart(other, name, false);
        assert_eq!(near("Amp.keras", "amp.keras"), Some(0));
        assert_eq!(near("amp.keras", "apm.keras"), Some(1));
        assert_eq!(near("amp.csv", "amps.csv"), Some(1));
        assert_eq!(near("amp.safetensors", "amp.h5"), Some(10));
        for other in ["amp.rs", "amp.csv", "amp", "voice.h5"] {
            assert_eq!(near(other, "amp.h5"), None, "{other}");
        }
        assert_eq!(apart("Amp.keras", "amp.keras", true), Some(0));
        assert_eq!(apart("amp.h5", "amp.keras", true), None);
        // A table of the distance would have 10 GB.
        let long = "é".repeat(50_000);
        assert_eq!(near(&long.repeat(2), &long), None);
        assert_eq!(apart(&format!("{long}a"), &long, true), None);
    }
}
