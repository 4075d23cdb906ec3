// Documents that are asked and handed over, libraries, conversations. Addresses are relative to the page's own, which
// is that of the library.
(() => {
  const post = async (address, posted = {}) => {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(posted),
    });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const get = async (address) => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  const made = (tag, given = {}, ...inside) => {
    const one = Object.assign(document.createElement(tag), given);
    one.append(...inside);
    return one;
  };
  // Anything that is deleted is asked about once more, on the same button.
  const twice = (button, sure, work) => {
    const first = button.textContent;
    let asked = false;
    button.addEventListener("click", () => {
      if (asked) return work();
      asked = true;
      button.textContent = sure;
      button.classList.add("sure");
      setTimeout(() => {
        asked = false;
        button.textContent = first;
        button.classList.remove("sure");
      }, 5000);
    });
    return button;
  };
  const dialog = (id, title) => {
    let one = document.getElementById(id);
    if (!one) {
      const close = made("button", { type: "button", textContent: "Close" });
      one = made("dialog", { id, className: "desk" });
      one.setAttribute("aria-label", title);
      one.append(made("header", {}, made("h2", { textContent: title }), close), made("div", { className: "body" }));
      close.addEventListener("click", () => one.close());
      one.addEventListener("click", (event) => event.target === one && one.close());
      document.body.append(one);
    }
    return one;
  };
  const says = (text, wrong = false) =>
    made("p", { className: wrong ? "says wrong" : "says", textContent: text, role: "status" });
  const refresh = () => document.querySelector("#refresh")?.click();

  // ---- which documents are asked: all, unless some are left out
  const left = new Set();
  let known = [];
  const chosen = () => (left.size ? known.filter((one) => !left.has(one.source)).map((one) => one.source) : null);
  const tellChosen = () => {
    const place = document.getElementById("asked-of");
    const text = left.size ? `${known.length - left.size} of ${known.length}` : "";
    if (place && place.textContent !== text) place.textContent = text;
  };
  (window.footnoted ??= {}).chosen = chosen;

  const row = (one) => {
    const check = made("input", { type: "checkbox", checked: !left.has(one.source), id: `asked-${one.source}` });
    check.addEventListener("change", () => {
      if (check.checked) left.delete(one.source);
      else left.add(one.source);
      tellChosen();
    });
    const remove = made("button", { type: "button", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove ${one.source}`);
    const item = made(
      "li",
      {},
      check,
      made("label", { htmlFor: check.id, textContent: one.title }),
      made("small", { textContent: one.uploaded ? `${one.source} · added here` : one.source }),
      made("span", { className: "acts" }, twice(remove, one.uploaded ? "Delete the copy?" : "Take it out?", async () => {
        try {
          await post("remove", { source: one.source });
          left.delete(one.source);
          await list();
          refresh();
        } catch (error) {
          item.append(made("small", { textContent: error.message, className: "wrong" }));
        }
      })),
    );
    item.dataset.words = `${one.title}\n${one.source}`.toLowerCase();
    return item;
  };

  const list = async () => {
    const found = await get("documents");
    known = found.documents;
    for (const source of left) if (!known.some((one) => one.source === source)) left.delete(source);
    tellChosen();
    const place = dialog("documents", "Documents").querySelector("ul.all");
    if (place) {
      place.replaceChildren(...known.map(row));
      narrow();
    }
    return found;
  };
  const narrow = () => {
    const box = document.querySelector("#documents input[type=search]");
    for (const item of document.querySelectorAll("#documents ul.all li"))
      item.hidden = !item.dataset.words.includes(box.value.toLowerCase());
  };
  const shownChecks = (checked) => {
    for (const check of document.querySelectorAll("#documents ul.all li:not([hidden]) input")) {
      if (check.checked !== checked) check.click();
    }
  };

  const openDocuments = async () => {
    const one = dialog("documents", "Documents");
    const body = one.querySelector(".body");
    if (!body.childElementCount) {
      const filter = made("input", { type: "search", placeholder: "Filter by title or name" });
      filter.setAttribute("aria-label", "Filter documents");
      filter.addEventListener("input", narrow);
      const all = made("button", { type: "button", textContent: "Ask all shown" });
      const none = made("button", { type: "button", textContent: "Ask none shown" });
      all.addEventListener("click", () => shownChecks(true));
      none.addEventListener("click", () => shownChecks(false));
      const drop = made("div", { className: "drop" });
      drop.innerHTML =
        "<p>Drop files or folders here. They are copied into this library and stay on this machine.</p><p>" +
        '<label class="pick">Choose files<input type="file" class="files" multiple></label>' +
        '<label class="pick">Choose a folder<input type="file" class="files" webkitdirectory></label></p>';
      body.append(drop, made("ul", { className: "arriving" }), made("div", { className: "row" }, filter, all, none));
      body.append(made("ul", { className: "all" }));
    }
    if (!one.open) one.showModal();
    await list();
  };

  // ---- handing documents over: sent one after the other, then indexed together
  const waiting = [];
  let sending = false;
  const line = (name) => {
    const item = made("li", { className: "waiting" }, made("span", { className: "name", textContent: name }));
    item.append(made("small", { textContent: "waiting" }));
    document.querySelector("#documents ul.arriving").prepend(item);
    return item;
  };
  const stand = (item, status, text) => {
    item.className = status;
    item.querySelector("small").textContent = text;
  };
  const megabytes = (bytes) => `${Math.round(bytes / 2 ** 20).toLocaleString("en")} MB`;

  const send = ({ file, name, item }, limits) =>
    new Promise((resolve) => {
      if (file.size > limits.file) {
        stand(item, "skipped", `skipped: larger than ${megabytes(limits.file)}`);
        resolve();
        return;
      }
      const request = new XMLHttpRequest(); // fetch does not tell how much is sent
      request.open("PUT", `add?name=${encodeURIComponent(name)}`);
      request.upload.addEventListener("progress", ({ loaded, total }) =>
        stand(item, "sending", `sending, ${Math.floor((100 * loaded) / Math.max(total, 1))} %`),
      );
      request.addEventListener("load", () => {
        if (request.status === 204) stand(item, "sent", "waiting to be read");
        else stand(item, "skipped", `skipped: ${request.responseText}`);
        resolve();
      });
      request.addEventListener("error", () => {
        stand(item, "failed", "failed: it could not be sent");
        resolve();
      });
      request.send(file);
    });

  const handOver = async (files) => {
    if (!files.length) return;
    await openDocuments();
    for (const [file, name] of files) waiting.push({ file, name, item: line(name) });
    if (sending) return;
    sending = true;
    const items = new Map();
    try {
      const { limits } = await get("documents");
      while (waiting.length) {
        const one = waiting.shift();
        await send(one, limits);
        if (one.item.className === "sent") items.set(one.name, one.item);
      }
      if (items.size) await index(items);
    } catch (error) {
      document.querySelector("#documents ul.arriving").prepend(says(error.message, true));
    }
    sending = false;
    if (waiting.length) handOver([]); // dropped meanwhile
  };

  const index = async (items) => {
    const bar = made("progress", { max: 1, value: 0 });
    const note = says("Reading …");
    document.querySelector("#documents ul.arriving").before(bar, note);
    await post("indexing");
    let now;
    do {
      await new Promise((resolve) => setTimeout(resolve, 300));
      now = await get("indexing");
      bar.max = Math.max(now.files, 1);
      bar.value = now.done;
      note.textContent = `${now.done} of ${now.files} files read, ${now.embedded} of ${now.passages} passages`;
      if (items.has(now.path)) stand(items.get(now.path), "reading", "reading");
    } while (now.running);
    for (const { name, status, reason } of now.rows) {
      if (items.has(name)) stand(items.get(name), status, reason ? `${status}: ${reason}` : status);
    }
    for (const item of items.values()) {
      if (["sent", "reading"].includes(item.className)) stand(item, "unchanged", "unchanged: it was here already");
    }
    bar.remove();
    note.replaceWith(...(now.error ? [says(now.error, true)] : []));
    await list();
    refresh();
  };

  // What is dropped may be folders; a browser gives their entries a hundred at a time.
  const entriesOf = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  const within = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return [[file, entry.fullPath.replace(/^\//, "")]];
    }
    const reader = entry.createReader();
    const found = [];
    for (let some = await entriesOf(reader); some.length; some = await entriesOf(reader)) {
      for (const one of some) found.push(...(await within(one)));
    }
    return found;
  };
  const isFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dropping"));
  document.addEventListener("drop", async (event) => {
    document.body.classList.remove("dropping");
    if (!isFiles(event)) return;
    event.preventDefault();
    const entries = [...event.dataTransfer.items].map((one) => one.webkitGetAsEntry?.()).filter(Boolean);
    const found = entries.length
      ? (await Promise.all(entries.map(within))).flat()
      : [...event.dataTransfer.files].map((file) => [file, file.name]);
    handOver(found);
  });
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches?.("input.files")) {
      const files = [...box.files].map((file) => [file, file.webkitRelativePath || file.name]);
      box.value = "";
      handOver(files);
    }
    if (box.matches?.("select#library")) choose(box);
  });

  // ---- libraries: each is an address
  const addressOf = (box, name) => {
    const here = box.dataset.here;
    const home = here ? location.pathname.slice(0, -`${box.dataset.folder}/${encodeURIComponent(here)}/`.length) : location.pathname;
    return name ? `${home}${box.dataset.folder}/${encodeURIComponent(name)}/` : home;
  };
  const choose = (box) => {
    const option = box.selectedOptions[0];
    const here = box.dataset.here;
    if (option.matches("[data-new], [data-delete]")) {
      box.value = here;
      nameLibrary(box, option.matches("[data-new]"));
    } else location.assign(addressOf(box, option.value));
  };
  const nameLibrary = (box, isNew) => {
    const one = dialog("naming", "Library");
    const here = box.dataset.here;
    const title = isNew ? "New library" : `Delete “${here}”`;
    one.querySelector("h2").textContent = title;
    const name = made("input", { type: "text", autocomplete: "off", maxLength: 60 });
    name.setAttribute("aria-label", "Name");
    const go = made("button", { type: "submit", textContent: title });
    const form = made("form", {}, says(isNew
      ? "A library has documents and conversations of its own. Its name:"
      : "Its documents and conversations are deleted for good. Type its name:"), name, go);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        if (isNew) await post("libraries", { name: name.value.trim() });
        else await post("delete", { name: here, typed: name.value });
        location.assign(addressOf(box, isNew ? name.value.trim() : ""));
      } catch (error) {
        form.querySelector(".wrong")?.remove();
        form.append(says(error.message, true));
      }
    });
    one.querySelector(".body").replaceChildren(form);
    one.showModal();
    name.focus();
  };

  // ---- conversations: the one on the page is in its address, so that a reload shows it again
  const nameOf = () => document.getElementById("conversation")?.dataset.name ?? "";
  const openConversations = async () => {
    const one = dialog("conversations", "Conversations");
    const body = one.querySelector(".body");
    if (!one.open) one.showModal();
    let found;
    try {
      found = await get("conversations");
    } catch (error) {
      body.replaceChildren(says(error.message, true));
      return;
    }
    const item = ({ id, title, at, turns }) => {
      const remove = made("button", { type: "button", textContent: "Delete" });
      remove.setAttribute("aria-label", `Delete ${title}`);
      const when = new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
      const count = turns === 1 ? "1 answer" : `${turns} answers`;
      return made(
        "li",
        {},
        made("a", { href: `?conversation=${id}`, textContent: title, className: "name" }),
        made("small", { textContent: `${when} · ${count}${id === nameOf() ? " · on the page now" : ""}` }),
        made("span", { className: "acts" },
          made("a", { href: `export?conversation=${id}&format=md`, textContent: "Markdown" }),
          made("a", { href: `export?conversation=${id}&format=json`, textContent: "JSON" }),
          twice(remove, "For good?", async () => {
            await post("forget", { conversation: id }).catch((error) => body.append(says(error.message, true)));
            openConversations();
          })),
      );
    };
    const list = made("ul", {}, ...found.map(item));
    if (!found.length) {
      body.replaceChildren(says("No conversation has been kept yet. Each answer is, in the index folder."));
      return;
    }
    const all = twice(made("button", { type: "button", textContent: "Delete all" }), "Delete all for good?", async () => {
      await post("forget", { all: true }).catch((error) => body.append(says(error.message, true)));
      openConversations();
    });
    body.replaceChildren(list, made("div", { className: "row" }, "Kept in the index folder, sent nowhere.", all));
  };

  document.addEventListener("click", (event) => {
    const opens = event.target.closest?.("[data-opens]")?.dataset.opens;
    if (opens === "documents") openDocuments();
    if (opens === "conversations") openConversations();
    const save = event.target.closest?.("#export a.export");
    if (save) {
      event.preventDefault();
      if (nameOf()) location.assign(`export?conversation=${nameOf()}&format=${save.dataset.format}`);
    }
  });

  let last = null;
  new MutationObserver(() => {
    tellChosen();
    const place = document.getElementById("conversation");
    if (!place || place.dataset.name === last) return;
    last = place.dataset.name;
    const address = last ? `?conversation=${last}` : location.pathname;
    if (last || location.search) history.replaceState(history.state, "", address);
  }).observe(document, { childList: true, subtree: true });
})();
