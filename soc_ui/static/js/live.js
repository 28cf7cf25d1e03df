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
    lamp.hidden = false;
    lamp.querySelector(".led").className = `led ${{ on: "good", wait: "warn", off: "bad" }[next]}`;
    lamp.lastElementChild.textContent = lamp.dataset[{ on: "liveOn", wait: "liveWait", off: "liveOff" }[next]];
  }

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
  function hear({ data }) {
    if (data.state) show(data.state);
    if (data.kind) tell(data.kind, data.detail);
    if (data.ask && leader) tabs.postMessage({ state });
  }
  tabs.addEventListener("message", hear);

  let leader = false;
  let source = null;
  function both(message) { tabs.postMessage(message); hear({ data: message }); }

  /* a stream that ended for good (logged out, too many) is tried again with growing pauses */
  function open(pause) {
    source = new EventSource(lamp.dataset.live);
    source.onopen = () => { pause = 2000; both({ state: "on" }); };
    source.onerror = () => {
      both({ state: source.readyState === EventSource.CLOSED ? "off" : "wait" });
      if (source.readyState === EventSource.CLOSED) setTimeout(() => open(Math.min(pause * 2, 60000)), pause);
    };
    source.addEventListener("over", () => { source.close(); both({ state: "off" }); });
    source.addEventListener("reset", () => KINDS.forEach((kind) => both({ kind, detail: { id: 0, act: `${kind}.many`, level: "", count: 0 } })));
    KINDS.forEach((kind) => source.addEventListener(kind, (event) => both({ kind, detail: JSON.parse(event.data) })));
  }

  show("wait");
  tabs.postMessage({ ask: true });
  navigator.locks.request("liandun-live", () => new Promise(() => { leader = true; open(2000); }));
  addEventListener("pagehide", () => source?.close());
})();
