// Sound: one clip at a time, decoded when it is first played.
import { byId, read, signal, state } from "../../core/html/base.js";
import { points, selection } from "./points.js";

const sounds = read("sounds");
byId("sounds").remove(); // frees the text of the block
const DECODED = 48; // clips that stay decoded
const HOVER_MS = 90; // a pointer that only crosses the map should not start every clip on its way

export const soundChanged = signal(); // a clip started (its place is given) or stopped (-1)
export const soundMoved = signal(); // each frame while a clip plays

export const player = {
  point: -1, enabled: false, context: null, node: null, started: 0, length: 1, turn: 0, timer: 0, decoded: new Map(),

  // Browsers start sound only after a click or a key, so the context is made in one.
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
      if (this.decoded.size > DECODED) this.decoded.delete(this.decoded.keys().next().value);
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
      if (turn !== this.turn) return; // another clip was started meanwhile
      this.node = new AudioBufferSourceNode(this.context, { buffer });
      this.node.connect(this.context.destination);
      this.node.onended = () => { if (turn === this.turn) this.stop(); };
      this.node.start();
      Object.assign(this, { point: i, started: this.context.currentTime, length: buffer.duration });
      state.playing = points.id[i];
      soundChanged.emit(i);
      this.animate();
    } catch (error) {
      this.decoded.delete(points.clip[i]);
      byId("say").textContent = byId("count").textContent = `This browser cannot play ${points.id[i]} (${error.name}).`;
    }
  },

  playSoon(i) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if (selection.hovered === i) this.play(i); }, HOVER_MS);
  },

  stop() {
    clearTimeout(this.timer);
    this.turn++;
    if (this.node) { this.node.onended = null; this.node.stop(); this.node.disconnect(); this.node = null; }
    if (this.point < 0) return;
    this.point = -1;
    state.playing = "";
    soundChanged.emit(-1);
  },

  progress() { return Math.min(1, (this.context.currentTime - this.started) / this.length); },

  animate() {
    if (this.point < 0) return;
    soundMoved.emit();
    requestAnimationFrame(() => this.animate());
  },
};
