/* Live updates: one stream a browser (server-sent events), told on to its other tabs. Parts that poll are asked at once when something
   changed; where there is no stream they go on polling as before. */
(() => {
  "use strict";
  const lamp = document.querySelector("[data-live]");
  if (!lamp || !window.EventSource || !navigator.locks || !window.BroadcastChannel) return;
  const KINDS = ["alert", "incident", "warning", "ticket"];
  const tabs = new BroadcastChannel("liandun-live");
  let state = "";

  function show(next) {
    if (next === state) return;
    state = next;
    document.documentElement.dataset.live = next;
    lamp.hidden = false;
    lamp.querySelector(".led").className = `led ${{ on: "good", wait: "warn", off: "bad" }[next]}`;
    lamp.lastElementChild.textContent = lamp.dataset[{ on: "liveOn", wait: "liveWait", off: "liveOff" }[next]];
    if (next === "on") anything(tell); /* between the making of this page and now something may have come */
  }
  function anything(hearer) { KINDS.forEach((kind) => hearer(kind, { id: 0, act: `${kind}.many`, level: "", status: "", count: 0 })); }

  /* many changes at once are one question */
  let due = 0;
  function refresh() {
    if (due) return;
    due = setTimeout(() => {
      due = 0;
      if (document.visibilityState !== "visible" || !window.htmx) return;
      document.querySelectorAll("[data-poll][data-live-poll]").forEach((part) => window.htmx.trigger(part, "live"));
    }, 300);
  }
  function tell(kind, detail) {
    document.dispatchEvent(new CustomEvent(`live:${kind}`, { detail }));
    refresh();
  }
  let leader = false;
  let source = null;
  let mark = ""; /* up to where this browser was told: whichever tab opens the next stream goes on from there */
  let pause = 2000;
  let again = 0;
  function hear({ data }) {
    if (data.mark) mark = data.mark;
    if (data.state) show(data.state);
    if (data.kind) tell(data.kind, data.detail);
    if (data.ask && leader) {
      tabs.postMessage({ state, mark });
      if (state === "off") open(); /* a page was opened: perhaps somebody logged in again */
    }
  }
  tabs.addEventListener("message", hear);
  function both(message) { tabs.postMessage(message); hear({ data: message }); }

  /* a stream that ended for good (logged out, too many) is tried again with growing pauses */
  function ended() {
    both({ state: "off" });
    again = setTimeout(open, pause);
    pause = Math.min(pause * 2, 60000);
  }
  function open() {
    clearTimeout(again);
    source?.close();
    source = new EventSource(mark ? `${lamp.dataset.live}?after=${encodeURIComponent(mark)}` : lamp.dataset.live);
    source.onopen = () => { pause = 2000; both({ state: "on" }); };
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) ended(); else both({ state: "wait" }); };
    source.addEventListener("over", () => { source.close(); ended(); });
    const heard = (event, kind, detail) => both({ mark: event.lastEventId, kind, detail });
    source.addEventListener("hello", (event) => heard(event));
    source.addEventListener("reset", (event) => anything((kind, detail) => heard(event, kind, detail)));
    KINDS.forEach((kind) => source.addEventListener(kind, (event) => heard(event, kind, JSON.parse(event.data))));
  }

  show("wait");
  tabs.postMessage({ ask: true });
  navigator.locks.request("liandun-live", () => new Promise(() => { leader = true; open(); }));
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted && leader) open(); });
})();
