// One row a span that answers the query: picture, place, score, sound.
const data = read("data");
const state = document.body.dataset; // what tests and scripts may read: drawn, playing
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const items = [];

data.rows.forEach((row) => {
  const rank = row.score === null ? "?" : String(items.filter((item) => item.row.score !== null).length + 1);
  const score = row.score === null ? "the query" : `similarity ${row.score.toFixed(3)}`;
  const facts = row.facts.map(([k, v]) => `${k} ${v}`).join(" · ");
  const button = element("button", { className: "hit", type: "button", ariaLabel: `${score}, ${row.name}, ${row.time}` },
    element("span", { className: "rank", textContent: rank }), element("canvas"),
    element("span", { className: "about" }, element("strong", { textContent: row.name }),
      element("span", { textContent: [row.time, score].filter(Boolean).join(" · ") }), element("span", { textContent: facts })));
  button.setAttribute("aria-pressed", "false");
  const item = { row, button };
  items.push(item);
  button.addEventListener("click", () => play(item));
  byId("rows").append(button);
});

function draw({ row, button }) {
  const levels = bytes(row.picture), height = data.bands, width = levels.length / height;
  const image = new ImageData(width, height);
  const colours = Array.from({ length: 256 }, (_, v) => [...ramp(v / 255).match(/\d+/g).map(Number), 255]);
  for (let band = 0; band < height; band++) {
    for (let frame = 0; frame < width; frame++) image.data.set(colours[levels[band * width + frame]], 4 * ((height - 1 - band) * width + frame));
  }
  const small = Object.assign(document.createElement("canvas"), { width, height });
  small.getContext("2d").putImageData(image, 0, 0);
  const { context, width: w, height: h } = fitCanvas(button.querySelector("canvas"));
  context.drawImage(small, 0, 0, w, h);
}

// ---- sound ---------------------------------------------------------------------------------------------------------
let context = null, node = null, turn = 0; // a slow decoding must not start after the next click
async function play(item) {
  const again = item.button.getAttribute("aria-pressed") === "true";
  stop();
  if (again) return;
  const mine = turn;
  item.button.setAttribute("aria-pressed", "true");
  try {
    context ??= new AudioContext();
    await context.resume();
    item.buffer ??= await context.decodeAudioData(bytes(item.row.sound).buffer);
    if (mine !== turn) return;
    node = new AudioBufferSourceNode(context, { buffer: item.buffer });
    node.connect(context.destination);
    node.onended = () => { if (mine === turn) stop(); };
    node.start();
    state.playing = item.row.name;
  } catch (error) {
    stop();
    byId("say").textContent = `This browser cannot play ${item.row.name} (${error.name}).`;
  }
}
function stop() {
  turn++;
  if (node) { node.onended = null; node.stop(); node.disconnect(); node = null; }
  items.forEach((item) => item.button.setAttribute("aria-pressed", "false"));
  state.playing = "";
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = items.findIndex((item) => item.button === document.activeElement);
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step) items[Math.max(0, Math.min(items.length - 1, at + step))].button.focus();
  else if (event.key === " ") stop();
  else return;
  event.preventDefault();
});

fillFacts(byId("facts"), data.facts);
const redraw = () => items.forEach(draw);
darkQuery.addEventListener("change", redraw);
addEventListener("resize", redraw);
redraw();
state.drawn = String(items.length);
