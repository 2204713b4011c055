// What the pages of sounds in rows or cells share: thumbnails of spectrograms, and playing one sound at a time.
// An item is { name, button, sound, playing }: what messages call it, its button, a sound file in base64, and the value
// of data-playing while it plays.
import { byId, fitCanvas, ramp, state } from "../../core/html/base.js";

function bytes(text) { return Uint8Array.from(atob(text), (c) => c.charCodeAt(0)); }

// Draws levels of `height` bands (base64, one byte each, lowest band first) over a canvas; returns what fitCanvas does.
export function drawLevels(canvas, picture, height) {
  const levels = bytes(picture), width = levels.length / height;
  const image = new ImageData(width, height);
  const colours = Array.from({ length: 256 }, (_, v) => [...ramp(v / 255).match(/\d+/g).map(Number), 255]);
  for (let band = 0; band < height; band++) {
    for (let frame = 0; frame < width; frame++) image.data.set(colours[levels[band * width + frame]], 4 * ((height - 1 - band) * width + frame));
  }
  const small = Object.assign(document.createElement("canvas"), { width, height });
  small.getContext("2d").putImageData(image, 0, 0);
  const fitted = fitCanvas(canvas);
  fitted.context.drawImage(small, 0, 0, fitted.width, fitted.height);
  return fitted;
}

let context = null, node = null, current = null;
let turn = 0; // counts clicks: a slow decoding must not start after the next click
// Plays an item; stops it if it is the one that plays.
export async function play(item) {
  const again = item === current;
  stop();
  if (again) return;
  const mine = turn;
  current = item;
  item.button.setAttribute("aria-pressed", "true");
  try {
    context ??= new AudioContext();
    await context.resume();
    item.buffer ??= await context.decodeAudioData(bytes(item.sound).buffer);
    if (mine !== turn) return;
    node = new AudioBufferSourceNode(context, { buffer: item.buffer });
    node.connect(context.destination);
    node.onended = () => { if (mine === turn) stop(); };
    node.start();
    state.playing = item.playing;
  } catch (error) {
    stop();
    byId("say").textContent = `This browser cannot play ${item.name} (${error.name}).`;
  }
}
export function stop() {
  turn++;
  if (node) { node.onended = null; node.stop(); node.disconnect(); node = null; }
  current?.button.setAttribute("aria-pressed", "false");
  current = null;
  state.playing = "";
}
