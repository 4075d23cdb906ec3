// What the keyboard does, and the list of it.
(() => {
  const footnoted = (window.footnoted ??= {});
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
  const areOn = () => !localStorage.getItem(OFF);

  const list = () => {
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
      box.checked = areOn();
      box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
      label.append(box, " Single keys do something (Enter and Esc always do)");
      const close = document.createElement("button");
      close.textContent = "Close";
      close.addEventListener("click", () => dialog.close());
      const title = document.createElement("h2");
      title.textContent = "Keys";
      dialog.append(title, list, label, close);
      document.body.append(dialog);
    }
    footnoted.hidePeek();
    dialog.showModal();
  };
  // The list is reached without any of the keys too.
  document.addEventListener("click", (event) => event.target.closest?.("[data-opens=keys]") && list());

  const step = (places, by) => {
    if (!places.length) return;
    const from = places.indexOf(document.activeElement);
    const at = from < 0 ? (by > 0 ? 0 : places.length - 1) : (from + by + places.length) % places.length;
    places[at].focus({ preventScroll: true });
    places[at].scrollIntoView({ block: places[at].matches("mark") ? "center" : "nearest" });
  };

  const typing = (place) => place.closest?.("input, textarea, select, [contenteditable='true']");
  document.addEventListener("keydown", (event) => {
    const dialog = document.querySelector("dialog[open]");
    if (event.key === "Escape") {
      if (dialog || footnoted.hidePeek()) return; // a dialog closes itself
      if (event.target.matches?.("#question textarea")) event.target.blur();
      else footnoted.leaveCard();
      return;
    }
    // AltGr writes [ and ] on many keyboards.
    const commands = event.metaKey || (event.ctrlKey && !event.getModifierState("AltGraph"));
    if (commands || typing(event.target)) return;
    const on = areOn();
    const card = event.target.matches?.("#sources .card") ? event.target : null;
    const does = () => {
      if (card && (event.key === "Enter" || (on && event.key === "o"))) return card.querySelector("a.open").click();
      if (!on) return false;
      if (dialog?.id === "reader" && "np[]".includes(event.key)) {
        return step(footnoted.marks(), "n]".includes(event.key) ? 1 : -1);
      }
      if (dialog) return false;
      if (event.key === "?") return list();
      if ("[]".includes(event.key)) return step(footnoted.footnotes(), event.key === "]" ? 1 : -1);
      return false;
    };
    if (does() !== false) event.preventDefault();
  });

  footnoted.keysAreOn = areOn;
})();
