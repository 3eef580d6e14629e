// Keeps static files and the pages that say that there is no connection. Nothing that is anybody's own is ever kept.
const KEPT = {{ kept | tojson }};
const BASE = {{ base | tojson }};
const LANGUAGES = {{ languages | list | tojson }};
const STORE = "everyline-" + KEPT.join("|").split("").reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("everyline-") && name !== STORE);
  event.waitUntil(
    caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (KEPT.includes(url.pathname + url.search)) {
    event.respondWith(caches.match(request).then((found) => found ?? fetch(request)));
  } else if (request.mode === "navigate") {
    const spoken = url.pathname.slice(BASE.length + 1).split("/")[0];
    const language = LANGUAGES.includes(spoken) ? spoken : LANGUAGES[0];
    event.respondWith(fetch(request).catch(() => caches.match(`${BASE}/${language}/offline`)));
  }
});
