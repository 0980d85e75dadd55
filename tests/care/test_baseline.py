"""The baseline a surgeon chooses: what change is measured from, whatever the first check said."""

from __future__ import annotations

import pytest

from monitoring import care
from monitoring.domain import Refused, Severity
from tests.bedside import PROTOCOLS, Bed, at

PALE_FROM_THE_START = {"colour": "pale"}


def choose(bed: Bed, key: object, by: str = "diaz", minutes: float = 20) -> None:
    care.set_baseline(bed.record, PROTOCOLS, flap_id=bed.id, key=key, by=by, now=at(minutes))


def test_a_surgeon_may_call_a_pale_flap_its_own_normal(bed: Bed) -> None:
    """Slight pallor can be normal: once it is the baseline, pale is no finding any more."""
    first = bed.save(1, PALE_FROM_THE_START)
    assert first.assessment.severity is not Severity.NONE
    choose(bed, first.check.key)
    later = bed.save(31, PALE_FROM_THE_START)
    assert later.assessment.findings == ()


def test_a_chosen_baseline_outlives_what_is_judged_again(bed: Bed) -> None:
    """A clear check that is entered late does not take the place of the surgeon's choice."""
    first = bed.save(1, PALE_FROM_THE_START)
    choose(bed, first.check.key)
    bed.save(31, PALE_FROM_THE_START)
    bed.save(16, entered=40)
    chosen = bed.flap()
    assert chosen.baseline is not None
    assert (chosen.baseline.key, chosen.baseline_set) == (first.check.key, True)


def test_amending_the_chosen_check_keeps_it_the_baseline(bed: Bed) -> None:
    """The new version of the check is the baseline now, still by the surgeon's choice."""
    first = bed.save(1, PALE_FROM_THE_START)
    choose(bed, first.check.key)
    new = bed.amend(first.check.key, bed.look(1, {"colour": "pale", "refill": 2.4}), 30)
    chosen = bed.flap()
    assert chosen.baseline is not None
    assert (chosen.baseline.key, chosen.baseline_set) == (new.check.key, True)


def test_striking_the_chosen_check_gives_the_baseline_back_to_the_rule(bed: Bed) -> None:
    """Without the chosen check the first clear full one is the baseline again."""
    first = bed.save(1, PALE_FROM_THE_START)
    clear = bed.save(31)
    choose(bed, first.check.key, minutes=40)
    bed.retract(first.check.key, 50)
    found = bed.flap()
    assert found.baseline is not None
    assert (found.baseline.key, found.baseline_set) == (clear.check.key, False)


def test_a_nurse_does_not_set_a_baseline(bed: Bed) -> None:
    """It is a surgeon's judgement; nothing changes."""
    first = bed.save(1, PALE_FROM_THE_START)
    with pytest.raises(Refused, match="by a surgeon"):
        choose(bed, first.check.key, by="ana")
    assert bed.flap().baseline is None


@pytest.mark.parametrize(
    ("signs", "sentence"),
    [
        ({"colour": "blue", "refill": 0.5}, "raised an alert"),
        ({"turgor": None, "refill": None}, "full check"),
    ],
)
def test_a_compromised_or_partial_check_is_no_baseline(
    bed: Bed, signs: dict[str, object], sentence: str
) -> None:
    """A blue flap made its own normal would hide what comes after; so would half a check."""
    seen = bed.save(1, signs)
    with pytest.raises(Refused, match=sentence):
        choose(bed, seen.check.key)
    assert bed.flap().baseline is None
