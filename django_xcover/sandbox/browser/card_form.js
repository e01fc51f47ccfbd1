/* The card form in its frame. It sends the card to XPay, and only the token to the page around it. */
(() => {
  const form = document.querySelector("form");
  const button = form.querySelector("button");
  const problem = document.getElementById("form-error");
  let shop = "";
  let email = "";
  let pay = button.textContent;

  const say = (type, more = {}, to = "*") => parent.postMessage({ xpay: type, ...more }, to);

  const tell = (id, text) => {
    const place = document.getElementById(`${id}-error`);
    place.textContent = text;
    place.hidden = !text;
    document.getElementById(id)?.setAttribute("aria-invalid", String(!!text));
  };

  const blame = (errors) => {
    const names = { expiryMonth: "expiry", expiryYear: "expiry" };
    for (const [name, [text]] of Object.entries(errors)) tell(names[name] ?? name, text);
    form.querySelector("[aria-invalid=true]")?.focus();
  };

  const wait = (waits) => {
    button.disabled = waits;
    button.textContent = waits ? button.dataset.wait : pay;
  };

  const card = () => {
    const { holderName, number, expiry, cvc } = Object.fromEntries(new FormData(form));
    const [month = "", year = ""] = expiry.split("/").map((part) => part.trim());
    return {
      holderName: holderName.trim(),
      number,
      cvc: cvc.trim(),
      expiryMonth: month.padStart(2, "0"),
      expiryYear: year.length === 2 ? `20${year}` : year,
    };
  };

  const send = async () => {
    const response = await fetch("customer-tokens", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": document.documentElement.lang },
      body: JSON.stringify({ customer: { email }, creditCard: card() }),
    });
    const { data, errors } = await response.json();
    if (response.ok) return say("token", { id: data.id }, shop);
    if (!errors?.creditCard) throw new Error(`XPay answered ${response.status}.`);
    wait(false);
    blame(errors.creditCard);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.disabled) return;
    wait(true);
    for (const id of ["holderName", "number", "expiry", "cvc", "form"]) tell(id, "");
    send().catch(() => {
      wait(false);
      tell("form", problem.dataset.failed);
    });
  });

  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || data?.xpay !== "start") return;
    if (!shop) wait(false);
    [shop, email, pay] = [origin, String(data.email), data.label || pay];
    button.textContent = pay;
    clearInterval(greeting);
  });

  new ResizeObserver(() => say("height", { height: form.scrollHeight })).observe(form);
  // Again and again, because the page around it may not listen yet.
  const greeting = setInterval(() => say("ready"), 250);
  say("ready");
})();
