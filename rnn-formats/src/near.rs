//! A file that is not there, and those that may be meant.

use std::{fs, path::Path};

use strsim::osa_distance;

/// The most names of a folder that are looked at.
const MAX_NAMES: usize = 1000;

/// The most folders within a folder that are looked into.
const MAX_FOLDERS: usize = 50;

/// The file that is meant by `path`, which is not there: one beside it whose name is nearly the same or has another ending, or
/// one of its name in a folder within `folder`, where relative paths start. It is a path that can be written in place of `path`.
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
    let asked = Path::new(path);
    let name = asked.file_name()?.to_str()?;
    let before = path.strip_suffix(name)?;
    if let Some(found) = nearest(&folder.join(before), name, false) {
        return Some(format!("{before}{found}"));
    }
    if asked.is_absolute() {
        return None;
    }
    let mut within = names(folder, true);
    within.retain(|own| !own.starts_with('.') && own != "target");
    within.sort();
    within.truncate(MAX_FOLDERS);
    // Straight beside the manifest, or in a folder there.
    let in_root = (!before.is_empty())
        .then(|| nearest(folder, name, true))
        .flatten();
    in_root.or_else(|| {
        let mut all = within.iter();
        all.find_map(|own| Some(format!("{own}/{}", nearest(&folder.join(own), name, true)?)))
    })
}

/// The name in a folder that is nearest to this one. `same`: but for capitals it has to be the same.
fn nearest(folder: &Path, name: &str, same: bool) -> Option<String> {
    let lower = name.to_lowercase();
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let apart = |other: &String| {
        let own = other.to_lowercase();
        match osa_distance(&own, &lower) {
            0 => Some(0),
            _ if same => None,
            n if n <= 2 && n * 4 <= name.len() => Some(n),
            _ if !stem(&own).is_empty() && stem(&own) == stem(&lower) => Some(10),
            _ => None,
        }
    };
    let all = names(folder, false).into_iter();
    let near = all.filter_map(|other| Some((apart(&other)?, other)));
    Some(near.min()?.1)
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
