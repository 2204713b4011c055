// Sounds for the player that are stored in the page, as base64 of a sound file.
import { read } from "../../core/html/base.js";

export const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// Without a text, the page's block of data `id` is read when it is first played.
export const stored = (id, text = null) => ({ id, read: async () => bytes(text ?? read(id)).buffer });
