/* The flyout of the queue: one alert beside the list. Its address is #alert-<n>, so back and copied links work. */
(() => {
  "use strict";
  const flyout = document.querySelector("[data-flyout]");
  const list = document.querySelector("[data-rows]");
  if (!flyout || !list) return;
  const rowOf = (id) => list.querySelector(`tr[data-id="${id}"]`);
  const asked = () => (/^#alert-(\d{1,19})$/.exec(location.hash) || [])[1] || "";
  const here = () => location.pathname + location.search;
  let shown = "";
  let waiting = null;

  /* put the alert into the flyout; the title takes the focus, so it is read out */
  async function show(id) {
    if (waiting) waiting.abort();
    waiting = new AbortController();
    shown = id;
    const row = rowOf(id);
    if (row && !row.classList.contains("is-cursor")) row.dispatchEvent(new CustomEvent("row:point", { bubbles: true }));
    flyout.hidden = false;
    flyout.setAttribute("aria-busy", "true");
    document.body.classList.add("has-flyout");
    let text = "";
    try {
      const address = `/alerts/${id}/flyout?next=${encodeURIComponent(here())}`;
      const answer = await fetch(address, { headers: { "HX-Request": "true" }, signal: waiting.signal });
      const login = answer.headers.get("HX-Redirect");
      if (login) { location.assign(login); return; }
      text = await answer.text();
      if (!answer.ok) { failed(text); return; }
    } catch (error) {
      if (error.name !== "AbortError") failed(flyout.dataset.failed);
      return;
    }
    if (shown !== id) return;
    flyout.innerHTML = text;
    flyout.scrollTop = 0;
    flyout.removeAttribute("aria-busy");
    flyout.querySelector("#flyout-title").focus({ preventScroll: true });
  }
  function failed(text) {
    const title = Object.assign(document.createElement("h2"), { id: "flyout-title", tabIndex: -1, textContent: text });
    const box = document.createElement("div");
    box.className = "flyout-body";
    box.append(title);
    flyout.replaceChildren(box);
    flyout.removeAttribute("aria-busy");
    title.focus();
  }
  function hide() {
    if (flyout.hidden) return;
    if (waiting) waiting.abort();
    const link = rowOf(shown)?.querySelector(".rowlink");
    shown = "";
    flyout.hidden = true;
    flyout.replaceChildren();
    document.body.classList.remove("has-flyout");
    if (link) link.focus({ preventScroll: true });
  }
  function open(id) {
    const address = `${here()}#alert-${id}`;
    if (flyout.hidden) history.pushState({ flyout: true }, "", address);
    else history.replaceState(history.state, "", address);
    show(id);
  }
  function close() {
    if (history.state && history.state.flyout) { history.back(); return; }
    history.replaceState(history.state, "", here());
    hide();
  }

  /* a second Enter goes to the whole page: then nobody stops the event */
  list.addEventListener("row:open", (event) => {
    const id = event.target.dataset.id;
    if (shown === id && event.detail.byKey) return;
    event.preventDefault();
    if (shown !== id) open(id);
  });
  list.addEventListener("row:moved", (event) => { if (!flyout.hidden && shown !== event.target.dataset.id) open(event.target.dataset.id); });
  /* before the list moves its cursor; a click by a key counts none */
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a.rowlink");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const { id } = link.closest("tr").dataset;
    if (shown === id && !event.detail) return;
    event.preventDefault();
    if (shown !== id) open(id);
  }, true);
  flyout.addEventListener("click", (event) => { if (event.target.closest("[data-flyout-close]")) close(); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || flyout.hidden || document.querySelector("dialog[open], details.menu[open]")) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    event.stopPropagation();
    close();
  }, true);
  addEventListener("popstate", () => { const id = asked(); if (!id) hide(); else if (id !== shown) show(id); });

  /* an act on the queue comes back to the same alert */
  document.querySelector("#queue")?.addEventListener("submit", (event) => {
    const next = event.target.querySelector('input[name="next"]');
    if (next && shown) next.value = `${next.value.split("#")[0]}#alert-${shown}`;
  });
  if (asked()) show(asked());
})();
