// The rows of the form, one sign (or a pair) each: label and last value left, controls, unable
// at the right edge, and below them reasons, the error and the question.

function makeRow(form, row, signs, controls, { unable = null, hint = null } = {}) {
  const spoken = row.last ? `${row.label}, last ${row.last}` : row.label;
  const node = el(
    "fieldset", { class: "row", "data-sign": row.sign },
    el("legend", { class: "unseen", text: spoken }),
    el("div", { class: "label", "aria-hidden": "true" },
      el("b", { text: row.label }), el("span", { class: "dim", text: row.last })),
    el("div", { class: "controls" }, ...controls.nodes, hint),
    unable?.button,
    unable?.panel,
  );
  const paintAnswers = answersFor(form, signs, node);
  const paint = () => {
    controls.paint();
    unable?.paint();
    paintAnswers();
  };
  return { node, row, signs, paint };
}

const ROW_KINDS = {
  words(form, row) {
    const { sign } = row;
    const options = row.options.map((o) => ({ value: o.word, label: o.label, swatch: o.swatch }));
    const current = () => form.draft.signs[sign]?.word ?? null;
    const choose = (word) => form.write(sign, word === null ? null : { word });
    const group = segments(`${form.id}-${sign}`, options, current, choose);
    const unable = unableControl(form, sign, row.label, (value) => form.write(sign, value));
    return makeRow(form, row, [sign], { nodes: group.labels, paint: group.paint }, { unable });
  },

  yes_no(form, row) {
    const { sign } = row;
    const options = [{ value: true, label: "yes" }, { value: false, label: "no" }];
    const current = () => form.draft.signs[sign]?.yes ?? null;
    const choose = (yes) => form.write(sign, yes === null ? null : { yes });
    const group = segments(`${form.id}-${sign}`, options, current, choose);
    const unable = unableControl(form, sign, row.label, (value) => form.write(sign, value));
    return makeRow(form, row, [sign], { nodes: group.labels, paint: group.paint }, { unable });
  },

  number(form, row) {
    const { sign } = row;
    const text = () => form.draft.signs[sign]?.typed ?? "";
    const field = numberField(form, sign, `${row.label}, ${row.unit}`, text, (typed) =>
      form.write(sign, { typed }));
    const unit = el("span", { class: "dim", text: row.unit });
    const unable = unableControl(form, sign, row.label, (value) => form.write(sign, value));
    return makeRow(form, row, [sign], { nodes: [field.input, unit], paint: field.paint }, { unable });
  },

  temperatures: temperatureRow,
  refill: refillRow,
};

/** Unable here speaks for whatever of the two is left blank. */
function temperatureRow(form, row) {
  const pair = [row.flap_sign, row.control_sign];
  const typed = (sign) => form.draft.signs[sign]?.typed ?? "";
  const write = (sign) => (text) => {
    form.write(sign, { typed: text });
    if (pair.every((one) => typed(one).trim())) form.write(row.sign, null);
  };
  const fields = pair.map((sign, place) =>
    numberField(form, sign, `${place ? "Control" : "Flap"} temperature, °C`, () => typed(sign),
      write(sign)));
  const gap = el("b");
  const baseline = el("span", { class: "dim", text: row.baseline_text });
  const shown = el("span", { class: "gap", "aria-live": "polite" }, "gap ", gap, " ", baseline);
  const paint = () => {
    fields.forEach((field) => field.paint());
    const [flap, control] = pair.map((sign) => plainNumber(typed(sign)));
    const known = flap !== null && control !== null;
    setText(gap, known ? `${(control - flap).toFixed(1)} °C`.replace("-", "\u2212") : "");
    shown.hidden = !known;
  };
  const unable = unableControl(form, row.sign, row.label, (value) => {
    const full = pair.every((sign) => typed(sign).trim());
    if (value && full) pair.forEach((sign) => form.write(sign, null));
    form.write(row.sign, value);
  });
  const nodes = fields.flatMap((field, place) => [
    el("label", { class: "paired" }, el("span", { class: "dim", text: place ? "control" : "flap" }),
      field.input),
  ]);
  return makeRow(form, row, [row.sign, ...pair], { nodes: [...nodes, shown], paint }, { unable });
}

function refillPress(form, row, sign, label, last) {
  const value = () => form.draft.signs[sign];
  const write = (next) => form.write(sign, next);
  const timer = refillTimer(form, sign, label, write);
  const field = numberField(form, sign, `${label}, seconds`, () => value()?.typed ?? "",
    (typed) => write({ typed }));
  const options = row.options.map((o) => ({ value: o.word, label: o.label, swatch: null }));
  const group = segments(`${form.id}-${sign}`, options, () => value()?.word ?? null, (word) =>
    write(word === null ? null : { word }));
  const seconds = el("span", { class: "seconds" }, field.input, el("span", { class: "dim", text: "s" }));
  const words = el("span", { class: "words" }, ...group.labels);
  const unable = unableControl(form, sign, label, write);
  const paint = () => [timer, field, group].forEach((part) => part.paint());
  const controls = { nodes: [...timer.nodes, seconds, words], paint };
  return makeRow(form, { ...row, sign, label, last }, [sign], controls, { unable });
}

