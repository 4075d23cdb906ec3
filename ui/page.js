// Footnotes and documents: one listener for all of them. Without it the links still work:
// a footnote jumps to its card, "Open in document" opens a tab.
(() => {
  let came = null; // the footnote that a card was opened from
  let read = null; // what the document was opened from
  const typing = (place) => place.closest?.("input, textarea, select, [contenteditable='true']");
  const cites = () => [...document.querySelectorAll("#chat a.cite")];
  const cardOf = (cite) => document.getElementById(cite.hash.slice(1));
  // A redrawn conversation has other elements for the same footnotes.
  const current = (cite) => (cite?.isConnected ? cite : cites().find((one) => one.hash === cite?.hash));
  const returnTo = (cite) => {
    const place = current(cite);
    place?.scrollIntoView({ block: "nearest" });
    place?.focus({ preventScroll: true });
  };

  // The quote, shown beside a footnote that is pointed at or focused (WCAG 2.1, 1.4.13). It is copied from the card.
  let peek = null;
  let peeked = null;
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
    const card = cardOf(cite);
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
    const keys = document.createElement("p");
    keys.textContent = "Enter or a click opens the source · ? lists the keys";
    peek.replaceChildren(...[".title", ".trail"].map((one) => card.querySelector(one).cloneNode(true)), quote, keys);
    peek.hidden = false;
    peeked = cite;
    place();
  };
  const hide = () => {
    clearTimeout(leaving);
    if (peek) peek.hidden = true;
    peeked = null;
  };
  // Time to move the pointer onto the card; a focused footnote keeps it.
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(() => peeked !== document.activeElement && hide(), 250);
  };

  // Gradio keeps no aria attributes of what is said: a footnote is named, and described by its card.
  const describe = () => {
    for (const cite of document.querySelectorAll("#chat a.cite:not([aria-label])")) {
      cite.setAttribute("aria-label", `Footnote ${cite.textContent}`);
      cite.setAttribute("aria-describedby", `${cite.hash.slice(1)}-where ${cite.hash.slice(1)}-quote`);
    }
  };

  const choose = (id) => {
    const card = document.getElementById(id);
    if (!card) return false;
    for (const other of document.querySelectorAll(".card.chosen")) other.classList.remove("chosen");
    card.closest("details")?.setAttribute("open", "");
    card.classList.add("chosen");
    card.focus({ preventScroll: true });
    // Scroll the pane alone where it scrolls by itself, so that the conversation stays where it is.
    const pane = card.closest("#sources");
    if (getComputedStyle(pane).maxHeight !== "none") {
      const above = card.getBoundingClientRect().top - pane.getBoundingClientRect().top;
      pane.scrollTo({ top: pane.scrollTop + above - 12, behavior: "smooth" });
    } else {
      card.scrollIntoView({ block: "center" });
    }
    return true;
  };

  const reader = () => {
    let dialog = document.getElementById("reader");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "reader";
      dialog.setAttribute("aria-label", "Document");
      dialog.addEventListener("click", (event) => {
        if (event.target === dialog || event.target.closest("button.close")) dialog.close();
      });
      dialog.addEventListener("close", () => read?.focus());
      document.body.append(dialog);
    }
    return dialog;
  };

  const open = async (link) => {
    const answer = await fetch(link.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const bar = document.createElement("div");
    bar.className = "bar";
    const tab = document.createElement("a");
    tab.href = link.href;
    tab.target = "_blank";
    tab.textContent = "Open in a tab";
    const close = document.createElement("button");
    close.className = "close";
    close.textContent = "Close";
    bar.append(tab, close);
    const dialog = reader();
    dialog.replaceChildren(bar, page.querySelector("main"));
    if (dialog.querySelectorAll("[data-step]").length > 1) {
      const keys = document.createElement("span");
      keys.textContent = "n and p: the next and the previous quote";
      bar.prepend(keys);
    }
    hide();
    if (!dialog.open) dialog.showModal();
    close.focus({ preventScroll: true });
    (dialog.querySelector("#mark") ?? bar).scrollIntoView({ block: "center", behavior: "instant" });
  };

  const step = (places, by) => {
    if (!places.length) return;
    const from = places.indexOf(document.activeElement);
    const at = from < 0 ? (by > 0 ? 0 : places.length - 1) : (from + by + places.length) % places.length;
    places[at].focus({ preventScroll: true });
    places[at].scrollIntoView({ block: places[at].matches("mark") ? "center" : "nearest" });
  };
  const marks = (dialog) => {
    const all = [...dialog.querySelectorAll("[data-step]")];
    const main = all.find((one) => one.id === "mark");
    if (main && !all.includes(document.activeElement)) main.focus({ preventScroll: true });
    return all;
  };

  // Single keys can be switched off, for those who speak to their computer (WCAG 2.1, 2.1.4).
  const OFF = "footnoted-no-keys";
  const KEYS = [
    ["[ and ]", "the footnote before and after"],
    ["Enter", "on a footnote: its source; on a source: the document at the mark"],
    ["o", "on a source: the document at the mark"],
    ["n and p", "in a document: the next and the previous quote of the answer"],
    ["Esc", "back to where you were; out of the question box"],
    ["?", "this list"],
  ];
  const help = () => {
    let dialog = document.getElementById("keys");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "keys";
      dialog.setAttribute("aria-label", "Keys");
      const list = document.createElement("dl");
      for (const [key, said] of KEYS) {
        const [term, text] = ["dt", "dd"].map((tag) => document.createElement(tag));
        [term.textContent, text.textContent] = [key, said];
        list.append(term, text);
      }
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = !localStorage.getItem(OFF);
      box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
      label.append(box, " Single keys do something (Enter and Esc always do)");
      const close = document.createElement("button");
      close.textContent = "Close";
      close.addEventListener("click", () => dialog.close());
      dialog.append(list, label, close);
      document.body.append(dialog);
    }
    hide();
    dialog.showModal();
  };

  // Where a phrase was lost: the page asks, and shows what comes.
  const why = async (form) => {
    const told = form.querySelector(".lost");
    const button = form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    told.textContent = "Looking …";
    try {
      const answer = await fetch("why", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ question: form.closest(".turn").dataset.question, phrase: form.phrase.value }),
      });
      const text = await answer.text();
      if (answer.ok) told.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
      else told.textContent = text;
    } catch {
      told.textContent = "Footnoted does not answer.";
    }
    button.disabled = false;
  };
  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("form.why")) return;
    event.preventDefault();
    why(event.target);
  });

  // What was judged on this page: the cards are drawn anew with every answer, as they were at first.
  const judged = new Map();
  const turnOf = (button) =>
    button.closest(".turn") ?? document.getElementById(button.closest(".judge").id.replace("j-", "t-"));
  const keyOf = (button) =>
    JSON.stringify([turnOf(button)?.dataset.question, button.dataset.excerpt ?? button.textContent]);
  const isPressed = (button) => button?.getAttribute("aria-pressed") === "true";
  const press = (button, pressed) => {
    judged.set(keyOf(button), pressed);
    button.setAttribute("aria-pressed", String(pressed));
  };
  const redraw = () => {
    for (const button of document.querySelectorAll(".judge button")) {
      const pressed = String(judged.get(keyOf(button)) ?? button.classList.contains("pressed"));
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    }
  };

  // What a click says: a pressed button takes back what it said.
  const rating = (button, turn) => {
    const cited = [...turn.querySelectorAll("button.source")].map((source) => JSON.parse(source.dataset.excerpt));
    if (button.matches(".reason")) return { good: false, reason: isPressed(button) ? "" : button.textContent, cited };
    return { good: isPressed(button) ? null : button.matches(".up"), reason: "", cited };
  };
  const relevance = (button) => ({
    relevant: isPressed(button) ? null : button.matches(".here"),
    excerpt: JSON.parse(button.dataset.excerpt),
  });
  const shows = (button, said) => {
    if (button.matches(".reason")) return button.textContent === said.reason;
    return button.dataset.excerpt ? said.relevant !== null : button.matches(".up") === said.good;
  };

  const judge = async (button) => {
    const row = button.closest(".judge");
    const turn = turnOf(button);
    if (!turn || row.matches(".sending")) return;
    row.classList.add("sending");
    const said = button.dataset.excerpt ? relevance(button) : rating(button, turn);
    let note = (said.good ?? said.relevant ?? null) === null ? "Taken back." : "Noted: kept in the index folder, sent nowhere.";
    try {
      const answer = await fetch("feedback", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ question: turn.dataset.question, ...said }),
      });
      if (answer.ok) for (const one of row.querySelectorAll("button")) press(one, shows(one, said));
      else note = `Not noted: ${await answer.text()}`;
    } catch {
      note = "Not noted: Footnoted does not answer.";
    }
    row.querySelector(".noted").textContent = note;
    row.classList.remove("sending");
    row.scrollIntoView({ block: "nearest" }); // with the reasons it is taller than it was
  };

  // A new answer's cards stand at the top of the pane: show them.
  let newest = null;
  new MutationObserver(() => {
    redraw();
    describe();
    if (peeked && !peeked.isConnected) hide();
    const pane = document.getElementById("sources");
    const turn = pane?.querySelector(".turn")?.id ?? null;
    if (turn !== newest) {
      newest = turn;
      pane?.scrollTo({ top: 0 });
    }
  }).observe(document, { childList: true, subtree: true });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".judge button");
    if (button) {
      judge(button);
      return;
    }
    const back = event.target.closest?.("#sources a.back");
    if (back && came) {
      event.preventDefault();
      current(came)?.scrollIntoView({ block: "center" });
      current(came)?.focus({ preventScroll: true });
      return;
    }
    const cite = event.target.closest?.("a.cite");
    if (cite) {
      came = cite;
      hide();
      if (choose(cite.hash.slice(1))) event.preventDefault();
      return;
    }
    const link = event.target.closest?.("#sources a.open");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      read = link;
      open(link).catch(() => window.open(link.href, "_blank"));
    }
    const whole = event.target.closest?.("#reader a.whole");
    if (whole) {
      event.preventDefault();
      open(whole).catch(() => window.open(whole.href, "_blank"));
    }
  });

  const cited = (event) => event.target.closest?.("#chat a.cite");
  document.addEventListener("pointerover", (event) => event.pointerType !== "touch" && cited(event) && show(cited(event)));
  document.addEventListener("pointerout", (event) => cited(event) && leave());
  document.addEventListener("focusin", (event) => {
    if (cited(event)?.matches(":focus-visible")) show(cited(event));
    else if (peeked && !peeked.matches(":hover")) hide();
  });
  document.addEventListener("scroll", () => peeked && place(), { capture: true, passive: true });
  addEventListener("resize", () => peeked && place());

  document.addEventListener("keydown", (event) => {
    const dialog = document.querySelector("dialog[open]");
    if (event.key === "Escape") {
      if (dialog) return; // it closes itself
      if (peeked) hide();
      else if (event.target.matches?.("#question textarea")) event.target.blur();
      else if (came) {
        returnTo(came);
        hide();
        came = null;
      }
      return;
    }
    // AltGr writes [ and ] on many keyboards.
    const commands = event.metaKey || (event.ctrlKey && !event.getModifierState("AltGraph"));
    if (commands || typing(event.target)) return;
    const on = !localStorage.getItem(OFF);
    const card = event.target.matches?.("#sources .card") ? event.target : null;
    const does = () => {
      if (card && (event.key === "Enter" || (on && event.key === "o"))) return card.querySelector("a.open").click();
      if (!on) return false;
      if (dialog?.id === "reader" && "np[]".includes(event.key)) {
        return step(marks(dialog), "n]".includes(event.key) ? 1 : -1);
      }
      if (dialog) return false;
      if (event.key === "?") return help();
      if ("[]".includes(event.key)) return step(cites(), event.key === "]" ? 1 : -1);
      return false;
    };
    if (does() !== false) event.preventDefault();
  });
})();
