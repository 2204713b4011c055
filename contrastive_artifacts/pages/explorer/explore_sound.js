// Sound: one voice at a time, with short fades at both ends. Damaged and clean are decoded beforehand, so that changing
// over is a crossfade between two sources that stand at the same sample.

const FADE_S = 0.006, CROSS_S = 0.008; // a linear crossfade: the two are the same sound but for the fault
const DECODED_BYTES = 256 * 1024 * 1024;

const player = {
  context: null, voice: null, key: "", enabled: false, timer: 0, turn: 0, decoded: new Map(), ended: () => {},

  // A browser lets sound start only from a click or a key, so the context is made in one.
  async ready() {
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    if (this.context.state !== "running") await Promise.race([this.context.resume(), new Promise((done) => { setTimeout(done, 800); })]);
    if (this.context.state !== "running") throw new Error("The browser holds the sound back; click on the page once, then play again.");
  },

  buffer(url, signal) { // decoded once; the ones not used for longest go
    let entry = this.decoded.get(url);
    if (!entry) {
      this.context ??= new AudioContext({ latencyHint: "interactive" });
      entry = { bytes: 0 };
      entry.promise = ask(url, undefined, { as: "arrayBuffer", signal }).then((bytes) => this.context.decodeAudioData(bytes).catch(() => { throw new Error("This browser cannot decode the sound."); })).then((buffer) => {
        entry.bytes = buffer.length * buffer.numberOfChannels * 4;
        this.forget();
        return buffer;
      });
      entry.promise.catch(() => { if (this.decoded.get(url) === entry) this.decoded.delete(url); });
    }
    this.decoded.delete(url);
    this.decoded.set(url, entry);
    return entry.promise;
  },
  forget() {
    let total = 0;
    for (const { bytes } of this.decoded.values()) total += bytes;
    for (const [url, { bytes }] of this.decoded) {
      if (total <= DECODED_BYTES || !bytes) continue;
      this.decoded.delete(url);
      total -= bytes;
    }
  },

  // Plays `url` as what the page calls `key`; from, to: seconds of it.
  async play(url, key, { from = 0, to = null, loop = false, version = "damaged", signal } = {}) {
    this.stop();
    const turn = this.turn;
    await this.ready();
    const buffer = await this.buffer(url, signal);
    if (turn !== this.turn) return; // another sound was asked for meanwhile
    const stop = Math.min(to ?? buffer.duration, buffer.duration), at = this.context.currentTime + 0.004;
    this.voice = this.sounding(buffer, at, Math.min(from, Math.max(0, stop - 0.01)), { start: to === null ? 0 : from, stop, loop }, FADE_S);
    this.voice.url = url;
    this.key = state.playing = key;
    state.version = version;
    this.animate();
    mark();
    listen();
  },
  sounding(buffer, at, offset, span, fade) {
    const gain = new GainNode(this.context, { gain: 0 }), node = new AudioBufferSourceNode(this.context, { buffer, loop: span.loop, loopStart: span.start, loopEnd: span.stop });
    node.connect(gain).connect(this.context.destination);
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(1, at + fade);
    const left = span.stop - offset;
    if (!span.loop && left > 2 * FADE_S) { gain.gain.setValueAtTime(1, at + left - FADE_S); gain.gain.linearRampToValueAtTime(0, at + left); }
    if (span.loop) node.start(at, offset);
    else node.start(at, offset, left);
    const voice = { node, gain, at, offset, span };
    node.onended = () => { if (this.voice === voice) this.finish(); };
    return voice;
  },
  // The other version from the same place on; what plays goes on until the other one is decoded.
  async change(url, version) {
    const voice = this.voice, turn = this.turn;
    if (!voice || voice.url === url) return;
    const buffer = await this.buffer(url);
    if (turn !== this.turn || this.voice !== voice) return;
    const at = this.context.currentTime + 0.004, offset = this.position(at);
    if (!voice.span.loop && offset >= voice.span.stop - 0.02) return;
    this.voice = this.sounding(buffer, at, offset, voice.span, CROSS_S);
    this.voice.url = url;
    this.fade(voice, at, CROSS_S);
    state.version = version;
  },
  fade({ node, gain }, at, seconds) {
    node.onended = () => gain.disconnect();
    gain.gain.cancelScheduledValues(at);
    gain.gain.setValueAtTime(gain.gain.value, at);
    gain.gain.linearRampToValueAtTime(0, at + seconds);
    node.stop(at + seconds + 0.005);
  },
  position(now = this.context?.currentTime ?? 0) {
    if (!this.voice) return 0;
    const { at, offset, span } = this.voice, place = offset + Math.max(0, now - at);
    if (!span.loop || place < span.stop) return Math.min(place, span.stop);
    return span.start + ((place - span.start) % (span.stop - span.start));
  },
  stop() {
    clearTimeout(this.timer);
    this.turn++;
    if (!this.voice) return;
    this.fade(this.voice, this.context.currentTime, FADE_S * 1.5);
    this.finish();
  },
  finish() {
    this.voice = null;
    this.key = state.playing = "";
    mark();
    listen();
    cursor();
  },
  animate() {
    if (!this.voice) return;
    cursor();
    requestAnimationFrame(() => this.animate());
  },

  hear(row) { // sweeping across the map should not start every row on the way
    if (!this.enabled) return;
    clearTimeout(this.timer);
    const signal = latest("hear");
    this.timer = setTimeout(() => this.play(`api/rows/${row}/audio?version=damaged&pad=0`, String(row), { signal }).catch((error) => { if (error.name !== "AbortError") trouble(error.message); }), 90);
  },
  unhear() {
    if (!this.enabled) return;
    clearTimeout(this.timer);
    requests.hear?.abort();
    if (this.key && this.key !== item?.key) this.stop();
  },
};

function toggleHear(on = !player.enabled) {
  player.enabled = on;
  byId("hear").setAttribute("aria-pressed", String(on));
  if (on) guarded(() => player.ready())();
  else player.stop();
  say(on ? "Hover to hear is on." : "Hover to hear is off.");
}
byId("hear").addEventListener("click", () => toggleHear());

// What plays is marked wherever it can be started.
function listen() {
  const own = Boolean(item && player.voice && player.key === item.key);
  byId("play").textContent = own ? "Stop" : "Play";
  for (const button of document.querySelectorAll(".rows .sound")) {
    const on = button.dataset.key === player.key;
    button.textContent = on ? "■" : "▶";
    button.setAttribute("aria-pressed", String(on));
  }
}
