"use strict";
// Draws the heat maps. A page of a map is a few thousand characters, so that long texts stay quick.
const SCALE = [0.1, 0.3, 1, 2, 4, 8, 12]; // bits; upper bounds of all colours but the last
const PAGE = 3000; // characters
const GUESSES = 3;

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function shown(byte) {
  if (byte === 10) return "↵";
  if (byte === 32) return "␣";
  return byte > 32 && byte < 127 ? String.fromCharCode(byte) : "0x" + byte.toString(16).padStart(2, "0");
}

// How many bytes the character at i takes in UTF-8; 1 where it is none.
function lengthAt(symbols, i) {
  const lead = symbols[i];
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  if (lead > 0xf4 || i + length > symbols.length) return 1;
  for (let k = 1; k < length; k++) if ((symbols[i + k] & 0xc0) !== 0x80) return 1;
  return length;
}

// All characters of a file's windows: {at, length, window}.
function charactersOf(windows) {
  const all = [];
  for (const window of windows) {
    for (let i = 0; i < window.symbols.length; ) {
      const length = lengthAt(window.symbols, i);
      all.push({ at: i, length, window });
      i += length;
    }
  }
  return all;
}

function costOf(c) {
  let bits = 0;
  for (let k = 0; k < c.length; k++) bits += c.window.bits[c.at + k];
  return bits;
}

function textOf(c) {
  const bytes = c.window.symbols.subarray(c.at, c.at + c.length);
  if (c.length > 1) return new TextDecoder().decode(bytes);
  const byte = bytes[0];
  if (byte === 10) return "↵\n";
  if (byte === 9) return "→\t";
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·";
}

function colourOf(bits) {
  const level = SCALE.findIndex((bound) => bits < bound);
  return "b" + (level < 0 ? SCALE.length : level);
}

function describe(c) {
  const name = c.length > 1 ? textOf(c) : shown(c.window.symbols[c.at]);
  let text = `position ${(c.window.start + c.at).toLocaleString("en")}: ${name} took ${costOf(c).toFixed(2)} bits`;
  const guesses = [];
  for (let k = 0; k < GUESSES; k++) {
    const i = GUESSES * c.at + k;
    if (c.window.shares[i]) guesses.push(`${shown(c.window.guesses[i])} ${Math.round((c.window.shares[i] / 255) * 100)} %`);
  }
  if (guesses.length) text += `; expected: ${guesses.join(", ")}`;
  return text;
}

function draw(map, file) {
  const windows = file.windows.map((w) => ({
    start: w.start,
    symbols: bytesOf(w.symbols),
    bits: new Float32Array(bytesOf(w.bits).buffer),
    guesses: bytesOf(w.guesses),
    shares: bytesOf(w.shares),
  }));
  const all = charactersOf(windows);
  const [text, told, where, sum] = ["text", "told", "where", "sum"].map((name) => map.querySelector("." + name));
  let first = 0; // of the page
  let now = -1;

  function page() {
    const part = all.slice(first, first + PAGE);
    text.replaceChildren(
      ...part.map((c, i) => {
        const span = document.createElement("span");
        span.className = colourOf(costOf(c));
        span.dataset.i = first + i;
        span.textContent = textOf(c);
        return span;
      }),
    );
    text.scrollTop = 0;
    const from = part.length ? part[0].window.start + part[0].at : 0;
    where.textContent = `from byte ${from.toLocaleString("en")}, page ${first / PAGE + 1} of ${Math.max(1, Math.ceil(all.length / PAGE))}`;
    map.querySelector(".back").disabled = first === 0;
    map.querySelector(".on").disabled = first + PAGE >= all.length;
  }

  function tell(i) {
    if (i < 0 || i >= all.length) return;
    if (i < first || i >= first + PAGE) turn(i - (i % PAGE));
    text.querySelector(".now")?.classList.remove("now");
    now = i;
    const span = text.children[i - first];
    span.classList.add("now");
    told.textContent = describe(all[i]);
  }

  function turn(to) {
    first = to;
    page();
  }

  text.addEventListener("mouseover", (event) => {
    if (event.target.dataset.i !== undefined) tell(Number(event.target.dataset.i));
  });
  text.addEventListener("focus", () => now < 0 && tell(first));
  text.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 60, ArrowUp: -60 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    tell(now + step);
    text.children[now - first]?.scrollIntoView({ block: "nearest" });
  });
  map.querySelector(".back").addEventListener("click", () => turn(Math.max(0, first - PAGE)));
  map.querySelector(".on").addEventListener("click", () => turn(first + PAGE));

  let bits = 0;
  for (const window of windows) for (const b of window.bits) bits += b;
  sum.textContent = `The characters of this map took ${bits.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} bits.`;
  sum.dataset.bits = bits;
  const legend = map.querySelector(".legend");
  legend.textContent = "bits: ";
  [...SCALE, null].forEach((bound, level) => {
    const span = document.createElement("span");
    span.className = "b" + level;
    span.textContent = bound === null ? `${SCALE[SCALE.length - 1]} and more` : `< ${bound}`;
    legend.append(span);
  });
  page();
}

const files = JSON.parse(document.getElementById("data").textContent);
for (const map of document.querySelectorAll(".map")) {
  const file = files[Number(map.dataset.file)];
  if (file.picture) drawPicture(map, file.picture);
  else draw(map, file);
}
