use super::*;
use crate::params::Init;

const SPECS: [ParamSpec; 2] = [
    ParamSpec::new("dense/kernel", &[2, 3], Init::Zeros),
    ParamSpec::new("dense/bias", &[3], Init::Zeros),
];
const WEIGHTS: [f32; 9] = [
    1.0,
    -2.0,
    3.5,
    4.0,
    1e-30,
    -0.0,
    7.0,
    f32::MAX,
    f32::MIN_POSITIVE,
];

/// An empty folder of its own, removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("rnn-weights-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn lines(result: Result<(), Error>) -> Vec<String> {
    match result {
        Err(Error::Weights { problems, .. }) => problems,
        other => panic!("expected Error::Weights, got {other:?}"),
    }
}

/// What is said of a file that cannot be read at all.
fn damaged(result: Result<(), Error>) -> String {
    match result {
        Err(Error::Format { problem, .. }) => problem,
        other => panic!("expected Error::Format, got {other:?}"),
    }
}

/// A hand-made file: `(name, dtype, shape, bytes)`.
fn file_of(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (
            *name,
            TensorView::new(*dtype, shape.to_vec(), bytes).unwrap(),
        )
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn what_is_saved_is_loaded_bit_for_bit() {
    let folder = Folder::new("round");
    let path = folder.0.join("model.safetensors");
    save(&path, &SPECS, &[0.0; 9]).unwrap();
    save(&path, &SPECS, &WEIGHTS).unwrap();
    let mut loaded = [9.0; 9];
    load(&path, &SPECS, &mut loaded).unwrap();
    assert_eq!(loaded.map(f32::to_bits), WEIGHTS.map(f32::to_bits));
    assert_eq!(
        folder.files(),
        ["model.safetensors"],
        "no other file is left"
    );
}

#[test]
fn a_file_has_keras_names_and_shapes() {
    let bytes = to_bytes(&SPECS, &WEIGHTS).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("dense/kernel").unwrap().shape(), [2, 3]);
    assert_eq!(file.tensor("dense/bias").unwrap().shape(), [3]);
    assert_eq!(file.len(), 2);
}

#[test]
fn all_problems_come_together_and_nothing_changes() {
    let nan: Vec<u8> = [1.0, f32::NAN, f32::INFINITY]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let bytes = file_of(&[
        ("dense/kernel", Dtype::F16, &[3, 2], &[0; 12]),
        ("dense/bias", Dtype::F32, &[3], &nan),
        ("z\n", Dtype::F32, &[1], &[0; 4]),
        ("gru/kernel", Dtype::F32, &[], &[0; 4]),
    ]);
    let specs = [
        SPECS[0],
        SPECS[1],
        ParamSpec {
            name: "lstm/bias",
            ..SPECS[1]
        },
    ];
    let mut weights = [5.0; 12];
    assert_eq!(
        lines(load_bytes("x", &bytes, &specs, &mut weights)),
        [
            "dense/kernel: expected shape [2, 3], found [3, 2]",
            "dense/bias: 2 of 3 numbers not finite, the first at index 1",
            "lstm/bias: missing, expected shape [3]",
            "gru/kernel: not in the model, shape []",
            "z\\n: not in the model, shape [1]",
        ]
    );
    assert_eq!(weights, [5.0; 12]);
}

#[test]
fn a_slice_of_the_wrong_length_is_refused() {
    let error = to_bytes(&SPECS, &[0.0; 8]).unwrap_err();
    assert_eq!(error.to_string(), "weights: expected shape [9], found [8]");
    let bytes = to_bytes(&SPECS, &WEIGHTS).unwrap();
    assert!(matches!(
        load_bytes("x", &bytes, &SPECS, &mut [0.0; 10]),
        Err(Error::Shape { .. })
    ));
}

#[test]
fn a_missing_file_and_folder_are_io_errors() {
    let folder = Folder::new("missing");
    let path = folder.0.join("none").join("model.safetensors");
    assert!(matches!(
        load(&path, &SPECS, &mut [0.0; 9]),
        Err(Error::Io { .. })
    ));
    assert!(matches!(
        save(&path, &SPECS, &WEIGHTS),
        Err(Error::Io { .. })
    ));
    assert!(matches!(
        save(folder.0.join(".."), &SPECS, &WEIGHTS),
        Err(Error::Io { .. })
    ));
    assert!(folder.files().is_empty());
}

