/* What every page needs: polling that rests in the background, menus, toasts, keyboard, row selection. No framework besides htmx. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const csrf = () => $('meta[name="csrf-token"]').content;

  /* htmx: our token on each request, no polling while the page is hidden or a menu of the polled part is open */
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrf();
    if (event.target.closest("[data-poll]")) event.detail.headers["X-Background"] = "1";
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.closest("[data-poll]") && document.visibilityState !== "visible") event.preventDefault();
  });

  document.addEventListener("htmx:responseError", (event) => {
    const answer = event.detail.xhr;
    if (event.target.closest("[data-poll]") || !answer.getResponseHeader("Content-Type")?.startsWith("text/plain")) return;
    toast(answer.responseText, "bad");
  });

  /* menus close on a click elsewhere and on Escape */
  document.addEventListener("click", (event) => {
    $$("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    const opener = event.target.closest("[data-open]");
    if (opener) $("#" + opener.dataset.open).showModal();
    const copier = event.target.closest("[data-copy]");
    if (copier && copier.matches("a")) event.preventDefault();
    if (copier) navigator.clipboard?.writeText(copier.dataset.copy).then(() => toast(copier.dataset.copied));
  });
  $$("dialog").forEach((dialog) => dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }));

  /* toasts */
  function toast(text, kind = "") {
    const box = document.createElement("div");
    box.className = ("toast " + kind).trim();
    box.append(Object.assign(document.createElement("span"), { textContent: text }));
    $("#toasts").append(box);
    setTimeout(() => box.remove(), kind ? 15000 : 4000);
  }
  document.addEventListener("toast", ({ detail }) => toast(detail));
  $$(".toast").forEach((box) => setTimeout(() => box.remove(), $("form", box) ? 30000 : 6000));
  if (new URLSearchParams(location.search).has("done")) {
    const clean = new URL(location.href);
    ["done", "n", "batch"].forEach((name) => clean.searchParams.delete(name));
    history.replaceState(history.state, "", clean);
  }

  /* a long rule opens at the first place that made it fire */
  $$(".code").forEach((box) => { const hit = $(".hit", box); if (hit) box.scrollTop = hit.offsetTop - 80; });

  /* submit a form as soon as a select in it changes */
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  });
  /* empty inputs do not belong in a URL */
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-busy]")) event.target.setAttribute("aria-busy", "true");
    if (event.target.method !== "get") return;
    $$("input, select", event.target).forEach((input) => { if (!input.value && input.name && !input.disabled) { input.disabled = true; setTimeout(() => { input.disabled = false; }, 0); } });
  });

  /* the browser brings a page back as it was left, busy */
  addEventListener("pageshow", () => $$("[data-busy]").forEach((form) => form.removeAttribute("aria-busy")));

  /* rows of a list: cursor (j, k), selection (x), open (Enter) */
  const list = $("[data-rows]");
  const rows = () => (list ? $$("tr[data-id]", list) : []);
  let cursor = -1;
  const place = "cursor:" + location.pathname + location.search;
  function moveTo(index) {
    const all = rows();
    if (!all.length) return;
    cursor = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((row, at) => row.classList.toggle("is-cursor", at === cursor));
    all[cursor].scrollIntoView({ block: "nearest" });
    sessionStorage.setItem(place, all[cursor].dataset.id);
    all[cursor].dispatchEvent(new CustomEvent("row:moved", { bubbles: true }));
  }
  /* a page may show a row in its own way (js/alerts.js) */
  function open(row, byKey = false) {
    if (row.dispatchEvent(new CustomEvent("row:open", { bubbles: true, cancelable: true, detail: { byKey } }))) location.assign(row.dataset.href);
  }
  function restore() {
    const at = rows().findIndex((row) => row.dataset.id === sessionStorage.getItem(place));
    if (at >= 0) moveTo(at);
  }
  function selection() { return list ? $$('input[name="ids"]:checked', list) : []; }
  function showSelection() {
    const chosen = selection();
    rows().forEach((row) => row.classList.toggle("is-selected", Boolean($('input[name="ids"]', row)?.checked)));
    const bar = $("[data-bulk]");
    if (bar) { bar.hidden = !chosen.length; $("[data-selected]", bar).textContent = chosen.length; }
    const all = $("[data-select-all]");
    if (all) { all.checked = chosen.length > 0 && chosen.length === rows().length; all.indeterminate = chosen.length > 0 && !all.checked; }
  }
  let last = null;
  if (list) {
    list.addEventListener("click", (event) => {
      const box = event.target.closest('input[name="ids"]');
      if (box && event.shiftKey && last) {
        const boxes = $$('input[name="ids"]', list);
        const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
        boxes.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
      }
      if (box) last = box;
      const row = event.target.closest("tr[data-id]");
      if (row) moveTo(rows().indexOf(row));
      if (row && row.dataset.href && !event.target.closest("a, button, input, label")) open(row);
    });
    list.addEventListener("change", (event) => {
      if (event.target.matches("[data-select-all]")) $$('input[name="ids"]', list).forEach((box) => { box.checked = event.target.checked; });
      showSelection();
    });
    list.addEventListener("row:point", (event) => moveTo(rows().indexOf(event.target)));
    restore();
    showSelection();
  }
  function act(name) {
    if (!list) return;
    if (!selection().length && cursor >= 0) { const box = $('input[name="ids"]', rows()[cursor]); if (box) { box.checked = true; showSelection(); } }
    if (selection().length) $(`[data-bulk] [data-act="${name}"]`)?.click();
  }

  let prefix = "";
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      $$("details.menu[open]").forEach((menu) => { menu.open = false; });
      if (typing) { typing.blur(); return; }
      const back = $("[data-back]");
      if (selection().length) { selection().forEach((box) => { box.checked = false; }); showSelection(); } else if (back && !$("dialog[open]")) back.click();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (prefix === "g") {
      prefix = "";
      const target = {
        o: "/", a: "/alerts", w: "/warnings", i: "/incidents", h: "/hunt", t: "/tickets", v: "/services", u: "/duty",
        z: "/zones", d: "/assets", s: "/sources", r: "/rules",
      }[event.key];
      if (target) { event.preventDefault(); location.assign(target); }
      return;
    }
    const keys = {
      g: () => { prefix = "g"; setTimeout(() => { prefix = ""; }, 900); },
      j: () => moveTo(cursor + 1),
      k: () => moveTo(cursor - 1),
      x: () => { const row = rows()[Math.max(cursor, 0)]; if (row) { if (cursor < 0) moveTo(0); const box = $('input[name="ids"]', row); if (box) { box.checked = !box.checked; last = box; showSelection(); } } },
      Enter: () => { const row = rows()[cursor]; if (row && row.dataset.href) open(row, true); },
      a: () => act("acknowledge"),
      e: () => act("close"),
      m: () => act("mine"),
      i: () => act("incident"),
      "/": () => ($("[data-search]") || $("#global-search")).focus(),
      "?": () => $("#keys").showModal(),
    };
    if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
    const step = keys[event.key];
    if (step) { if (event.key !== "g") event.preventDefault(); step(); }
  });

  /* back to the list, with its filters and place, where one came from there */
  $$("[data-back]").forEach((link) => link.addEventListener("click", (event) => {
    if (document.referrer && new URL(document.referrer).origin === location.origin && new URL(document.referrer).pathname === link.pathname && history.length > 1) {
      event.preventDefault();
      history.back();
    }
  }));

  /* "n new alerts": asks how many came since the page was made */
  const bar = $("[data-newbar]");
  if (bar) {
    const ask = async () => {
      if (document.visibilityState !== "visible") return;
      const answer = await fetch(bar.dataset.newbar, { headers: { "HX-Request": "true", "X-Background": "1" } }).catch(() => null);
      if (!answer || !answer.ok) return;
      const { text, count } = await answer.json();
      bar.hidden = !count;
      bar.textContent = text;
    };
    /* while the stream stands (js/live.js) it says when to ask, and asking by the clock is for the rest: every minute */
    let rounds = 0;
    setInterval(() => { if (document.documentElement.dataset.live !== "on" || ++rounds % 12 === 0) ask(); }, 5000);
    let due = 0;
    document.addEventListener("live:alert", ({ detail }) => {
      if (!due && (detail.act === "alert.new" || !detail.id)) due = setTimeout(() => { due = 0; ask(); }, 250);
    });
    document.addEventListener("visibilitychange", ask);
    bar.addEventListener("click", () => location.reload());
  }
})();

/* hunt page: rows and value lists fold back on a second click */
(() => {
  "use strict";
  document.addEventListener("htmx:beforeRequest", (event) => {
    const toggle = event.target.closest("[data-expand] .toggle");
    if (toggle) {
      const row = toggle.closest("tr");
      const open = row.nextElementSibling?.classList.contains("expanded");
      toggle.setAttribute("aria-expanded", String(!open));
      if (open) { row.nextElementSibling.remove(); event.preventDefault(); }
    }
    const values = event.target.closest("[data-toggle-values]");
    if (values) {
      const box = values.closest("li").querySelector(".values");
      if (box.childElementCount) { box.replaceChildren(); event.preventDefault(); }
    }
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-expand]");
    if (row && !event.target.closest("a, button, input") && !String(getSelection())) row.querySelector(".toggle").click();
  });
  /* a chosen preset replaces an exact range */
  const range = document.querySelector("[data-range]");
  if (range) range.addEventListener("change", () => { range.form.querySelectorAll('[name="from"], [name="to"]').forEach((input) => { input.value = ""; }); }, true);
})();
