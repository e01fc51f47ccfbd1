/* The switches act at once, and the theme is previewed in the frame. */

const frame = document.querySelector("#states");
const switches = document.querySelector("#switches");
const theme = document.querySelector("#theme");
const css = theme.querySelector("[data-css]");
const copied = theme.querySelector("[data-copied]");
const empty = css.textContent;
const changed = new Map();

const preview = () => {
  const root = frame.contentDocument?.documentElement;
  if (!root) return;
  for (const { name } of theme.querySelectorAll("input"))
    if (changed.has(name)) root.style.setProperty(name, changed.get(name));
    else root.style.removeProperty(name);
  const lines = [...changed].map(([name, value]) => `  ${name}: ${value};`);
  css.textContent = lines.length ? [":root {", ...lines, "}"].join("\n") : empty;
  copied.textContent = "";
};

theme.hidden = false;
theme.addEventListener("input", ({ target: { name, value, dataset } }) => {
  changed.set(name, value + dataset.unit);
  preview();
});
theme.addEventListener("reset", () => {
  changed.clear();
  preview();
});
theme.addEventListener("submit", (event) => event.preventDefault());
theme.querySelector("[data-copy]").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(css.textContent);
    copied.textContent = "Copied.";
  } catch {
    // Without permission or https: select it, to be copied by hand.
    getSelection().selectAllChildren(css);
    copied.textContent = "Selected: copy it with your keyboard.";
  }
});

switches.addEventListener("change", ({ target }) => {
  const chosen = new URLSearchParams(new FormData(switches));
  history.replaceState(null, "", `?${chosen}`);
  frame.dataset.width = chosen.get("width");
  // Only the width needs no other page.
  if (target.name !== "width") frame.src = `${frame.src.split("?")[0]}?${chosen}`;
});
frame.addEventListener("load", preview);
if (frame.contentDocument?.readyState === "complete") preview();