#[test]
fn a_failed_save_leaves_the_target_and_no_litter() {
    let folder = Folder::new("failed");
    // A folder cannot be replaced by a file: the rename fails after the write.
    let path = folder.0.join("taken");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "x").unwrap();
    assert!(matches!(
        save(&path, &SPECS, &WEIGHTS),
        Err(Error::Io { .. })
    ));
    assert_eq!(folder.files(), ["taken"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = Folder::new("no-folder");
    let path = folder.0.join("none").join("a.safetensors");
    let error = save(&path, &SPECS, &WEIGHTS).unwrap_err().to_string();
    let none = folder.0.join("none");
    assert_eq!(
        error,
        format!("{}: there is no folder {}", path.display(), none.display())
    );
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = to_bytes(&SPECS, &WEIGHTS).unwrap();
    for length in 0..bytes.len() {
        let mut weights = [5.0; 9];
        damaged(load_bytes("x", &bytes[..length], &SPECS, &mut weights));
        assert_eq!(weights, [5.0; 9]);
    }
    let mut longer = bytes;
    longer.push(0);
    damaged(load_bytes("x", &longer, &SPECS, &mut [0.0; 9]));
}

#[test]
fn no_flipped_bit_panics_or_half_loads() {
    let good = to_bytes(&SPECS, &WEIGHTS).unwrap();
    let header = good.len() - 36;
    for bit in 0..8 * header {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut weights = [5.0; 9];
        match load_bytes("x", &bytes, &SPECS, &mut weights) {
            // A flip in the free text of the metadata, or of the padding's spaces, harms nothing.
            Ok(()) => assert_eq!(weights.map(f32::to_bits), WEIGHTS.map(f32::to_bits)),
            Err(Error::Weights { .. } | Error::Format { .. }) => assert_eq!(weights, [5.0; 9]),
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
}

#[test]
fn a_huge_header_length_is_an_error() {
    for length in [
        u64::MAX,
        u64::MAX - 7,
        u64::MAX / 2,
        1 << 40,
        100_000_001,
        99_999_999,
    ] {
        let mut bytes = to_bytes(&SPECS, &WEIGHTS).unwrap();
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        damaged(load_bytes("x", &bytes, &SPECS, &mut [0.0; 9]));
    }
}

#[test]
fn hostile_shapes_and_offsets_are_errors() {
    let headers = [
        r#"{"a":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"Q99","shape":[1],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        "[]",
        "{",
        "",
    ];
    for header in headers {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 4]);
        let specs = [ParamSpec::new("b", &[1], Init::Zeros)];
        let result = load_bytes("x", &bytes, &specs, &mut [0.0]);
        // Of two tensors of one name the reader takes the last.
        let twice = header.matches("\"a\"").count() == 2;
        match result {
            Err(Error::Weights { .. }) if twice => {}
            other => drop(damaged(other)),
        }
    }
}

#[test]
fn files_of_other_libraries_are_recognised() {
    let mut weights = [5.0; 9];
    let mut load = |bytes: &[u8]| load_bytes("x", bytes, &SPECS, &mut weights);
    for (bytes, words) in [
        (
            &b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0"[..],
            "an HDF5 file, as Keras writes `.h5`",
        ),
        (
            b"PK\x03\x04\x14\0\0\0\0\0",
            "a zip archive, as Keras writes `.keras` and PyTorch `.pt`",
        ),
        (b"\x80\x02}q\0.", "a pickle, as PyTorch writes `.pt`"),
        (
            b"{\"in_shape\": [null, null, 1], \"layers\": []}",
            "JSON, as RTNeural and Neural Amp Modeler read",
        ),
        (b"\n  {}", "JSON, as RTNeural and Neural Amp Modeler read"),
    ] {
        let result = load(bytes);
        if cfg!(feature = "import") {
            // The file is read, and these are damaged.
            assert!(result.is_err(), "{words}");
        } else {
            let way = "; reading it is the feature `import` of recurrent";
            assert_eq!(damaged(result), format!("it is {words}{way}"));
        }
    }
    damaged(load(b"weights"));
    damaged(load(b""));
    assert_eq!(weights, [5.0; 9]);
}

#[test]
fn weights_that_could_not_be_loaded_are_not_saved() {
    let folder = Folder::new("nan");
    let path = folder.0.join("model.safetensors");
    save(&path, &SPECS, &WEIGHTS).unwrap();
    let mut bad = WEIGHTS;
    (bad[7], bad[8]) = (f32::NAN, f32::INFINITY);
    let error = save(&path, &SPECS, &bad).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{} is not written: dense/bias: 2 of 3 numbers not finite, the first at index 1",
            path.display()
        )
    );
    let mut loaded = [0.0; 9];
    load(&path, &SPECS, &mut loaded).unwrap();
    assert_eq!(loaded, WEIGHTS, "the file before is whole");
    assert_eq!(folder.files(), ["model.safetensors"]);
}

