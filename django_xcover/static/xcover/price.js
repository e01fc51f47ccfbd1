/* Fills the place of {% xcover_price %}. Without a price it stays empty, so that nothing moves. */
(({ dataset, previousElementSibling: place }) => {
  const ask = async (url, wait) => {
    const answer = await fetch(url);
    if (!answer.headers.has("X-XCover")) return;
    if (answer.status === 200) place.textContent = (await answer.json()).text;
    if (answer.status === 202 && wait < 3000)
      setTimeout(() => ask(answer.headers.get("Location"), wait * 1.4).catch(() => {}), wait);
  };
  ask(dataset.price, 500).catch(() => {});
})(document.currentScript);
