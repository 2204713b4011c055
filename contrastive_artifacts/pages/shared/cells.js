// What the pages of sounds in rows or cells share: thumbnails of spectrograms, and playing one sound at a time.
// An item is { name, button, sound, playing }: what messages call it, its button, a sound file in base64, and the value
// of data-playing while it plays.
import { byId, fitCanvas, ramp, rgb, token } from "../../core/html/base.js";
import { player, soundChanged } from "./player.js";
import { bytes, stored } from "./stored.js";

// Draws levels of `height` bands (base64, one byte each, lowest band first) over a canvas; returns what fitCanvas does. The
// quietest fifth fades into the panel's colour, so that silence is not the brightest part of a light page.
export function drawLevels(canvas, picture, height) {
  const levels = bytes(picture), width = levels.length / height;
  const image = new ImageData(width, height);
  const ground = rgb(token("--panel"));
  const colours = Array.from({ length: 256 }, (_, v) => [...rgb(ramp(v / 255)).map((c, k) => ground[k] + (c - ground[k]) * Math.min(1, v / 51)), 255]);
  for (let band = 0; band < height; band++) {
    for (let frame = 0; frame < width; frame++) image.data.set(colours[levels[band * width + frame]], 4 * ((height - 1 - band) * width + frame));
  }
  const small = Object.assign(document.createElement("canvas"), { width, height });
  small.getContext("2d").putImageData(image, 0, 0);
  const fitted = fitCanvas(canvas);
  fitted.context.drawImage(small, 0, 0, fitted.width, fitted.height);
  return fitted;
}

let current = null; // the item whose button is pressed
function release() {
  current?.button.setAttribute("aria-pressed", "false");
  current = null;
}
soundChanged.on(() => { if (!player.voice) release(); });
export function stop() {
  player.stop();
  release(); // also of an item whose sound has not begun
}
// Plays an item; stops it if it is the one that plays.
export async function play(item) {
  if (item === current) stop();
  else await start(item, 0);
}
// Plays another version of what plays, from the same position; from the beginning if nothing plays.
export const change = (item) => start(item, player.position());
async function start(item, from) {
  stop();
  current = item;
  item.button.setAttribute("aria-pressed", "true");
  try { await player.play(stored(item, item.sound), item.playing, { from }); } catch (error) {
    stop();
    byId("say").textContent = `${item.name}: ${error.message}`;
  }
}
