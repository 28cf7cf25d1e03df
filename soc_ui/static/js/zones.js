/* The zone map: what a line says while pointed at, its details beside the map, the lines of a zone. The server has drawn everything. */
(() => {
  "use strict";
  const wrap = document.querySelector("[data-map]");
  if (!wrap) return;
  const panel = document.getElementById("crossing");
  const map = () => wrap.querySelector(".zonemap");
  const flows = () => [...wrap.querySelectorAll(".flow")];
  const ends = (flow) => flow.dataset.ends.split(" ");
  let chosen = new URLSearchParams(location.search).get("crossing") || "";

  function tell(text) {
    const hint = wrap.querySelector("[data-map-hint]");
    hint.textContent = text || hint.dataset.usual;
    hint.classList.toggle("is-told", Boolean(text));
  }
  /* a line in the hand is also drawn above the cards it runs behind */
  function raise(flow) {
    const layer = wrap.querySelector(".raised");
    layer.replaceChildren(...(flow ? [flow.querySelector(".line").cloneNode()] : []));
  }
  function near(zone) {
    map().classList.toggle("has-near", Boolean(zone));
    const of = new Set(zone ? [zone] : []);
    flows().forEach((flow) => {
      const touches = Boolean(zone) && ends(flow).includes(zone);
      flow.classList.toggle("is-near", touches);
      if (touches) ends(flow).forEach((end) => of.add(end));
    });
    mark(of);
  }
  function mark(zones) {
    wrap.querySelectorAll(".zcard").forEach((card) => card.classList.toggle("is-near", zones.has(card.dataset.zone)));
  }
  function showChosen() {
    const picked = flows().filter((flow) => flow.dataset.crossing === chosen);
    flows().forEach((flow) => flow.classList.toggle("is-chosen", picked.includes(flow)));
    map().classList.toggle("has-chosen", picked.length > 0);
    mark(new Set(picked.flatMap(ends)));
    raise(picked[picked.length - 1]);
    return picked;
  }
  function keep() {
    const here = new URL(location.href);
    if (chosen) here.searchParams.set("crossing", chosen); else here.searchParams.delete("crossing");
    history.replaceState(history.state, "", here);
  }
  function open(flow) {
    chosen = flow.dataset.crossing;
    const drawn = flow.querySelector(".line").getBoundingClientRect(), all = map().getBoundingClientRect();
    panel.classList.toggle("at-left", (drawn.left + drawn.right) / 2 > all.left + all.width / 2);
    panel.replaceChildren();
    panel.setAttribute("aria-busy", "true");
    htmx.ajax("GET", flow.dataset.part, { source: panel, target: panel, swap: "innerHTML" }).finally(() => panel.removeAttribute("aria-busy"));
    keep();
    showChosen();
  }
  function close() {
    const back = flows().find((flow) => flow.dataset.crossing === chosen);
    chosen = "";
    panel.replaceChildren();
    keep();
    showChosen();
    tell("");
    back?.focus({ preventScroll: true });
  }

  wrap.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-panel]")) { event.preventDefault(); close(); return; }
    const full = event.target.closest("[data-fullscreen]");
    if (full) { if (document.fullscreenElement) document.exitFullscreen(); else full.closest(".map-card").requestFullscreen(); return; }
    const flow = event.target.closest(".flow");
    if (flow && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); open(flow); }
  });
  const enter = (event) => {
    const flow = event.target.closest(".flow"), card = event.target.closest(".zcard");
    if (flow) { tell(flow.getAttribute("aria-label")); raise(flow); } else if (card) near(card.dataset.zone);
  };
  const leave = (event) => {
    if (event.target.closest(".flow")) { tell(""); raise(null); } else if (event.target.closest(".zcard")) near("");
    if (chosen) showChosen();
  };
  wrap.addEventListener("mouseover", enter);
  wrap.addEventListener("focusin", enter);
  wrap.addEventListener("mouseout", leave);
  wrap.addEventListener("focusout", leave);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && chosen && !document.fullscreenElement) close(); });
  /* a refresh must not take the map away from who is just using it */
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "zone-map" && (document.fullscreenElement === null) && event.target.querySelector(".flow:hover, .zcard:hover, :focus-visible")) event.preventDefault();
  });
  document.addEventListener("htmx:afterSettle", () => showChosen());
  showChosen();
})();
