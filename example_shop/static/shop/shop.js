/* What the shop does better with JavaScript. Every page works without this file. */

const policy = window.trustedTypes?.createPolicy("shop", { createHTML: (html) => html });
const read = async (url) => {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const html = await response.text();
  return new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
};

// The quantity and country menus need no second click.
document.documentElement.classList.add("js");
document.addEventListener("change", ({ target }) => {
  const form = target.closest("form[data-autosubmit]");
  // The button may belong to another form: at the checkout the typed details go along.
  const button = form?.querySelector("button");
  if (button) button.form.requestSubmit(button);
});

// The total follows by itself. The lines above it are the server's: this asks for them again when
// the offer has come or its answer has changed.
const summary = document.querySelector("[data-summary]");
let turn = 0;
const sumUp = async () => {
  turn += 1;
  const mine = turn;
  const page = await read(summary.dataset.summary);
  if (mine === turn) summary.replaceChildren(...page.body.childNodes);
};
for (const name of summary ? ["xcover:ready", "xcover:change"] : [])
  document.addEventListener(name, () => sumUp().catch(console.error));

// Cover is arranged, or its payment confirmed, in the background. Look a few times, further and
// further apart; what has not changed is left alone, so that it is not read out again.
const cover = document.querySelector("[data-cover-waits]");
const look = async (seconds) => {
  const fresh = (await read(location.href)).querySelector("[data-cover]");
  const waits = "coverWaits" in fresh.dataset;
  if (!waits || fresh.dataset.cover !== cover.dataset.cover) {
    cover.dataset.cover = fresh.dataset.cover;
    cover.replaceChildren(...fresh.childNodes);
  }
  if (waits && seconds < 60) lookIn(seconds);
};
const lookIn = (seconds) =>
  setTimeout(() => look(seconds * 1.5).catch(console.error), seconds * 1000);
if (cover) lookIn(1);
