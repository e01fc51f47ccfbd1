/* The card form of XPay in its frame. This page gets a token of the card, never the card. */

const frameOf = (source) =>
  [...document.querySelectorAll("iframe[data-xpay]")].find((frame) => frame.contentWindow === source);

addEventListener("message", ({ source, origin, data }) => {
  const frame = frameOf(source);
  if (!frame || origin !== new URL(frame.src).origin) return;
  const place = frame.parentElement;
  const { email, label } = frame.dataset;
  if (data.xpay === "ready") {
    place.querySelector("[data-xpay-waiting]").hidden = true;
    source.postMessage({ xpay: "start", email, label }, origin);
  } else if (data.xpay === "height") frame.height = data.height;
  else if (data.xpay === "token") {
    const form = place.querySelector("form");
    form.elements.customer_token_id.value = data.id;
    form.submit();
  }
});
