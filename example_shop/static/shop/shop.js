/* What the shop does better with JavaScript. Every page works without this file. */

const swap = async (place, url, find) => {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = find ? page.querySelector(find) : page.body;
  if (fresh) place.replaceChildren(...fresh.childNodes);
  return fresh;
};

// The quantity and country menus need no second click.
document.documentElement.classList.add("js");
document.addEventListener("change", ({ target }) => {
  const form = target.closest("form[data-autosubmit]");
  if (form) form.requestSubmit();
});

// The sums are the server's: this only asks for them again when the answer to the offer changed.
const summary = document.querySelector("[data-summary]");
let turn = 0;
document.addEventListener("xcover:change", async () => {
  if (!summary) return;
  const mine = ++turn;
  const response = await fetch(summary.dataset.summary, { credentials: "same-origin" });
  const html = await response.text();
  if (response.ok && mine === turn) summary.innerHTML = html;
});

// Cover is arranged in the background. Look a few times, further and further apart.
const cover = document.querySelector('[data-cover="arranging"]');
const look = async (seconds) => {
  const fresh = await swap(cover, location.href, "[data-cover]").catch(() => null);
  if (fresh) cover.dataset.cover = fresh.dataset.cover;
  if (cover.dataset.cover === "arranging" && seconds < 60) {
    setTimeout(look, seconds * 1000, seconds * 1.5);
  }
};
if (cover) setTimeout(look, 1000, 1.5);
