"""The errands that come with the product."""

from __future__ import annotations

from everyline.selfservice.errands.addresses import CHANGE_ADDRESS
from everyline.selfservice.errands.appointments import APPOINTMENTS
from everyline.selfservice.errands.asking_us import NEW_CASE
from everyline.selfservice.errands.callbacks import CALLBACKS
from everyline.selfservice.errands.outages import REPORT_OUTAGE
from everyline.selfservice.errands.preferring import SET_PREFERENCES
from everyline.selfservice.errands.statements import REQUEST_STATEMENT
from everyline.selfservice.errands.status import CASE_STATUS

ERRANDS = {
    errand.contract.name: errand
    for errand in (
        CHANGE_ADDRESS,
        SET_PREFERENCES,
        REQUEST_STATEMENT,
        CASE_STATUS,
        NEW_CASE,
        REPORT_OUTAGE,
        *APPOINTMENTS,
        *CALLBACKS,
    )
}