/** A first press outside 1 to 3 s asks for a second one. */
function needsSecondPress(value) {
  if (!value || value.unable) return false;
  if (value.word) return value.word !== "normal";
  const seconds = value.seconds ?? plainNumber(value.typed);
  return seconds !== null && (seconds < 1 || seconds > 3);
}

function refillRow(form, row) {
  const first = refillPress(form, row, row.sign, row.label, row.last);
  const again = row.again_sign;
  if (!again) return first;
  const second = refillPress(form, row, again, `${row.label} again`, "second press");
  const node = el("div", { class: "pair" }, first.node, second.node);
  const paint = () => {
    first.paint();
    second.paint();
    const asked = needsSecondPress(form.draft.signs[row.sign]);
    second.node.hidden = !(asked || form.draft.signs[again] || form.errorOf(again));
  };
  return { node, row, signs: [row.sign, again], paint };
}

const buildRow = (form, row) => ROW_KINDS[row.kind](form, row);

/** Rare signs wait behind buttons; what was opened or refused stays open. */
function moreSection(form) {
  const note = { label: "note", rows: [], note: true };
  const groups = [...form.data.more, note].map((group, place) => {
    const rows = group.rows.map((row) => buildRow(form, row));
    if (group.note) rows.push(noteRow(form));
    const panel = el("div", { class: "group", id: `${form.id}-more-${place}` },
      ...rows.map((row) => row.node));
    const button = el("button", {
      class: "segment", type: "button", "aria-controls": panel.id, text: group.label,
      onclick: () => {
        form.toggleMore(group.label);
        if (!panel.hidden) panel.querySelector("input, textarea")?.focus();
      },
    });
    const paint = () => {
      rows.forEach((row) => row.paint());
      const signs = rows.flatMap((row) => row.signs);
      const answered = signs.some((sign) => form.answered(sign) || form.errorOf(sign));
      panel.hidden = !(form.draft.opened.includes(group.label) || answered);
      setAttribute(button, "aria-expanded", String(!panel.hidden));
    };
    return { panel, button, rows, paint };
  });
  const row = { sign: "more", label: "More", last: "when asked for" };
  const controls = {
    nodes: groups.map((group) => group.button),
    paint: () => groups.forEach((group) => group.paint()),
  };
  const head = makeRow(form, row, [], controls);
  const node = el("div", { class: "pair" }, head.node, ...groups.map((group) => group.panel));
  return { node, row, signs: [], rows: groups.flatMap((group) => group.rows), paint: head.paint };
}

function textArea(form, key, label, rows) {
  const area = el("textarea", {
    class: "field wide", rows, "aria-label": label, "data-sign": key,
    oninput: (event) => form.set(key, event.target.value),
  });
  const paint = () => {
    if (area.value !== form.draft[key]) area.value = form.draft[key];
  };
  return { nodes: [area], paint };
}

const noteRow = (form) =>
  makeRow(form, { sign: "note", label: "Note", last: "plain text" }, ["note"],
    textArea(form, "note", "Note", 3));

function worriedRow(form) {
  const button = el("button", {
    class: "segment worried", type: "button", text: "yes, something is wrong",
    onclick: () => {
      form.set("worried", !form.draft.worried);
      if (form.draft.worried) about.nodes[0].focus();
    },
  });
  const about = textArea(form, "concern_about", "What worries you", 2);
  about.nodes[0].placeholder = "what worries you";
  const paint = () => {
    about.paint();
    about.nodes[0].hidden = !form.draft.worried;
    setAttribute(button, "aria-pressed", String(form.draft.worried));
  };
  const row = { sign: "worried", label: "I am worried", last: "always raises a review" };
  return makeRow(form, row, ["concern_about"], { nodes: [button, ...about.nodes], paint });
}

/** Late entry: the ward's wall time, today or yesterday. */
function observedRow(form) {
  const days = [{ value: "today", label: "today" }, { value: "yesterday", label: "yesterday" }];
  const change = (part) => form.set("observed", { ...form.draft.observed, ...part });
  const day = segments(`${form.id}-day`, days, () => form.draft.observed?.day ?? null, (value) =>
    change({ day: value ?? form.draft.observed.day }));
  const time = el("input", {
    class: "field", type: "time", "aria-label": "Time of the check", "data-sign": "observed_at",
    oninput: (event) => change({ time: event.target.value }),
  });
  const folds = (form.data.observed.fold_options ?? []).map((o) => ({ value: o.value, label: o.label }));
  const fold = segments(`${form.id}-fold`, folds, () => form.draft.observed?.fold ?? null, (value) =>
    change({ fold: value }));
  const now = el("button", {
    class: "segment", type: "button", text: "it is now", onclick: () => form.set("observed", null),
  });
  const paint = () => {
    day.paint();
    fold.paint();
    const text = form.draft.observed?.time ?? "";
    if (time.value !== text) time.value = text;
  };
  const row = { sign: "observed_at", label: "Observed", last: "late entry" };
  const controls = { nodes: [...day.labels, time, ...fold.labels, now], paint };
  const made = makeRow(form, row, ["observed_at"], controls);
  return {
    ...made,
    paint: () => {
      made.paint();
      made.node.hidden = !form.draft.observed && !form.errorOf("observed_at");
    },
  };
}
