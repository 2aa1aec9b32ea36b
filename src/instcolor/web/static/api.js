// The server's HTTP API. A failure is an Error with a sentence for people, `status` and `code`.

const ROOT = "/api/photos";
const PATIENCE = 40; // times that a full queue is asked again

export class Failure extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

async function failure(response) {
  const body = await response.json().catch(() => ({}));
  return new Failure(response.status, body.code ?? "", body.detail ?? "The server gave no reason.");
}

/** fetch that waits while the server is busy. */
async function ask(path, options = {}) {
  for (let round = 0; ; round++) {
    const response = await fetch(path, options).catch(() => {
      throw new Failure(0, "offline", "The server cannot be reached. Is it still running?");
    });
    if (response.ok) return response;
    if (response.status !== 503 || round >= PATIENCE) throw await failure(response);
    await wait(Number(response.headers.get("Retry-After")) || 2);
  }
}

const json = (method, body) => ({
  method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

export const facts = async () => (await ask("/api/models")).json();
export const mine = async () => (await (await ask(ROOT)).json()).photos;
export const state = async (id) => (await ask(`${ROOT}/${id}`)).json();
export const remove = (id) => fetch(`${ROOT}/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
export const look = (id, wish) => ask(`${ROOT}/${id}/look`, json("POST", wish));
export const planes = async (id) => new Int16Array(await (await ask(`${ROOT}/${id}/planes`)).arrayBuffer());
export const gray = async (id) => (await ask(`${ROOT}/${id}/gray`)).blob();
export const result = async (id, wish) => (await ask(`${ROOT}/${id}/result?${new URLSearchParams(wish)}`)).blob();
export const archive = async (photos) => (await ask("/api/archive", json("POST", { photos }))).blob();
export const alternatives = async (id, wish) => (await ask(`${ROOT}/${id}/alternatives`, json("POST", wish))).json();

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
export async function send(file, wish, progress) {
  for (let round = 0; ; round++) {
    const request = await upload(file, wish, progress);
    const body = parsed(request.responseText);
    if (request.status === 202) return body.photos[0];
    if (request.status !== 503 || round >= PATIENCE) {
      const detail = request.status ? body.detail : "The server cannot be reached. Is it still running?";
      throw new Failure(request.status, body.code ?? "", detail ?? "The photo could not be sent.");
    }
    await wait(Number(request.getResponseHeader("Retry-After")) || 2);
  }
}

function upload(file, wish, progress) {
  const form = new FormData();
  form.append("photo", file, file.name || "pasted.png");
  if (wish) form.append("options", JSON.stringify(wish));
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onloadend = () => done(request);
    request.open("POST", ROOT);
    request.send(form);
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
