/* Fills the place of {% xcover_price %}. Without a price it stays empty, so that nothing moves. */
(({ dataset, previousElementSibling: place }) => {
  fetch(dataset.price)
    .then((answer) => (answer.status === 200 && answer.headers.has("X-XCover") ? answer.json() : {}))
    .then(({ text = "" }) => (place.textContent = text))
    .catch(() => {});
})(document.currentScript);
