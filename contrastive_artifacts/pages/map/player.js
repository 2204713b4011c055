// ---- sound: one clip at a time, decoded when first wanted --------------------------------------------------------
const sounds = read("sounds");
byId("sounds").remove(); // its text would otherwise be kept twice

const player = {
  point: -1, enabled: false, context: null, node: null, started: 0, length: 1, turn: 0, timer: 0, decoded: new Map(),

  // A browser lets sound start only from a click or a key, so the context is made in one.
  async ready() {
    this.context ??= new AudioContext();
    if (this.context.state !== "running") await this.context.resume();
    state.sound = this.context.state;
  },

  async buffer(clip) {
    if (!this.decoded.has(clip)) {
      const text = atob(sounds[clip][1]);
      const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
      this.decoded.set(clip, this.context.decodeAudioData(bytes.buffer));
      if (this.decoded.size > 48) this.decoded.delete(this.decoded.keys().next().value);
    }
    return this.decoded.get(clip);
  },

  async play(i) {
    this.stop();
    if (points.clip[i] < 0) { byId("say").textContent = "This clip has no sound."; return; }
    const turn = ++this.turn;
    try {
      await this.ready();
      const buffer = await this.buffer(points.clip[i]);
      if (turn !== this.turn) return; // another clip was asked for meanwhile
      this.node = new AudioBufferSourceNode(this.context, { buffer });
      this.node.connect(this.context.destination);
      this.node.onended = () => { if (turn === this.turn) this.stop(); };
      this.node.start();
      Object.assign(this, { point: i, started: this.context.currentTime, length: buffer.duration });
      state.playing = points.id[i];
      card(hovered >= 0 ? hovered : selected >= 0 ? selected : i);
      this.animate();
    } catch (error) {
      this.decoded.delete(points.clip[i]);
      byId("say").textContent = byId("count").textContent = `This browser cannot play ${points.id[i]} (${error.name}).`;
    }
  },

  playSoon(i) { // sweeping across the map should not start every clip on the way
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if (hovered === i) this.play(i); }, 90);
  },

  stop() {
    clearTimeout(this.timer);
    this.turn++;
    if (this.node) { this.node.onended = null; this.node.stop(); this.node.disconnect(); this.node = null; }
    if (this.point < 0) return;
    this.point = -1;
    state.playing = "";
    card(hovered >= 0 ? hovered : selected);
    mark();
  },

  progress() { return Math.min(1, (this.context.currentTime - this.started) / this.length); },

  animate() {
    if (this.point < 0) return;
    mark();
    wave();
    requestAnimationFrame(() => this.animate());
  },
};

// The waveform of the clip on the card, once it has been decoded.
async function wave() {
  const i = hovered >= 0 ? hovered : selected, strip = byId("wave");
  const { context: g, width, height } = fitCanvas(strip);
  g.clearRect(0, 0, width, height);
  const pending = i >= 0 && points.clip[i] >= 0 ? player.decoded.get(points.clip[i]) : null;
  if (!pending) return;
  const buffer = await pending.catch(() => null);
  if (!buffer || i !== (hovered >= 0 ? hovered : selected)) return;
  buffer.columns ??= columns(buffer, 160);
  const played = player.point === i ? player.progress() : 0;
  const bars = Math.min(160, Math.floor(width / 2.5));
  g.clearRect(0, 0, width, height);
  for (let b = 0; b < bars; b++) {
    const tall = Math.max(1, buffer.columns[Math.floor((b * 160) / bars)] * (height - 2));
    g.fillStyle = b / bars < played ? token("--accent") : token("--soft");
    g.fillRect((b * width) / bars, (height - tall) / 2, Math.max(1, width / bars - 1), tall);
  }
}

function columns(buffer, number) {
  const samples = buffer.getChannelData(0), step = samples.length / number;
  const peaks = Array.from({ length: number }, (_, b) => {
    let peak = 0;
    for (let n = Math.floor(b * step); n < (b + 1) * step; n++) peak = Math.max(peak, Math.abs(samples[n] ?? 0));
    return peak;
  });
  const top = Math.max(...peaks, 1e-6);
  return peaks.map((p) => p / top);
}

