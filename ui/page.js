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

  // A new answer's cards stand at the top of the pane: show them.
  let newest = null;
  new MutationObserver(() => {
    const pane = document.getElementById("sources");
    const turn = pane?.querySelector(".turn")?.id ?? null;
    if (turn !== newest) {
      newest = turn;
      pane?.scrollTo({ top: 0 });
    }
  }).observe(document, { childList: true, subtree: true });

  document.addEventListener("click", (event) => {
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
