// The page: lines go to the module, guesses come back and are shown.

import { SPECIMENS } from "./specimens.js";

const SIDE = 8;
const COLOURS = [
  "#f2545b", "#f58a42", "#f0b72f", "#a3c644", "#4fbf7b", "#2fb5b5", "#3e9be9", "#6f7cf0", "#a66be8", "#e064b8",
];
/** The pen moves at least so far between two points, of the width of the field. */
const NEAR = 0.006;
/** How long a row is shown, in milliseconds. */
const SLOWLY = 260;

const at = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** The module's functions and its memory. */
let digits;
/** Each line is a list of points, for the screen and for `undo`. */
let lines = [];
/** The guess at each moment, and the line that was being drawn. */
let history = [];
let specimen = null;
let pen = null;
let pending = false;
let playing = 0;

// ---- the module

async function load() {
  const response = await fetch("digits.wasm");
  if (!response.ok) throw new Error(`digits.wasm: ${response.status}; build.sh makes it`);
  const bytes = await response.arrayBuffer();
  const { instance } = await WebAssembly.instantiate(bytes, {});
  const { memory, picture, guesses, ...functions } = instance.exports;
  return {
    ...functions,
    size: bytes.byteLength,
    picture: () => new Float32Array(memory.buffer, picture(), SIDE * SIDE),
    guesses: () => new Float32Array(memory.buffer, guesses(), SIDE * 10),
  };
}

/** The ten numbers after a row. */
const guess = (row) => digits.guesses().slice(10 * row, 10 * row + 10);
const best = (numbers) => numbers.reduce((most, p, k) => (p > numbers[most] ? k : most), 0);

// ---- what is shown

function element(kind, name, parent) {
  const made = document.createElement(kind);
  if (name) made.className = name;
  parent.append(made);
  return made;
}

function build() {
  for (let k = 0; k < 10; k++) {
    const bar = element("li", "", at("bars"));
    bar.style.setProperty("--colour", COLOURS[k]);
    element("div", "fill", element("div", "track", bar));
    element("span", "name", bar).textContent = k;
  }
  for (let row = 0; row < SIDE; row++) {
    const line = element("li", "", at("rows"));
    const pixels = element("div", "pixels", line);
    for (let k = 0; k < SIDE; k++) element("div", "pixel", pixels);
    const parts = element("div", "parts", line);
    for (let k = 0; k < 10; k++) element("div", "part", parts).style.setProperty("--colour", COLOURS[k]);
    element("span", "name", line);
  }
  SPECIMENS.forEach(({ label }, number) => {
    const button = element("button", "", at("specimens"));
    button.type = "button";
    button.setAttribute("aria-label", `A scanned ${label}`);
    button.setAttribute("aria-pressed", "false");
    const canvas = element("canvas", "", button);
    canvas.width = canvas.height = SIDE;
    button.addEventListener("click", () => show(number));
  });
}

/** The scanned digits in small, in the colour of ink. */
function showSpecimens() {
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  document.querySelectorAll("#specimens canvas").forEach((canvas, number) => {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, SIDE, SIDE);
    context.fillStyle = ink;
    SPECIMENS[number].pixels.forEach((value, k) => {
      context.globalAlpha = value / 16;
      context.fillRect(k % SIDE, Math.floor(k / SIDE), 1, 1);
    });
  });
}

/** Bars and answer: ten numbers, or none. */
function showGuess(numbers) {
  const first = numbers ? best(numbers) : -1;
  [...at("bars").children].forEach((bar, k) => {
    const p = numbers ? numbers[k] : 0;
    bar.dataset.probability = p;
    bar.style.setProperty("--part", p);
    bar.classList.toggle("best", k === first);
    bar.title = `${k}: ${percent(p)}`;
  });
  at("guess").textContent = numbers ? first : "?";
  at("guess").style.setProperty("--best", numbers ? COLOURS[first] : "var(--soft)");
  at("sure").textContent = numbers ? percent(numbers[first]) : "";
}

const percent = (p) => `${(100 * p).toFixed(p > 0.9995 ? 0 : 1)} %`;

