// Forms: sends the fields of a form to its callback, and shows the result next to the button.
//
// `form[data-form=NAME]` uses the channel NAME: the fields (and the form's `data-key`) go into the store `NAME-sent`; the
// answer arrives as JSON in `data-answer` of the element `NAME-answer`. All keys of an answer are optional:
//   wrong: {field: text}    an error for each invalid field; nothing was saved
//   message: text           shown next to the button
//   fill: {id: text}        new values of fields, by element id; ids that are not on this page are ignored
//   once: {id: text}        secrets, by element id, shown until the reader leaves the page
//   go: address             opens that page
//   clear: true             empties the form
(function () {
  "use strict";
  const TIMEOUT_MS = 20000, REFUSAL_MS = 400;
  const pending = {};  // by channel: the form that was sent, the number of the request, and the timer of its time-out
  let sent = 0;

  const byId = (id) => document.getElementById(id);
  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  // ───────── sending ─────────

  function values(form) {
    const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string"));
    for (const toggle of form.querySelectorAll("[role=switch]"))
      values[toggle.dataset.name] = toggle.getAttribute("aria-checked") === "true" ? "on" : "";
    if (form.dataset.key) values.key = form.dataset.key;
    return values;
  }

  function send(form, button) {
    const name = form.dataset.form;
    if (pending[name]) return;
    const fields = values(form);
    if (button && button.dataset.value) fields.value = button.dataset.value;
    sent += 1;
    pending[name] = {form, number: sent, end: setTimeout(() => fail(name, "No answer. Reload the page to see whether it was saved."), TIMEOUT_MS)};
    form.setAttribute("aria-busy", "true");
    showState(form, form.dataset.saying || "Saving…", "is-busy");
    window.dash_clientside.set_props(`${name}-sent`, {data: {number: sent, fields}});
  }

  // ───────── the answer ─────────

  function receiveAnswer(channel) {
    const name = channel.dataset.channel, request = pending[name];
    const answer = JSON.parse(channel.dataset.answer);
    if (!request || answer.number !== request.number) return;
    finish(name);
    showErrors(request.form, answer.wrong || {});
    for (const [id, text] of Object.entries(answer.once || {})) reveal(id, text);
    for (const [id, text] of Object.entries(answer.fill || {})) if (byId(id)) setValue(byId(id), text);
    if (answer.wrong) restore(request.form);
    if (answer.clear) clear(request.form);
    if (answer.wrong) showState(request.form, answer.message ? sentence(answer.message) : "Not saved", "is-wrong");
    else showState(request.form, answer.message || `Saved at ${footfallWrite.time(Date.now())}`, "is-saved");
    if (answer.go) location.assign(answer.go);
  }

  // Fields that are sent on change return to their previous value when the server rejected the new one.
  function restore(form) {
    for (const field of form.querySelectorAll("[data-sends]")) if (field.dataset.was) field.value = field.dataset.was;
  }

  function finish(name) {
    clearTimeout(pending[name].end);
    pending[name].form.removeAttribute("aria-busy");
    delete pending[name];
  }

  function fail(name, message) {
    const request = pending[name];
    if (!request) return;
    finish(name);
    restore(request.form);
    showState(request.form, message, "is-wrong");
  }

  function showState(form, text, look) {
    const line = form.querySelector(".ff-form-state") || document.querySelector(`[data-state-of="${form.dataset.form}"]`);
    if (!line) return;
    for (const other of line.parentNode.querySelectorAll("[data-state-of]")) other.textContent = "";
    line.textContent = text;
    line.className = `ff-form-state ${look}`;
  }

  function showErrors(form, wrong) {
    for (const note of form.querySelectorAll("[data-note]")) {
      const error = wrong[note.dataset.note] || "";
      note.classList.toggle("is-wrong", Boolean(error));
      note.querySelector(".ff-wrong").textContent = sentence(error);
      control(note).setAttribute("aria-invalid", String(Boolean(error)));
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
    for (const field of form.querySelectorAll("input.dash-input-element, textarea")) setValue(field, "");
  }

  function setValue(field, text) {
    const kind = field.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    // React replaces the setter of a field; only the browser's own setter lets React see the change
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, text);
    field.dispatchEvent(new Event("input", {bubbles: true}));
  }

  // ───────── confirmation: `data-confirm` on a button is the text of the dialog ─────────

  function confirmThenSend(form, button) {
    const dialog = document.createElement("dialog"), question = document.createElement("p");
    dialog.className = "ff-dialog";
    question.textContent = button.dataset.confirm;
    const row = document.createElement("div");
    row.className = "ff-dialog-end";
    const cancel = dialogButton("Cancel", "ff-btn"), confirm = dialogButton(button.textContent, "ff-btn ff-btn-danger");
    row.append(cancel, confirm);
    dialog.append(question, row);
    cancel.addEventListener("click", () => dialog.close());
    confirm.addEventListener("click", () => { dialog.close(); send(form, button); });
    dialog.addEventListener("close", () => { dialog.remove(); button.focus(); });
    dialog.setAttribute("aria-label", button.textContent);
    document.body.append(dialog);
    dialog.showModal();
    cancel.focus();
  }

  function dialogButton(label, look) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = look;
    button.textContent = label;
    return button;
  }

  // ───────── events of the reader ─────────

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-form]");
    if (!form) return;
    event.preventDefault();
    const button = event.submitter;
    if (button && button.dataset.confirm) confirmThenSend(form, button);
    else send(form, button);
  });
  document.addEventListener("click", (event) => {
    const toggle = /** @type {HTMLButtonElement} */ (event.target.closest("form [role=switch]"));
    if (!toggle) return;
    toggle.setAttribute("aria-checked", String(toggle.getAttribute("aria-checked") !== "true"));
    onEdit(toggle.form);
  });
  document.addEventListener("input", (event) => { if (event.target.form) onEdit(event.target.form); });
  document.addEventListener("focusin", ({target}) => { if (target.dataset.sends) target.dataset.was = target.value; });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && event.target.dataset.sends === "change") send(form);
  });

  function onEdit(form) {
    if (!form.dataset.form || form.getAttribute("aria-busy")) return;
    showState(form, "", "");
    const typed = form.dataset.typed;
    if (typed) form.querySelector("[type=submit]").disabled = form.querySelector("input").value.trim() !== typed;
  }

  // ───────── changes by Dash: answers, callbacks that end, new fields ─────────

  function describeFields() {
    for (const note of document.querySelectorAll("[data-note]:not([data-known])")) {
      note.dataset.known = "";
      if (control(note)) control(note).setAttribute("aria-describedby", note.id);
    }
  }

  new MutationObserver((changes) => {
    describeFields();
    for (const {target: node, attributeName} of changes) {
      const target = /** @type {HTMLElement} */ (node);
      if (attributeName === "data-answer" && target.dataset.answer) receiveAnswer(target);
      if (attributeName === "aria-busy" && target.dataset.channel && target.ariaBusy === "false") onCallbackEnd(target);
    }
  }).observe(document, {childList: true, subtree: true, attributeFilter: ["data-answer", "aria-busy"]});

  // The callback has ended. If no answer follows, the server rejected the request.
  function onCallbackEnd({dataset}) {
    const {channel} = dataset, request = pending[channel];
    if (request) setTimeout(() => pending[channel] === request && fail(channel, "Not saved: the server refused it. Reload the page to see why."), REFUSAL_MS);
  }
})();
