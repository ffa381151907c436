//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds FOLDER`: for each fuzz target a folder of seeds, from the fixtures
//! of this repository.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use recurrent_fuzz::{alone, unpacked};
use rnn_formats::Body;

/// The repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

struct Seeds(PathBuf);

impl Seeds {
    fn put(&self, target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder)?;
        let name: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        fs::write(folder.join(name), bytes)
    }

    /// The text of a file's model, and its cells, for the compiler's targets.
    fn texts(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let Ok(imported) = rnn_formats::read(bytes, &mut alone) else {
            return Ok(());
        };
        let Some(network) = imported.network else {
            return Ok(());
        };
        for (n, (_, cell)) in network.cells.iter().enumerate() {
            self.put("cell", &format!("{name}.{n}"), cell.as_bytes())?;
        }
        let text = match network.body() {
            Body::Chain(chain) => format!("struct Imported = {chain};"),
            Body::Graph(graph) => format!("struct Imported {{ {graph} }}"),
        };
        self.put("model", name, text.as_bytes())
    }
}

fn files(folder: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(Path::new(ROOT).join(folder))? {
        let path = entry?.path();
        if path.is_file() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            all.push((name, fs::read(path)?));
        }
    }
    all.sort();
    Ok(all)
}

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("expected a folder for the seeds"));
    };
    let seeds = Seeds(folder.into());
    for (name, bytes) in files("tests/formats/amps")? {
        if name.ends_with(".json") || name.ends_with(".nam") {
            seeds.put("json", &name, &bytes)?;
            seeds.texts(&name, &bytes)?;
        }
    }
    for (name, bytes) in files("tests/formats/torch")? {
        if name.ends_with(".safetensors") {
            seeds.put("safetensors", &name, &bytes)?;
        } else if name.ends_with(".pt") {
            let target = if bytes.starts_with(b"PK") {
                "zip"
            } else {
                "torch"
            };
            seeds.put(target, &name, &bytes)?;
            for (_, pickle) in unpacked(&bytes, "data.pkl") {
                seeds.put("torch", &name, &pickle)?;
            }
        }
    }
    let mut number = 0;
    for pack in ["keras.zip", "tf_keras.zip", "plain.zip"] {
        for (name, bytes) in unpacked(
            &fs::read(Path::new(ROOT).join("tests/formats/keras").join(pack))?,
            "",
        ) {
            let named = format!("{pack}.{name}");
            if name.ends_with(".safetensors") {
                continue;
            } else if name.ends_with(".h5") {
                seeds.put("hdf5", &named, &bytes)?;
            } else {
                seeds.put("zip", &named, &bytes)?;
                // The place of the model is the first byte of the target's input.
                for (_, config) in unpacked(&bytes, "config.json") {
                    seeds.put("keras", &named, &[&[number], &config[..]].concat())?;
                }
                number += 1;
            }
            seeds.texts(&named, &bytes)?;
        }
    }
    for (name, bytes) in files("tests/formats/onnx")? {
        let Some(name) = name.strip_suffix(".safetensors.z") else {
            continue;
        };
        let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(&bytes)
            .map_err(|e| io::Error::other(e.to_string()))?;
        let pack = safetensors::SafeTensors::deserialize(&bytes).map_err(io::Error::other)?;
        for (key, view) in pack.tensors() {
            if let Some((case, "onnx")) = key.split_once('/') {
                let named = format!("{name}.{case}");
                seeds.put("onnx", &named, view.data())?;
                seeds.texts(&named, view.data())?;
            }
        }
    }
    // Models and cells of the documents and tests.
    for folder in ["docs/src", "src/macros", "tests/ui", "examples", "benches"] {
        for (name, bytes) in files(folder)? {
            let text = String::from_utf8_lossy(&bytes);
            for (target, open) in [("model", "rnn_model! {"), ("cell", "rnn_cell! {")] {
                for (n, part) in text.split(open).skip(1).enumerate() {
                    let mut depth = 1;
                    let end = part.find(|c| {
                        depth += i32::from(c == '{') - i32::from(c == '}');
                        depth == 0
                    });
                    if let Some(own) = end.and_then(|end| part.get(..end)) {
                        seeds.put(target, &format!("{folder}.{name}.{n}"), own.as_bytes())?;
                    }
                }
            }
        }
    }
    Ok(())
}
