/* Drawings of entities and processes (Cytoscape). The list beside each drawing says the same for those who cannot see it. */
(() => {
  "use strict";
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const SHAPES = { host: "round-rectangle", user: "ellipse", ip: "diamond", process: "rectangle", file: "cut-rectangle", domain: "hexagon" };
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  let library = null;
  const load = (address) => (library ??= new Promise((done, failed) => {
    document.head.append(Object.assign(document.createElement("script"), { src: address, onload: done, onerror: failed }));
  }));

  function looks() {
    const text = colour("text"), line = colour("line-strong"), faint = colour("text-2"), accent = colour("accent");
    const surface = colour("surface"), selected = colour("selected");
    return [
      { selector: "node", style: { label: "data(label)", shape: (node) => SHAPES[node.data("kind")] || "ellipse", width: 18, height: 18, "background-color": surface, "border-width": 1.5, "border-color": faint, color: text, "font-size": 11, "text-valign": "center", "text-halign": "right", "text-margin-x": 5, "text-max-width": 190, "text-wrap": "ellipsis", "min-zoomed-font-size": 6 } },
      { selector: "node[role = 'self']", style: { "background-color": accent, "border-color": accent, "font-weight": 600 } },
      { selector: "node[kind = 'user']", style: { "border-style": "double", "border-width": 4 } },
      { selector: "edge", style: { width: 1.2, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle", "arrow-scale": 0.8, "curve-style": "bezier", color: faint, "font-size": 9, "text-rotation": "autorotate", "text-background-color": surface, "text-background-opacity": 0.85, "min-zoomed-font-size": 7 } },
      { selector: "edge[label]", style: { label: "data(label)" } },
      { selector: "edge[events > 20]", style: { width: 2.4 } },
      { selector: "node:selected", style: { "overlay-color": selected, "overlay-opacity": 0.5, "overlay-padding": 4 } },
    ];
  }

  function menu(box, node) {
    box.querySelector(".graph-menu")?.remove();
    const data = node.data();
    const at = node.renderedPosition();
    const panel = Object.assign(document.createElement("div"), { className: "graph-menu" });
    panel.append(Object.assign(document.createElement("p"), { className: "mono", textContent: data.detail || data.label }));
    (data.links || []).forEach(([text, href]) => panel.append(Object.assign(document.createElement("a"), { textContent: text, href })));
    panel.style.left = `${Math.max(0, Math.min(at.x + 12, box.clientWidth - 290))}px`;
    panel.style.top = `${Math.max(0, Math.min(at.y + 12, box.clientHeight - 90))}px`;
    box.append(panel);
  }

  async function draw(box) {
    if (box.dataset.drawn) return;
    box.dataset.drawn = "1";
    const told = JSON.parse(box.dataset.graph);
    try { await load(box.dataset.library); } catch { box.hidden = true; return; }
    const canvas = Object.assign(document.createElement("div"), { className: "graph-canvas" });  // Cytoscape keeps all clicks in it
    box.append(canvas);
    const elements = [
      ...told.nodes.map(({ x, y, ...data }) => ({ data, position: { x: x || 0, y: y || 0 } })),
      ...told.edges.map((data) => ({ data })),
    ];
    const layout = told.layout === "preset" ? { name: "preset", fit: true, padding: 24 } : { name: "cose", animate: false, randomize: false, nodeOverlap: 24, idealEdgeLength: () => 110, nodeRepulsion: () => 60000, padding: 24, componentSpacing: 80 };
    if (told.layout !== "preset") spread(elements);
    const graph = window.cytoscape({ container: canvas, elements, style: looks(), layout, wheelSensitivity: 0.3, maxZoom: 2.5, minZoom: 0.15, autounselectify: false });
    if (graph.zoom() > 1.2) { graph.zoom(1.2); graph.center(); }
    if (told.layout === "preset") shift(graph);
    graph.on("tap", "node", (event) => menu(box, event.target));
    graph.on("tap", (event) => { if (event.target === graph) box.querySelector(".graph-menu")?.remove(); });
    graph.on("viewport", () => box.querySelector(".graph-menu")?.remove());
    new MutationObserver(() => graph.style(looks())).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    box.graph = graph;
  }

  /* texts stand to the right of their node, so a tree needs room there */
  function shift(graph) {
    graph.fit(undefined, 30);
    if (graph.zoom() > 1.1) graph.zoom(1.1);
    const ends = graph.elements().renderedBoundingBox({ includeLabels: true });
    graph.panBy({ x: 24 - ends.x1, y: graph.height() / 2 - (ends.y1 + ends.y2) / 2 });
  }

  /* the layout starts from a circle, so that it gives the same picture each time */
  function spread(elements) {
    const nodes = elements.filter((one) => one.position);
    nodes.forEach((one, at) => {
      const angle = (2 * Math.PI * at) / nodes.length;
      one.position = { x: 300 * Math.cos(angle), y: 300 * Math.sin(angle) };
    });
  }

  const drawAll = (root) => $$("[data-graph]", root).forEach(draw);
  document.addEventListener("htmx:afterSwap", (event) => drawAll(event.target));
  document.addEventListener("DOMContentLoaded", () => drawAll(document));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") $$(".graph-menu").forEach((one) => one.remove()); });
  if (document.readyState !== "loading") drawAll(document);
})();
