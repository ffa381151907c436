//! The folder in which programs are made and built.
//!
//! Each model has a crate of its own there, whose name has the hash of what it is made of; all share one `target`. What was
//! used last long ago is taken away, so that the folder does not grow for ever.

use std::{
    collections::hash_map::DefaultHasher,
    ffi::OsStr,
    fs,
    hash::{Hash as _, Hasher as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    arguments::Building,
    failure::{Done, Failure},
    model::Model,
    output,
};

/// The file of a crate that says when it was used last, by the time when it was written. Folders without it are not ours.
const USED: &str = ".recurrent-used";

/// How long a crate is kept that nobody uses.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The folder: the option's, that of the variable `RECURRENT_CACHE`, or one of the user's cache.
pub fn folder(building: &Building) -> Done<PathBuf> {
    let var = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let own = building.cache.clone();
    let found = own
        .or_else(|| var("RECURRENT_CACHE"))
        .or_else(|| Some(var("XDG_CACHE_HOME")?.join("recurrent")))
        .or_else(|| Some(var("LOCALAPPDATA")?.join("recurrent")))
        .or_else(|| Some(var("HOME")?.join(".cache/recurrent")));
    let folder = found.ok_or_else(|| {
        Failure::new("there is no folder for what is built").help("name one: `--cache DIR`")
    })?;
    fs::create_dir_all(&folder).map_err(|e| Failure::io(&folder, "made", &e))?;
    // Paths in Cargo.toml and of cargo are from elsewhere.
    folder
        .canonicalize()
        .map_err(|e| Failure::io(&folder, "found", &e))
}

/// The name of a model's crate: alike for what gives the same program, and different for what does not.
pub fn name(model: &Model, dependency: &str) -> String {
    let opened = &model.opened;
    let mut hasher = DefaultHasher::new();
    let states = opened.states;
    (
        &opened.bytes,
        &opened.beside,
        &opened.layers,
        states,
        dependency,
    )
        .hash(&mut hasher);
    format!("{}-{:016x}", opened.stem(), hasher.finish())
}

/// Writes a file unless it is there with these bytes. Cargo builds anew what was written later than the program, and
/// rustc looks at the time of a model file as well.
pub fn keep(path: &Path, bytes: &[u8]) -> Done<()> {
    match fs::read(path) {
        Ok(there) if there == bytes => Ok(()),
        _ => output::write(path, bytes),
    }
}

/// Says that a crate is used now, and takes those away that were not for long. What cannot be taken away stays: it is in
/// nobody's way but that of the disk.
pub fn used(cache: &Path, name: &str) -> Done<()> {
    let mark = cache.join(name).join(USED);
    fs::write(&mark, "").map_err(|e| Failure::io(&mark, "written", &e))?;
    let now = SystemTime::now();
    for old in fs::read_dir(cache).into_iter().flatten().flatten() {
        let time = fs::metadata(old.path().join(USED)).and_then(|mark| mark.modified());
        let age = time.ok().and_then(|time| now.duration_since(time).ok());
        if age.is_some_and(|age| age > KEPT) {
            remove(cache, &old.file_name());
        }
    }
    Ok(())
}

/// Removes a crate, and what cargo has built of it.
fn remove(cache: &Path, name: &OsStr) {
    let name = name.to_string_lossy();
    let _ = fs::remove_dir_all(cache.join(&*name));
    // Cargo has a hash of its own after the name, and files of rustc have `_` for `-`.
    let of_rustc = name.replace('-', "_");
    // A target of cargo's settings has a folder of its own: `target/x86_64-unknown-linux-musl/release`.
    let target = cache.join("target");
    let triples = fs::read_dir(&target).into_iter().flatten().flatten();
    let releases = triples.map(|triple| triple.path().join("release"));
    for release in releases.chain([target.join("release")]) {
        for part in ["", "deps", ".fingerprint", "incremental", "build"] {
            for built in fs::read_dir(release.join(part))
                .into_iter()
                .flatten()
                .flatten()
            {
                let file = built.file_name();
                let file = file.to_string_lossy();
                if !(file.starts_with(&*name) || file.starts_with(&of_rustc)) {
                    continue;
                }
                let _ = match built.file_type().is_ok_and(|kind| kind.is_dir()) {
                    true => fs::remove_dir_all(built.path()),
                    false => fs::remove_file(built.path()),
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.keras");
        keep(&path, b"a").unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(1000);
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        let time = || fs::metadata(&path).unwrap().modified().unwrap();
        let before = time();
        keep(&path, b"a").unwrap();
        assert_eq!(time(), before);
        keep(&path, b"b").unwrap();
        assert_ne!(time(), before);
        assert_eq!(fs::read(&path).unwrap(), b"b");
    }

    #[test]
    fn what_nobody_uses_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path();
        let deps = cache.join("target/release/deps");
        fs::create_dir_all(&deps).unwrap();
        for (name, days) in [("amp-1", 31), ("amp-2", 29), ("mine", 99)] {
            let own = cache.join(name);
            fs::create_dir_all(own.join("src")).unwrap();
            fs::write(deps.join(format!("{}-77", name.replace('-', "_"))), "").unwrap();
            fs::write(cache.join("target/release").join(name), "").unwrap();
            if name != "mine" {
                let mark = fs::File::create(own.join(USED)).unwrap();
                let age = Duration::from_secs(days * 24 * 60 * 60);
                mark.set_modified(SystemTime::now() - age).unwrap();
            }
        }
        fs::create_dir(cache.join("amp-3")).unwrap();
        used(cache, "amp-3").unwrap();
        let names = |folder: &Path| {
            let all = fs::read_dir(folder).unwrap();
            let mut all: Vec<String> = all
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            all.sort();
            all
        };
        assert_eq!(names(cache), ["amp-2", "amp-3", "mine", "target"]);
        assert_eq!(names(&deps), ["amp_2-77", "mine-77"]);
        assert_eq!(
            names(&cache.join("target/release")),
            ["amp-2", "deps", "mine"]
        );
        assert!(cache.join("amp-3").join(USED).exists());
    }
}
