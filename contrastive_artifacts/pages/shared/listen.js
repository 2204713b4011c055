// What the pages of spans share: spectrograms from bytes, and sound, one span at a time.
// An item is { row: { name }, button, sound, playing }: base64 of a sound file, and what state.playing says of it.

function bytes(text) { return Uint8Array.from(atob(text), (c) => c.charCodeAt(0)); }

// Levels of `height` bands, lowest first, one byte each, over the whole canvas; returns what fitCanvas does.
function drawLevels(canvas, picture, height) {
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

let context = null, node = null, current = null, turn = 0; // a slow decoding must not start after the next click
async function play(item) {
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
    byId("say").textContent = `This browser cannot play ${item.row.name} (${error.name}).`;
  }
}
function stop() {
  turn++;
  if (node) { node.onended = null; node.stop(); node.disconnect(); node = null; }
  current?.button.setAttribute("aria-pressed", "false");
  current = null;
  state.playing = "";
}
