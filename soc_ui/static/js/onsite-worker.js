/* Service worker of the on-site forms: a page of them that was opened once opens without the network, too, with its static files. Nothing
   else of the console is kept or touched. VERSION and WHO stand before this (soc_ui/compliance/onsite.py); another one leaves no old copy.
   A copy is for who is signed in: it goes when the platform sends the browser to the log-in page or shows a page to somebody else
   (onsite-gone.js), when the platform refuses the page, and after a day (HOURS). */
"use strict";
const PREFIX = "liandun-onsite-", CACHE = `${PREFIX}${WHO}-${VERSION}`, HOURS = 24;
const isPage = (url) => url.origin === location.origin && /\/compliance\/\d+\/onsite$/.test(url.pathname);
const isFile = (url) => url.origin === location.origin && /\/static\/[0-9a-f]+\/[\w./-]+$/.test(url.pathname);
const plain = (text) => { const url = new URL(text, location.href); url.hash = ""; return url; };

const forget = async (but = "") => {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== but) await caches.delete(name);
};
const keepPage = async (url, answer) => {
  if (answer.ok && !answer.redirected && answer.type === "basic") await (await caches.open(CACHE)).put(url, answer);
};
const drop = async (url) => (await caches.open(CACHE)).delete(url, { ignoreVary: true });
const kept = async (url) => {
  const found = await caches.match(url, { cacheName: CACHE, ignoreVary: true });
  if (!found || !isPage(new URL(url))) return found;
  const age = Math.abs(Date.now() - Date.parse(found.headers.get("Date"))); /* a clock that is set back makes no copy younger */
  if (age < HOURS * 3600000) return found;
  await drop(url);
};

/* A navigation: the network first. Its own redirects are not followed here, so a way to the log-in page shows as one. */
const page = async (request) => {
  let answer;
  try { answer = await fetch(request); } catch { return (await kept(request.url)) || Response.error(); }
  if (answer.type === "opaqueredirect" || answer.redirected || answer.status === 401 || answer.status === 403) await forget();
  else if (answer.status === 404) await drop(request.url);
  else await keepPage(request.url, answer.clone());
  return answer;
};

/* Static files carry the digest of their content in their names: a kept one is the right one. */
const file = async (request) => (await kept(plain(request.url).href)) || fetch(request);

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(forget(CACHE).then(() => clients.claim())));
addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate" && isPage(url)) event.respondWith(page(event.request));
  else if (isFile(url)) event.respondWith(file(event.request));
});
addEventListener("message", (event) => {
  const { page: address, files } = event.data || {};
  const url = address && plain(address);
  if (!url || !isPage(url)) return;
  event.waitUntil((async () => {
    const answer = await fetch(url.href, { credentials: "same-origin", cache: "no-store", redirect: "manual" });
    if (!answer.ok) return;
    const cache = await caches.open(CACHE);
    for (const one of files.map(plain).filter(isFile)) if (!(await cache.match(one.href, { ignoreVary: true }))) await cache.add(one.href);
    await keepPage(url.href, answer);
    event.source.postMessage({ kept: true });
  })().catch(() => {}));
});
