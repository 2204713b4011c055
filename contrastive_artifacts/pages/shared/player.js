// Sound: one at a time, with short fades at both ends. Versions of a sound are decoded in advance, so that a change from
// one to the other is a crossfade between two sources at the same sample.
import { signal, state } from "../../core/html/base.js";
import { ask } from "./asking.js";

const FADE_S = 0.006;
const CROSS_S = 0.008; // of the crossfade; it is linear, because the versions are equal except for the artifact
const DECODED_BYTES = 256 * 1024 * 1024;

export const soundChanged = signal(); // a sound started or stopped
export const soundMoved = signal(); // each frame while a sound plays

// voice: what plays { node, gain, buffer, at, offset, span, speed, url }; key: of the item it belongs to; loading: of the item whose sound
// is requested; turn: counts starts and stops, so that a slow sound does not begin after the next one;
// next: address of the version that was asked for last; speed: of playback, which moves the pitch; volume: from 0 to 1.
export const player = {
  context: null, voice: null, key: "", loading: "", turn: 0, next: "", speed: 1, volume: 1, output: null, decoded: new Map(),

  // Browsers start sound only after a click or a key, so the context is made in one.
  async ready() {
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    if (this.context.state !== "running") await Promise.race([this.context.resume(), new Promise((done) => { setTimeout(done, 800); })]);
    if (this.context.state !== "running") throw new Error("The browser does not allow sound yet; click on the page once, then play again.");
  },

  buffer(url, abortSignal) { // decoded once; the least recently used ones are dropped
    let entry = this.decoded.get(url);
    if (!entry) {
      this.context ??= new AudioContext({ latencyHint: "interactive" });
      entry = { bytes: 0 };
      entry.promise = ask(url, undefined, { as: "arrayBuffer", signal: abortSignal }).then(async (bytes) => {
        const buffer = await this.context.decodeAudioData(bytes).catch(() => { throw new Error("This browser cannot decode the sound."); });
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

  // Plays `url`, the sound of the item `key`, from `from` to `to` seconds. Errors of a sound that was given up are dropped.
  async play(url, key, { from = 0, to = null, loop = false, version = "damaged", abortSignal } = {}) {
    this.stop();
    const turn = this.turn;
    this.loading = key;
    let buffer;
    try {
      await this.ready();
      buffer = await this.buffer(url, abortSignal);
    } catch (error) {
      if (turn !== this.turn) return;
      this.loading = "";
      throw error;
    }
    if (turn !== this.turn) return; // another sound was started meanwhile
    const stop = Math.min(to ?? buffer.duration, buffer.duration), at = this.context.currentTime + 0.004;
    this.voice = this.startVoice(buffer, at, Math.min(from, Math.max(0, stop - 0.01)), { start: to === null ? 0 : from, stop, loop }, FADE_S);
    this.voice.url = url;
    this.key = state.playing = key;
    this.loading = "";
    state.version = version;
    this.animate();
    soundChanged.emit();
  },
  startVoice(buffer, at, offset, span, fade) {
    const { speed, context } = this, gain = new GainNode(context, { gain: 0 });
    const node = new AudioBufferSourceNode(context, { buffer, loop: span.loop, loopStart: span.start, loopEnd: span.stop, playbackRate: speed });
    if (!this.output) {
      this.output = new GainNode(context, { gain: this.volume });
      this.output.connect(context.destination);
    }
    node.connect(gain).connect(this.output);
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(1, at + fade);
    const left = (span.stop - offset) / speed;
    if (!span.loop && left > 2 * FADE_S) { gain.gain.setValueAtTime(1, at + left - FADE_S); gain.gain.linearRampToValueAtTime(0, at + left); }
    if (span.loop) node.start(at, offset);
    else node.start(at, offset, span.stop - offset); // in seconds of the sound, whatever its speed
    const voice = { node, gain, buffer, at, offset, span, speed };
    node.onended = () => { if (this.voice === voice) this.finish(); };
    return voice;
  },
  // Goes on with another version from the same position; the present one plays until the other is decoded. The result is
  // whether the other version plays now.
  async change(url, version) {
    const voice = this.voice, turn = this.turn;
    this.next = url;
    if (!voice || voice.url === url) return Boolean(voice);
    const buffer = await this.buffer(url);
    if (turn !== this.turn || this.voice !== voice || this.next !== url) return false;
    if (!this.goOn(buffer, url)) return false;
    state.version = version;
    return true;
  },
  goOn(buffer, url) { // crossfades to a buffer at the present position and speed, unless the sound is about to end
    const voice = this.voice, at = this.context.currentTime + 0.004, offset = this.position(at);
    if (!voice.span.loop && offset >= voice.span.stop - 0.02) return false;
    this.voice = this.startVoice(buffer, at, offset, voice.span, CROSS_S);
    this.voice.url = url;
    this.fade(voice, at, CROSS_S);
    return true;
  },
  setSpeed(speed) {
    this.speed = speed;
    if (this.voice) this.goOn(this.voice.buffer, this.voice.url);
  },
  setVolume(volume) {
    this.volume = volume;
    this.output?.gain.setTargetAtTime(volume, this.context.currentTime, 0.01);
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
    const { at, offset, span, speed } = this.voice, place = offset + Math.max(0, now - at) * speed;
    if (!span.loop || place < span.stop) return Math.min(place, span.stop);
    return span.start + ((place - span.start) % (span.stop - span.start));
  },
  // Stops what plays, and what is about to unless it is of the item `except`.
  stop(except = null) {
    if (except !== null && (this.voice ? this.key : this.loading) === except) return;
    this.turn++;
    this.loading = "";
    if (!this.voice) return;
    this.fade(this.voice, this.context.currentTime, FADE_S * 1.5);
    this.finish();
  },
  finish() {
    this.voice = null;
    this.key = state.playing = "";
    soundChanged.emit();
  },
  animate() {
    if (!this.voice) return;
    soundMoved.emit();
    requestAnimationFrame(() => this.animate());
  },
};
