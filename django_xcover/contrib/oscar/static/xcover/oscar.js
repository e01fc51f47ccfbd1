"use strict";
// Oscar's table of totals lists the premium. When it changes, the table is fetched again.
{
  let shown = Number(document.currentScript.dataset.premium);
  const follow = async ({ detail }) => {
    const premium = Number(detail.premium ?? 0);
    const table = document.getElementById("basket_totals");
    if (!table || premium === shown) return;
    shown = premium;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("basket_totals");
      // Another answer may have been given since.
      if (fresh && premium === shown) table.replaceWith(fresh);
    } catch {
      // The total beside the button is right all the same.
    }
  };
  for (const name of ["xcover:ready", "xcover:change"]) document.addEventListener(name, follow);
}
