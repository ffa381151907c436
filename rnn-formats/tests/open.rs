//! Files whose format is told from their bytes: cut off, of another kind, and with a mark in front.
#![cfg(feature = "all")]

mod common;

use std::io;

use common::{file, packed};
use rnn_formats::{
    Error, ParamShape, Unfit, onnx::States, read, read_with, tensors, torch, zip::Archive,
};

fn none(_: &str) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::NotFound.into())
}

/// What reading says, which is the same for a whole model and for weights.
fn error(bytes: &[u8]) -> Error {
    let error = read(bytes, &mut none).map(|_| "a model").unwrap_err();
    match tensors(bytes, &mut none, None)
        .map(|_| "weights")
        .unwrap_err()
    {
        Unfit::Unread(e) => assert_eq!(e, error),
        Unfit::Differs(lines) => assert_eq!(Error::NotUnderstood(lines), error),
    }
    error
}

#[test]
fn a_byte_order_mark_is_no_damage() {
    for name in [
        "guitarml_lstm.json",
        "rtneural_lstm.json",
        "nam_one.nam",
        "state_dict.json",
    ] {
        let plain = file("amps", name);
        let marked = [b"\xef\xbb\xbf".as_slice(), &plain].concat();
        let (plain_model, model) = (read(&plain, &mut none), read(&marked, &mut none));
        assert_eq!(model.unwrap(), plain_model.unwrap(), "{name}");
        let plain = tensors(&plain, &mut none, None).unwrap();
        let found = tensors(&marked, &mut none, None).unwrap();
        assert_eq!(found, plain, "{name}");
    }
}

#[test]
fn json_that_is_cut_off_says_where() {
    for name in ["guitarml_lstm.json", "rtneural_lstm.json", "nam_one.nam"] {
        let bytes = file("amps", name);
        for length in [1, 2, bytes.len() / 2, bytes.len() - 3] {
            match error(&bytes[..length]) {
                Error::Damaged {
                    at: Some(at),
                    inner: None,
                    expected,
                    ..
                } => {
                    assert_eq!(expected, "JSON");
                    assert!(at.abs_diff(length as u64) <= 1, "{name}: {at} of {length}");
                }
                other => panic!("{name}, {length}: {other:?}"),
            }
        }
    }
}

/// A state dict in JSON is fitted to what is wanted, without a model.
#[test]
fn a_state_dict_in_json() {
    let bytes = file("amps", "state_dict.json");
    let counted = tensors(&bytes, &mut none, None).unwrap();
    let wanted: Vec<ParamShape<'_>> = counted
        .iter()
        .map(|t| ParamShape {
            name: &t.name,
            shape: &t.shape,
        })
        .collect();
    assert_eq!(tensors(&bytes, &mut none, Some(&wanted)).unwrap(), counted);
}

#[test]
fn what_is_no_model_is_named() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    for (bytes, words) in [
        (pointer.as_slice(), "a pointer of Git LFS"),
        (b"", "the file is empty"),
        (
            b"weights of the model\n0.5 0.25\n",
            "text that begins with \"weights of the model\"",
        ),
        (b"<!DOCTYPE html><html>", "a web page"),
        (
            &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
            "d0 cf 11 e0",
        ),
    ] {
        match error(bytes) {
            Error::Unknown(text) => assert!(text.contains(words), "{text}"),
            other => panic!("{words}: {other:?}"),
        }
    }
}

/// A file that ends within its header is no ONNX.
#[test]
fn safetensors_that_are_cut_off() {
    let bytes = file("torch", "lstm.safetensors");
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for length in [10, header / 2, header, header + 4, bytes.len() - 1] {
        let error = error(&bytes[..length]);
        assert!(matches!(error, Error::Damaged { .. }), "{length}: {error}");
        assert!(
            error.to_string().contains("safetensors"),
            "{length}: {error}"
        );
    }
}

