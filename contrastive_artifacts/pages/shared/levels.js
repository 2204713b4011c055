import { ramp, rgb } from "../../core/html/base.js";

// A spectrogram as an image: { spectrogram, rows, columns } as the server sends it (see shared/spectrogram.py). The
// quietest fifth fades into the background colour, so that silence is not the brightest part of a light page.
export function levelsImage({ spectrogram, rows, columns }, background) {
  const ground = rgb(background);
  const colours = Array.from({ length: 256 }, (_, v) => rgb(ramp(v / 255)).map((c, k) => ground[k] + (c - ground[k]) * Math.min(1, v / 51)));
  const levels = atob(spectrogram), pixels = new ImageData(columns, rows);
  for (let n = 0; n < levels.length; n++) {
    const [r, g, b] = colours[levels.charCodeAt(n)];
    pixels.data[4 * n] = r;
    pixels.data[4 * n + 1] = g;
    pixels.data[4 * n + 2] = b;
    pixels.data[4 * n + 3] = 255;
  }
  const image = new OffscreenCanvas(columns, rows);
  image.getContext("2d").putImageData(pixels, 0, 0);
  return image;
}
