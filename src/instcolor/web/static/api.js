// The server's HTTP API. Where there is no server, `alone/api.js` stands in its place.

import { Failure, numbers } from "./failure.js";

export { plain } from "./failure.js";

const ROOT = "/api/photos";
const PATIENCE = 40; // times that a full queue is asked again
const MEGA = 1e6;

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

async function failure(response) {
  const body = await response.json().catch(() => ({}));
  return new Failure(response.status, body.code ?? "broken", body.detail ?? "");
}

/** fetch that waits while the server is busy. */
async function ask(path, options = {}) {
  for (let round = 0; ; round++) {
    const response = await fetch(path, options).catch(async () => {
      throw new Failure(0, (await isThere()) ? "interrupted" : "offline", "");
    });
    if (response.ok) return response;
    if (response.status !== 503 || round >= PATIENCE) throw await failure(response);
    await wait(Number(response.headers.get("Retry-After")) || 2);
  }
}

const isThere = () => fetch("/healthz").then((response) => response.ok, () => false);

const json = (method, body) => ({
  method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

export async function facts() {
  const known = await (await ask("/api/models")).json();
  const { pixels, body_bytes: bytes, keep_seconds: seconds } = known.limits;
  Object.assign(numbers, { pixels: Math.round(pixels / MEGA), megabytes: Math.round(bytes / 1048576) });
  return { ...known, numbers: { ...numbers, minutes: Number((seconds / 60).toFixed(1)) } };
}
export const mine = async () => (await (await ask(ROOT)).json()).photos;
export const state = async (id) => (await ask(`${ROOT}/${id}`)).json();
export const remove = (id) => fetch(`${ROOT}/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
export const look = (id, request) => ask(`${ROOT}/${id}/look`, json("POST", request));
export const planes = async (id) => new Int16Array(await (await ask(`${ROOT}/${id}/planes`)).arrayBuffer());
export const layer = async (id) => new Uint8Array(await (await ask(`${ROOT}/${id}/layer`)).arrayBuffer());
export const gray = async (id) => (await ask(`${ROOT}/${id}/gray`)).blob();
export const result = async (id, options) => (await ask(`${ROOT}/${id}/result?${new URLSearchParams(options)}`)).blob();
export const archive = async (photos) => (await ask("/api/archive", json("POST", { photos }))).blob();
export const alternatives = async (id, request) => (await ask(`${ROOT}/${id}/alternatives`, json("POST", request))).json();
export const sample = async () => new File([await (await ask("/static/sample.jpg")).blob()], "sample.jpg", { type: "image/jpeg" });

/** Likely colors: of a spot { x, y } or a box { box }. */
export async function colors(id, { x, y, box }) {
  const where = new URLSearchParams(box ? box.map((value) => ["box", value]) : { x, y });
  return (await (await ask(`${ROOT}/${id}/colors?${where}`)).json()).colors;
}

export async function reference(id, file) {
  const form = new FormData();
  form.append("photo", file);
  return (await (await ask(`${ROOT}/${id}/reference`, { method: "POST", body: form })).json()).hints;
}

/** Sends a photo; `progress` is called with 0..1. fetch cannot tell how much has been sent, XMLHttpRequest can. */
export async function send(file, request, progress) {
  for (let round = 0; ; round++) {
    const answer = await upload(file, request, progress);
    const body = parsed(answer.responseText);
    if (answer.status === 202) return body.photos[0];
    if (!answer.status) throw new Failure(0, await whyNot(file), "");
    if (answer.status !== 503 || round >= PATIENCE) throw new Failure(answer.status, body.code ?? "broken", body.detail ?? "");
    await wait(Number(answer.getResponseHeader("Retry-After")) || 2);
  }
}

/** Why nothing came back: the file, the server, or what is between. */
async function whyNot(file) {
  const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
  if (!readable) return "fileGone";
  return (await isThere()) ? "interrupted" : "offline";
}

function upload(file, request, progress) {
  const form = new FormData();
  form.append("photo", file, file.name || "pasted.png");
  if (request) form.append("options", JSON.stringify(request));
  return new Promise((done) => {
    const asking = new XMLHttpRequest();
    asking.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    asking.onloadend = () => done(asking);
    asking.open("POST", ROOT);
    asking.send(form);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Calls `told` with the state of a photo whenever it changes; the browser connects again by itself. */
export function listen(told) {
  const source = new EventSource("/api/events");
  source.addEventListener("photo", (event) => told(JSON.parse(event.data)));
}
