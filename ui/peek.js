// The quote, shown beside a footnote that is pointed at or focused (WCAG 2.1, 1.4.13). It is copied from the card.
(() => {
  const footnoted = (window.footnoted ??= {});
  let peek = null;
  let peeked = null; // the footnote
  let leaving = 0;

  const place = () => {
    const at = peeked.getBoundingClientRect();
    if (at.bottom < 0 || at.top > innerHeight) return hide();
    const { offsetWidth: width, offsetHeight: height } = peek;
    const above = at.top - height - 6;
    peek.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8))}px`;
    peek.style.top = `${above >= 8 ? above : Math.max(8, Math.min(at.bottom + 6, innerHeight - height - 8))}px`;
  };

  const show = (cite) => {
    clearTimeout(leaving);
    const card = document.getElementById(cite.hash.slice(1));
    if (!card || peeked === cite) return;
    if (!peek) {
      peek = document.createElement("div");
      peek.id = "peek";
      peek.setAttribute("role", "tooltip");
      peek.addEventListener("pointerenter", () => clearTimeout(leaving));
      peek.addEventListener("pointerleave", leave);
      document.body.append(peek);
    }
    const quote = document.createElement("blockquote");
    quote.append(...[...card.querySelector("mark").childNodes].map((one) => one.cloneNode(true)));
    const how = document.createElement("p");
    how.textContent = `Enter or a click opens the source${footnoted.keysAreOn() ? " · ? lists the keys" : ""}`;
    peek.replaceChildren(...[".title", ".trail"].map((one) => card.querySelector(one).cloneNode(true)), quote, how);
    peek.querySelector(".trail").removeAttribute("id");
    peek.hidden = false;
    peeked = cite;
    place();
  };

  // Whether there was anything to hide.
  const hide = () => {
    clearTimeout(leaving);
    const shown = peeked !== null;
    if (peek) peek.hidden = true;
    peeked = null;
    return shown;
  };
  // Time to move the pointer onto the card; a focused footnote keeps it.
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(() => peeked !== document.activeElement && hide(), 250);
  };

  const cited = (event) => event.target.closest?.("#chat a.cite");
  document.addEventListener("pointerover", (event) => event.pointerType !== "touch" && cited(event) && show(cited(event)));
  document.addEventListener("pointerout", (event) => cited(event) && leave());
  document.addEventListener("focusin", (event) => {
    if (cited(event)?.matches(":focus-visible")) show(cited(event));
    else if (peeked && !peeked.matches(":hover")) hide();
  });
  document.addEventListener("scroll", () => peeked && place(), { capture: true, passive: true });
  addEventListener("resize", () => peeked && place());
  new MutationObserver(() => peeked && !peeked.isConnected && hide()).observe(document, { childList: true, subtree: true });

  footnoted.hidePeek = hide;
})();
