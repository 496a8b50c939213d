// Forms: sends what is in a form to its callback, and says truthfully what became of it.
//
// A form `form[data-form=NAME]` sends over the channel of its name: the fields (and the form's `data-key`) go into the
// store `NAME-sent`, the answer comes as JSON in `data-answer` of `NAME-answer`. An answer may hold
//   wrong: {field: words}   what to mend; nothing was saved
//   message: words          said beside the button
//   fill: {element: text}   what fields hold from now on, by their ids; those of another page are left out
//   once: {element: text}   secrets for the elements of these ids, shown until the page is left
//   go: address             leads there
//   clear: true             empties the form
(function () {
  "use strict";
  const PATIENCE_MS = 20000, REFUSED_MS = 400;
  const waiting = {};  // by channel: the form whose answer is due, its number, and when we give up
  let sent = 0;

  const byId = (id) => document.getElementById(id);
  const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

  // ───────── sending ─────────

  function values(form) {
    const found = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string"));
    for (const one of form.querySelectorAll("[role=switch]"))
      found[one.dataset.name] = one.getAttribute("aria-checked") === "true" ? "on" : "";
    if (form.dataset.key) found.key = form.dataset.key;
    return found;
  }

  function send(form, button) {
    const name = form.dataset.form;
    if (waiting[name]) return;
    const fields = values(form);
    if (button && button.dataset.value) fields.value = button.dataset.value;
    sent += 1;
    waiting[name] = {form, number: sent, end: setTimeout(() => failed(name, "No answer. Reload the page to see whether it was saved."), PATIENCE_MS)};
    form.setAttribute("aria-busy", "true");
    say(form, form.dataset.saying || "Saving…", "is-busy");
    window.dash_clientside.set_props(`${name}-sent`, {data: {number: sent, fields}});
  }

  // ───────── the answer ─────────

  function answered(channel) {
    const name = channel.dataset.channel, due = waiting[name];
    const answer = JSON.parse(channel.dataset.answer);
    if (!due || answer.number !== due.number) return;
    ended(name);
    mark(due.form, answer.wrong || {});
    for (const [id, text] of Object.entries(answer.once || {})) reveal(id, text);
    for (const [id, text] of Object.entries(answer.fill || {})) if (byId(id)) write(byId(id), text);
    if (answer.wrong) restore(due.form);
    if (answer.clear) clear(due.form);
    if (answer.wrong) say(due.form, answer.message ? sentence(answer.message) : "Not saved", "is-wrong");
    else say(due.form, answer.message || `Saved at ${footfallWrite.time(Date.now())}`, "is-saved");
    if (answer.go) location.assign(answer.go);
  }

  // A choice that is sent at once goes back to what it was when it was not taken.
  function restore(form) {
    for (const one of form.querySelectorAll("[data-sends]")) if (one.dataset.was) one.value = one.dataset.was;
  }

  function ended(name) {
    clearTimeout(waiting[name].end);
    waiting[name].form.removeAttribute("aria-busy");
    delete waiting[name];
  }

  function failed(name, words) {
    const due = waiting[name];
    if (!due) return;
    ended(name);
    restore(due.form);
    say(due.form, words, "is-wrong");
  }

  function say(form, words, kind) {
    const line = form.querySelector(".ff-form-state") || document.querySelector(`[data-state-of="${form.dataset.form}"]`);
    if (!line) return;
    for (const other of line.parentNode.querySelectorAll("[data-state-of]")) other.textContent = "";
    line.textContent = words;
    line.className = `ff-form-state ${kind}`;
  }

  function mark(form, wrong) {
    for (const note of form.querySelectorAll("[data-note]")) {
      const words = wrong[note.dataset.note] || "";
      note.classList.toggle("is-wrong", Boolean(words));
      note.querySelector(".ff-wrong").textContent = sentence(words);
      control(note).setAttribute("aria-invalid", String(Boolean(words)));
    }
    const first = form.querySelector("[aria-invalid=true]");
    if (first) first.focus();
  }

  const control = (note) => byId(note.id.replace(/-note$/, ""));

  function reveal(id, text) {
    const place = byId(id);
    place.textContent = text;
    place.closest(".ff-once").hidden = false;
    place.closest(".ff-once").scrollIntoView({block: "nearest"});
  }

  function clear(form) {
    for (const field of form.querySelectorAll("input.dash-input-element, textarea")) write(field, "");
  }

  function write(field, text) {
    const kind = field.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, text);  // past React, which then hears of it
    field.dispatchEvent(new Event("input", {bubbles: true}));
  }

  // ───────── asking before a loss: `data-confirm` on a button says what will be lost ─────────

  function confirmed(form, button) {
    const dialog = document.createElement("dialog"), words = document.createElement("p");
    dialog.className = "ff-dialog";
    words.textContent = button.dataset.confirm;
    const row = document.createElement("div");
    row.className = "ff-dialog-end";
    const no = choice("Cancel", "ff-btn"), yes = choice(button.textContent, "ff-btn ff-btn-danger");
    row.append(no, yes);
    dialog.append(words, row);
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => { dialog.close(); send(form, button); });
    dialog.addEventListener("close", () => { dialog.remove(); button.focus(); });
    dialog.setAttribute("aria-label", button.textContent);
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  }

  function choice(label, look) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = look;
    button.textContent = label;
    return button;
  }

  // ───────── what people do ─────────

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-form]");
    if (!form) return;
    event.preventDefault();
    const button = event.submitter;
    if (button && button.dataset.confirm) confirmed(form, button);
    else send(form, button);
  });
  document.addEventListener("click", (event) => {
    const one = /** @type {HTMLButtonElement} */ (event.target.closest("form [role=switch]"));
    if (!one) return;
    one.setAttribute("aria-checked", String(one.getAttribute("aria-checked") !== "true"));
    touched(one.form);
  });
  document.addEventListener("input", (event) => { if (event.target.form) touched(event.target.form); });
  document.addEventListener("focusin", ({target}) => { if (target.dataset.sends) target.dataset.was = target.value; });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && event.target.dataset.sends === "change") send(form);
  });

  function touched(form) {
    if (!form.dataset.form || form.getAttribute("aria-busy")) return;
    say(form, "", "");
    const typed = form.dataset.typed;
    if (typed) form.querySelector("[type=submit]").disabled = form.querySelector("input").value.trim() !== typed;
  }

  // ───────── what Dash draws: answers, refusals, and fields to be described ─────────

  function described() {
    for (const note of document.querySelectorAll("[data-note]:not([data-known])")) {
      note.dataset.known = "";
      if (control(note)) control(note).setAttribute("aria-describedby", note.id);
    }
  }

  new MutationObserver((changes) => {
    described();
    for (const {target: node, attributeName} of changes) {
      const target = /** @type {HTMLElement} */ (node);
      if (attributeName === "data-answer" && target.dataset.answer) answered(target);
      if (attributeName === "aria-busy" && target.dataset.channel && target.ariaBusy === "false") refused(target);
    }
  }).observe(document, {childList: true, subtree: true, attributeFilter: ["data-answer", "aria-busy"]});

  // The callback has ended; where no answer follows, the server has refused it.
  function refused({dataset}) {
    const {channel} = dataset, due = waiting[channel];
    if (due) setTimeout(() => waiting[channel] === due && failed(channel, "Not saved: the server refused it. Reload the page to see why."), REFUSED_MS);
  }
})();
