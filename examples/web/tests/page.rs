//! The page in a real browser against the same model in this program.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/pens.rs"]
mod pens;
#[path = "support/server.rs"]
mod server;
#[path = "../../../tests/support/skip.rs"]
mod skip;

use std::{fs, path::Path, process::Command, sync::OnceLock};

use browser::Browser;
use recurrent_web::page::Page;
use serde_json::{Value, json};

/// The module may take so many bytes, 79,136 of them weights.
const BUDGET: u64 = 104 * 1024;
/// How far a probability in the browser may be from one here.
const TOLERANCE: f32 = 1e-5;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Builds the module once; says why it cannot, where something is missing.
fn built() -> Result<&'static Path, &'static str> {
    static BROWSER: OnceLock<Result<std::path::PathBuf, &'static str>> = OnceLock::new();
    let build = || {
        let rustc = Command::new("rustc")
            .args([
                "--print",
                "target-libdir",
                "--target",
                "wasm32-unknown-unknown",
            ])
            .output();
        let folder = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        if !folder.is_ok_and(|folder| Path::new(&folder).is_dir()) {
            return Err("the target wasm32-unknown-unknown is not installed");
        }
        let browser = browser::find().ok_or("there is no Chromium")?;
        let built = Command::new(Path::new(ROOT).join("build.sh")).status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "build.sh has failed"
        );
        Ok(browser)
    };
    match BROWSER.get_or_init(build) {
        Ok(browser) => Ok(browser),
        Err(why) => Err(why),
    }
}

/// A browser that shows the page. `None`: the test has been skipped.
fn page(test: &str) -> Option<Browser> {
    match built() {
        Ok(program) => {
            let mut browser = Browser::start(program, test);
            browser.open(&server::serve());
            Some(browser)
        }
        Err(why) => {
            skip::skipped(&format!("examples/web: {test}"), why);
            None
        }
    }
}

fn native() -> Box<Page> {
    Box::new(Page::new())
}

fn assert_near(found: &[f32], expected: &Page, what: &str) {
    let expected: Vec<f32> = expected.guesses.iter().flatten().copied().collect();
    assert_eq!(found.len(), expected.len());
    for (k, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (a - b).abs() <= TOLERANCE,
            "{what}, row {}, digit {}: {a} in the browser, {b} here",
            k / 10,
            k % 10
        );
    }
}

fn best(numbers: &[f32]) -> usize {
    (0..numbers.len())
        .max_by(|&a, &b| numbers[a].total_cmp(&numbers[b]))
        .unwrap()
}

/// Draws a digit on the page with mouse or finger: each line begins with a press and ends where it is lifted.
fn draw(browser: &mut Browser, digit: usize, finger: bool) {
    let pad = browser.numbers("(() => { const r = document.getElementById('pad').getBoundingClientRect(); return [r.left, r.top, r.width]; })()");
    for line in pens::DIGITS[digit] {
        let points = pens::curve(line);
        let last = points.len() - 1;
        for (k, (x, y)) in points.into_iter().enumerate() {
            let (x, y) = (pad[0] + x * pad[2], pad[1] + y * pad[2]);
            if finger {
                let kind = if k == 0 { "touchStart" } else { "touchMove" };
                browser.ask(
                    "Input.dispatchTouchEvent",
                    json!({"type": kind, "touchPoints": [{"x": x, "y": y}]}),
                );
            } else {
                mouse(
                    browser,
                    if k == 0 { "mousePressed" } else { "mouseMoved" },
                    x,
                    y,
                );
                if k == last {
                    mouse(browser, "mouseReleased", x, y);
                }
            }
        }
        if finger {
            browser.ask(
                "Input.dispatchTouchEvent",
                json!({"type": "touchEnd", "touchPoints": []}),
            );
        }
    }
    settle(browser);
}

fn mouse(browser: &mut Browser, kind: &str, x: f32, y: f32) {
    let asked =
        json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1});
    browser.ask("Input.dispatchMouseEvent", asked);
}

