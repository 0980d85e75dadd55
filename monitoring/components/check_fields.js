// The controls of a row: segments, unable with its reasons, text fields, the refill timer.
// A control shows what the draft holds and writes what was touched; it never reads a number
// out of a text except to show the gap and to offer a second press.

const PLAIN_NUMBER = /^\s*[+-]?\d+(?:[.,]\d+)?\s*$/;
const REFILL_TIMER_LIMIT_MS = 20_000;

/** For information on screen only: null unless the text is plainly one number. */
const plainNumber = (text) =>
  PLAIN_NUMBER.test(text ?? "") ? Number(text.trim().replace(",", ".")) : null;

/** Native radios as large segments; the chosen one, touched again, is cleared. */
function segments(name, options, current, choose) {
  const inputs = options.map(({ value }) =>
    el("input", {
      type: "radio", name, value: String(value),
      onclick: () => choose(current() === value ? null : value),
      onkeydown: (event) => {
        // A browser sends no click for Space on a radio that is already chosen.
        if (current() !== value || ![" ", "Delete", "Backspace"].includes(event.key)) return;
        event.preventDefault();
        choose(null);
      },
    }),
  );
  const labels = options.map(({ label, swatch }, place) => {
    const patch = swatch ? el("i", { class: "swatch" }) : null;
    if (patch) patch.style.background = swatch;
    return el("label", { class: "segment" }, inputs[place], patch, el("span", { text: label }));
  });
  const paint = () => {
    inputs.forEach((input, place) => {
      input.checked = current() === options[place].value;
    });
  };
  return { labels, inputs, paint };
}

/** Unable: always at the right edge; one tap shows the reasons. */
function unableControl(form, sign, label, write) {
  const chosen = () => form.draft.signs[sign]?.unable ?? null;
  const id = `${form.id}-why-${sign}`;
  let open = false;
  const set = (code) => {
    open = true;
    write(code === null ? null : { unable: code, text: form.draft.signs[sign]?.text ?? "" });
  };
  const options = form.data.unable_reasons.map((r) => ({ value: r.code, label: r.label }));
  const reasons = segments(`${form.id}-unable-${sign}`, options, chosen, set);
  const other = el("input", {
    class: "field wide", type: "text", autocomplete: "off",
    "aria-label": `${label}: unable, which reason`, placeholder: "which reason",
    oninput: (event) => write({ unable: "other", text: event.target.value }),
  });
  const button = el("button", {
    class: "segment unable", type: "button", "aria-expanded": "false", "aria-controls": id,
    onclick: () => {
      open = !(open || chosen() !== null);
      if (chosen() === null) form.paint();
      else write(null);
      if (open) reasons.inputs[0].focus();
    },
  }, el("span", { text: "unable" }), el("span", { class: "unseen", text: `: ${label}` }));
  const panel = el(
    "div", { class: "reasons", id, role: "group", "aria-label": `${label}: why unable` },
    ...reasons.labels, other,
  );
  const paint = () => {
    reasons.paint();
    const shown = open || chosen() !== null;
    panel.hidden = !shown;
    setAttribute(button, "aria-expanded", String(shown));
    button.classList.toggle("chosen", chosen() !== null);
    other.hidden = chosen() !== "other";
    const text = form.draft.signs[sign]?.text ?? "";
    if (other.value !== text) other.value = text;
  };
  return { button, panel, paint };
}

/** A text field for a number as typed. Enter goes to the next field and never submits. */
function numberField(form, sign, label, text, write) {
  const input = el("input", {
    class: "field", type: "text", inputmode: "decimal", autocomplete: "off",
    enterkeyhint: "next", "aria-label": label, "data-sign": sign,
    oninput: (event) => write(event.target.value),
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const fields = [...form.root.querySelectorAll(".field")].filter((f) => f.offsetParent);
      fields[fields.indexOf(input) + 1]?.focus();
    },
  });
  const paint = () => {
    if (input.value !== text()) input.value = text();
    setAttribute(input, "aria-invalid", form.errorOf(sign) ? "true" : null);
  };
  return { input, paint };
}

/** Tap at release, tap when pink; once more to start again. Times are the taps' own. */
function refillTimer(form, sign, label, write) {
  let startedAt = null;
  let interval = null;
  const face = el("span", { text: "tap at release" });
  const live = el("span", { class: "unseen", "aria-live": "polite" });
  const stop = () => {
    clearInterval(interval);
    startedAt = null;
  };
  const refresh = () => {
    const passed = performance.now() - startedAt;
    if (!button.isConnected) stop();
    else if (passed > REFILL_TIMER_LIMIT_MS) {
      stop();
      setText(live, "No refill in 20 seconds. Nothing was recorded.");
      form.paint();
    } else setText(face, `${(passed / 1000).toFixed(1)} s · tap when pink`);
  };
  const onclick = (event) => {
    if (startedAt === null) {
      startedAt = event.timeStamp;
      interval = setInterval(refresh, 100);
      setText(live, "Timing. Press again when pink.");
      refresh();
      form.paint();
      return;
    }
    const seconds = Math.round((event.timeStamp - startedAt) / 10) / 100;
    stop();
    setText(live, `${seconds.toFixed(1)} seconds`);
    write({ seconds, typed: seconds.toFixed(1) });
  };
  const button = el(
    "button", { class: "segment timer", type: "button", onclick },
    el("i", { class: "lamp" }), face, el("span", { class: "unseen", text: `: ${label}` }),
  );
  const paint = () => {
    const running = startedAt !== null;
    button.classList.toggle("running", running);
    if (running) return;
    const timed = form.draft.signs[sign]?.seconds !== undefined;
    setText(face, timed ? "tap to time again" : "tap at release, then when pink");
  };
  return { nodes: [button, live], paint };
}

/** The sentence beside a field and the questions to confirm, tied to the fieldset for readers. */
function answersFor(form, signs, fieldset) {
  const id = `${form.id}-answer-${signs[0]}`;
  const sentence = el("span");
  const error = el("p", { class: "error", id }, warningIcon(), sentence);
  const questions = signs.map((sign) => confirmation(form, sign));
  fieldset.append(error, ...questions.map((q) => q.node));
  return () => {
    const text = signs.map((sign) => form.errorOf(sign)).filter(Boolean).join(" ");
    setText(sentence, text);
    error.hidden = text === "";
    setAttribute(fieldset, "aria-describedby", text ? id : null);
    fieldset.classList.toggle("wrong", text !== "");
    questions.forEach((question) => question.paint());
  };
}

function confirmation(form, sign) {
  const text = el("span");
  const button = el("button", {
    class: "segment", type: "button", text: "yes, it is right",
    onclick: () => form.confirm(sign),
  });
  const node = el("div", { class: "question", role: "group" }, warningIcon(), text, button);
  const paint = () => {
    const question = form.questionOf(sign);
    node.hidden = !question;
    setText(text, question ?? "");
    const yes = form.draft.confirmed.includes(sign);
    setAttribute(button, "aria-pressed", String(yes));
    setAttribute(node, "aria-label", question ?? null);
  };
  return { node, paint };
}
