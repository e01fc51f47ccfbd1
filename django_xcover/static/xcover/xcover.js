/* The offer, its answers and the total: docs/templates.md. */
(() => {
  if (window.xcover || !AbortSignal.timeout) return;

  const PLACE = "[data-xcover-offer]";
  const FORM = "form[data-xcover-quote]";
  const mounted = new WeakSet();
  const turns = new WeakMap();
  const held = new WeakSet();
  let queue = Promise.resolve();
  const unsaved = new Set();
  let saving = 0;
  let warned, asked;

  const policy = window.trustedTypes?.createPolicy("xcover", { createHTML: (html) => html });
  const parse = (html) =>
    new DOMParser().parseFromString(policy?.createHTML(html) ?? html, "text/html").body;

  const decimals = (amount) => amount.split(".")[1]?.length || 0;

  const sumUp = (premium) =>
    document.querySelectorAll("[data-xcover-total]").forEach((element) => {
      const { xcoverBase: base, xcoverCurrency: currency } = element.dataset;
      const sum = Number(base) + Number(premium);
      if (element.matches("input"))
        element.value = `${sum.toFixed(Math.max(decimals(base), decimals(premium)))} ${currency}`;
      else element.textContent = sum.toLocaleString(element.lang, { style: "currency", currency, useGrouping: true });
    });

  const emit = (target, name, detail) => {
    if (detail.premium) sumUp(detail.premium);
    target.dispatchEvent(new CustomEvent(`xcover:${name}`, { bubbles: true, detail }));
  };

  // In order; only the last per subject.
  const enqueue = (subject, work) => {
    const turn = (turns.get(subject) || 0) + 1;
    turns.set(subject, turn);
    queue = queue.then(() => turns.get(subject) === turn && work()).catch(console.error);
    return queue;
  };

  const call = async (url, timeout, options) => {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeout), ...options });
    if (!response.headers.has("X-XCover")) throw response;
    return response;
  };

  const state = (place) => place.querySelector("[data-xcover-totals]")?.dataset || {};

  const totals = (place) => {
    const { premium = "0", currency = "", premiumFormatted = "", answered = "true" } = state(place);
    return { premium, currency, premiumFormatted, answered: answered === "true" };
  };

  const ready = (place) =>
    emit(place, "ready", { available: !!place.querySelector(FORM), ...totals(place) });

  // Without an offer, what is in view of the place keeps its height: nothing moves.
  const show = (place, html, alert) => {
    const focused = place.contains(document.activeElement) ? document.activeElement.id : null;
    const open = [...place.querySelectorAll("details[open]")];
    const { top, height } = place.getBoundingClientRect();
    place.replaceChildren(alert, ...parse(html).childNodes);
    const kept = place.querySelector(FORM) ? 0 : Math.max(0, Math.min(height, innerHeight - top));
    place.style.minHeight = `${kept}px`;
    if (kept && !place.firstElementChild) place.textContent = place.dataset.none;
    open.forEach(({ id }) => document.getElementById(id)?.setAttribute("open", ""));
    place.hidden = !place.textContent;
    place.ariaBusy = null;
    if (focused !== null) {
      place.tabIndex = -1;
      (document.getElementById(focused) || place).focus({ preventScroll: true });
    }
    ready(place);
  };

  const load = async (place, alert = "", src = place.dataset.src, wait = 300) => {
    let html = "";
    place.ariaBusy = "true";
    try {
      const response = await call(src, place.dataset.timeout || 3000);
      if (response.status === 202 && wait < 3000) {
        const turn = turns.get(place);
        const again = () => load(place, alert, response.headers.get("Location"), wait * 1.4);
        return void setTimeout(() => turns.get(place) === turn && enqueue(place, again), wait);
      }
      if (!response.ok) throw response;
      html = await response.text();
    } catch ({ status = 0 }) {
      emit(place, "error", { status });
    }
    unsaved.clear();
    show(place, html, alert);
  };

  const tell = (form, error, status) => {
    const alert = form.querySelector(".xcover-error");
    alert.textContent = error;
    alert.hidden = !error;
    form.querySelector(".xcover-status").textContent = status;
    form.classList.toggle("xcover-unsaved", !!error);
  };

  const mark = (form, { choice, plan }) => {
    if (saving > 1) return;
    form.querySelectorAll("[name=plan]").forEach((radio) => {
      radio.checked = choice === "accepted" && radio.value === plan;
    });
  };

  const save = async (form) => {
    const place = form.closest(PLACE);
    if (!place) return;
    const body = new FormData(form);
    const quotes = body.getAll("quote");
    quotes.forEach((quote) => unsaved.add(quote));
    warned = false;
    try {
      const response = await call(form.action, 8000, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
        keepalive: true,
      });
      const { message, error, html, waiting, ...news } = await response.json();
      if (response.ok) {
        quotes.forEach((quote) => unsaved.delete(quote));
        tell(form, "", message);
        mark(form, news);
        Object.assign(state(place), news);
        if (html && saving < 2 && !unsaved.size) {
          show(place, html, "");
          tell(document.getElementById(form.id), "", message);
        }
        emit(place.isConnected ? place : document, "change", news);
        return;
      }
      show(place, html, "");
      const alert = place.querySelector(".xcover-error") || "";
      if (waiting) setTimeout(() => enqueue(place, () => load(place, alert)), 2000);
      emit(place, "error", { status: response.status, message: error });
      emit(place, "change", { quote: form.elements.quote.value, quotes, choice: "", ...totals(place) });
    } catch {
      tell(form, place.dataset.failed, "");
      emit(place, "error", { status: 0, message: place.dataset.failed });
    }
  };

  const answer = (form) => {
    saving += 1;
    tell(form, "", "");
    enqueue(form, () => save(form)).then(() => (saving -= 1));
  };

  const stop = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  // The order waits for the answer; after a warning it goes.
  const hold = (event, form) => {
    stop(event);
    if (held.has(form)) return;
    held.add(form);
    settled().then((sound) => {
      held.delete(form);
      if (sound) return form.requestSubmit(event.submitter);
      const alert = document.querySelector(`${PLACE} .xcover-error:not([hidden])`);
      alert?.append(" ", alert.closest(PLACE).dataset.held);
      alert?.scrollIntoView({ block: "center" });
    });
  };

  const ask = (event, form) => {
    const place = document.querySelector(`${PLACE}[data-ask]:has([data-answered=false])`);
    const open = place?.querySelector(`${FORM}:not(:has([name=choice]:checked), :has(~ [open]))`);
    if (asked || !open || !(form.elements.xcover_total || form.matches("[data-xcover-order]"))) return;
    asked = true;
    stop(event);
    tell(open, place.dataset.ask, "");
    open.classList.remove("xcover-unsaved");
    open.elements.choice[0].focus({ preventScroll: true });
    open.querySelector(".xcover-error").scrollIntoView({ block: "center" });
  };

  const settled = () =>
    queue.then(() => {
      const sound = warned || !unsaved.size;
      warned = true;
      return sound;
    });

  const refresh = () => {
    document.querySelectorAll(PLACE).forEach((place) => enqueue(place, () => load(place)));
    return queue;
  };

  const mount = () =>
    document.querySelectorAll(PLACE).forEach((place) => {
      if (mounted.has(place)) return;
      mounted.add(place);
      place.classList.add("xcover-live");
      const given = place.querySelectorAll("[name=choice]:checked:not([checked])");
      if (given.length > 1 || !place.querySelector(FORM)) enqueue(place, () => load(place));
      else {
        ready(place);
        if (given.length) answer(given[0].form);
      }
    });

  document.addEventListener("change", ({ target }) => {
    const { name, form } = target;
    if (!["choice", "plan"].includes(name) || !form?.matches(FORM)) return;
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
      } else if (saving || (unsaved.size && !warned)) hold(event, form);
      else ask(event, form);
    },
    true,
  );
  document.addEventListener("xcover:refresh", refresh);
  addEventListener("pageshow", ({ persisted }) => persisted && refresh());

  window.xcover = { refresh, settled };
  new MutationObserver(mount).observe(document.documentElement, { childList: true, subtree: true });
  mount();
})();