#[test]
fn what_matches_is_loaded() {
    let folder = Folder::new("matching");
    let path = folder.0.join("model.safetensors");
    save(&path, &SPECS, &WEIGHTS).unwrap();
    // The kernel is of another shape, and a parameter is new.
    let specs = [
        ParamSpec::new("dense/kernel", &[3, 2], Init::Zeros),
        ParamSpec::new("new/bias", &[2], Init::Zeros),
        SPECS[1],
    ];
    let mut weights = [5.0; 11];
    assert_eq!(
        load_matching(&path, &specs, &mut weights).unwrap(),
        ["dense/bias"]
    );
    assert_eq!(weights[..8], [5.0; 8]);
    assert_eq!(weights[8..], WEIGHTS[6..]);
    // Nothing matches: then all differences are said.
    let mut weights = [5.0; 6];
    let result = load_matching(&path, &specs[..1], &mut weights);
    assert_eq!(
        lines(result.map(|_| ())),
        [
            "dense/kernel: expected shape [3, 2], found [2, 3]",
            "dense/bias: not in the model, shape [3]"
        ]
    );
    // What matches has to be good.
    let nan: Vec<u8> = [f32::NAN; 3].iter().flat_map(|v| v.to_le_bytes()).collect();
    let bytes = file_of(&[("dense/bias", Dtype::F32, &[3], &nan)]);
    fs::write(&path, bytes).unwrap();
    let mut weights = [5.0; 9];
    let result = load_matching(&path, &SPECS, &mut weights);
    assert_eq!(
        lines(result.map(|_| ())),
        ["dense/bias: 3 of 3 numbers not finite, the first at index 0"]
    );
    assert_eq!(weights, [5.0; 9]);
}

/// Two floats of the given name.
fn tensor(name: &'static str) -> (&'static str, Dtype, &'static [usize], &'static [u8]) {
    (name, Dtype::F32, &[2], &[0, 0, 128, 63, 0, 0, 0, 64])
}

#[test]
fn keras_paths_are_loaded() {
    let specs = [
        ParamSpec::new("gru/bias", &[2], Init::Zeros),
        ParamSpec::new("dense/bias", &[2], Init::Zeros),
    ];
    let seed = (
        "seed_generator_3/seed_generator_state",
        Dtype::I64,
        &[2][..],
        &[0; 16][..],
    );
    let bytes = file_of(&[
        tensor("s/gru_4/gru_cell/bias"),
        tensor("s/dense_1/bias"),
        seed,
    ]);
    let mut weights = [0.0; 4];
    load_bytes("x", &bytes, &specs, &mut weights).unwrap();
    assert_eq!(weights, [1.0, 2.0, 1.0, 2.0]);
}

