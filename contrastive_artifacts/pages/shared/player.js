// Sound: one at a time, with short fades at both ends, on every page. Versions of a sound are decoded in advance, so that a
// change from one to the other is a crossfade between two sources at the same sample.
// A sound is { id, read(signal) }: what tells it from others, and a promise of the bytes of its file. `stored` and `served`
// (stored.js, served.js) make sounds that are in the page and on its server.
import { signal, state } from "../../core/html/base.js";

const FADE_S = 0.006;
const CROSS_S = 0.008; // of the crossfade; it is linear, because the versions are equal except for the artifact
const DECODED_BYTES = 256 * 1024 * 1024;

export const soundChanged = signal(); // a sound started or stopped
export const soundMoved = signal(); // each frame while a sound plays

// voice: what plays { node, gain, buffer, at, offset, span, speed, id }; key: of the item it belongs to; loading: of the item whose sound
// is requested; turn: counts starts and stops, so that a slow sound does not begin after the next one;
// next: id of the version that was asked for last; speed: of playback, which moves the pitch; volume: from 0 to 1.
export const player = {
  context: null, voice: null, key: "", loading: "", turn: 0, next: "", speed: 1, volume: 1, output: null, decoded: new Map(),

  // Browsers start sound only after a click or a key, so the context is made in one.
  async ready() {
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    if (this.context.state !== "running") await Promise.race([this.context.resume(), new Promise((done) => { setTimeout(done, 800); })]);
    if (this.context.state !== "running") throw new Error("The browser does not allow sound yet; click on the page once, then play again.");
  },

  buffer({ id, read }, abortSignal) { // decoded once; the least recently used ones are dropped
    let entry = this.decoded.get(id);
    if (!entry) {
      this.context ??= new AudioContext({ latencyHint: "interactive" });
      entry = { bytes: 0 };
      entry.promise = read(abortSignal).then(async (bytes) => {
        const buffer = await this.context.decodeAudioData(bytes).catch(() => { throw new Error("This browser cannot decode the sound."); });
        entry.bytes = buffer.length * buffer.numberOfChannels * 4;
        this.forget();
        return buffer;
      });
      entry.promise.catch(() => { if (this.decoded.get(id) === entry) this.decoded.delete(id); });
    }
    this.decoded.delete(id);
    this.decoded.set(id, entry);
    return entry.promise;
  },
  forget() {
    let total = 0;
    for (const { bytes } of this.decoded.values()) total += bytes;
    for (const [id, { bytes }] of this.decoded) {
      if (total <= DECODED_BYTES || !bytes) continue;
      this.decoded.delete(id);
      total -= bytes;
    }
  },

  // Plays a sound, that of the item `key`, from `from` to `to` seconds. Errors of a sound that was given up are dropped.
  async play(sound, key, { from = 0, to = null, loop = false, abortSignal } = {}) {
    this.stop();
    const turn = this.turn;
    this.loading = key;
    let buffer;
    try {
      await this.ready();
      buffer = await this.buffer(sound, abortSignal);
    } catch (error) {
      if (turn !== this.turn) return;
      this.loading = "";
      throw error;
    }
    if (turn !== this.turn) return; // another sound was started meanwhile
    const stop = Math.min(to ?? buffer.duration, buffer.duration), at = this.context.currentTime + 0.004;
    this.voice = this.startVoice(buffer, at, Math.min(from, Math.max(0, stop - 0.01)), { start: to === null ? 0 : from, stop, loop }, FADE_S);
    this.voice.id = sound.id;
    this.key = state.playing = key;
    this.loading = "";
    soundChanged.emit();
    this.animate();
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
  async change(sound) {
    const voice = this.voice, turn = this.turn, { id } = sound;
    this.next = id;
    if (!voice || voice.id === id) return Boolean(voice);
    const buffer = await this.buffer(sound);
    if (turn !== this.turn || this.voice !== voice || this.next !== id) return false;
    return this.goOn(buffer, id);
  },
  goOn(buffer, id) { // crossfades to a buffer at the present position and speed, unless the sound is about to end
    const voice = this.voice, at = this.context.currentTime + 0.004, offset = this.position(at);
    if (!voice.span.loop && offset >= voice.span.stop - 0.02) return false;
    this.voice = this.startVoice(buffer, at, offset, voice.span, CROSS_S);
    this.voice.id = id;
    this.fade(voice, at, CROSS_S);
    return true;
  },
  setSpeed(speed) {
    this.speed = speed;
    if (this.voice) this.goOn(this.voice.buffer, this.voice.id);
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
