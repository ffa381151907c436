//! Files of PyTorch and safetensors that are made to mislead: each is an error, at no cost.
#![cfg(feature = "all")]

mod common;

use common::{damage, file, packed};
use rnn_formats::{Error, ParamShape, Tensor, fit, safetensors, torch, zip::Archive};
use rnn_reference::ReferenceModel;

const FOLDER: &str = "torch";

/// The files of a fixture.
fn unpacked(name: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = file(FOLDER, name);
    let archive = Archive::open(&bytes).unwrap();
    let names = archive.names();
    names
        .map(|name| (name.to_string(), archive.read(name).unwrap()))
        .collect()
}

/// An archive with this pickle and one storage.
fn with_pickle(pickle: &[u8], storage: Vec<u8>) -> Vec<u8> {
    packed(&[("a/data.pkl", pickle), ("a/data/0", storage.as_slice())])
}

/// `torch._utils._rebuild_tensor_v2(storage 0 of floats, offset, sizes, strides, …)`, and 0 and 1 of the memo as the function
/// and the storage.
fn tensor(offset: i32, sizes: &[i32], strides: &[i32]) -> Vec<u8> {
    let int = |n: i32| [b"J".as_slice(), &n.to_le_bytes()].concat();
    let ints = |all: &[i32]| {
        let all: Vec<u8> = all.iter().flat_map(|n| int(*n)).collect();
        [b"(".as_slice(), &all, b"t"].concat()
    };
    [
        b"ctorch._utils\n_rebuild_tensor_v2\nq\x00(".as_slice(),
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQq\x01",
        &int(offset),
        &ints(sizes),
        &ints(strides),
        b"\x89}tR",
    ]
    .concat()
}

/// A dictionary with a value under `lin.weight`.
fn dict(value: &[u8]) -> Vec<u8> {
    [b"\x80\x02}X\x0a\0\0\0lin.weight".as_slice(), value, b"s."].concat()
}

