// Sounds that are stored in the page (base64 of a sound file): one at a time, decoded when it is first played.
const KEPT = 24; // decoded sounds in memory
const decoded = new Map(); // key -> AudioBuffer, the least recently used one first
let context = null, node = null, started = 0, finished = null, turn = 0;

export const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

export async function decode(key, text) {
  const buffer = decoded.get(key) ?? await (context ??= new AudioContext()).decodeAudioData(bytes(text).buffer);
  decoded.delete(key);
  decoded.set(key, buffer);
  if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return buffer;
}

// Plays the sound file `text`, known by `key`, from `from` seconds, after stopping another one; onEnd is called once when it ends or is stopped.
// Returns whether it plays: a slow decoding must not start after the next call. Browsers need a click or a key before.
export async function playSound(key, text, onEnd, from = 0) {
  stopSound();
  const mine = turn;
  finished = onEnd;
  context ??= new AudioContext();
  await context.resume();
  const buffer = await decode(key, text);
  if (mine !== turn) return false;
  node = new AudioBufferSourceNode(context, { buffer });
  node.connect(context.destination);
  node.onended = () => { if (mine === turn) stopSound(); };
  node.start(0, from);
  started = context.currentTime - from;
  return true;
}
export function stopSound() {
  turn++;
  if (node) { node.onended = null; node.stop(); node.disconnect(); node = null; }
  const callback = finished;
  finished = null;
  callback?.();
}
// Seconds since the beginning of the sound that plays; null when none does.
export const soundPosition = () => (node ? Math.min(context.currentTime - started, node.buffer.duration) : null);
