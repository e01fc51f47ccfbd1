/* Fills the place of {% xcover_after_sale %}. Without an offer it goes. */
(({ dataset, previousElementSibling: place }) => {
  const policy = window.trustedTypes?.createPolicy("xcover-after-sale", { createHTML: (html) => html });
  const show = (html) =>
    place.replaceChildren(...new DOMParser().parseFromString(policy?.createHTML(html) ?? html, "text/html").body.childNodes);
  fetch(dataset.offer)
    .then((answer) => (answer.status === 200 && answer.headers.has("X-XCover") ? answer.text() : ""))
    .catch(() => "")
    .then(show);
})(document.currentScript);