function showRows(empty) {
  const picture = digits.picture();
  [...at("rows").children].forEach((line, row) => {
    const [pixels, parts, name] = line.children;
    const numbers = guess(row);
    [...pixels.children].forEach((pixel, k) => pixel.style.setProperty("--part", picture[SIDE * row + k]));
    [...parts.children].forEach((part, k) => part.style.setProperty("--part", empty ? 0 : numbers[k]));
    name.textContent = empty ? "" : best(numbers);
    name.style.setProperty("--best", COLOURS[best(numbers)]);
  });
}

/** The canvas in the pixels of the screen, and its size in those of the page. */
function prepare(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

function showPad() {
  const { context, width } = prepare(at("pad"));
  const style = getComputedStyle(document.documentElement);
  if (specimen !== null) {
    const field = width / SIDE;
    context.fillStyle = style.getPropertyValue("--ink");
    SPECIMENS[specimen].pixels.forEach((value, k) => {
      context.globalAlpha = value / 16;
      context.beginPath();
      context.roundRect((k % SIDE) * field + 1, Math.floor(k / SIDE) * field + 1, field - 2, field - 2, 4);
      context.fill();
    });
    context.globalAlpha = 1;
  }
  context.strokeStyle = context.fillStyle = style.getPropertyValue("--ink");
  context.lineWidth = width * 0.06;
  context.lineCap = context.lineJoin = "round";
  for (const line of lines) {
    context.beginPath();
    line.forEach(([x, y]) => context.lineTo(x * width, y * width));
    if (line.length === 1) context.lineTo(line[0][0] * width + 0.1, line[0][1] * width);
    context.stroke();
  }
}

function showTime() {
  const { context, width, height } = prepare(at("time"));
  if (!history.length) return;
  const style = getComputedStyle(document.documentElement);
  const steps = history.length === 1 ? [history[0], history[0]] : history;
  const x = (k) => (k / (steps.length - 1)) * width;
  const under = steps.map(() => 0);
  for (let k = 0; k < 10; k++) {
    context.beginPath();
    steps.forEach((step, t) => context.lineTo(x(t), height * (1 - under[t])));
    steps.forEach((step, t) => { under[t] += step.guess[k]; });
    for (let t = steps.length - 1; t >= 0; t--) context.lineTo(x(t), height * (1 - under[t]));
    context.fillStyle = COLOURS[k];
    context.fill();
  }
  // Where a line began.
  context.strokeStyle = style.getPropertyValue("--card");
  context.lineWidth = 2;
  context.setLineDash([4, 4]);
  steps.forEach((step, t) => {
    if (t === 0 || step.line === steps[t - 1].line) return;
    context.beginPath();
    context.moveTo(x(t), 0);
    context.lineTo(x(t), height);
    context.stroke();
  });
  context.setLineDash([]);
  // Each digit's name, in the middle of a time in which it was the likeliest.
  context.font = "700 15px system-ui, sans-serif";
  context.fillStyle = "#14151c";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let from = 0, to; from < steps.length; from = to + 1) {
    const k = best(steps[from].guess);
    to = from;
    while (to + 1 < steps.length && best(steps[to + 1].guess) === k) to++;
    const middle = steps[(from + to) >> 1].guess;
    if (middle[k] < 0.4 || (x(to) - x(from) < 12 && middle[k] < 0.7)) continue;
    const below = middle.slice(0, k).reduce((sum, p) => sum + p, 0);
    const left = Math.min(width - 14, Math.max(14, x((from + to) >> 1)));
    context.fillText(k, left, height * (1 - below - middle[k] / 2));
  }
}

// ---- drawing

/** Reads what is drawn and shows it all. */
function look(note = true) {
  pending = false;
  stop();
  const empty = !lines.length && specimen === null;
  if (lines.length) digits.look();
  else if (empty) digits.picture().fill(0);
  digits.read();
  if (note && lines.length) history.push({ guess: guess(SIDE - 1), line: lines.length });
  document.body.classList.toggle("drawn", !empty);
  at("undo").disabled = !lines.length;
  at("clear").disabled = at("play").disabled = empty;
  showPad();
  showRows(empty);
  showGuess(empty ? null : guess(SIDE - 1));
  showTime();
  words();
}

function words() {
  const scanned = specimen !== null;
  at("time-title").textContent = scanned ? "Row by row" : "Stroke by stroke";
  at("time-note").textContent = scanned
    ? "How likely each digit was after each row."
    : "How likely each digit was while the lines grew. A dashed line: the pen came down again.";
}

