// Shows a message that comes while the page is not open; a tap on it opens the page, where it rings.
self.addEventListener("push", (event) => {
  const told = event.data?.json() ?? {};
  event.waitUntil(
    self.registration.showNotification(told.title || "联动", {
      body: told.body,
      tag: told.tag,
      icon: "/favicon.svg",
      requireInteraction: true,
      vibrate: [400, 200, 400, 200, 400],
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((pages) => {
      const [page] = pages;
      return page === undefined ? self.clients.openWindow("/") : page.focus();
    }),
  );
});
