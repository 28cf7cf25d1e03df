/* Log-in and set-up: the password rule while typing, the lock counting down. The server decides; this only shows. */
(() => {
  "use strict";
  const form = document.querySelector("[data-password-rules]");
  if (form) {
    const value = (name) => form.elements.namedItem(name)?.value ?? "";
    const classes = (text) => new Set([...text].map((c) => (/\p{Ll}/u.test(c) ? "lower" : /\p{Lu}/u.test(c) ? "upper" : /\p{Nd}/u.test(c) ? "digit" : "other"))).size;
    const rules = {
      length: (item) => [...value("password")].length >= Number(item.dataset.min),
      classes: () => classes(value("password")) >= 3,
      name: () => Boolean(value("password")) && !(value("name") && value("password").toLowerCase().includes(value("name").toLowerCase())),
      again: () => Boolean(value("again")) && value("again") === value("password"),
    };
    const show = () => form.querySelectorAll("[data-rule]").forEach((item) => {
      const typed = value(item.dataset.rule === "again" ? "again" : "password");
      const fits = rules[item.dataset.rule](item);
      item.classList.toggle("ok", Boolean(typed) && fits);
      item.classList.toggle("no", Boolean(typed) && !fits);
    });
    form.addEventListener("input", show);
  }
  const clock = document.querySelector("[data-countdown]");
  if (clock) {
    const end = Date.now() + Number(clock.dataset.countdown) * 1000;
    const tick = () => {
      const left = Math.max(0, Math.round((end - Date.now()) / 1000));
      clock.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
      if (!left) location.replace("/login");
    };
    tick();
    setInterval(tick, 1000);
  }
})();
