/* Nobody is signed in here: copies of on-site forms for work without the network go (onsite-worker.js). Answers that wait stay. */
(async () => {
  "use strict";
  if (!("caches" in window)) return;
  for (const name of await caches.keys()) if (name.startsWith("liandun-onsite-")) await caches.delete(name);
})();
