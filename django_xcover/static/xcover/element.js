/* XCover Elements in the place of the offer: docs/elements.md. */
(() => {
  const ELEMENT = "xce-protection-offer";
  const PLACE = "[data-xcover-offer]";
  const EVERY = "[data-xcover-every]";
  const FORM = `form[data-xcover-quote]:not(${EVERY})`;
  const roots = new Map();
  const policy = window.trustedTypes?.createPolicy("xcover-element", {
    createHTML: (html) => html,
    createScriptURL: (url) => url,
  });
  const parse = (html) =>
    new DOMParser().parseFromString(policy?.createHTML(html) ?? html, "text/html").body;
  const sleep = (wait) => new Promise((done) => setTimeout(done, wait));

  const start = (root) => {
    const element = root.querySelector(ELEMENT);
    const box = root.querySelector("[data-xcover-card]");
    const ask = root.querySelector("form");
    const alert = root.querySelector(".xcover-error");
    const timeout = Number(root.dataset.timeout);
    // The offer that is answered; null until it has come.
    let shown = null;
    let over = false;
    // The choice that the server doesn't know yet, and the wait for it.
    let wanted = null;
    let taking = null;

    const tell = (text) => {
      alert.textContent = text;
      alert.hidden = !text;
      if (text) alert.scrollIntoView({ block: "center" });
    };
    const place = () => {
      if (!box.querySelector(PLACE)) box.append(box.querySelector("template").content.cloneNode(true));
      return box.querySelector(PLACE);
    };
    const quotes = () =>
      [...box.querySelectorAll(FORM)].map(({ elements }) => `${elements.quote.value} ${elements.shown.value}`);

    // The package's own offer takes over. It loads by itself where it is empty.
    const giveUp = (isTold, reason = "no answer in time") => {
      if (over) return;
      over = true;
      // For the shop's developers, who would otherwise not see why the element never appears.
      console.warn("XCover Elements gave up:", reason);
      stopWaiting();
      element.remove();
      place();
      box.hidden = false;
      tell(wanted && !isTold ? place().dataset.failed : "");
    };
    const timer = setTimeout(() => giveUp(), timeout);
    const stopWaiting = () => {
      clearTimeout(timer);
      root.querySelector(".xcover-waiting").hidden = true;
    };

    const fill = (html) => {
      const copy = box.querySelector("template").content.cloneNode(true);
      const fresh = copy.querySelector(PLACE);
      fresh.replaceChildren(...parse(html).childNodes);
      box.append(copy);
    };

    const take = async (id) => {
      ask.elements.package.value = id;
      let url = ask.action;
      for (let wait = 300; wait < 3000; wait *= 1.4) {
        const signal = AbortSignal.timeout(timeout);
        const response = await fetch(url, { method: "POST", body: new FormData(ask), signal });
        if (over) return;
        if (!response.headers.has("X-XCover")) throw response;
        if (response.status !== 202) {
          if (response.status === 200 || response.status === 409) fill(await response.text());
          if (response.status !== 200) return giveUp(false, `status ${response.status}`);
          shown = quotes().join();
          if (wanted) write(wanted);
          return;
        }
        url = response.headers.get("Location");
        await sleep(wait);
      }
      giveUp();
    };

    const write = ({ selectedOption, selectedProducts, selectedPolicies }) => {
      const forms = [...box.querySelectorAll(FORM)];
      const ids = (selectedProducts ?? selectedPolicies ?? []).map(({ id }) => id);
      const chosen = new Set(selectedOption === "reject" ? [] : ids.length ? ids : [selectedOption]);
      const known = forms.filter(({ elements }) => chosen.has(elements.quote.value));
      // Not an answer to what the server offers.
      if (!forms.length || known.length !== chosen.size) return giveUp();
      wanted = null;
      tell("");
      const every = chosen.size % forms.length ? null : box.querySelector(EVERY);
      for (const form of every ? [every] : forms) {
        const yes = every ? chosen.size : known.includes(form);
        if (!form.elements.element) {
          const field = document.createElement("input");
          Object.assign(field, { type: "hidden", name: "element", value: "on" });
          form.append(field);
        }
        const radio = form.querySelector(`[name=choice][value=${yes ? "yes" : "no"}]`);
        radio.checked = true;
        radio.dispatchEvent(new Event("change", { bubbles: true }));
      }
    };

    const onChange = (choice) => {
      if (over) return;
      wanted = choice;
      if (shown !== null) write(choice);
    };

    const onSet = async (request) => {
      try {
        const response = await request;
        const id = response?.provider_reference ?? response?.id;
        if (over) return;
        if (!id) return giveUp(false, "an offer without an id");
        stopWaiting();
        taking = take(String(id));
        await taking;
      } catch (error) {
        giveUp(false, error);
      } finally {
        taking = null;
      }
    };

    // An error in the hidden offer: a missing answer is asked for here, anything else is shown there.
    const look = () => {
      const told = box.querySelector(".xcover-error:not([hidden])");
      if (over || shown === null || !told) return;
      if (told.textContent === place().dataset.ask) tell(told.textContent);
      else giveUp(true);
    };
    new MutationObserver(look).observe(box, { attributes: true, childList: true, subtree: true });
    box.addEventListener("xcover:ready", () => {
      if (shown !== null && quotes().join() !== shown) giveUp();
    });

    const load = () => {
      window.signalLayer = window.signalLayer || [];
      window.signalLayer.push({ signal: "listen", element: ELEMENT, onChange });
      const data = { quote_request: JSON.parse(root.dataset.request) };
      window.signalLayer.push({ signal: "set", element: ELEMENT, data, onSet });
      if (document.querySelector("script[data-xcover-elements]")) return;
      const script = document.createElement("script");
      script.dataset.xcoverElements = "";
      script.nonce = nonce;
      script.onerror = () => giveUp(false, "its script was not loaded");
      const url = root.dataset.script;
      script.src = policy?.createScriptURL(url) ?? url;
      document.head.append(script);
    };

    roots.set(root, {
      giveUp,
      // An order waits for a choice that can't be saved yet; the shopper decides if it fails.
      hold: (event) => {
        if (!wanted || over || !taking) return;
        event.preventDefault();
        event.stopImmediatePropagation();
        const goOn = () => {
          if (!wanted) return event.target.requestSubmit(event.submitter);
          giveUp();
          tell(`${place().dataset.failed} ${place().dataset.held}`);
        };
        taking.then(goOn, goOn);
      },
    });
    load();
  };

  const { nonce } = document.currentScript;
  const mount = () =>
    document.querySelectorAll("[data-xcover-element]").forEach((root) => roots.has(root) || start(root));
  document.addEventListener("submit", (event) => roots.forEach(({ hold }) => hold(event)), true);
  // The element shows the cart as it was when the page was made.
  document.addEventListener("xcover:refresh", () => roots.forEach(({ giveUp }) => giveUp()));
  new MutationObserver(mount).observe(document.documentElement, { childList: true, subtree: true });
  mount();
})();