#[test]
fn what_keras_names_otherwise_is_said_with_the_nearest() {
    let specs = [
        ParamSpec::new("reader/bias", &[2], Init::Zeros),
        ParamSpec::new("gru/bias", &[2], Init::Zeros),
        ParamSpec::new("dense/bias", &[3], Init::Zeros),
        ParamSpec::new("lstm/bias", &[2], Init::Zeros),
    ];
    let bytes = file_of(&[
        tensor("s/raeder/gru_cell/bias"),
        tensor("a/gru/gru_cell/bias"),
        tensor("b/gru/gru_cell/bias"),
        tensor("s/dense_1/bias"),
        tensor("s/alpha"),
    ]);
    let said = [
        "reader/bias: missing, expected shape [2]; the nearest in the file is `s/raeder/gru_cell/bias` [2]",
        "gru/bias: could be in `a/gru` or `b/gru`; give the layers the same names in Keras and here",
        "dense/bias (`s/dense_1/bias` of the file): expected shape [3], found [2]",
        "lstm/bias: missing, expected shape [2]; the nearest in the file is `s/raeder/gru_cell/bias` [2]",
        "a/gru/gru_cell/bias: not in the model, shape [2]",
        "b/gru/gru_cell/bias: not in the model, shape [2]",
        "s/alpha: not in the model, shape [2]",
        "s/raeder/gru_cell/bias: not in the model, shape [2]",
    ];
    let mut weights = [5.0; 9];
    assert_eq!(lines(load_bytes("x", &bytes, &specs, &mut weights)), said);
    assert_eq!(weights, [5.0; 9]);
    // A part of a model is not guessed either.
    let folder = Folder::new("unclear");
    let path = folder.0.join("model.safetensors");
    fs::write(&path, bytes).unwrap();
    let result = load_matching(&path, &specs[1..2], &mut [0.0; 2]);
    assert_eq!(
        lines(result.map(|_| ())),
        [
            "gru/bias: could be in `a/gru` or `b/gru`; give the layers the same names in Keras and here",
            said[4],
            said[5],
            "s/alpha: not in the model, shape [2]",
            "s/dense_1/bias: not in the model, shape [2]",
            said[7]
        ]
    );
}

#[test]
fn a_file_of_pytorch_is_turned() {
    let floats = |from: u8, n: u8| -> Vec<u8> {
        (from..from + n)
            .flat_map(|v| f32::from(v).to_le_bytes())
            .collect()
    };
    let (weight, bias) = (floats(0, 6), floats(6, 3));
    let bytes = file_of(&[
        ("fc.weight", Dtype::F32, &[3, 2], &weight),
        ("fc.bias", Dtype::F32, &[3], &bias),
    ]);
    let mut weights = [5.0; 9];
    load_bytes("x", &bytes, &SPECS, &mut weights).unwrap();
    assert_eq!(weights, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0, 6.0, 7.0, 8.0]);
    let folder = Folder::new("pytorch");
    let path = folder.0.join("model.safetensors");
    fs::write(&path, bytes).unwrap();
    let mut weights = [5.0; 9];
    let found = load_matching(&path, &SPECS, &mut weights).unwrap();
    assert_eq!(found, ["dense/kernel", "dense/bias"]);
    assert_eq!(weights[1], 2.0);

    let bytes = file_of(&[("lstm.bias_hh_l0", Dtype::F32, &[3], &bias)]);
    let problems = lines(load_bytes("x", &bytes, &SPECS, &mut weights));
    assert!(
        problems[0].starts_with("`lstm.bias_hh_l0` [3]: of no module"),
        "{problems:?}"
    );
}

/// Weights that fit layers which compute something else are not the model's.
#[cfg(feature = "import")]
#[test]
fn a_file_with_other_layers_is_an_error() {
    let folder = Folder::new("layers");
    let path = folder.0.join("amp.json");
    let text = r#"{"in_shape": [null, null, 2], "layers": [{"type": "dense", "activation": "tanh", "shape": [null, null, 3],
        "weights": [[[1, 2, 3], [4, 5, 6]], [7, 8, 9]]}]}"#;
    fs::write(&path, text).unwrap();
    let mut weights = [0.0; 9];
    let wrong = lines(load_as(
        &path,
        &SPECS,
        &[("dense", "Dense(3)")],
        &mut weights,
    ));
    assert_eq!(
        wrong[0],
        "the file computes `tanh` after its `dense`, which the layers here do not: add `Activation(tanh)`"
    );
    assert!(wrong[1].contains("recurrent convert"), "{wrong:?}");
    assert_eq!(weights, [0.0; 9]);
    let same = [("dense", "Dense(3, activation = tanh)")];
    load_as(&path, &SPECS, &same, &mut weights).unwrap();
    assert_eq!(weights, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
}

