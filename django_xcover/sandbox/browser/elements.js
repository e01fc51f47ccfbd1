/* A stand-in for XCover Elements on a shop's page. Its signals are XCover's; its looks are not. */
(() => {
  const ELEMENT = "xce-protection-offer";
  const { src } = document.currentScript;
  const here = new URL(src);
  const listeners = [];

  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { display: block; }
    fieldset { margin: 0; padding: 1.25rem; border: 1px solid #8791a3; border-radius: .75rem; }
    legend { font-weight: 650; padding-inline: .4rem; }
    label { display: flex; gap: .6rem; align-items: center; min-height: 2.75rem; cursor: pointer; }
    p { margin: 0 0 .75rem; }
    small { opacity: .8; }
    a { color: inherit; }
  `);

  const make = (name, text = "", facts = {}) =>
    Object.assign(document.createElement(name), { textContent: text }, facts);

  const ask = async (request) => {
    const url = new URL(`quotes${here.search}`, here);
    // Plain text, so that the browser asks nothing beforehand.
    const response = await fetch(url, { method: "POST", body: JSON.stringify(request) });
    if (!response.ok) throw new Error(`XCover Elements got ${response.status}.`);
    return response.json();
  };

  class Offer extends HTMLElement {
    show({ quotes, total_price_formatted: total }) {
      const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [style];
      const offered = Object.values(quotes).filter(Boolean);
      const box = make("fieldset");
      box.append(make("legend", `Protection for ${total}`));
      for (const { policy, price_formatted: price, pds_url: href } of offered) {
        const line = make("p", `${policy.policy_name}: ${price} `);
        line.append(make("a", "Policy wording", { href, target: "_blank", rel: "noopener" }));
        box.append(line);
      }
      this.add(box, offered[0].id, `Yes, for ${total}`, offered);
      if (offered.length > 1)
        for (const quote of offered)
          this.add(box, quote.id, `Only ${quote.policy.policy_name} for ${quote.price_formatted}`, [quote]);
      this.add(box, "reject", "No, thank you", []);
      box.append(make("small", "XCover Elements (stand-in of the sandbox)"));
      root.replaceChildren(box);
    }

    add(box, value, text, products) {
      const label = make("label");
      const radio = make("input", "", { type: "radio", name: "option", value });
      radio.addEventListener("change", () => {
        const selectedProducts = products.map(({ id, policy }) => ({ id, type: policy.policy_type }));
        for (const onChange of listeners) onChange({ selectedOption: value, selectedProducts });
      });
      label.append(radio, make("span", text));
      box.append(label);
    }
  }

  const receive = ({ signal, element, data, onSet, onChange }) => {
    if (element !== ELEMENT) return;
    if (signal === "listen") listeners.push(onChange);
    if (signal !== "set") return;
    const request = ask(data.quote_request);
    request.then((answer) => document.querySelector(ELEMENT)?.show(answer)).catch(console.error);
    onSet?.(request);
  };

  customElements.define(ELEMENT, Offer);
  const before = window.signalLayer ?? [];
  window.signalLayer = { push: receive };
  before.forEach(receive);
})();