#[test]
fn onnx_that_is_cut_off_is_damaged() {
    // The version, a producer, and a graph that is longer than the file.
    let bytes = b"\x08\x08\x12\x07pytorch\x3a\xff\x7f\x0a\x04";
    for length in [3, 8, 14, bytes.len()] {
        let error = error(&bytes[..length]);
        assert!(
            matches!(error, Error::Damaged { at: Some(_), .. }),
            "{length}: {error}"
        );
    }
}

/// An offset is of a file, which is named if it is not the file that was read.
#[test]
fn damage_names_the_file_within() {
    let zip = file("keras", "keras.zip");
    let keras = Archive::open(&zip).unwrap().read("lstm.keras").unwrap();
    let archive = Archive::open(&keras).unwrap();
    let config = archive.read("config.json").unwrap();
    let weights = archive.read("model.weights.h5").unwrap();
    let half = &weights[..weights.len() / 2];
    let text = error(&packed(&[
        ("config.json", config.as_slice()),
        ("model.weights.h5", half),
    ]))
    .to_string();
    assert!(
        text.contains("of `model.weights.h5` in it: expected"),
        "{text}"
    );
    let cut = &config[..config.len() - 9];
    let text = error(&packed(&[
        ("config.json", cut),
        ("model.weights.h5", &weights),
    ]))
    .to_string();
    let place = format!(
        "damaged at byte {} of `config.json` in it: expected JSON",
        cut.len()
    );
    assert!(text.starts_with(&place), "{text}");

    let bytes = file("torch", "lstm.pt");
    let archive = Archive::open(&bytes).unwrap();
    let mut files: Vec<(String, Vec<u8>)> = archive
        .names()
        .map(|name| (name.to_owned(), archive.read(name).unwrap()))
        .collect();
    let text = |files: &[(String, Vec<u8>)]| {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (&n[..], &b[..])).collect();
        torch::state_dict(&packed(&files)).unwrap_err().to_string()
    };
    let storage = files.iter().position(|(n, _)| n.ends_with("/data/0"));
    let whole = files[storage.unwrap()].1.clone();
    files[storage.unwrap()].1.truncate(whole.len() / 2);
    let words = text(&files);
    assert!(
        words.starts_with("damaged in its `") && words.contains("/data/0`"),
        "{words}"
    );
    files[storage.unwrap()].1 = whole;
    let order = files.iter().position(|(n, _)| n.ends_with("byteorder"));
    files[order.unwrap()].1 = b"middle".to_vec();
    let words = text(&files);
    assert!(
        words.contains("/byteorder` in it: expected `little` or `big`, found middle"),
        "{words}"
    );
    files[order.unwrap()].1 = b"little".to_vec();
    let pickle = files
        .iter()
        .position(|(n, _)| n.ends_with("data.pkl"))
        .unwrap();
    files[pickle].1.truncate(40);
    let words = text(&files);
    assert!(words.contains("/data.pkl` in it: expected"), "{words}");
}

/// What is nowhere has no offset.
#[test]
fn what_is_missing_has_no_place() {
    let bytes = file("torch", "lstm.pt");
    let archive = Archive::open(&bytes).unwrap();
    let files: Vec<(&str, Vec<u8>)> = archive
        .names()
        .filter(|name| !name.ends_with("/data/0"))
        .map(|name| (name, archive.read(name).unwrap()))
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, b)| (*name, &b[..])).collect();
    let text = error(&packed(&files)).to_string();
    assert!(text.starts_with("damaged: expected the file `"), "{text}");
}

#[test]
fn states_are_left_to_a_stream_by_onnx_alone() {
    let bytes = file("amps", "guitarml_lstm.json");
    let error = read_with(&bytes, &mut none, States::Stream).unwrap_err();
    assert!(matches!(error, Error::NotUnderstood(_)), "{error}");
    assert!(error.to_string().contains("leave `states` out"), "{error}");
}
