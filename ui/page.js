// Footnotes and documents: one listener for all of them. Without it the links still work:
// a footnote jumps to its card, "Open in document" opens a tab.
(() => {
  let came = null;

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
      dialog.addEventListener("close", () => came?.focus());
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
    dialog.showModal();
    close.focus({ preventScroll: true });
    (dialog.querySelector("#mark") ?? bar).scrollIntoView({ block: "center", behavior: "instant" });
  };

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
      came.scrollIntoView({ block: "center" });
      came.focus({ preventScroll: true });
      return;
    }
    const cite = event.target.closest?.("a.cite");
    if (cite) {
      came = cite;
      if (choose(cite.hash.slice(1))) event.preventDefault();
      return;
    }
    const link = event.target.closest?.("#sources a.open");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      came = link;
      open(link).catch(() => window.open(link.href, "_blank"));
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.getElementById("reader")?.open && came) {
      came.focus();
      came = null;
    }
  });
})();
