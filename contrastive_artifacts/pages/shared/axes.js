// The axes of a sound's picture: where a time and a frequency lie on it, and their ticks. Times are seconds from the
// first sample of the sound; the waveform above and the spectrogram below share the time axis.
export const GUTTER = 50; // pixels for the frequency axis at the left
export const FLOOR = 17; // and for the time axis below
const TICKS_S = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120];
const TICKS_HZ = [5, 10, 20, 50, 100, 200, 250, 500, 1000, 2000, 4000, 5000, 10000, 20000];
const LOG_TICKS_HZ = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000];
const LABEL_PX = 62, ROW_PX = 26; // room for the label of a time, of a frequency

// view: { from, to } in seconds, { low, high } in Hz, log; size in pixels, with gutter and floor.
export function axesOf(view, width, height) {
  const { from, to, low, high, log } = view, wide = width - GUTTER, deep = height - FLOOR;
  const scale = (hz) => (log ? Math.log(Math.max(hz, 1e-3)) : hz), bottom = scale(low), reach = scale(high) - bottom;
  return {
    ...view, width, height, deep,
    x: (t) => GUTTER + ((t - from) / (to - from)) * wide,
    y: (hz) => deep * (1 - (scale(hz) - bottom) / reach),
    time: (x) => from + Math.min(1, Math.max(0, (x - GUTTER) / wide)) * (to - from),
    hertz: (y) => { const at = bottom + (1 - Math.min(1, Math.max(0, y / deep))) * reach; return log ? Math.exp(at) : at; },
  };
}
// Times of ticks [seconds from `home`, text], where home is the time that is called 0.
export function timeTicks({ from, to, width }, home) {
  const every = TICKS_S.find((s) => (to - from) / s <= (width - GUTTER) / LABEL_PX) ?? 300, places = Math.max(0, Math.ceil(-Math.log10(every) - 1e-9)), ticks = [];
  for (let n = Math.ceil((from - home) / every - 1e-6); n * every <= to - home + 1e-9; n++) ticks.push([n * every + home, `${(n * every).toFixed(places)} s`.replace("-", "−")]);
  return ticks;
}
export const hertzText = (hz) => (hz >= 1000 ? `${Number((hz / 1000).toFixed(2))} kHz` : `${Number(hz.toFixed(1))} Hz`);
export function hertzTicks({ low, high, log, deep, y }) {
  if (log && high / low > 8) return LOG_TICKS_HZ.filter((hz, n) => hz >= low && hz <= high * 0.97 && (deep > 150 || n % 3 === 2 || hz === low));
  const every = TICKS_HZ.find((hz) => (high - low) / hz <= Math.max(2.5, deep / ROW_PX)) ?? 10000, ticks = [];
  for (let n = Math.ceil(low / every); n * every <= high; n++) if (y(n * every) > 6 || n * every === low) ticks.push(n * every);
  return ticks;
}
