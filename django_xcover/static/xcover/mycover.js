/*
 * "My cover": looks again while something is under way, and says how it ended.
 * Without this file the browser reloads the page by itself.
 */
(() => {
  "use strict";
  const WAITING = '[data-xcover-progress="waiting"]';
  const FIRST = 1500;
  const LONGEST = 15000;
  let wait = FIRST;
  const policy = window.trustedTypes?.createPolicy("xcover-mycover", { createHTML: (html) => html });

  const look = async () => {
    const place = document.querySelector(WAITING);
    if (!place) return;
    try {
      const response = await fetch(location.href, { credentials: "same-origin" });
      if (response.ok) show(place, await response.text());
    } catch {
      // The network is away for a moment: the page stays, and the next look may succeed.
    }
    wait = Math.min(wait * 1.5, LONGEST);
    setTimeout(look, wait);
  };

  const show = (place, html) => {
    const page = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
    const news = page.querySelector("[data-xcover-progress]");
    if (!news || news.matches(WAITING)) return;
    place.replaceWith(document.adoptNode(news));
    document.title = page.title;
    // Read out, and where the keyboard goes on.
    const heading = news.querySelector("h1");
    if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
  };

  setTimeout(look, wait);
})();
