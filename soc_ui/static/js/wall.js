/* The situation wall: pages follow each other, the content is fetched anew and put in place without a flicker; a server that is away
   for a while is waited for. Space pauses, arrows turn, F fills the screen, Escape leaves. */
(() => {
  "use strict";
  const TURN = 15000, FETCH = 10000, WAIT = 3000;
  const wall = document.getElementById("wall");
  const box = document.getElementById("wall-pages");
  const dots = document.getElementById("wall-dots");
  const state = document.getElementById("wall-state");
  const clock = document.getElementById("wall-clock");
  let paused = false, away = false, turned = Date.now();
  const pages = () => [...box.querySelectorAll(".wall-page")];
  const shown = () => Math.max(0, pages().findIndex((page) => page.classList.contains("is-shown")));

  function say() { state.textContent = away ? state.dataset.away : paused ? state.dataset.paused : ""; }
  function show(index) {
    const all = pages();
    const at = (index + all.length) % all.length;
    all.forEach((page, place) => { page.classList.toggle("is-shown", place === at); page.setAttribute("aria-hidden", String(place !== at)); });
    [...dots.children].forEach((dot, place) => (place === at ? dot.setAttribute("aria-current", "page") : dot.removeAttribute("aria-current")));
    turned = Date.now();
    if (all.length) history.replaceState(null, "", "#" + all[at].dataset.page);
  }
  function label() {
    dots.replaceChildren(...pages().map((page, place) => {
      const dot = Object.assign(document.createElement("button"), { type: "button", textContent: page.dataset.title });
      dot.addEventListener("click", () => show(place));
      return dot;
    }));
  }
  /* the same page keeps its element, so nothing blinks; only what differs is replaced */
  function put(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const found = [...fresh.querySelectorAll(".wall-page")];
    if (!found.length) return;
    if (found.map((page) => page.dataset.page).join() !== pages().map((page) => page.dataset.page).join()) {
      box.replaceChildren(...found.map((page) => document.importNode(page, true)));
      label();
      show(0);
      return;
    }
    pages().forEach((page, place) => { if (page.innerHTML !== found[place].innerHTML) page.replaceChildren(...[...found[place].childNodes].map((node) => document.importNode(node, true))); });
  }
  async function refresh() {
    let next = FETCH;
    try {
      const headers = { "HX-Request": "true" };
      if (wall.dataset.background) headers["X-Background"] = "1";
      const answer = await fetch(wall.dataset.part, { headers, signal: AbortSignal.timeout(20000) });
      if (answer.status === 401) { location.assign(wall.dataset.login); return; }
      if (answer.status === 403) { state.textContent = state.dataset.ended; return; }
      if (!answer.ok) throw new Error(String(answer.status));
      put(await answer.text());
      away = false;
    } catch { away = true; next = WAIT; }
    say();
    setTimeout(refresh, next);
  }
  const time = new Intl.DateTimeFormat(clock.dataset.lang, { timeZone: clock.dataset.zone, weekday: "short", year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  function tick() {
    clock.textContent = time.format(new Date());
    const now = Date.now();
    box.querySelectorAll("[data-due]").forEach((due) => {
      const left = Math.round((new Date(due.dataset.due.replace(/(\.\d{3})\d*Z$/, "$1Z")) - now) / 1000);
      const far = Math.abs(left);
      const pad = (n) => String(n).padStart(2, "0");
      due.textContent = (left < 0 ? "−" : "") + (far >= 86400 ? Math.floor(far / 86400) + "d " : "") + pad(Math.floor(far / 3600) % 24) + ":" + pad(Math.floor(far / 60) % 60) + ":" + pad(far % 60);
      due.closest("li").classList.toggle("is-late", left < 0);
    });
    if (!paused && now - turned >= TURN) show(shown() + 1);
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      " ": () => { paused = !paused; turned = Date.now(); say(); },
      ArrowRight: () => show(shown() + 1),
      ArrowLeft: () => show(shown() - 1),
      f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
      Escape: () => { if (!document.fullscreenElement) location.assign("/"); },
    };
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (!act || (event.key === " " && event.target.closest("button"))) return;
    event.preventDefault();
    act();
  });
  label();
  const asked = pages().findIndex((page) => "#" + page.dataset.page === location.hash);
  show(asked < 0 ? 0 : asked);
  tick();
  setInterval(tick, 1000);
  setTimeout(refresh, FETCH);
})();
