// Keeps the page for visits without a connection. The networks are kept by who fetches them, `networks.js`.

const PAGE = "instcolor page VERSION"; // filled in by the export, as is the policy
const POLICY = "POLICY";
const NETWORKS = "instcolor networks";
const ROOT = new URL("./", location.href);

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const response = await fetch("manifest.json", { cache: "no-cache" });
  const { files } = await response.clone().json();
  const cache = await caches.open(PAGE);
  await cache.put("manifest.json", response);
  await Promise.all(Object.entries(files).map(async ([path, { sha256 }]) => {
    await cache.put(path, guarded(await fetch(path, { cache: "no-cache", integrity: `sha256-${base64(sha256)}` })));
  }));
  await self.skipWaiting();
})()));

/** With the policy that many hosts cannot send: it holds for the worker too. */
function guarded(response) {
  const headers = { "Content-Type": response.headers.get("Content-Type"), "Content-Security-Policy": POLICY };
  return new Response(response.body, { headers });
}

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("instcolor page ") && name !== PAGE) await caches.delete(name);
  const { networks } = await (await (await caches.open(PAGE)).match("manifest.json")).json();
  const wanted = new Set(Object.entries(networks).map(([path, { sha256 }]) => new URL(`${path}?${sha256}`, ROOT).href));
  const cache = await caches.open(NETWORKS);
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { url, method } = event.request;
  if (method === "GET" && url.startsWith(ROOT.href)) event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(PAGE);
  return (await cache.match(request.url === ROOT.href ? "index.html" : request)) ?? fetch(request);
}

const base64 = (hex) => btoa(hex.match(/../g).map((pair) => String.fromCharCode(parseInt(pair, 16))).join(""));
