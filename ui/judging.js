// The thumbs, and what is said of a source.
(() => {
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

  new MutationObserver(redraw).observe(document, { childList: true, subtree: true });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".judge button");
    if (button) judge(button);
  });
})();
