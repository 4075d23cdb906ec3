// The document beside its quotes. Without it "Open in document" opens a tab.
(() => {
  const footnoted = (window.footnoted ??= {});
  let read = null; // what the document was opened from

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
    const several = dialog.querySelectorAll("[data-step]").length > 1;
    if (several && footnoted.keysAreOn() && matchMedia("(hover: hover)").matches) {
      const keys = document.createElement("span");
      keys.textContent = "n and p: the next and the previous quote";
      bar.prepend(keys);
    }
    footnoted.hidePeek();
    if (!dialog.open) dialog.showModal();
    close.focus({ preventScroll: true });
    (dialog.querySelector("#mark") ?? bar).scrollIntoView({ block: "center", behavior: "instant" });
  };

  // The quotes in the open document; where the focus is on none of them, it comes to the one that was opened.
  const marks = () => {
    const all = [...reader().querySelectorAll("[data-step]")];
    const main = all.find((one) => one.id === "mark");
    if (main && !all.includes(document.activeElement)) main.focus({ preventScroll: true });
    return all;
  };

  document.addEventListener("click", (event) => {
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

  footnoted.marks = marks;
})();
