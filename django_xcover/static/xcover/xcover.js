/*
 * The XCover offer on a checkout page: fetches it, posts the shopper's answer and tells the shop.
 * Without this file the same forms work by themselves.
 *
 * Events, bubbling from the offer:
 *   xcover:ready   {available, premium, currency, premiumFormatted, answered}
 *   xcover:change  the same, with {quote, choice}: "accepted", "declined", or "" for no answer
 *   xcover:error   {status, message}; status 0 when our server could not be reached
 * After the cart changed in place: send xcover:refresh to the document, or call xcover.refresh().
 * Before a checkout that is not a form post: await xcover.settled(); false means that an answer
 * could not be saved and that the page says so.
 */
(() => {
  "use strict";
  // Loaded twice, or a browser too old for it: the plain forms do.
  if (window.xcover || !AbortSignal.timeout) return;

  const PLACE = "[data-xcover-offer]";
  const FORM = "form[data-xcover-quote]";
  const SAVE_TIMEOUT = 8000;
  const mounted = new WeakSet();
  const turns = new WeakMap();
  const held = new WeakSet();
  let queue = Promise.resolve();
  let saving = 0;
  let saved = true;

  const emit = (target, name, detail) =>
    target.dispatchEvent(new CustomEvent(`xcover:${name}`, { bubbles: true, detail }));

  // One request at a time, in the order of the clicks, and of several for one thing only the last:
  // so no answer overtakes another, on the way to the server or back.
  const enqueue = (subject, work) => {
    const turn = (turns.get(subject) || 0) + 1;
    turns.set(subject, turn);
    queue = queue.then(() => turns.get(subject) === turn && work()).catch(console.error);
    return queue;
  };

  const ask = (url, timeout, options) =>
    fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(timeout), ...options });

  const totals = (place) => {
    const { premium = "0", currency = "", premiumFormatted = "", answered = "true" } =
      place.querySelector("[data-xcover-totals]")?.dataset || {};
    return { premium, currency, premiumFormatted, answered: answered === "true" };
  };

  const ready = (place) =>
    emit(place, "ready", { available: Boolean(place.querySelector(FORM)), ...totals(place) });

  const show = (place, html) => {
    const focused = place.contains(document.activeElement) ? document.activeElement.id : null;
    const page = new DOMParser().parseFromString(html, "text/html");
    place.replaceChildren(...page.body.childNodes);
    place.hidden = !place.firstElementChild;
    place.removeAttribute("aria-busy");
    // A keyboard user stays where they were, not at the top of the page.
    if (focused !== null) {
      place.tabIndex = -1;
      (document.getElementById(focused) || place).focus({ preventScroll: true });
    }
    ready(place);
  };

  const load = async (place) => {
    let html = "";
    place.setAttribute("aria-busy", "true");
    try {
      const response = await ask(place.dataset.src, Number(place.dataset.timeout) || 3000);
      if (response.status === 200 && !response.redirected) html = await response.text();
      else if (response.status !== 204) emit(place, "error", { status: response.status });
    } catch {
      emit(place, "error", { status: 0 });
    }
    show(place, html);
  };

  const tell = (form, error, status) => {
    const alert = form.querySelector(".xcover-error");
    alert.textContent = error;
    alert.hidden = !error;
    form.querySelector(".xcover-status").textContent = status;
    form.classList.toggle("xcover-unsaved", Boolean(error));
  };

  // Shows how a yes is paid, unless the shopper has clicked on meanwhile.
  const mark = (form, { choice, plan }) => {
    if (saving > 1) return;
    form.querySelectorAll("[name=plan]").forEach((radio) => {
      radio.checked = choice === "accepted" && radio.value === plan;
    });
  };

  const post = async (form) => {
    const response = await ask(form.getAttribute("action"), SAVE_TIMEOUT, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      keepalive: true,
    });
    return { status: response.status, accepted: response.ok, answer: await response.json() };
  };

  const save = async (form) => {
    const place = form.closest(PLACE);
    if (!place) return;
    try {
      const { status, accepted, answer } = await post(form);
      const { message, error, html, ...news } = answer;
      if (accepted) {
        tell(form, "", message);
        mark(form, news);
        Object.assign(place.querySelector("[data-xcover-totals]")?.dataset || {}, news);
        emit(form.isConnected ? form : document, "change", news);
        return;
      }
      saved = false;
      show(place, html);
      emit(place, "error", { status, message: error });
      emit(place, "change", { quote: form.elements.quote.value, choice: "", ...totals(place) });
    } catch {
      saved = false;
      tell(form, place.dataset.failed, "");
      emit(form, "error", { status: 0, message: place.dataset.failed });
    }
  };

  const answer = (form) => {
    saved ||= !saving;
    saving += 1;
    tell(form, "", "");
    enqueue(form, () => save(form)).then(() => (saving -= 1));
  };

  // Paying right after a click must not overtake the answer: the order waits for it, and is not
  // sent when the page has just said that the answer could not be saved.
  const hold = (event, form) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (held.has(form)) return;
    held.add(form);
    settled().then((sound) => {
      held.delete(form);
      if (sound) form.requestSubmit(event.submitter);
      else document.querySelector(".xcover-error:not([hidden])")?.scrollIntoView({ block: "center" });
    });
  };

  const settled = () => queue.then(() => saved);

  const refresh = () => {
    document.querySelectorAll(PLACE).forEach((place) => enqueue(place, () => load(place)));
    return queue;
  };

  const mount = () =>
    document.querySelectorAll(PLACE).forEach((place) => {
      if (mounted.has(place)) return;
      mounted.add(place);
      place.classList.add("xcover-live");
      if (place.querySelector(FORM)) ready(place);
      else enqueue(place, () => load(place));
    });

  document.addEventListener("change", ({ target }) => {
    const { name, form } = target;
    if (!["choice", "plan"].includes(name) || !form?.matches(FORM)) return;
    // The ways to pay belong to the yes.
    if (name === "plan") form.elements.choice.value = "yes";
    answer(form);
  });
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form.matches(FORM)) {
        event.preventDefault();
        answer(form);
      } else if (saving) hold(event, form);
    },
    true,
  );
  document.addEventListener("xcover:refresh", refresh);

  window.xcover = Object.freeze({ refresh, settled });
  // Offers also arrive later, with a part of the page that the shop swaps in.
  new MutationObserver(mount).observe(document.documentElement, { childList: true, subtree: true });
  mount();
})();
