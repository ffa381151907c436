use super::*;
use crate::logs::Logs;

fn history(names: &[&str], epochs: usize) -> History {
    let mut history = History::default();
    for epoch in 0..epochs {
        let mut logs = Logs::default();
        for (index, name) in names.iter().enumerate() {
            let t = epoch as f64;
            let falling =
                (-0.25 * t).exp() * 2.2 + 0.08 + 0.05 * index as f64 + 0.02 * (t * 1.7).sin();
            let value = if name.contains("accuracy") {
                1.0 - 0.4 * falling
            } else {
                falling
            };
            logs.set(name, value);
        }
        history.push(epoch, logs);
    }
    history
}

fn file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("rnn-plot-{}-{name}", std::process::id()))
}

fn drawn(history: &History, name: &str) -> Vec<u8> {
    let path = file(name);
    history.plot(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    bytes
}

const ALL: [&str; 4] = ["loss", "accuracy", "val_loss", "val_accuracy"];

#[test]
fn an_svg_has_titles_axes_curves_and_a_legend() {
    let svg = String::from_utf8(drawn(&history(&ALL, 12), "a.svg")).unwrap();
    for text in ["loss", "accuracy", "epoch", "training", "validation"] {
        assert!(svg.contains(&format!("\n{text}\n")), "no {text} in\n{svg}");
    }
    for colour in ["#0072B2", "#D55E00"] {
        let curves = svg
            .lines()
            .filter(|l| l.starts_with("<polyline") && l.contains(colour))
            .count();
        assert_eq!(
            curves, 4,
            "a curve and a line of the legend in each of two panels:\n{svg}"
        );
    }
    assert!(!svg.contains(FONT_NAME));
}

/// As saving weights does.
#[test]
fn a_folder_that_is_missing_is_named() {
    let folder = file("none");
    for name in ["a.svg", "a.png"] {
        let path = folder.join(name);
        let error = history(&ALL, 3).plot(&path).unwrap_err();
        let (path, folder) = (path.display(), folder.display());
        let words = format!("{path}: there is no folder {folder}");
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn a_png_has_the_right_size_and_text() {
    let bytes = drawn(&history(&ALL, 12), "a.PNG");
    assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (4 * PANEL.0, 2 * PANEL.1));
    // The letters are drawn: another title is another image.
    let renamed = drawn(
        &history(&["loss", "accurate", "val_loss", "val_accurate"], 12),
        "b.png",
    );
    assert_ne!(bytes, renamed);
}

#[test]
fn odd_histories_can_be_drawn() {
    for names in [&["loss"][..], &["val_loss"], &["loss", "a", "b", "c", "d"]] {
        for epochs in [1, 2, 200] {
            if names[0] == "val_loss" {
                assert!(history(names, epochs).plot(file("none.svg")).is_err());
            } else {
                drawn(&history(names, epochs), "odd.svg");
            }
        }
    }
    let mut odd = History::default();
    for (epoch, value) in [1.0, f64::NAN, f64::INFINITY, 1.0, 1e300, -1e300]
        .into_iter()
        .enumerate()
    {
        let mut logs = Logs::default();
        logs.set("loss", value);
        logs.set("constant", 0.0);
        odd.push(epoch, logs);
    }
    drawn(&odd, "odd.svg");
    drawn(&odd, "odd.png");
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    assert!(matches!(
        History::default().plot(file("a.png")),
        Err(Error::Argument(_))
    ));
    assert!(matches!(
        history(&ALL, 3).plot(file("a.bmp")),
        Err(Error::Argument(_))
    ));
    let nowhere = file("none").join("a.png");
    assert!(matches!(
        history(&ALL, 3).plot(nowhere),
        Err(Error::Io { .. })
    ));
    let nowhere = file("none").join("a.svg");
    assert!(matches!(
        history(&ALL, 3).plot(nowhere),
        Err(Error::Io { .. })
    ));
}

/// For a look at it: `RECURRENT_PLOT=folder cargo test -p rnn-runtime plot::tests::a_look`.
#[test]
#[ignore = "writes images to look at"]
fn a_look() {
    let folder = std::path::PathBuf::from(std::env::var("RECURRENT_PLOT").unwrap());
    history(&ALL, 12).plot(folder.join("two.png")).unwrap();
    history(&ALL, 12).plot(folder.join("two.svg")).unwrap();
    history(&["loss", "val_loss"], 60)
        .plot(folder.join("one.png"))
        .unwrap();
}
