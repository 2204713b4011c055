// Waveform and spectrogram of the sound of the selected finding, finer than those of the whole recording.
import { signal, state } from "../../core/html/base.js";
import { player } from "../../pages/shared/player.js";
import { choice, choiceChanged } from "./choice.js";
import { soundOf } from "./sounds.js";
import { data, rate } from "./view.js";

const SIZE = 2048; // of a Fourier transform
const COLUMNS_S = 100; // spectrogram columns a second
const WAVE_S = 1000; // waveform columns a second
const RANGE_DB = 90; // as in scan/overview.py

export const detail = { id: "", part: null }; // id: of the sound; part: as the overview of the page, from its first sample `start` on
export const detailChanged = signal();

choiceChanged.on((isSelection) => {
  if (!data.overview || !isSelection) return;
  const cut = soundOf(choice.selected), id = cut?.sound.id ?? "";
  if (id === detail.id) return;
  Object.assign(detail, { id, part: null });
  detailChanged.emit();
  if (cut) setTimeout(() => load(cut), 20); // the selection is drawn first
});
async function load({ sound, start }) {
  const { id } = sound;
  if (id !== detail.id) return;
  try {
    const buffer = await player.buffer(sound);
    if (id !== detail.id) return; // another finding was selected meanwhile
    detail.part = { start, ...waveform(buffer), ...spectrum(buffer) };
    state.detail = id;
    detailChanged.emit();
  } catch { /* the coarse picture stays */ }
}

function waveform(buffer) {
  const samples = buffer.getChannelData(0), each = buffer.sampleRate / WAVE_S, count = Math.floor(samples.length / each);
  const scale = 127 / 10 ** (data.overview.peak_dbfs / 20), low = new Int8Array(count), high = new Int8Array(count);
  for (let n = 0; n < count; n++) {
    let least = 1, largest = -1;
    for (let i = Math.floor(n * each); i < (n + 1) * each; i++) { least = Math.min(least, samples[i]); largest = Math.max(largest, samples[i]); }
    low[n] = Math.max(-127, least * scale);
    high[n] = Math.min(127, largest * scale);
  }
  return { hop: rate / WAVE_S, low, high };
}

// The highest level of each band, as in the overview: 255 for a full-scale sine.
function spectrum(buffer) {
  const samples = buffer.getChannelData(0), { rows, lowest_hz: lowest, highest_hz: highest } = data.overview;
  const columns = Math.max(1, Math.floor(buffer.duration * COLUMNS_S)), levels = new Uint8Array(rows * columns);
  const shape = Float32Array.from({ length: SIZE }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / SIZE));
  const bin = (row) => Math.floor((lowest * (highest / lowest) ** (row / rows) * SIZE) / buffer.sampleRate);
  const edges = Array.from({ length: rows + 1 }, (_, row) => bin(row)), re = new Float32Array(SIZE), im = new Float32Array(SIZE);
  for (let column = 0; column < columns; column++) {
    const from = Math.round((column / COLUMNS_S) * buffer.sampleRate) - SIZE / 2;
    for (let n = 0; n < SIZE; n++) re[n] = (samples[from + n] ?? 0) * shape[n];
    im.fill(0);
    transform(re, im);
    for (let row = 0; row < rows; row++) {
      let power = 1e-15;
      for (let k = edges[row]; k < Math.max(edges[row] + 1, edges[row + 1]) && k < SIZE / 2; k++) power = Math.max(power, (re[k] ** 2 + im[k] ** 2) * (4 / SIZE) ** 2);
      levels[(rows - 1 - row) * columns + column] = Math.max(0, Math.min(255, 255 * (1 + (10 * Math.log10(power)) / RANGE_DB)));
    }
  }
  let spectrogram = "";
  for (const level of levels) spectrogram += String.fromCharCode(level);
  return { frame: rate / COLUMNS_S, rows, columns, spectrogram: btoa(spectrogram) };
}

// Fourier transform in place, of a power of two (Cooley & Tukey 1965).
const turns = Array.from({ length: SIZE / 2 }, (_, n) => [Math.cos((2 * Math.PI * n) / SIZE), -Math.sin((2 * Math.PI * n) / SIZE)]);
const cosines = Float32Array.from(turns, ([c]) => c), sines = Float32Array.from(turns, ([, s]) => s);
function transform(re, im) {
  for (let n = 0, reversed = 0; n < SIZE; n++) {
    if (n < reversed) { [re[n], re[reversed]] = [re[reversed], re[n]]; [im[n], im[reversed]] = [im[reversed], im[n]]; }
    let bit = SIZE >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed |= bit;
  }
  for (let half = 1; half < SIZE; half *= 2) {
    const step = SIZE / (2 * half);
    for (let block = 0; block < SIZE; block += 2 * half) {
      for (let n = 0; n < half; n++) {
        const a = block + n, b = a + half, c = cosines[n * step], s = sines[n * step];
        const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y;
        re[a] += x; im[a] += y;
      }
    }
  }
}