/** Shows it with the next picture of the screen. */
function soon() {
  if (!pending) {
    pending = true;
    requestAnimationFrame(() => look());
  }
}

function draw(event) {
  const { left, top, width } = at("pad").getBoundingClientRect();
  const line = lines[lines.length - 1];
  const x = Math.min(1, Math.max(0, (event.clientX - left) / width));
  const y = Math.min(1, Math.max(0, (event.clientY - top) / width));
  const last = line[line.length - 1];
  if (last && Math.hypot(x - last[0], y - last[1]) < NEAR) return;
  line.push([x, y]);
  digits.line_to(x, y);
  soon();
}

function clear() {
  [lines, history, specimen] = [[], [], null];
  digits.clear();
  press();
  look();
}

function undo() {
  lines.pop();
  history = history.filter((step) => step.line <= lines.length);
  digits.clear();
  for (const line of lines) {
    line.forEach(([x, y]) => digits.line_to(x, y));
    digits.lift();
  }
  look(false);
}

function press() {
  [...at("specimens").children].forEach((button, k) => button.setAttribute("aria-pressed", String(k === specimen)));
}

/** Shows a scanned digit, read slowly. */
function show(number) {
  clear();
  specimen = number;
  press();
  digits.picture().set(SPECIMENS[number].pixels.map((value) => value / 16));
  look();
  history = Array.from({ length: SIDE }, (_, row) => ({ guess: guess(row), line: 0 }));
  showTime();
  play();
}

// ---- row by row

function stop() {
  clearTimeout(playing);
  at("rows").classList.remove("playing");
  for (const line of at("rows").children) line.classList.remove("read", "now");
}

/** Reads the picture slowly: the bars show the guess after each row. */
function play() {
  stop();
  if (calm.matches) return;
  at("rows").classList.add("playing");
  const step = (row) => {
    const rows = [...at("rows").children];
    rows.forEach((line, k) => line.classList.toggle("now", k === row));
    if (row === SIDE) return stop();
    rows[row].classList.add("read");
    showGuess(guess(row));
    playing = setTimeout(step, SLOWLY, row + 1);
  };
  step(0);
}

// ---- the start

function listen() {
  const pad = at("pad");
  pad.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button > 0) return;
    event.preventDefault();
    pen = event.pointerId;
    pad.setPointerCapture(pen);
    if (specimen !== null) clear();
    lines.push([]);
    draw(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    (moves.length ? moves : [event]).forEach(draw);
  });
  const up = (event) => {
    if (event.pointerId !== pen) return;
    pen = null;
    digits.lift();
  };
  pad.addEventListener("pointerup", up);
  pad.addEventListener("pointercancel", up);
  at("clear").addEventListener("click", clear);
  at("undo").addEventListener("click", undo);
  at("play").addEventListener("click", play);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    if (event.key === "z" && (event.ctrlKey || event.metaKey) && lines.length) undo();
  });
  const again = () => { showPad(); showTime(); showSpecimens(); };
  new ResizeObserver(again).observe(pad);
  new ResizeObserver(again).observe(at("time"));
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", again);
}

/** Says how long a step takes: the best of several rounds, since the browser translates the module better while it runs. */
async function measure() {
  const steps = 4000;
  let fastest = Infinity;
  for (let round = 0; round < 12; round++) {
    const start = performance.now();
    digits.run(steps);
    fastest = Math.min(fastest, (1000 * (performance.now() - start)) / steps);
    at("step").textContent = `${fastest.toFixed(2)} µs on this machine`;
    at("step").dataset.micros = fastest;
    await new Promise((done) => setTimeout(done, 80));
  }
  at("step").dataset.measured = "true";
}

async function start() {
  build();
  try {
    digits = await load();
  } catch (error) {
    at("hint").textContent = `This needs WebAssembly with SIMD. ${error.message}`;
    return;
  }
  look();
  listen();
  at("size").textContent = `${(digits.size / 1024).toFixed(1)} KiB, network included`;
  at("size").dataset.bytes = digits.size;
  // For the console and for tests.
  window.digits = { picture: () => [...digits.picture()], guesses: () => [...digits.guesses()], lines: () => lines };
  document.documentElement.dataset.ready = "true";
  measure();
}

start();
