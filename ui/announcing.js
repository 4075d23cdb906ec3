// An answer that has come is told to a screen reader, once and whole. Gradio's log would read each piece of one that is
// still being written, and the footnotes as if they were figures of the text.
(() => {
  let place = null;
  let told = ""; // the turn and the words
  let soon = 0;

  const counted = (count) => ["without a footnote", "with 1 footnote"][count] ?? `with ${count} footnotes`;
  const said = (message) => {
    const words = message.cloneNode(true);
    for (const cite of words.querySelectorAll("a.cite")) cite.replaceWith(" ");
    const cites = message.querySelectorAll("a.cite").length;
    const kind = { answer: `Answer ${counted(cites)}: `, refusal: "Not answered: ", notice: "" }[message.className];
    // What is told besides stands below it.
    words.append(...[...message.parentElement.querySelectorAll(":scope > .told")].map((one) => ` ${one.textContent}`));
    return kind + words.textContent.replace(/\s+/g, " ").trim();
  };

  const tell = () => {
    const turn = document.querySelector("#sources .turn[id]");
    const message = [...document.querySelectorAll("#chat :is(.asked, .answer, .refusal, .notice)")].at(-1);
    if (!turn || !message || message.matches(".asked") || turn.ariaBusy === "true") {
      place.textContent = told = "";
      return;
    }
    const now = `${turn.id} ${said(message)}`;
    if (now === told) return;
    told = now;
    place.textContent = said(message);
  };

  // It stands there long before it says anything, or it would not be heard.
  const stand = () => {
    place = document.createElement("div");
    place.id = "announced";
    place.className = "hidden";
    place.setAttribute("role", "status");
    document.body.append(place);
  };
  new MutationObserver((changes) => {
    if (!document.body || changes.every(({ target }) => target === place)) return;
    if (!place?.isConnected) stand();
    document.querySelector("#chat [role=log]")?.setAttribute("aria-live", "off");
    // The message and its cards are drawn one after the other.
    clearTimeout(soon);
    soon = setTimeout(tell, 150);
  }).observe(document, { childList: true, subtree: true });
})();
