/* Pages of playbooks: the flow chart shows where the run is, and stays where somebody has moved it. */
(() => {
  "use strict";
  const HERE = ".is-now, .is-asked, .is-unknown, .is-failed";
  let kept = null;
  const show = (box) => {
    const step = box.querySelector(HERE);
    if (!step) return;
    const frame = box.getBoundingClientRect(), at = step.getBoundingClientRect();
    box.scrollLeft += at.left - frame.left - (frame.width - at.width) / 2;
    box.scrollTop += at.top - frame.top - (frame.height - at.height) / 2;
  };
  const all = (root) => root.querySelectorAll(".flow-wrap");
  all(document).forEach(show);
  document.addEventListener("htmx:beforeSwap", () => { kept = [...all(document)].map((box) => [box.scrollLeft, box.scrollTop]); });
  document.addEventListener("htmx:afterSwap", () => {
    all(document).forEach((box, at) => { if (kept?.[at]) [box.scrollLeft, box.scrollTop] = kept[at]; });
  });

  /* in the editor a box of the chart opens its step in the form */
  document.addEventListener("click", (event) => {
    const box = event.target.closest(".editing .fbox"), steps = document.querySelector("#step");
    if (!box || !steps) return;
    event.preventDefault();
    steps.selectedIndex = Number(box.getAttribute("href").split("-")[1]) - 1;
    document.querySelector("#open-step").click();
  });

  /* in the editor a new line begins as deep as the one before; the tabulator stays the way out of it */
  document.addEventListener("keydown", (event) => {
    const area = event.target;
    if (event.key !== "Enter" || !area.matches("textarea.document") || event.ctrlKey) return;
    const line = area.value.slice(0, area.selectionStart).split("\n").pop();
    const indent = /^ */.exec(line)[0] + (/[{[]$/.test(line) ? "  " : "");
    event.preventDefault();
    area.setRangeText(`\n${indent}`, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
