// Documents that are asked and handed over, libraries, conversations. Addresses are relative to the page's own, which
// is that of the library.
(() => {
  const sent = async (address, options) => {
    const answer = await fetch(address, options).catch(() => {
      throw new Error("Footnoted does not answer: is it still running?");
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  };
  const post = (address, posted = {}) =>
    sent(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(posted) });
  const get = async (address) => (await sent(address)).json();
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
  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const says = (text, wrong = false) =>
    made("p", { className: wrong ? "says wrong" : "says", textContent: sentence(text), role: "status" });
  const refresh = () => document.querySelector("#refresh")?.click();

  // ---- which documents are asked: all, unless some are left out; kept for this tab, a library at a time
  const LEFT = `footnoted-left-out ${location.pathname}`;
  const left = new Set(JSON.parse(sessionStorage.getItem(LEFT) ?? "[]"));
  let known = [];
  const keepLeft = () => {
    if (left.size) sessionStorage.setItem(LEFT, JSON.stringify([...left]));
    else sessionStorage.removeItem(LEFT);
    tellChosen();
  };
  const load = async () => {
    const found = await get("documents");
    known = found.documents;
    const sources = new Set(known.map((one) => one.source));
    for (const source of left) if (!sources.has(source)) left.delete(source);
    keepLeft();
    return found;
  };
  const chosen = async () => {
    if (left.size) await load().catch(() => {}); // the question itself will say what is wrong
    return left.size ? known.filter((one) => !left.has(one.source)).map((one) => one.source) : null;
  };
  const tellChosen = () => {
    const place = document.getElementById("asked-of");
    const text = left.size && known.length ? `${known.length - left.size} of ${known.length}` : "";
    if (place && place.textContent !== text) place.textContent = text;
  };
  (window.footnoted ??= {}).chosen = chosen;

  const row = (one) => {
    const check = made("input", { type: "checkbox", checked: !left.has(one.source), id: `asked-${one.source}` });
    check.addEventListener("change", () => {
      if (check.checked) left.delete(one.source);
      else left.add(one.source);
      keepLeft();
    });
    const remove = made("button", { type: "button", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove ${one.source}`);
    const note = made("small", { role: "status" });
    const item = made(
      "li",
      {},
      check,
      made("label", { htmlFor: check.id, textContent: one.title }),
      made("small", { textContent: one.uploaded ? `${one.source} · added here` : one.source }),
      made("span", { className: "acts" }, twice(remove, one.uploaded ? "Delete the copy?" : "Take it out?", async () => {
        remove.disabled = true;
        note.className = "";
        note.textContent = "being removed …";
        try {
          await post("remove", { source: one.source });
          await list();
          refresh();
        } catch (error) {
          note.className = "wrong";
          note.textContent = error.message;
          remove.disabled = false;
        }
      })),
      note,
    );
    item.dataset.words = `${one.title}\n${one.source}`.toLowerCase();
    return item;
  };

  const list = async () => {
    await load();
    const place = document.querySelector("#documents ul.all");
    if (!place) return;
    place.replaceChildren(...known.map(row));
    document.querySelector("#documents .row.all").hidden = !known.length;
    narrow();
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
      const place = made("div", { className: "follow" });
      body.append(drop, made("ul", { className: "arriving" }), place);
      body.append(made("div", { className: "row all" }, filter, all, none), made("ul", { className: "all" }));
    }
    if (!one.open) one.showModal();
    body.querySelector(":scope > .says.wrong")?.remove();
    try {
      await Promise.all([list(), look()]);
      if (!sending && (await get("indexing")).running) resume();
    } catch (error) {
      shows(error);
    }
  };
  const shows = (error) => {
    const body = document.querySelector("#documents .body");
    body.querySelector(":scope > .says.wrong")?.remove();
    body.prepend(says(error.message, true));
  };

  // ---- the folders of the index are followed, or not
  let changes = null;
  let looking = 0;
  const look = async () => {
    clearTimeout(looking);
    const state = await get("following");
    const changed = changes !== null && state.changes !== changes;
    changes = state.changes;
    tellFollowing(state);
    if (changed) {
      refresh();
      if (left.size || document.querySelector("#documents[open]")) await list();
    }
    if (state.on && !document.hidden) looking = setTimeout(() => look().catch(() => {}), 2000);
  };
  document.addEventListener("visibilitychange", () => document.hidden || look().catch(() => {}));
  const tellFollowing = (state) => {
    const place = document.querySelector("#documents .follow");
    if (!place) return;
    const box = place.querySelector("input") ?? made("input", { type: "checkbox", id: "follow" });
    if (!box.isConnected) {
      const label = made("label", { htmlFor: "follow", textContent: "Index what changes in these folders" });
      place.append(box, label, made("small", { className: "folders" }), made("ul", { className: "changes" }));
      place.querySelector("ul").setAttribute("aria-label", "Changes");
      box.addEventListener("change", async () => {
        box.disabled = true;
        try {
          await post("following", { on: box.checked });
        } catch (error) {
          shows(error);
        }
        look().catch(shows);
      });
    }
    box.checked = state.on;
    box.disabled = Boolean(state.why_not);
    place.querySelector(".folders").textContent = sentence(state.why_not) || state.folders.join("\n");
    const clock = (at) => new Date(at).toLocaleTimeString([], { timeStyle: "medium" });
    place.querySelector("ul").replaceChildren(
      ...state.lines.toReversed().map(({ at, status, text }) => made("li", { className: status, textContent: `${clock(at)} ${status} ${text}` })),
    );
  };

  // ---- handing documents over: sent one after the other, then indexed together
  const waiting = [];
  let sending = false;
  let unread = false; // whether a file has come that nobody has been asked to index
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
  const megabytes = (bytes) => `${Math.floor(bytes / 2 ** 20).toLocaleString("en")} MB`;

  const send = ({ file, name, item }, limits) =>
    new Promise((resolve) => {
      if (!file) {
        stand(item, "failed", "failed: the browser cannot read it");
        resolve();
        return;
      }
      if (file.size > limits.file) {
        stand(item, "skipped", `skipped: larger than ${megabytes(limits.file)}: footnoted index reads it where it is`);
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

  // Files with the names that they are to have; no file: the browser could not read it.
  const handOver = async (files) => {
    await openDocuments();
    if (!files.length) shows(new Error("there is no file in what was dropped"));
    for (const [file, name] of files) waiting.push({ file, name, item: line(name) });
    if (!sending) await sendAll();
  };
  const sendAll = async () => {
    sending = true;
    while (waiting.length) {
      const items = new Map();
      try {
        const { limits } = await get("documents");
        while (waiting.length) {
          await send(waiting[0], limits);
          const { name, item } = waiting.shift();
          if (item.className === "sent") items.set(name, item);
          unread = items.size > 0;
        }
        if (items.size) {
          await post("indexing");
          unread = false;
          await progress(items);
        }
      } catch (error) {
        const rest = [...waiting.splice(0).map((one) => one.item), ...items.values()];
        for (const item of rest) stand(item, "failed", `failed: ${error.message}`);
      }
    }
    sending = false;
  };
  // What became of all that was handed over, with what needs a look first.
  const sum = (note) => {
    const place = document.querySelector("#documents ul.arriving");
    const items = [...place.children];
    for (const item of items.filter((one) => one.matches(".failed, .skipped")).reverse()) place.prepend(item);
    const kinds = ["added", "updated", "unchanged", "removed", "skipped", "failed"];
    const counts = kinds.map((kind) => [items.filter((one) => one.className === kind).length, kind]);
    note.textContent = counts.filter(([count]) => count).map((one) => one.join(" ")).join(", ");
    place.scrollTop = 0;
  };
  // What was begun before a reload, or by another page.
  const resume = async () => {
    sending = true;
    await progress(new Map()).catch(shows);
    sending = false;
    if (waiting.length) sendAll();
  };
  // Who leaves while files are being sent is asked first; what has come by then is indexed all the same.
  addEventListener("beforeunload", (event) => waiting.length && event.preventDefault());
  addEventListener("pagehide", () => {
    if (unread) navigator.sendBeacon("indexing", new Blob(["{}"], { type: "application/json" }));
  });

  // Until the indexing is over; `items` are the lines of files that it is about, others get one.
  const progress = async (items) => {
    const place = document.querySelector("#documents ul.arriving");
    const bar = made("progress", { max: 1, value: 0 });
    const note = says("Waiting to begin …");
    if (place.previousElementSibling.matches(".says")) place.previousElementSibling.remove();
    place.before(bar, note);
    let now;
    try {
      do {
        await new Promise((resolve) => setTimeout(resolve, 300));
        now = await get("indexing");
        bar.max = Math.max(now.files, 1);
        bar.value = now.done;
        if (now.files) note.textContent = `${now.done} of ${now.files} files read, ${now.embedded} of ${now.passages} passages indexed`;
        if (items.has(now.path)) stand(items.get(now.path), "reading", "reading");
      } while (now.running);
    } catch (error) {
      note.remove();
      throw error;
    } finally {
      bar.remove();
    }
    for (const { name, status, reason } of now.rows) {
      stand(items.get(name) ?? line(name), status, reason ? `${status}: ${reason}` : status);
    }
    for (const item of items.values()) {
      if (["sent", "reading"].includes(item.className)) stand(item, "unchanged", "unchanged: it was here already");
    }
    sum(note);
    if (now.error) shows(new Error(now.error));
    await list();
    refresh();
  };

  // What is dropped may be folders; a browser gives their entries a hundred at a time.
  const entriesOf = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  const within = async (entry) => {
    const name = entry.fullPath.replace(/^\//, "");
    try {
      if (entry.isFile) return [[await new Promise((resolve, reject) => entry.file(resolve, reject)), name]];
      const reader = entry.createReader();
      const found = [];
      for (let some = await entriesOf(reader); some.length; some = await entriesOf(reader)) {
        for (const one of some) found.push(...(await within(one)));
      }
      return found;
    } catch {
      return [[null, name]]; // gone meanwhile, or not to be read by this person
    }
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
    one.querySelector("h2").textContent = isNew ? "New library" : `Delete “${here}”`;
    const name = made("input", { type: "text", autocomplete: "off", maxLength: 60 });
    name.setAttribute("aria-label", "Name");
    const go = made("button", { type: "submit", textContent: isNew ? "Create" : "Delete for good" });
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
        go.before(says(error.message, true));
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
    const forget = (which) =>
      post("forget", which).then(openConversations, (error) => body.append(says(error.message, true)));
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
          twice(remove, "For good?", () => forget({ conversation: id }))),
      );
    };
    const list = made("ul", {}, ...found.map(item));
    if (!found.length) {
      body.replaceChildren(says("No conversation has been kept yet. Each answer is, in the index folder."));
      return;
    }
    const remove = made("button", { type: "button", textContent: "Delete all" });
    const all = twice(remove, "Delete all for good?", () => forget({ all: true }));
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

  if (left.size) load().catch(() => {});
  look().catch(() => {});

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