fn error(bytes: &[u8]) -> String {
    match torch::state_dict(bytes) {
        Ok(dict) => panic!("{} parameters", dict.parameters.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn tensors_larger_than_the_file() {
    let floats = vec![0; 16];
    let plain = torch::state_dict(&with_pickle(
        &dict(&tensor(0, &[2, 2], &[2, 1])),
        floats.clone(),
    ));
    assert_eq!(plain.unwrap().parameters[0].shape, [2, 2]);
    for (offset, sizes, strides, expected) in [
        // More than the storage has.
        (
            1,
            &[2, 2][..],
            &[2, 1][..],
            "4 numbers of F32 for `lin.weight` from number 1",
        ),
        (0, &[2, 2], &[i32::MAX, 1], "4 numbers of F32"),
        (i32::MAX, &[1], &[1], "1 numbers of F32"),
        // One number that is seen as a billion.
        (
            0,
            &[1_000_000_000],
            &[0],
            "a tensor `lin.weight` of at most",
        ),
        (
            0,
            &[i32::MAX, i32::MAX, i32::MAX],
            &[0, 0, 0],
            "a tensor `lin.weight` of at most",
        ),
        (0, &[2, 2], &[1], "as many strides as axes"),
        (-1, &[2], &[1], "a place, sizes and strides"),
        (0, &[-2], &[1], "a place, sizes and strides"),
        (0, &[2], &[-1], "a place, sizes and strides"),
    ] {
        let text = error(&with_pickle(
            &dict(&tensor(offset, sizes, strides)),
            floats.clone(),
        ));
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn many_tensors_that_share_one_storage() {
    // 300 tensors of 1000 numbers each, all of the same storage of 4 KB.
    let mut pickle = b"\x80\x02}(".to_vec();
    for n in 0..300 {
        let name = format!("t{n:03}.weight");
        pickle.extend([b"X\x0b\0\0\0".as_slice(), name.as_bytes()].concat());
        match n {
            0 => pickle.extend(tensor(0, &[1000], &[1])),
            _ => pickle.extend(b"h\x00(h\x01K\x00M\xe8\x03\x85K\x01\x85\x89}tR"),
        }
    }
    pickle.extend(b"u.");
    let text = error(&with_pickle(&pickle, vec![0; 4000]));
    assert!(
        text.contains("of at most") && text.contains("numbers"),
        "{text}"
    );
}

#[test]
fn what_is_named_often_is_not_copied_often() {
    // A million axes, named by each of a thousand tensors.
    let mut pickle = b"\x80\x02(".to_vec();
    pickle.extend(b"K\x01".repeat(1_000_000));
    pickle.extend(b"tq\x020}X\x08\0\0\0t.weight");
    pickle.extend(tensor(0, &[1], &[1]));
    pickle.push(b's');
    for n in 0..1000 {
        pickle.extend(format!("X\x0b\0\0\0t{n:03}.weight").as_bytes());
        pickle.extend(b"h\x00(h\x01K\x00h\x02h\x02\x89}tRs");
    }
    pickle.push(b'.');
    assert!(error(&with_pickle(&pickle, vec![0; 4])).contains("a place, sizes and strides"));
    // A text of a megabyte under many names, beside a state dict; and a module's name of a million dots.
    let long = ".".repeat(1_000_000);
    let text = [
        b"X".as_slice(),
        &1_000_000_u32.to_le_bytes(),
        long.as_bytes(),
    ]
    .concat();
    let mut pickle = [b"\x80\x02}".as_slice(), &text, b"q\x02"].concat();
    pickle.extend(tensor(0, &[1], &[1]));
    pickle.push(b's');
    for n in 0..1000 {
        pickle.extend(format!("X\x04\0\0\0k{n:03}").as_bytes());
        pickle.extend(b"h\x02s");
    }
    pickle.push(b'.');
    let dict = torch::state_dict(&with_pickle(&pickle, vec![0; 4])).unwrap();
    let bytes = dict.metadata.iter().map(|(k, v)| k.len() + v.len());
    assert!(bytes.sum::<usize>() < 1_000_000);
}

#[test]
fn pickles_that_are_programs() {
    let system = b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R.";
    let text = error(&with_pickle(system, vec![]));
    assert!(
        text.contains("the class `posix.system`, named at byte 2"),
        "{text}"
    );
    // As a value beside tensors.
    let beside = [
        tensor(0, &[2, 2], &[2, 1]),
        b"sX\x01\0\0\0acbuiltins\neval\nX\x01\0\0\x001\x85R".to_vec(),
    ];
    let text = error(&with_pickle(&dict(&beside.concat()), vec![0; 16]));
    assert!(text.contains("`builtins.eval`"), "{text}");
    // A function that is allowed, of another module.
    let fake = b"\x80\x02cos\n_rebuild_tensor_v2\n)R.";
    assert!(error(&with_pickle(fake, vec![])).contains("`os._rebuild_tensor_v2`"));
}

#[test]
fn dictionaries_in_themselves() {
    // d = {}; d["state_dict"] = d
    let cycle = b"\x80\x02}q\x00X\x0a\0\0\0state_dicth\x00s.";
    assert!(error(&with_pickle(cycle, vec![])).contains("expected a state dict"));
    // A parameter that is its own data.
    let own = b"\x80\x02}X\x03\0\0\0a.bctorch._utils\n_rebuild_parameter\n(]q\x00h\x00a\x89}tRs.";
    assert!(torch::state_dict(&with_pickle(own, vec![])).is_err());
}

#[test]
fn a_name_twice_is_the_last_one() {
    let two = [
        tensor(0, &[2, 2], &[2, 1]),
        b"sX\x0a\0\0\0lin.weight".to_vec(),
        tensor(0, &[4, 1], &[1, 1]),
    ];
    let dict = torch::state_dict(&with_pickle(&dict(&two.concat()), vec![0; 16])).unwrap();
    assert_eq!(dict.parameters.len(), 1);
    assert_eq!(dict.parameters[0].shape, [4, 1]);
    // Names that become one when their prefixes go.
    let both = b"sX\x14\0\0\0_orig_mod.lin.weight";
    let two = [
        tensor(0, &[2, 2], &[2, 1]),
        both.to_vec(),
        tensor(0, &[2, 2], &[2, 1]),
    ];
    let text = error(&with_pickle(&self::dict(&two.concat()), vec![0; 16]));
    assert_eq!(text, "`lin.weight`: 2 parameters of this name");
}

#[test]
fn numbers_of_both_orders() {
    let plain = torch::state_dict(&file(FOLDER, "lstm.pt")).unwrap();
    let mut files = unpacked("lstm.pt");
    for (name, contents) in &mut files {
        if name.contains("/data/") {
            contents
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .for_each(|number| number.reverse());
        } else if name.ends_with("byteorder") {
            *contents = b"big".to_vec();
        }
    }
    assert_eq!(
        torch::state_dict(&packed(&files)).unwrap().parameters,
        plain.parameters
    );
    for (name, contents) in &mut files {
        if name.ends_with("byteorder") {
            *contents = b"middle".to_vec();
        }
    }
    assert!(error(&packed(&files)).contains("found middle"));
}

#[test]
fn files_that_are_missing() {
    let files = unpacked("lstm.pt");
    for gone in ["data.pkl", "data/3"] {
        let left: Vec<_> = files
            .iter()
            .filter(|(name, _)| !name.ends_with(gone))
            .cloned()
            .collect();
        assert_eq!(left.len(), files.len() - 1);
        let text = error(&packed(&left));
        assert!(text.contains(gone), "{text}");
    }
    let cut: Vec<_> = (files.iter())
        .map(|(name, contents)| {
            (
                name.clone(),
                if name.ends_with("data/3") {
                    vec![0; 3]
                } else {
                    contents.clone()
                },
            )
        })
        .collect();
    assert!(error(&packed(&cut)).contains("of the storage \"3\" on, found 3 bytes"));
}

/// Checksums stop damage of the archive: here the pickle is damaged before it is packed.
#[test]
fn damaged_pickles_are_errors() {
    for name in [
        "words.pt",
        "lstm.checkpoint.pt",
        "lstm.protocol4.pt",
        "lstm.parameters.pt",
        "refused.whole.pt",
    ] {
        let files = unpacked(name);
        let place = files
            .iter()
            .position(|(name, _)| name.ends_with("data.pkl"))
            .unwrap();
        damage(&files[place].1, 1500, &|pickle| {
            let mut files = files.clone();
            files[place].1 = pickle.to_vec();
            drop(torch::read(&packed(&files)));
        });
    }
}

/// Each is looked for by its name: a search through all of them would take a minute here.
#[test]
fn many_tensors_are_fitted() {
    let named = |n: usize, value: f32| Tensor::new(format!("layer_{n}/kernel"), [1], vec![value]);
    let mut tensors: Vec<Tensor> = (0..50_000).map(|n| named(n, n as f32).unwrap()).collect();
    // Of two with one name the first counts.
    tensors.push(named(7, -1.0).unwrap());
    let names: Vec<String> = (0..50_000)
        .rev()
        .map(|n| format!("layer_{n}/kernel"))
        .collect();
    let wanted: Vec<ParamShape<'_>> = names
        .iter()
        .map(|name| ParamShape { name, shape: &[1] })
        .collect();
    let found = fit(&tensors, &wanted).unwrap();
    let values = found.iter().map(|t| t.values[0] as usize);
    assert!(values.eq((0..50_000).rev()));
    assert_eq!(fit(&tensors, &[]).unwrap_err().lines.len(), 50_000);
}

#[test]
fn safetensors_with_lying_headers() {
    let of = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    };
    let tensor = |shape: &str, offsets: &str| {
        format!(
            "{{\"a.weight\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}"
        )
    };
    assert!(safetensors::read(&of(&tensor("[2,2]", "[0,16]"), 16)).is_ok());
    for bytes in [
        u64::MAX.to_le_bytes().to_vec(),
        [&50_u64.to_le_bytes()[..], b"{}"].concat(),
        of(&tensor("[2,2]", "[0,16]"), 12),
        of(&tensor("[2,2]", "[0,16]"), 20),
        of(&tensor("[3,2]", "[0,16]"), 16),
        of(&tensor("[2,2]", "[16,0]"), 16),
        of(
            &tensor("[9223372036854775807,9223372036854775807]", "[0,16]"),
            16,
        ),
        of(&"[".repeat(100_000), 0),
        of("{\"a.weight\":1}", 0),
    ] {
        match safetensors::read(&bytes) {
            Err(Error::Damaged { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    let halves = "{\"a.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[2,2],\"data_offsets\":[0,4]}}";
    let text = safetensors::read(&of(halves, 4)).unwrap_err().to_string();
    assert_eq!(text, "`a.weight` [2, 2]: expected floats, found F8_E4M3");
}

#[test]
fn safetensors_with_names_of_keras() {
    let header = "{\"__metadata__\":{\"by\":\"me\"},\
        \"sequential/lstm/lstm_cell/bias\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]},\
        \"adam/iteration\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[4,12]}}";
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend([0x80, 0x3f, 0x00, 0xc0, 7, 0, 0, 0, 0, 0, 0, 0]);
    let imported = safetensors::read(&bytes).unwrap();
    let [bias] = &imported.tensors[..] else {
        panic!("{:?}", imported.tensors)
    };
    assert_eq!(
        (bias.name.as_str(), &bias.values[..]),
        ("sequential/lstm/lstm_cell/bias", &[1.0, -2.0][..])
    );
    assert_eq!(imported.metadata, [("by".to_string(), "me".to_string())]);
    assert!(
        imported.notes[0].contains("`adam/iteration`"),
        "{:?}",
        imported.notes
    );
}

#[test]
fn cells_one_above_the_other_are_layers_of_a_module() {
    let dict = torch::state_dict(&file(FOLDER, "stacked_lstm.pt")).unwrap();
    let text = "Input(_, 2) -> RNN([LSTMCell(3), LSTMCell(3), LSTMCell(3)], return_sequences) -> TimeDistributed(Dense(1))";
    let model = ReferenceModel::parse(text).unwrap();
    let specs = model.specs().iter();
    let params: Vec<_> = specs.map(|s| (s.name.clone(), s.shape.clone())).collect();
    let tensors = torch::tensors_for(&dict, &params).unwrap();
    let cases = common::cases(FOLDER);
    let case = cases
        .iter()
        .find(|case| case.name == "stacked_lstm")
        .unwrap();
    common::close(text, &common::run(text, &tensors, case), &case.output);
}

/// Whether other layers may mend what is wrong does not hang on names.
#[test]
fn a_layer_is_called_not_finite() {
    let of = |shape: &[usize], number: f32| {
        let name = "not finite/bias";
        let count = shape.iter().product();
        let tensors = [Tensor::new(name, shape, vec![number; count]).unwrap()];
        let wanted = [ParamShape { name, shape: &[2] }];
        fit(&tensors, &wanted).unwrap_err()
    };
    let shape = of(&[3], 0.5);
    assert_eq!(
        shape.lines,
        ["not finite/bias: expected shape [2], found [3]"]
    );
    assert!(shape.layers);
    let number = of(&[2], f32::NAN);
    assert_eq!(
        number.lines,
        ["not finite/bias: 2 of 2 numbers not finite, the first at index 0"]
    );
    assert!(!number.layers);
    // Shapes come first, and other tensors count as shapes do.
    assert!(of(&[3], f32::NAN).layers);
    let tensors = [
        Tensor::new("a", [1], vec![f32::NAN]).unwrap(),
        Tensor::new("b", [1], vec![0.0]).unwrap(),
    ];
    let wanted = [ParamShape {
        name: "a",
        shape: &[1],
    }];
    assert!(fit(&tensors, &wanted).unwrap_err().layers);
}

/// What is said of thousands of modules can be read.
#[test]
fn notes_of_thousands_of_modules() {
    let of = |count: usize, rows: usize| {
        let row = vec!["[0.5]"; rows].join(",");
        let modules = (0..count).map(|n| format!(r#""layer{n}.weight": [{row}]"#));
        let text = modules.collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"state_dict": {{{text}}}}}"#);
        let none = &mut |_: &str| Err(std::io::ErrorKind::NotFound.into());
        rnn_formats::read(text.as_bytes(), none).unwrap()
    };
    // In a row.
    let short = of(2, 1).proposal.unwrap();
    assert!(short.note.contains(short.layers.as_ref().unwrap()));
    let middle = of(150, 1).proposal.unwrap();
    assert!(middle.layers.unwrap().len() > 2000);
    assert!(
        middle.note.contains(" a chain of 150 layers: "),
        "{}",
        middle.note
    );
    let long = of(5000, 1);
    let proposal = long.proposal.as_ref().unwrap();
    assert_eq!((&proposal.layers, &proposal.doubt), (&None, &None));
    assert!(
        proposal.note.contains(" a chain of 5000 layers: "),
        "{}",
        proposal.note
    );
    let modules = long
        .notes
        .iter()
        .find(|note| note.starts_with("modules as layers: "));
    assert!(
        modules
            .unwrap()
            .ends_with("`layer99` is `dense_99`; and 4900 more"),
        "{modules:?}"
    );
    // In none.
    let none = of(5000, 2);
    let note = none.proposal.unwrap().note;
    assert!(
        note.contains("; and 4980 more. They do not tell their order"),
        "{note}"
    );
    for note in [long.notes, none.notes].concat() {
        assert!(
            note.len() < 10_000,
            "{} bytes: {}",
            note.len(),
            &note[..100]
        );
    }
}
