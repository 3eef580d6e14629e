"""The errands that come with the product."""

from __future__ import annotations

from everyline.selfservice.errands.addresses import CHANGE_ADDRESS
from everyline.selfservice.errands.preferring import SET_PREFERENCES
from everyline.selfservice.errands.status import CASE_STATUS

ERRANDS = {
    errand.contract.name: errand
    for errand in (
        CHANGE_ADDRESS,
        SET_PREFERENCES,
        CASE_STATUS,
    )
}
