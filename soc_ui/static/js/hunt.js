/* The hunt page: completion in the query bar (an ARIA combobox), and the menu of a value in the table. */
(() => {
  "use strict";
  const bar = document.querySelector("[data-complete]");
  const list = document.querySelector("#completions");
  if (bar && list) {
    let found = [], chosen = -1, timer = 0, asked = 0, asking = new AbortController();
    const close = () => { list.hidden = true; found = []; chosen = -1; bar.setAttribute("aria-expanded", "false"); bar.removeAttribute("aria-activedescendant"); };
    const mark = (next) => {
      chosen = next;
      [...list.children].forEach((one, at) => one.setAttribute("aria-selected", String(at === chosen)));
      const option = list.children[chosen];
      if (option) { bar.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); } else bar.removeAttribute("aria-activedescendant");
    };
    const take = (one) => {
      bar.setRangeText(one.insert, one.start, one.end, "end");
      close();
      bar.focus();
      if (one.kind !== "value") ask();
    };
    const show = () => {
      list.replaceChildren(...found.map((one, at) => {
        const option = Object.assign(document.createElement("li"), { id: `completion-${at}` });
        option.setAttribute("role", "option");
        option.append(Object.assign(document.createElement("span"), { className: "mono clip", textContent: one.label }), Object.assign(document.createElement("span"), { className: "faint", textContent: one.note || list.dataset[one.kind] || "" }));
        option.addEventListener("mousedown", (event) => { event.preventDefault(); take(one); });
        return option;
      }));
      list.hidden = !found.length;
      bar.setAttribute("aria-expanded", String(Boolean(found.length)));
      mark(-1);
    };
    async function ask() {
      const mine = ++asked;
      asking.abort(); /* the server ends a question whose connection is closed */
      asking = new AbortController();
      const form = new FormData(bar.form);
      form.set("at", bar.selectionStart);
      const answer = await fetch(`${bar.dataset.complete}?${new URLSearchParams(form)}`, { headers: { "HX-Request": "true" }, signal: asking.signal }).catch(() => null);
      if (!answer || !answer.ok || mine !== asked || document.activeElement !== bar) return;
      const told = await answer.json().catch(() => null);
      if (!told || mine !== asked) return;
      found = told.suggestions;
      show();
    }
    bar.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 220); });
    bar.addEventListener("blur", close);
    bar.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && list.hidden) { event.preventDefault(); ask(); return; }
      if (list.hidden) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark((chosen + step + found.length + 1) % (found.length + 1) === found.length ? -1 : Math.max(-1, (chosen + step + found.length) % found.length));
      } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) {
        event.preventDefault();
        take(found[chosen]);
      } else if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        close();
      }
    });
    bar.form.addEventListener("submit", () => { clearTimeout(timer); asking.abort(); close(); });
  }

  /* Cancel: the page that is being loaded and the parts that are being asked for are given up, the server sees it and ends them */
  const cancel = document.querySelector("[data-cancel]");
  cancel?.addEventListener("click", () => {
    window.stop();
    cancel.form.removeAttribute("aria-busy");
    cancel.form.querySelector("[data-search]").focus();
    document.dispatchEvent(new CustomEvent("toast", { detail: cancel.dataset.cancel }));
  });

  /* the menu of a value opens beside it and gives the focus back */
  const menu = document.querySelector("#value-menu");
  let from = null;
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.target.closest?.("[data-value-menu]")) from = event.target; });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== menu || !from) return;
    const at = from.getBoundingClientRect();
    menu.showPopover();
    menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8))}px`;
    menu.style.top = `${Math.max(8, Math.min(at.bottom + 4, innerHeight - menu.offsetHeight - 8))}px`;
    menu.querySelector("a")?.focus();
  });
  menu?.addEventListener("toggle", (event) => { if (event.newState === "closed" && menu.contains(document.activeElement)) from?.focus(); });
})();
