//! Chromium without a window, driven by the DevTools protocol: JSON over two pipes, each message ended by a zero byte.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// An answer that takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The browser that `CHROMIUM` names, or that is found.
pub fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let files = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    files.into_iter().find(|file| file.is_file())
}

/// One page of a browser. Dropping it ends the browser.
pub struct Browser {
    process: Child,
    to: File,
    from: Receiver<Value>,
    session: String,
    asked: u64,
    /// What the page has complained about.
    complaints: Vec<String>,
    folder: PathBuf,
}

impl Browser {
    /// Starts a browser with an empty profile, and one page of 1100 × 900.
    pub fn start(program: &Path, name: &str) -> Browser {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let pipes = ["to", "from"].map(|name| folder.join(name));
        assert!(
            Command::new("mkfifo")
                .args(&pipes)
                .status()
                .unwrap()
                .success()
        );
        // The browser reads from its file 3 and writes to 4.
        let process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<\"$TO\" 4>\"$FROM\""])
            .arg(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
            ])
            .arg(format!(
                "--user-data-dir={}",
                folder.join("profile").display()
            ))
            .env("TO", &pipes[0])
            .env("FROM", &pipes[1])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let to = File::options().write(true).open(&pipes[0]).unwrap();
        let mut messages = BufReader::new(File::open(&pipes[1]).unwrap());
        let (send, from) = channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            while messages.read_until(0, &mut bytes).is_ok_and(|n| n > 0) {
                bytes.pop();
                if serde_json::from_slice(&bytes).is_ok_and(|message| send.send(message).is_err()) {
                    break;
                }
                bytes.clear();
            }
        });
        let mut browser = Browser {
            process,
            to,
            from,
            session: String::new(),
            asked: 0,
            complaints: Vec::new(),
            folder,
        };
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attached = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.ask("Target.attachToTarget", attached);
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.ask(domain, json!({}));
        }
        browser.size(1100, 900, false);
        browser
    }

    /// Calls a method of the protocol and gives its result.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(message) = self.from.recv_timeout(left) else {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("no answer to {method}; the browser says:\n{log}");
            };
            if message["id"] == json!(self.asked) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            let entry = &message["params"]["entry"];
            if message["method"] == "Runtime.exceptionThrown" || entry["level"] == "error" {
                self.complaints.push(message["params"].to_string());
            }
        }
    }

    /// Goes to a page and waits until it says that it is ready.
    pub fn open(&mut self, address: &str) {
        self.ask("Page.navigate", json!({"url": address}));
        self.wait("document.documentElement?.dataset.ready === 'true'");
    }

    /// The value of an expression of JavaScript.
    pub fn value(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.ask("Runtime.evaluate", asked);
        let wrong = &result["exceptionDetails"];
        assert!(wrong.is_null(), "{expression}: {wrong}");
        result["result"]["value"].clone()
    }

    /// The numbers of an expression.
    pub fn numbers(&mut self, expression: &str) -> Vec<f32> {
        let value = self.value(expression);
        let numbers = value
            .as_array()
            .map(|list| list.iter().map(|x| x.as_f64().unwrap() as f32).collect());
        numbers.unwrap_or_else(|| panic!("{expression}: {value}"))
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, expression: &str) {
        let start = Instant::now();
        while self.value(expression) != json!(true) {
            let complaints = self.complaints.join("\n");
            assert!(
                start.elapsed() < PATIENCE,
                "never true: {expression}\n{complaints}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The size of the page, as a phone if `phone`.
    pub fn size(&mut self, width: u32, height: u32, phone: bool) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": phone});
        self.ask("Emulation.setDeviceMetricsOverride", size);
        self.ask(
            "Emulation.setTouchEmulationEnabled",
            json!({"enabled": phone}),
        );
    }

    /// A preference of the user, such as `prefers-reduced-motion`.
    pub fn prefer(&mut self, name: &str, value: &str) {
        let features = json!({"features": [{"name": name, "value": value}]});
        self.ask("Emulation.setEmulatedMedia", features);
    }

    /// Keeps a picture of the page beside the test's files.
    pub fn screenshot(&mut self, name: &str) {
        let asked = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.ask("Page.captureScreenshot", asked);
        let bytes = base64(picture["data"].as_str().unwrap());
        fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), bytes).unwrap();
    }

    /// What the page has complained about so far.
    pub fn complaints(&mut self) -> Vec<String> {
        // Everything that was sent before this answer has been read.
        self.value("0");
        self.complaints.clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self
            .to
            .write_all(b"{\"id\": 0, \"method\": \"Browser.close\"}\0");
        let start = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) {
            if start.elapsed() > Duration::from_secs(5) {
                let _ = self.process.kill();
                let _ = self.process.wait();
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The bytes of a text in base 64.
fn base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|&c| c != b'=').map(digit).collect();
    let four = |part: &[u8]| {
        let all =
            part.iter().fold(0u32, |all, &d| all << 6 | u32::from(d)) << (6 * (4 - part.len()));
        all.to_be_bytes()[1..part.len()].to_vec()
    };
    digits.chunks(4).flat_map(four).collect()
}
