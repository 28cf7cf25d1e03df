/* Copies of on-site forms for work without the network (onsite-worker.js) stay for who is signed in on this page, data-onsite-of; on the
   log-in page nobody is, and all go. Answers that wait stay. */
(async () => {
  "use strict";
  const who = document.currentScript.dataset.onsiteOf;
  if (!("caches" in window)) return;
  const isOurs = (name) => who && name.startsWith(`liandun-onsite-${who}-`);
  for (const name of await caches.keys()) if (name.startsWith("liandun-onsite-") && !isOurs(name)) await caches.delete(name);
})();
