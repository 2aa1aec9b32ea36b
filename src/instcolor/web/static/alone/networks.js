// The networks on ONNX Runtime, in this browser. Their files are fetched once, checked, and kept for later visits.

import * as ort from "../../runtime/ort.js";

const ROOT = new URL("../../", import.meta.url);
const RUNTIME = "runtime/ort.wasm.packed";
const KEPT = "instcolor networks"; // the cache; `service.js` takes out of it what is not used any more
const sessions = new Map();
const listeners = new Set();
let files = null; // by path: the unpacked bytes, until a session has them

/** What the export says of its files. */
export const manifest = (async () => (await fetch(new URL("manifest.json", ROOT))).json())();

/** Fetches what is not here yet; `told(share)` hears how far it is. A try that failed is made again by the next call. */
export async function load(told) {
  listeners.add(told);
  files ??= fetchAll((share) => listeners.forEach((tell) => tell(share)));
  try {
    return await files;
  } catch (error) {
    files = null;
    throw Object.assign(error, { code: "networks" });
  } finally {
    listeners.delete(told);
  }
}

async function fetchAll(told) {
  const { networks } = await manifest;
  const all = Object.values(networks).reduce((sum, { bytes }) => sum + bytes, 0);
  let here = 0;
  const found = new Map();
  for (const [path, { sha256 }] of Object.entries(networks)) {
    const address = new URL(`${path}?${sha256}`, ROOT); // another file has another address: nothing mixes them up
    const packed = await keptOrReceived(address, sha256, (bytes) => told((here += bytes) / all));
    found.set(path, await unpacked(packed));
  }
  ort.env.wasm.numThreads = 1; // more need headers that many hosts cannot send
  ort.env.wasm.wasmBinary = found.get(RUNTIME).buffer;
  found.delete(RUNTIME);
  return found;
}

/** A file from an earlier visit or from the host. Browsers keep and check over HTTPS, or from this machine, only. */
async function keptOrReceived(address, sha256, told) {
  const cache = globalThis.caches && (await caches.open(KEPT));
  const kept = await cache?.match(address);
  if (kept) {
    const blob = await kept.blob();
    told(blob.size);
    return blob;
  }
  const blob = await received(address, told);
  if (crypto.subtle && (await digest(blob)) !== sha256) throw new Error(`${address.pathname}: damaged`);
  await cache?.put(address, new Response(blob)).catch(() => {}); // a full disk: fetched again next time
  return blob;
}

async function received(address, told) {
  const response = await fetch(address, { cache: "no-store" }); // kept in one place alone
  if (!response.ok) throw new Error(`${address.pathname}: ${response.status}`);
  const parts = [];
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts);
    parts.push(value);
    told(value.length);
  }
}

async function digest(blob) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function unpacked(blob) {
  const stream = blob.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function sessionOf(name) {
  if (!sessions.has(name)) {
    const path = `networks/${name}.onnx.packed`;
    const found = await load(() => {});
    sessions.set(name, await ort.InferenceSession.create(found.get(path)));
    found.delete(path);
  }
  return sessions.get(name);
}

/** Outputs of a network by name ({ data, dims }); inputs are [data, shape] by name. */
export async function run(name, inputs) {
  const session = await sessionOf(name);
  const feeds = Object.entries(inputs).map(([key, [data, shape]]) => [key, new ort.Tensor("float32", data, shape)]);
  return session.run(Object.fromEntries(feeds));
}

/** What the color networks say: ab as two planes, logits (bins, height, width) and their grid [width, height]. */
export async function answer({ photo, objects, places }) {
  const taps = places.box[0].length ? await run("objects", objects) : {};
  const inputs = { ...photo, ...places };
  for (const { name, shape } of (await sessionOf("photo")).inputMetadata) {
    if (!name.includes(".")) continue;
    inputs[name] = taps[name] ? [taps[name].data, taps[name].dims] : [new Float32Array(0), [0, shape[1], 1, 1]];
  }
  const { ab, logits } = await run("photo", inputs);
  const [, , height, width] = ab.dims;
  const cells = width * height;
  return {
    ab: [0, 1].map((channel) => ({ width, height, data: ab.data.slice(channel * cells, (channel + 1) * cells) })),
    logits: logits.data.slice(),
    grid: [logits.dims[3], logits.dims[2]],
  };
}
