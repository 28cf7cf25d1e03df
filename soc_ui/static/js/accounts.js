/* Log-in, set-up, accounts: the password rule while typing, the lock counting down, security keys. The server decides; this only shows. */
(() => {
  "use strict";
  const form = document.querySelector("[data-password-rules]");
  if (form) {
    const value = (name) => form.elements.namedItem(name)?.value ?? "";
    const classes = (text) => new Set([...text].map((c) => (/\p{Ll}/u.test(c) ? "lower" : /\p{Lu}/u.test(c) ? "upper" : /\p{Nd}/u.test(c) ? "digit" : "other"))).size;
    const rules = {
      length: (item) => [...value("password")].length >= Number(item.dataset.min) && [...value("password")].length <= Number(item.dataset.max),
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
      if (!left) location.replace(location.pathname);
    };
    tick();
    setInterval(tick, 1000);
  }

  /* Which fields a role needs. */
  const roleForm = document.querySelector("[data-role-form]");
  if (roleForm) {
    const fit = () => {
      const role = roleForm.elements.namedItem("role").value;
      roleForm.querySelectorAll("[data-for-scope]").forEach((part) => { part.hidden = ["", "sysadmin", "secadmin", "auditadmin"].includes(role); });
      roleForm.querySelectorAll("[data-for-scope] input").forEach((box) => { box.disabled = box.closest("[data-for-scope]").hidden; });
      roleForm.querySelectorAll("[data-for-days]").forEach((part) => { part.hidden = role !== "auditor"; });
    };
    roleForm.addEventListener("change", fit);
    fit();
  }

  document.querySelector("[data-print]")?.addEventListener("click", () => window.print());

  /* Security keys (WebAuthn): bytes travel as base64url. */
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ask = async (kind, options) => {
    const publicKey = { ...options, challenge: bytes(options.challenge) };
    for (const list of ["excludeCredentials", "allowCredentials"]) {
      if (options[list]) publicKey[list] = options[list].map((one) => ({ ...one, id: bytes(one.id) }));
    }
    if (options.user) publicKey.user = { ...options.user, id: bytes(options.user.id) };
    const made = await navigator.credentials[kind]({ publicKey });
    const answer = { id: made.id, rawId: text(made.rawId), type: made.type, response: { clientDataJSON: text(made.response.clientDataJSON) } };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[part]) answer.response[part] = text(made.response[part]);
    }
    return JSON.stringify(answer);
  };
  document.querySelectorAll("form[data-webauthn]").forEach((keyForm) => {
    const kind = keyForm.dataset.webauthn;
    const field = keyForm.elements.namedItem(kind === "create" ? "enrol_answer" : "proof_answer");
    const start = async (event) => {
      event.preventDefault();
      const error = keyForm.querySelector(".key-error");
      error.hidden = true;
      try {
        field.value = await ask(kind, JSON.parse(keyForm.dataset.options));
      } catch {
        error.hidden = false;
        return;
      }
      keyForm.submit();
    };
    if (kind === "create") keyForm.addEventListener("submit", start);
    else keyForm.querySelector("[data-use-key]").addEventListener("click", start);
  });
})();