// ---- pointer, keys, buttons --------------------------------------------------------------------------------------
const fingers = new Map();
let press = null;
const local = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, local(event));
  press = fingers.size === 1 ? { at: local(event), moved: false } : press && { ...press, moved: true };
});
canvas.addEventListener("pointermove", (event) => {
  const [px, py] = local(event), before = fingers.get(event.pointerId);
  if (!before) return hover(nearest(px, py), event.clientX, event.clientY);
  if (!press.moved && Math.hypot(px - press.at[0], py - press.at[1]) < 4) return undefined;
  press.moved = true;
  hover(-1);
  canvas.classList.add("dragging");
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  fingers.set(event.pointerId, [px, py]);
  if (other) return zoom(Math.hypot(px - other[0], py - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1])), ...other);
  view.x -= (px - before[0]) / view.k;
  view.y += (py - before[1]) / view.k;
  return draw();
});
function release(event) {
  fingers.delete(event.pointerId);
  if (fingers.size) return;
  canvas.classList.remove("dragging");
  if (press && !press.moved && event.type === "pointerup") {
    const i = nearest(...local(event));
    select(i);
    if (i >= 0) player.play(i);
    else player.stop();
  }
  press = null;
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 18 : 1;
  zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...local(event));
}, { passive: false });

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const from = selected >= 0 && shown[selected] ? selected : -1;
  if (ARROWS[event.key]) {
    const to = from < 0 ? central() : neighbour(from, ...ARROWS[event.key]);
    if (to >= 0) { hover(-1); select(to, true); reveal(to); if (player.enabled) player.play(to); }
  } else if (event.key === "Enter" && from >= 0) player.play(from);
  else if (event.key === "+" || event.key === "=") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
  else if (event.key === "0") fit();
  else if (event.key === "Escape") { player.stop(); select(-1); }
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("button, input");
  if (event.key === " " && !typing) { event.preventDefault(); player.stop(); }
  if (event.key === "/" && event.target !== byId("find")) { event.preventDefault(); byId("find").focus(); }
});

function central() { // the shown clip nearest to the middle of the picture
  let best = -1, least = Infinity;
  for (let i = 0; i < count; i++) {
    const d = (screenX(i) - size.width / 2) ** 2 + (screenY(i) - size.height / 2) ** 2;
    if (shown[i] && d < least) [best, least] = [i, d];
  }
  return best;
}
function reveal(i) {
  const x = screenX(i), y = screenY(i), margin = 40;
  view.x += (Math.min(0, x - margin) + Math.max(0, x - size.width + margin)) / view.k;
  view.y -= (Math.min(0, y - margin) + Math.max(0, y - size.height + margin)) / view.k;
  draw();
}

byId("sound").addEventListener("click", async () => {
  player.enabled = !player.enabled;
  byId("sound").setAttribute("aria-pressed", String(player.enabled));
  if (player.enabled) await player.ready();
  else player.stop();
});
byId("play").addEventListener("click", () => {
  const i = hovered >= 0 ? hovered : selected;
  if (player.point === i) player.stop();
  else if (i >= 0) player.play(i);
});
document.querySelectorAll("[data-mode]").forEach((button) => button.addEventListener("click", () => {
  mode = state.mode = button.dataset.mode;
  document.querySelectorAll("[data-mode]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
  refresh();
}));
byId("find").addEventListener("input", (event) => { query = event.target.value.trim().toLowerCase(); filter(); });
byId("all").addEventListener("click", () => {
  Object.values(modes).forEach((m) => m.hidden.clear());
  byId("find").value = query = "";
  legend();
  filter();
});
byId("closer").addEventListener("click", () => zoom(1.4));
byId("farther").addEventListener("click", () => zoom(1 / 1.4));
byId("fit").addEventListener("click", fit);

function refresh() { legend(); card(hovered >= 0 ? hovered : selected); draw(); }
darkQuery.addEventListener("change", refresh);

fillFacts(byId("facts"), data.facts);
state.mode = mode;
legend();
filter();
fit();
let laidOut = canvas.clientWidth;
new ResizeObserver(() => { if (laidOut !== canvas.clientWidth && view.k === view.fit) fit(); laidOut = canvas.clientWidth; draw(); }).observe(canvas);
