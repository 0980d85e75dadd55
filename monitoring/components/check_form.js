// The bedside check: a draft that survives everything but being saved, and a Save that is sent
// once, says so loudly when nobody answers, and is tried again under the same key.

const ANSWER_WITHIN_MS = 10_000;
const forms = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  const known = forms.get(parentElement);
  const form = known?.root === root ? known : makeForm(root);
  forms.set(parentElement, form);
  form.send = (payload) => setTriggerValue("save", payload);
  followTheme(form.root, parentElement);
  stickBelowHeader(form.root);
  receiveForm(form, data);
  const generation = ++form.generation;
  form.clock ??= setInterval(() => paintObserved(form), 5000);
  window.addEventListener("beforeunload", form.guard);
  return () => {
    // Streamlit may clean up after an older call than the latest; only the latest one ends it.
    if (form.generation !== generation) return;
    clearInterval(form.clock);
    form.clock = null;
    window.removeEventListener("beforeunload", form.guard);
  };
}

function makeForm(root) {
  const form = {
    root, id: randomKey().slice(0, 8), data: null, key: null, draft: null, structure: null,
    rows: [], waiting: null, sent: new Map(), settled: new Set(), answeredNonce: null,
    lost: false, overtaken: false, generation: 0, clock: null, heard: moment(),
  };
  Object.assign(form, {
    paint: () => paintForm(form),
    write: (sign, value) => writeSign(form, sign, value),
    set: (key, value) => setPart(form, key, value),
    confirm: (sign) => toggleIn(form, "confirmed", sign),
    toggleMore: (label) => toggleIn(form, "opened", label),
    errorOf: (sign) => (form.settled.has(sign) ? null : form.data.errors[sign] ?? null),
    questionOf: (sign) => (form.settled.has(sign) ? null : form.data.confirmations[sign] ?? null),
    answered: (sign) => sign === "note" ? form.draft.note !== "" : signAnswer(form, sign) !== undefined,
    guard: (event) => {
      if (isDirty(form.draft)) event.preventDefault();
    },
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save(form);
    }
    // Streamlit's own one-letter shortcuts must not hear what is typed into a shadow root.
    event.stopPropagation();
  });
  return form;
}

function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What arrives.

function receiveForm(form, data) {
  const previous = form.data;
  if (previous?.observed.now_iso !== data.observed.now_iso) form.heard = moment();
  form.data = data;
  hearAnswer(form, data.server);
  const carriesOn = previous && previous.flap_id === data.flap_id && isDirty(form.draft);
  if (form.key === null || (form.askedKey !== data.form_key && !carriesOn)) {
    openDraft(form, data);
    form.structure = null;
  }
  form.askedKey = data.form_key;
  const { rows, more, unable_reasons, identity, save_label, who, observed } = data;
  const structure = JSON.stringify(
    [form.key, rows, more, unable_reasons, identity, save_label, who.staff, observed.fold_options]);
  if (structure !== form.structure) {
    form.structure = structure;
    buildForm(form);
  }
  if (form.draft.by === null && who.chosen !== null && !form.refusedName) form.draft.by = who.chosen;
  form.paint();
  if (form.focusAnswer) focusFirstAnswer(form);
}

/** Only the answer to a press of ours counts; a repaint of an old answer changes nothing. */
function hearAnswer(form, server) {
  if (server.nonce === null || server.nonce === form.answeredNonce) return;
  if (!form.sent.has(server.nonce)) return;
  const newest = form.waiting === null || form.waiting.nonce === server.nonce;
  if (!newest && server.status !== "saved") return;
  form.answeredNonce = server.nonce;
  clearTimeout(form.waiting?.timer);
  form.waiting = null;
  form.lost = false;
  form.settled.clear();
  form.focusAnswer = server.status !== "saved";
  if (server.status === "saved") {
    form.overtaken = form.sent.get(server.nonce) !== JSON.stringify(form.draft);
    forgetDraft(form.key);
    form.key = null;
  }
}