/// Waits until the page has shown what it was told.
fn settle(browser: &mut Browser) {
    browser.value(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))",
    );
}

fn click(browser: &mut Browser, selector: &str) {
    browser.value(&format!(
        "document.querySelector({}).click()",
        json!(selector)
    ));
}

fn bars(browser: &mut Browser) -> Vec<f32> {
    browser.numbers(
        "[...document.querySelectorAll('#bars li')].map(bar => Number(bar.dataset.probability))",
    )
}

fn answer(browser: &mut Browser) -> Value {
    browser.value("document.getElementById('guess').textContent")
}

#[test]
fn scanned_digits_are_read_as_they_are_here() {
    let Some(mut browser) = page("scanned digits") else {
        return;
    };
    browser.prefer("prefers-reduced-motion", "reduce");
    let data = fs::read_to_string(Path::new(ROOT).join("../data/digits.csv")).unwrap();
    let specimens = browser.value("import('./specimens.js').then(module => module.SPECIMENS)");
    assert_eq!(specimens.as_array().map(Vec::len), Some(10));
    for (digit, specimen) in specimens.as_array().unwrap().iter().enumerate() {
        let line = data
            .lines()
            .nth(specimen["line"].as_u64().unwrap() as usize - 1)
            .unwrap();
        let numbers: Vec<f32> = line
            .split(',')
            .map(|field| field.parse().unwrap())
            .collect();
        assert_eq!(numbers[64], digit as f32);
        let mut here = native();
        here.picture
            .as_flattened_mut()
            .iter_mut()
            .zip(&numbers)
            .for_each(|(to, from)| *to = from / 16.0);
        here.read();

        click(
            &mut browser,
            &format!("#specimens button:nth-child({})", digit + 1),
        );
        assert_eq!(
            browser.numbers("digits.picture()"),
            here.picture.as_flattened(),
            "{digit}"
        );
        assert_near(
            &browser.numbers("digits.guesses()"),
            &here,
            &format!("a scanned {digit}"),
        );
        assert_eq!(best(&here.guesses[7]), digit);
        assert_eq!(answer(&mut browser), json!(digit.to_string()));
        let (shown, last) = (bars(&mut browser), here.guesses[7]);
        assert!(
            shown
                .iter()
                .zip(last)
                .all(|(a, b)| (a - b).abs() <= TOLERANCE),
            "{shown:?}"
        );
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn drawn_digits_are_read_as_they_are_here() {
    let Some(mut browser) = page("drawn digits") else {
        return;
    };
    let mut wrong = Vec::new();
    for digit in 0..10 {
        draw(&mut browser, digit, false);
        let lines = browser.value("digits.lines()");
        let mut here = native();
        for line in lines.as_array().unwrap() {
            for point in line.as_array().unwrap() {
                here.drawing.line_to(
                    point[0].as_f64().unwrap() as f32,
                    point[1].as_f64().unwrap() as f32,
                );
            }
            here.drawing.lift();
        }
        here.look();
        here.read();
        assert_eq!(
            lines.as_array().map(Vec::len),
            Some(pens::DIGITS[digit].len()),
            "{digit}: {lines}"
        );
        assert_eq!(
            browser.numbers("digits.picture()"),
            here.picture.as_flattened(),
            "{digit}"
        );
        assert_near(
            &browser.numbers("digits.guesses()"),
            &here,
            &format!("a drawn {digit}"),
        );
        if answer(&mut browser) != json!(digit.to_string()) {
            wrong.push((digit, answer(&mut browser), bars(&mut browser)));
        }
        browser.screenshot(&format!("drawn-{digit}.png"));
        click(&mut browser, "#clear");
        assert_eq!(answer(&mut browser), json!("?"));
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_finger_draws_on_a_phone() {
    let Some(mut browser) = page("a finger") else {
        return;
    };
    browser.size(390, 844, true);
    settle(&mut browser);
    draw(&mut browser, 7, true);
    assert_eq!(answer(&mut browser), json!("7"));
    assert_eq!(browser.value("digits.lines().length"), json!(2));
    assert_eq!(
        browser.value("scrollY"),
        json!(0),
        "drawing does not scroll"
    );
    assert_eq!(
        browser.value("document.documentElement.scrollWidth <= innerWidth"),
        json!(true)
    );
    assert_eq!(
        browser
            .value("document.getElementById('pad').getBoundingClientRect().bottom <= innerHeight"),
        json!(true)
    );
    browser.screenshot("phone.png");
    click(&mut browser, "#undo");
    assert_eq!(browser.value("digits.lines().length"), json!(1));
    click(&mut browser, "#undo");
    assert_eq!(answer(&mut browser), json!("?"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_scanned_digit_is_read_row_by_row() {
    let Some(mut browser) = page("row by row") else {
        return;
    };
    click(&mut browser, "#specimens button:nth-child(10)");
    let guesses = browser.numbers("digits.guesses()");
    // The bars show the guess of a row that has been read while others have not.
    browser.wait("document.querySelectorAll('#rows li.read').length === 3");
    let shown = bars(&mut browser);
    let row = browser
        .value("document.querySelectorAll('#rows li.read').length")
        .as_u64()
        .unwrap() as usize
        - 1;
    assert!((2..7).contains(&row));
    let after = |row: usize| &guesses[10 * row..10 * row + 10];
    assert!(
        [row - 1, row].iter().any(|&row| shown == after(row)),
        "{shown:?}"
    );
    browser.screenshot("reading.png");
    browser.wait("!document.getElementById('rows').classList.contains('playing')");
    assert_eq!(bars(&mut browser), after(7));
    browser.screenshot("read.png");
    browser.prefer("prefers-color-scheme", "dark");
    settle(&mut browser);
    browser.screenshot("dark.png");
}

#[test]
fn the_module_is_small_and_the_page_says_how_fast_it_is() {
    let Some(mut browser) = page("size") else {
        return;
    };
    let size = fs::metadata(Path::new(ROOT).join("page/digits.wasm"))
        .unwrap()
        .len();
    assert!(size <= BUDGET, "{size} bytes, more than {BUDGET}");
    let shown = |browser: &mut Browser, id: &str| {
        browser.value(&format!("({{...document.getElementById('{id}').dataset, text: document.getElementById('{id}').textContent}})"))
    };
    let found = shown(&mut browser, "size");
    assert_eq!(found["bytes"], json!(size.to_string()));
    browser.wait("document.getElementById('step').dataset.measured === 'true'");
    let step = shown(&mut browser, "step");
    let micros: f64 = step["micros"].as_str().unwrap().parse().unwrap();
    assert!(micros > 0.0 && micros < 1000.0, "{step}");
    println!("{} bytes; {}", size, step["text"]);
}

#[test]
fn the_module_asks_nothing_of_the_page_and_uses_vectors() {
    let Some(mut browser) = page("module") else {
        return;
    };
    let module = "fetch('digits.wasm').then(r => r.arrayBuffer()).then(WebAssembly.compile)";
    assert_eq!(
        browser.value(&format!(
            "{module}.then(m => WebAssembly.Module.imports(m).length)"
        )),
        json!(0)
    );
    let names = browser.value(&format!("{module}.then(m => WebAssembly.Module.exports(m).filter(e => e.kind === 'function').map(e => e.name).sort().join())"));
    assert_eq!(
        names,
        json!("clear,guesses,lift,line_to,look,picture,read,run")
    );
    // An opcode of `simd128` that no other one is like: f32x4.mul, 0xfd 0xe6 0x01.
    let bytes = fs::read(Path::new(ROOT).join("page/digits.wasm")).unwrap();
    assert!(bytes.windows(3).any(|three| three == [0xfd, 0xe6, 0x01]));
}
