import { ramp, rgb } from "../../core/html/base.js";

export const RANGE_DB = 100; // of the 255 levels; the highest is 0 dBFS

export const levelsOf = ({ spectrogram }) => Uint8Array.from(atob(spectrogram), (c) => c.charCodeAt(0));

// A spectrogram as an image: { spectrogram, rows, columns } as the server sends it (see shared/spectrogram.py), coloured
// from `floor` to `ceiling` dBFS. The quietest fifth fades into the background colour, so that silence is not the
// brightest part of a light page.
export function levelsImage({ spectrogram, rows, columns }, background, [floor, ceiling] = [-RANGE_DB, 0]) {
  const ground = rgb(background), levels = levelsOf({ spectrogram }), pixels = new ImageData(columns, rows);
  const colours = Array.from({ length: 256 }, (_, v) => {
    const share = Math.min(1, Math.max(0, ((v / 255 - 1) * RANGE_DB - floor) / (ceiling - floor)));
    return rgb(ramp(share)).map((c, k) => ground[k] + (c - ground[k]) * Math.min(1, share * 5));
  });
  for (let n = 0; n < levels.length; n++) {
    const [r, g, b] = colours[levels[n]];
    pixels.data[4 * n] = r;
    pixels.data[4 * n + 1] = g;
    pixels.data[4 * n + 2] = b;
    pixels.data[4 * n + 3] = 255;
  }
  const image = new OffscreenCanvas(columns, rows);
  image.getContext("2d").putImageData(pixels, 0, 0);
  return image;
}
// The level in dBFS at a time and a frequency of a picture with its `levels`; null outside of it.
export function levelAt({ levels, rows, columns, shown, rate, bottom_hz: bottom, top_hz: top, log }, t, hz) {
  const scale = log ? Math.log : (v) => v, [a, b] = shown;
  const column = Math.floor(((t * rate - a) / (b - a)) * columns), row = Math.floor(((scale(top) - scale(hz)) / (scale(top) - scale(bottom))) * rows);
  if (!(column >= 0 && column < columns && row >= 0 && row < rows)) return null;
  return (levels[row * columns + column] / 255 - 1) * RANGE_DB;
}
