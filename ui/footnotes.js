// Footnotes and their cards. Without it the links still work: a footnote jumps to its card.
(() => {
  const footnoted = (window.footnoted ??= {});
  let came = null; // the footnote that a card was opened from
  const all = () => [...document.querySelectorAll("#chat a.cite")];
  // A redrawn conversation has other elements for the same footnotes.
  const current = (cite) => (cite?.isConnected ? cite : all().find((one) => one.hash === cite?.hash));

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

  const back = (block) => {
    const cite = current(came);
    cite?.scrollIntoView({ block });
    cite?.focus({ preventScroll: true });
  };
  // From a card to its footnote, once.
  const leave = () => {
    if (!came) return;
    back("nearest");
    footnoted.hidePeek();
    came = null;
  };

  // A new answer's cards stand at the top of the pane: show them.
  let newest = null;
  new MutationObserver(() => {
    describe();
    const pane = document.getElementById("sources");
    const turn = pane?.querySelector(".turn")?.id ?? null;
    if (turn !== newest) {
      newest = turn;
      pane?.scrollTo({ top: 0 });
    }
  }).observe(document, { childList: true, subtree: true });

  document.addEventListener("click", (event) => {
    if (came && event.target.closest?.("#sources a.back")) {
      event.preventDefault();
      back("center");
    }
    const cite = event.target.closest?.("a.cite");
    if (!cite) return;
    came = cite;
    footnoted.hidePeek();
    if (choose(cite.hash.slice(1))) event.preventDefault();
  });

  footnoted.footnotes = all;
  footnoted.leaveCard = leave;
})();
