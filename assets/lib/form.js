// Forms: sends the fields of a form to its callback, and shows the result next to the button.
//
// `form[data-form=NAME]` uses the connection NAME: the fields (and the form's `data-key`) go into the store `NAME-sent`; the
// answer arrives as JSON in `data-answer` of the element `NAME-answer`. All keys of an answer are optional:
//   wrong: {field: text}    an error for each invalid field; nothing was saved
//   message: text           shown next to the button
//   fill: {id: text}        new values of fields, by element id; ids that are not on this page are ignored
//   once: {id: text}        secrets, by element id, shown until the reader leaves the page
//   go: address             opens that page
//   clear: true             empties the form but for its dates, and for what `fill` then fills in
//   focus: [id, …]          gives the focus to the first of these that can have it, once what was redrawn is there
//
// `data-confirm` on a button is the question of the dialog before its form is sent; `data-add="line" data-to="id"` adds a
// line to a field of several; `data-own-zone="id"` fills an empty field with the browser's time zone. A form with
// `data-previews` also sends its fields to the store `NAME-draft` while they are edited.
//
// `footfall.moveFocus([id, …])` gives the focus as `focus` does, for what is no form.
(function () {
  "use strict";
  const TIMEOUT_MS = 20000, REFUSAL_MS = 400, REDRAWN_MS = 50, FOCUS_TRIES = 40, PAUSE_MS = 400;
  const {watch, setProps} = window.footfall;
  const pending = {};  // by name: the form that was sent, the number of the request, and the timer of its time-out
  const paused = {};  // by form: the timer of its next preview
  let sent = 0, asked = null;  // {form, button}: what the open dialog asks about

  const byId = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));
  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const control = (note) => byId(note.id.replace(/-note$/, ""));

  // ───────── sending ─────────

  function values(form, button) {
    const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string"));
    if (form.dataset.key) values.key = form.dataset.key;
    if (button && button.dataset.value) values.value = button.dataset.value;
    return values;
  }

  function send(form, button) {
    const name = form.dataset.form;
    if (pending[name]) return;
    sent += 1;
    pending[name] = {form, number: sent, end: setTimeout(() => fail(name, footfall.say("No answer. Reload the page to see whether it was saved.")), TIMEOUT_MS)};
    form.setAttribute("aria-busy", "true");
    showState(form, form.dataset.saying || footfall.say("Saving…"), "is-busy");
    setProps(`${name}-sent`, {data: {number: sent, fields: values(form, button)}});
  }

  // ───────── the answer ─────────

  function receiveAnswer({dataset}) {
    const name = dataset.connection, request = pending[name];
    const answer = JSON.parse(dataset.answer || "{}");
    if (!request || answer.number !== request.number) return;
    finish(name);
    showErrors(request.form, answer.wrong || {});
    for (const [id, text] of Object.entries(answer.once || {})) reveal(id, text);
    if (answer.wrong) restore(request.form);
    if (answer.clear) for (const field of request.form.querySelectorAll("input.form-control:not([type=date]), textarea")) setValue(field, "");
    for (const [id, text] of Object.entries(answer.fill || {})) if (byId(id)) setValue(byId(id), text);
    if (answer.wrong) showState(request.form, answer.message ? sentence(answer.message) : footfall.say("Not saved"), "is-wrong");
    else showState(request.form, answer.message || footfall.say("Saved at {time}", {time: footfall.write.time(Date.now())}), "is-saved");
    if (answer.focus) setTimeout(() => moveFocus(answer.focus), REDRAWN_MS);
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

  function moveFocus(ids, tries = FOCUS_TRIES) {
    const found = ids.map(byId).find((node) => node && !node.disabled);
    if (found) found.focus();
    else if (tries > 1) setTimeout(() => moveFocus(ids, tries - 1), REDRAWN_MS);
  }

  window.footfall.moveFocus = moveFocus;

  function reveal(id, text) {
    const place = byId(id), once = place.closest(".ff-once");
    place.textContent = text;
    once.hidden = false;
    once.scrollIntoView({block: "nearest"});
  }

  function setValue(field, text) {
    const kind = field.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    // React replaces the setter of a field; only the browser's own setter lets React see the change
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, text);
    field.dispatchEvent(new Event("input", {bubbles: true}));
  }

  // ───────── the dialog that asks first (layouts/components/confirm.py) ─────────

  function confirmThenSend(form, button) {
    asked = {form, button};
    setProps("confirm-question", {children: button.dataset.confirm});
    setProps("confirm-yes", {children: button.textContent || button.getAttribute("aria-label")});
    setProps("confirm", {is_open: true});
  }

  function answerQuestion(isYes) {
    setProps("confirm", {is_open: false});
    if (isYes) send(asked.form, asked.button);
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
  document.addEventListener("click", ({target}) => {
    const choice = target.closest("#confirm-yes, #confirm-no"), adds = target.closest("[data-add]");
    if (choice) answerQuestion(choice.id === "confirm-yes");
    if (adds) addLine(adds.dataset.add, byId(adds.dataset.to));
  });
  document.addEventListener("input", ({target}) => {
    if (!target.form) return;
    onEdit(target.form);
    previewSoon(target.form);
  });
  document.addEventListener("focusin", ({target}) => { if (target.dataset.sends) target.dataset.was = target.value; });
  document.addEventListener("change", ({target}) => {
    if (target.form && target.dataset.sends === "change") send(target.form);
    if (target.form) previewSoon(target.form);
  });

  function onEdit(form) {
    if (!form.dataset.form || form.getAttribute("aria-busy")) return;
    showState(form, "", "");
    const typed = form.dataset.typed;
    if (typed) form.querySelector("[type=submit]").disabled = form.querySelector("input").value.trim() !== typed;
  }

  function previewSoon(form) {
    if (form.dataset.previews === undefined) return;
    clearTimeout(paused[form.id]);
    paused[form.id] = setTimeout(() => {
      sent += 1;
      if (form.isConnected) setProps(`${form.dataset.form}-draft`, {data: {number: sent, fields: values(form, null)}});
    }, PAUSE_MS);
  }

  function addLine(added, field) {
    const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (!lines.includes(added)) setValue(field, [...lines, added].join("\n"));
    field.focus();
  }

  // ───────── changes by Dash: new fields, answers, callbacks that end ─────────

  // Dash's fields have no attributes for screen readers.
  watch("[data-note]", (note) => { if (control(note)) control(note).setAttribute("aria-describedby", note.id); });
  watch("[data-own-zone]", ({dataset}) => {
    const field = byId(dataset.ownZone);
    if (field && !field.value) setValue(field, Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
  });
  watch("#confirm-no", (button) => button.focus());
  watch("[data-connection]", receiveAnswer, "data-answer");
  watch("[data-connection]", onCallback, "aria-busy");

  // The callback has ended. If no answer follows, the server rejected the request.
  function onCallback({dataset: {connection}, ariaBusy}) {
    const request = pending[connection];
    if (request && ariaBusy === "false") setTimeout(() => pending[connection] === request && fail(connection, footfall.say("Not saved: the server refused it. Reload the page to see why.")), REFUSAL_MS);
  }
})();
