"""The verbs: every write to the clinical record, each one transaction, no screen in between.

A verb says what a person did on the ward. It validates, judges and writes whole or not at all,
and what it returns was read back from what was committed.
"""

from monitoring.care.answering import (
    acknowledge_alert,
    arrive,
    close_alert,
    expire_acknowledgement,
    may_take,
    pass_alert,
    read_page,
    snooze_alert,
)
from monitoring.care.bedside import ALL, UnknownPerson
from monitoring.care.escalating import climb_alert
from monitoring.care.handing_over import hand_over
from monitoring.care.importing import Imported, content_key, import_course
from monitoring.care.photographing import add_photo, strike_photo
from monitoring.care.recording import (
    NeedsConfirmation,
    OtherBody,
    Saved,
    amend_check,
    record_check,
    retract_check,
)
from monitoring.care.returning import correct_return, record_return, withdraw_return
from monitoring.care.reviewing import Reviewed, confirm_read_back, end_order, record_review
from monitoring.care.rostering import (
    Rostered,
    end_shift,
    enter_shift,
    import_shifts,
    preview_rota,
    remove_contact,
    send_test_page,
    set_contact,
)
from monitoring.care.staying import (
    admit_flap,
    correct_flap,
    correct_outcome,
    discharge_flap,
    hold_flap,
    record_outcome,
    release_flap,
    set_baseline,
    set_mine,
    transfer_bed,
)
from monitoring.care.watching import raise_overdue
from monitoring.domain import Refused
from monitoring.photos import BadPhoto

__all__ = [
    "ALL",
    "BadPhoto",
    "Imported",
    "NeedsConfirmation",
    "OtherBody",
    "Refused",
    "Reviewed",
    "Rostered",
    "Saved",
    "UnknownPerson",
    "acknowledge_alert",
    "add_photo",
    "admit_flap",
    "amend_check",
    "arrive",
    "climb_alert",
    "close_alert",
    "confirm_read_back",
    "content_key",
    "correct_flap",
    "correct_outcome",
    "correct_return",
    "discharge_flap",
    "end_order",
    "end_shift",
    "enter_shift",
    "expire_acknowledgement",
    "hand_over",
    "hold_flap",
    "import_course",
    "import_shifts",
    "may_take",
    "pass_alert",
    "preview_rota",
    "raise_overdue",
    "read_page",
    "record_check",
    "record_outcome",
    "record_return",
    "record_review",
    "release_flap",
    "remove_contact",
    "retract_check",
    "send_test_page",
    "set_baseline",
    "set_contact",
    "set_mine",
    "snooze_alert",
    "strike_photo",
    "transfer_bed",
    "withdraw_return",
]
