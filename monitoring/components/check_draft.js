// The draft: what was touched, kept in the tab until it is saved, under its form's own key.

const DRAFT_PREFIX = "flap-check:";
const DRAFT_LIFE_MS = 12 * 3600 * 1000;

const emptyDraft = () => ({
  signs: {}, note: "", worried: false, concern_about: "", by: null, observed: null,
  confirmed: [], opened: [],
});

function isDirty(draft) {
  if (!draft) return false;
  const text = draft.note.trim() + draft.concern_about.trim();
  return Object.keys(draft.signs).length > 0 || draft.worried || text !== "";
}

/** A browser may refuse storage; the draft then lives on the page alone. */
function withStorage(work) {
  try {
    return work(window.sessionStorage);
  } catch {
    return null;
  }
}

function keepDraft(form) {
  withStorage((storage) => {
    const name = DRAFT_PREFIX + form.key;
    if (!isDirty(form.draft)) return storage.removeItem(name);
    const kept = { key: form.key, flap_id: form.data.flap_id, at: Date.now(), draft: form.draft };
    return storage.setItem(name, JSON.stringify(kept));
  });
}

function forgetDraft(key) {
  withStorage((storage) => storage.removeItem(DRAFT_PREFIX + key));
}

function keptDraft(key) {
  return withStorage((storage) => JSON.parse(storage.getItem(DRAFT_PREFIX + key)));
}

/** Another unsaved draft of this flap, from a lost session; what is old is forgotten. */
function keptDraftOf(flapId) {
  return withStorage((storage) => {
    const names = Object.keys(storage).filter((name) => name.startsWith(DRAFT_PREFIX));
    const drafts = names.map((name) => JSON.parse(storage.getItem(name)));
    for (const { key, at } of drafts) if (Date.now() - at > DRAFT_LIFE_MS) forgetDraft(key);
    const mine = drafts.filter((kept) => kept.flap_id === flapId && Date.now() - kept.at < DRAFT_LIFE_MS);
    return mine.sort((one, other) => other.at - one.at)[0] ?? null;
  });
}

/** Taken up again on request only, under its first key, and without the name of who typed it. */
function restoreOffered(form) {
  form.key = form.offered.key;
  form.draft = { ...form.offered.draft, by: form.data.who.chosen };
  form.offered = null;
  touched(form);
}

function discardOffered(form) {
  forgetDraft(form.offered.key);
  form.offered = null;
  form.paint();
}