/// PyTorch's LSTM computes one thing, and other sizes than the file's are told those of the file.
#[test]
fn a_file_of_pytorch_has_its_activations_and_sizes() {
    let folder = Folder::new("pytorch");
    let path = folder.0.join("net.safetensors");
    let bytes = [0_u8; 4 * 8];
    let view = |shape: &[usize]| {
        let length = shape.iter().product::<usize>();
        TensorView::new(Dtype::F32, shape.to_vec(), &bytes[..4 * length]).unwrap()
    };
    let tensors = [
        ("rnn.weight_ih_l0", view(&[4, 2])),
        ("rnn.weight_hh_l0", view(&[4, 1])),
    ];
    fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
    let specs = |shape: &'static [usize]| {
        [
            ParamSpec::new("lstm/kernel", shape, Init::Zeros),
            ParamSpec::new("lstm/recurrent_kernel", &[1, 4], Init::Zeros),
        ]
    };
    let with = |shape, text| {
        let specs = specs(shape);
        let mut weights = vec![1.0; specs.iter().map(ParamSpec::len).sum()];
        load_as(&path, &specs, &[("lstm", text)], &mut weights)
    };
    with(&[2, 4], "LSTM(1, use_bias = false)").unwrap();
    let wrong = lines(with(&[2, 4], "LSTM(1, relu, use_bias = false)"));
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(
        wrong[0].contains("the LSTM `rnn` of the file is PyTorch's")
            && wrong[0].contains("write `activation = tanh`"),
        "{wrong:?}"
    );
    let wrong = lines(with(&[3, 4], "LSTM(1, use_bias = false)"));
    assert_eq!(
        wrong.last().unwrap(),
        "the file's weights fit the layers `Input(_, 2) -> LSTM(1, use_bias = false, return_sequences)`"
    );
}

/// The error is the system's, and has the file that may be meant. Other folders are not looked into.
#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new("missing");
    fs::create_dir(folder.0.join("within")).unwrap();
    for own in ["net.safetensors", "within/other.safetensors"] {
        fs::write(folder.0.join(own), "").unwrap();
    }
    let missing = |name: &str| {
        let error = load(folder.0.join(name), &SPECS, &mut [0.0; 9]).unwrap_err();
        let text = error.to_string();
        let Error::Io { near, source, .. } = error else {
            panic!("{text}")
        };
        let own = fs::read(folder.0.join(name)).unwrap_err();
        assert_eq!(source.raw_os_error(), own.raw_os_error());
        assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
        (text, near)
    };
    let (text, near) = missing("nets.safetensors");
    let meant = folder.0.join("net.safetensors").display().to_string();
    assert!(
        text.ends_with(&format!("; did you mean {meant:?}?")),
        "{text}"
    );
    assert_eq!(near, Some(meant));
    let (text, near) = missing("other.safetensors");
    assert!(!text.contains("did you mean"), "{text}");
    assert_eq!(near, None);
}

/// Two modules of one shape in a file that is sorted by names are no layers that could be counted.
#[test]
fn sorted_modules_are_not_counted() {
    let folder = Folder::new("sorted");
    let path = folder.0.join("net.safetensors");
    let bytes: Vec<u8> = [0.5_f32; 6].iter().flat_map(|x| x.to_le_bytes()).collect();
    let view = |shape: Vec<usize>, length: usize| {
        TensorView::new(Dtype::F32, shape, &bytes[..4 * length]).unwrap()
    };
    let write = |names: [&str; 2]| {
        let tensors = names.map(|name| {
            [
                (format!("{name}.weight"), view(vec![3, 2], 6)),
                (format!("{name}.bias"), view(vec![3], 3)),
            ]
        });
        fs::write(
            &path,
            safetensors::serialize(tensors.concat(), None).unwrap(),
        )
        .unwrap();
    };
    write(["fc2", "fc10"]);
    let mut weights = [0.0; 9];
    let read = load_matching(&path, &SPECS, &mut weights).unwrap();
    assert_eq!(read, ["dense/kernel", "dense/bias"]);
    write(["encoder", "decoder"]);
    let wrong = lines(load_matching(&path, &SPECS, &mut weights).map(drop));
    assert!(
        wrong[0].contains("the Linear `decoder` and the Linear `encoder` are of one shape"),
        "{wrong:?}"
    );
}
