// The service worker: keeps the page's shell (style sheet, script, icon and a page that says that the server is away),
// so that the installed app says so instead of the browser. Chats are never kept. The server puts `kShell`, what to
// keep, in front of it: { cache, page, files }.
/* global kShell */
addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(kShell.cache)
      .then((cache) => cache.addAll([kShell.page, ...kShell.files].map((url) => new Request(url, { cache: "reload" }))))
      .then(() => skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  const drop_older = caches.keys().then((names) =>
    Promise.all(names.filter((name) => name !== kShell.cache).map((name) => caches.delete(name))));
  event.waitUntil(Promise.all([drop_older, registration.navigationPreload?.enable(), clients.claim()]));
});

async function page_or_shell(event) {
  try {
    return (await event.preloadResponse) || (await fetch(event.request));
  } catch {
    return (await caches.match(kShell.page)) || Response.error();
  }
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page_or_shell(event));
  else if (kShell.files.includes(pathname)) event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
});
