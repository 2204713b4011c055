// Sounds for the player that the page's own server has, by their address.
import { ask } from "./asking.js";

export const served = (address) => ({ id: address, read: (signal) => ask(address, undefined, { as: "arrayBuffer", signal }) });