function openDraft(form, data) {
  form.key = data.form_key;
  form.offered = null;
  form.sent.clear();
  form.settled.clear();
  form.lost = false;
  form.refusedName = false;
  form.answeredNonce ??= data.server.nonce;
  // A draft taken up again was saved under the key of the form it came from.
  if (data.server.status === "saved") forgetDraft(data.server.form_key);
  const kept = keptDraft(data.form_key);
  form.draft = kept?.draft ?? emptyDraft();
  if (!kept && data.server.status !== "saved") form.offered = keptDraftOf(data.flap_id);
}

// What is touched.

function touched(form) {
  keepDraft(form);
  form.paint();
}

function writeSign(form, sign, value) {
  if (value === null) delete form.draft.signs[sign];
  else form.draft.signs[sign] = value;
  form.settled.add(sign);
  form.draft.confirmed = form.draft.confirmed.filter((name) => name !== sign);
  touched(form);
}

function setPart(form, key, value) {
  form.draft[key] = value;
  form.settled.add(key === "observed" ? "observed_at" : key);
  touched(form);
}

function toggleIn(form, key, value) {
  const list = form.draft[key];
  form.draft[key] = list.includes(value) ? list.filter((one) => one !== value) : [...list, value];
  touched(form);
}

// What is sent.

function signAnswer(form, sign) {
  const value = form.draft.signs[sign];
  if (value === undefined) return undefined;
  if (value.word !== undefined) return value.word;
  if (value.yes !== undefined) return value.yes;
  if (value.unable !== undefined) return { unable: value.unable, text: value.text };
  if (value.seconds !== undefined) return { seconds: value.seconds };
  return value.typed.trim() === "" ? undefined : { typed: value.typed };
}

function signAnswers(form) {
  const answers = {};
  for (const { row, signs } of everyRow(form)) {
    const pair = row.kind === "temperatures" ? [row.flap_sign, row.control_sign] : null;
    for (const sign of pair ?? signs) {
      const answer = signAnswer(form, sign) ?? (pair ? signAnswer(form, row.sign) : undefined);
      if (answer !== undefined) answers[sign] = answer;
    }
  }
  return answers;
}

const signRows = (form) => form.rows.flatMap((row) => [row, ...(row.rows ?? [])]);
const everyRow = (form) => signRows(form).filter(({ row }) => row.kind);

function save(form) {
  if (form.waiting !== null || form.data.server.status === "saved") return;
  const { draft } = form;
  const nonce = randomKey();
  const lostAfter = setTimeout(() => {
    form.waiting = null;
    form.lost = true;
    form.paint();
  }, ANSWER_WITHIN_MS);
  form.waiting = { nonce, timer: lostAfter };
  form.sent.set(nonce, JSON.stringify(draft));
  form.lost = false;
  form.overtaken = false;
  keepDraft(form);
  form.parts.button.focus({ preventScroll: true });
  form.paint();
  form.send({
    form_key: form.key, flap_id: form.data.flap_id, nonce,
    observed: draft.observed ? `${dayOf(form, draft.observed.day)}T${draft.observed.time}` : null,
    observed_fold: draft.observed?.fold ?? null,
    by: draft.by, signs: signAnswers(form), note: draft.note, worried: draft.worried,
    concern_about: draft.concern_about, confirmed: draft.confirmed,
  });
}

/** The ward's wall clock now, from the server's time and offset, as an ISO text. */
function wardClock(form, daysBack = 0) {
  const { now_iso } = form.data.observed;
  const offset = /([+-])(\d\d):?(\d\d)$/.exec(now_iso);
  const shift = offset ? (offset[1] === "-" ? -1 : 1) * (offset[2] * 60 + Number(offset[3])) : 0;
  const at = Date.parse(now_iso) + since(form.heard) + shift * 60_000 - daysBack * 86_400_000;
  return new Date(at).toISOString();
}

const dayOf = (form, day) => wardClock(form, day === "yesterday" ? 1 : 0).slice(0, 10);
