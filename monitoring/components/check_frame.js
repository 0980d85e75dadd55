// What surrounds the rows: identity on top, who and Save at the bottom, and the painting of all.

function buildForm(form) {
  const { data } = form;
  form.rows = [
    observedRow(form), ...data.rows.map((row) => buildRow(form, row)), moreSection(form),
    worriedRow(form),
  ];
  form.parts = { ...identityParts(form), ...barParts(form) };
  const { identity, offer, bar } = form.parts;
  form.parts.rows = el("div", { class: "rows" }, ...form.rows.map((row) => row.node));
  form.root.replaceChildren(identity, offer, form.parts.rows, bar);
}

function identityParts(form) {
  const { identity } = form.data;
  const observed = el("span");
  const change = el("button", {
    class: "link", type: "button", text: "change",
    onclick: () => {
      form.set("observed", { day: "today", time: "", fold: null });
      form.root.querySelector('[data-sign="observed_at"] input[type="time"]').focus();
    },
  });
  const beside = [identity.hours_text, identity.bed].filter(Boolean).map((text) => ` · ${text}`);
  const offerText = el("span");
  const offer = el(
    "div", { class: "offer", role: "status" }, offerText,
    el("button", { class: "segment", type: "button", text: "take them up again",
      onclick: () => restoreOffered(form) }),
    el("button", { class: "segment", type: "button", text: "discard",
      onclick: () => discardOffered(form) }),
  );
  const node = el(
    "div", { class: "identity" },
    el("div", { class: "patient" },
      el("p", {}, el("b", { class: "name", text: identity.name }), ` · ${identity.born}`),
      el("p", { class: "dim" }, `MRN ${identity.mrn} · `,
        el("b", { text: identity.label }),
        el("span", { class: "beside", text: beside.join("") }),
        identity.slot_text ? ` · ${identity.slot_text}` : null)),
    el("div", { class: "aside" },
      identity.namesake
        ? el("p", { class: "namesake" }, warningIcon(), el("span", { text: identity.namesake }))
        : null,
      el("p", { class: "dim observed" }, observed, change)),
  );
  return { identity: node, observed, change, offer, offerText };
}

function barParts(form) {
  const { who, save_label } = form.data;
  const select = el(
    "select", { class: "field", "aria-label": "Who made this check", "data-sign": "by",
      onchange: (event) => form.set("by", event.target.value || null) },
    el("option", { value: "", text: "choose your name" }),
    ...who.staff.map((person) =>
      el("option", { value: person.id, text: `${person.name}, ${person.role}` })),
  );
  const name = el("b");
  const notMe = el("button", {
    class: "link", type: "button", text: "not you?",
    onclick: () => {
      form.refusedName = true;
      form.set("by", null);
      select.focus();
    },
  });
  const chosen = el("span", { class: "as" }, el("span", { class: "dim", text: "as " }), name, notMe);
  const button = el(
    "button", { class: "save", type: "button", onclick: () => save(form) }, el("span"));
  const says = el("p", { class: "says", role: "alert" });
  const missing = el("p", { class: "missing dim" });
  const byError = el("fieldset", { class: "by" },
    el("legend", { class: "unseen", text: "Who made this check" }), select, chosen);
  const paintBy = answersFor(form, ["by"], byError);
  const bar = el("div", { class: "bar" }, says, missing,
    el("div", { class: "last-line" }, byError, button));
  button.dataset.label = `Save for ${save_label}`;
  return { bar, select, chosen, name, button, says, missing, paintBy };
}

function paintForm(form) {
  form.rows.forEach((row) => row.paint());
  // What is typed while the answer is under way would be in neither.
  form.parts.rows.inert = form.waiting !== null;
  paintObserved(form);
  paintOffer(form);
  paintBar(form);
}

function paintObserved(form) {
  const { observed, change } = form.parts;
  const late = form.draft.observed;
  const text = late
    ? `observed ${late.day}, ${late.time || "time?"}`
    : `observed now, ${wardClock(form).slice(11, 16)}`;
  setText(observed, text);
  change.hidden = Boolean(late);
}

function paintOffer(form) {
  const { offer, offerText } = form.parts;
  offer.hidden = !form.offered || isDirty(form.draft);
  if (offer.hidden) return;
  const minutes = Math.round((Date.now() - form.offered.at) / 60_000);
  setText(offerText, `Entries for this flap from ${minutes} min ago were not saved.`);
}

function paintBar(form) {
  const { select, chosen, name, button, says, missing, paintBy } = form.parts;
  const { who, server } = form.data;
  const person = who.staff.find((one) => one.id === form.draft.by);
  select.hidden = Boolean(person);
  chosen.hidden = !person;
  setText(name, person?.name ?? "");
  if (select.value !== (form.draft.by ?? "")) select.value = form.draft.by ?? "";
  paintBy();
  paintSave(form, button, server);
  const sentence = answerSentence(form, server);
  setText(says, sentence);
  says.hidden = sentence === "";
  says.classList.toggle("good", server.status === "saved");
  const left = everyRow(form).filter(({ row }) => row.required && !rowAnswered(form, row));
  setText(missing, left.length ? `not looked at: ${left.map(({ row }) => row.label).join(", ")}` : "");
  missing.hidden = !left.length || server.status === "saved" || !isDirty(form.draft);
}

function paintSave(form, button, server) {
  const saved = server.status === "saved";
  const waiting = form.waiting !== null;
  setText(button.firstChild, saved ? "Saved" : waiting ? "Saving" : button.dataset.label);
  setAttribute(button, "aria-disabled", waiting || saved ? "true" : null);
  setAttribute(button, "aria-busy", waiting ? "true" : null);
}

function rowAnswered(form, row) {
  const needed = row.kind === "temperatures" ? [row.flap_sign, row.control_sign] : [row.sign];
  return form.answered(row.sign) || needed.every((sign) => form.answered(sign));
}

const NO_ANSWER =
  "NOT SAVED (no answer from the server). Your entries are kept here. Try again.";

const OVERTAKEN = "What you changed after that Save is not in it.";

/** What has no field of its own is said beside Save. */
function answerSentence(form, server) {
  if (form.lost) return NO_ANSWER;
  if (form.waiting !== null) return "";
  if (server.nonce !== null && server.nonce !== form.answeredNonce && server.status !== "saved") {
    return "";
  }
  const placed = new Set(["by", "note", "concern_about", "observed_at",
    ...signRows(form).flatMap(({ signs }) => signs)]);
  const loose = Object.entries(form.data.errors).filter(([sign]) => !placed.has(sign));
  const sentence = server.status === "idle" ? "" : server.sentence;
  return [sentence, form.overtaken ? OVERTAKEN : "", ...loose.map(([, text]) => text)].filter(Boolean).join(" ");
}

function focusFirstAnswer(form) {
  form.focusAnswer = false;
  const places = [...form.root.querySelectorAll("fieldset.row, fieldset.by")];
  const first = places.find((place) =>
    !place.hidden && place.querySelector(":scope > .error:not([hidden]), :scope > .question:not([hidden])"));
  if (!first) return;
  const question = first.querySelector(":scope > .question:not([hidden]) button");
  const wrong = first.querySelector('[aria-invalid="true"]');
  const control = first.querySelector("input, select, textarea, button");
  const broken = first.querySelector(":scope > .error:not([hidden])");
  const target = broken ? wrong ?? control : question;
  target.focus({ preventScroll: true });
  first.scrollIntoView({ block: "center" });
}
