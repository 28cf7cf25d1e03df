/* Interview and on-site forms: drafts and answers lie in localStorage until the platform has said what became of them. Each answer has a
   key, so that one that is sent again because its reply was lost counts once. Nothing is dropped unless the person says so. */
(() => {
  "use strict";
  const root = document.querySelector("[data-onsite]");
  if (!root) return;
  const place = `liandun-onsite:${root.dataset.onsite}`, MOST = 20, EVERY = 30000;
  const network = root.querySelector("[data-network]"), waits = root.querySelector("[data-waits]"), now = root.querySelector("[data-send-now]");
  const name = (item, object) => `${item} ${object}`;
  const forms = new Map([...root.querySelectorAll(".onsite-question")].map((form) => [name(form.dataset.item, form.dataset.object), form]));
  let sending = false, trouble = "";

  /* { answers: {name: answer}, drafts: {name: {verdict, reason}} }; another tab may have written since, so it is read each time */
  const read = () => {
    try {
      const found = JSON.parse(localStorage.getItem(place) || "{}");
      return { answers: found.answers || {}, drafts: found.drafts || {} };
    } catch { return { answers: {}, drafts: {} }; }
  };
  const change = (act) => {
    const kept = read();
    act(kept);
    try { localStorage.setItem(place, JSON.stringify(kept)); return true; } catch { return false; }
  };
  const key = () => [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");

  const mark = (form, state, told = "") => {
    const badge = form.querySelector("[data-state]"), box = form.querySelector("[data-told]");
    badge.hidden = !state;
    badge.textContent = state ? root.dataset[state] : "";
    badge.className = `badge${{ conflict: " bad", refused: " bad", waiting: " warn", draft: "", recorded: " good" }[state] || ""}`;
    box.hidden = !told;
    box.replaceChildren(told);
  };
  const fill = (form, said) => {
    for (const one of form.querySelectorAll("input[name=verdict]")) one.checked = one.value === said.verdict;
    form.elements.reason.value = said.reason;
  };
  const button = (text, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "btn onsite-big", textContent: text });
    made.addEventListener("click", act);
    return made;
  };
  const conflict = (form, one) => {
    const box = document.createElement("div"), told = document.createElement("p"), row = document.createElement("div");
    told.textContent = `${root.dataset.now} ${one.now.verdict} \u00b7 ${one.now.by} \u00b7 ${one.now.at.slice(0, 16).replace("T", " ")} UTC \u00b7 ${one.now.reason}`;
    row.className = "row wrap";
    row.append(
      button(root.dataset.keep, () => { change((kept) => { kept.answers[name(one.item, one.object)] = { ...one, key: key(), version: one.seen, state: "waiting" }; }); show(); send(); }),
      button(root.dataset.drop, () => { change((kept) => { delete kept.answers[name(one.item, one.object)]; }); form.dataset.version = one.seen; form.reset(); mark(form, ""); show(); }),
    );
    box.append(told, row);
    mark(form, "conflict", box);
  };
  const show = () => {
    const kept = read(), all = Object.entries(kept.answers);
    for (const [id, one] of all) {
      const form = forms.get(id);
      if (!form) continue;
      if (one.state === "conflict") conflict(form, one);
      else mark(form, one.state, one.state === "refused" ? one.why : "");
    }
    network.textContent = navigator.onLine ? trouble || root.dataset.online : root.dataset.offline;
    waits.textContent = all.length ? `${root.dataset.count} ${all.length}` : "";
    now.hidden = !all.some(([, one]) => one.state === "waiting");
  };

  async function send(background = false) {
    const waiting = Object.values(read().answers).filter((one) => one.state === "waiting").slice(0, MOST);
    if (sending || !waiting.length) return;
    sending = true;
    const body = JSON.stringify(waiting.map(({ key, item, object, version, verdict, reason, at }) => ({ key, item, object, version, verdict, reason, at })));
    const headers = { "Content-Type": "application/json", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content, "HX-Request": "true", ...(background ? { "X-Background": "1" } : {}) };
    const answer = await fetch(root.dataset.send, { method: "POST", headers, body }).catch(() => null);
    const told = answer && answer.ok ? await answer.json().catch(() => null) : null;
    sending = false;
    trouble = told ? "" : answer && (answer.status === 401 || answer.status === 403 || answer.status === 400) ? root.dataset.login : root.dataset.failed;
    for (const one of told || []) settle(one, waiting.find((sent) => sent.key === one.key));
    show();
    if (told) send(background);
  }
  const settle = (one, sent) => {
    if (!sent) return;
    const id = name(sent.item, sent.object), form = forms.get(id), recorded = one.state === "recorded";
    change((all) => {
      const held = all.answers[id];
      if (held && held.key !== one.key) { if (recorded) held.version = one.version; return; } /* said anew while this was on its way */
      if (recorded) delete all.answers[id];
      else if (held) all.answers[id] = { ...held, state: one.state, why: one.why, now: one.now, seen: one.version };
    });
    if (recorded && form) { form.dataset.version = one.version; mark(form, "recorded"); }
  };

  const kept = read();
  for (const [id, form] of forms) {
    const said = kept.answers[id] || kept.drafts[id];
    if (said) fill(form, said);
    if (kept.drafts[id] && !kept.answers[id]) { mark(form, "draft"); form.closest("details").open = true; }
    if (kept.answers[id]) form.closest("details").open = true;
    form.addEventListener("input", () => {
      const verdict = (form.querySelector("input[name=verdict]:checked") || {}).value || "", reason = form.elements.reason.value;
      mark(form, change((all) => { all.drafts[id] = { verdict, reason }; }) ? "draft" : "", "");
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { item, object, version } = form.dataset, data = new FormData(form);
      const answer = { key: key(), item, object: Number(object), version: Number(version), verdict: data.get("verdict"), reason: data.get("reason"), at: new Date().toISOString(), state: "waiting" };
      if (!change((all) => { all.answers[id] = answer; delete all.drafts[id]; })) { mark(form, "draft", root.dataset.full); return; }
      show();
      send();
    });
  }
  now.addEventListener("click", () => send());
  addEventListener("online", () => { show(); send(); });
  addEventListener("offline", show);
  addEventListener("storage", show);
  setInterval(() => { if (navigator.onLine) send(true); }, EVERY);
  show();
  send();

  /* The worker keeps this page and its files for when there is no network; it says when it has them. */
  const worker = navigator.serviceWorker;
  if (!worker) return;
  const files = () => [
    ...[...document.querySelectorAll("script[src], link[href], use")].map((one) => one.src || one.href.baseVal || one.href),
    ...performance.getEntriesByType("resource").map((one) => one.name),
  ];
  const keep = async () => (await worker.ready).active.postMessage({ page: location.href, files: [...new Set(files())] });
  worker.addEventListener("message", (event) => { if (event.data && event.data.kept) root.querySelector("[data-kept]").textContent = root.dataset.ready; });
  worker.addEventListener("controllerchange", keep);
  if (navigator.onLine) worker.register(root.dataset.worker).then(keep, () => {});
})();
