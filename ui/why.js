// Where a phrase was lost: the page asks, and shows what comes.
(() => {
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
})();
