"""Errands: what customers get done without anybody of us, each a typed function with a declared contract.

``known()`` has the contracts, ``carry_out`` does one, ``undo`` undoes it. See docs/developers/errands.md.
"""

from everyline.selfservice.errands.carrying import carry_out as carry_out
from everyline.selfservice.errands.carrying import known as known
from everyline.selfservice.errands.carrying import undo as undo
from everyline.selfservice.errands.contract import Contract as Contract
from everyline.selfservice.errands.contract import Done as Done
from everyline.selfservice.errands.contract import Down as Down
from everyline.selfservice.errands.contract import Input as Input
from everyline.selfservice.errands.contract import Outcome as Outcome
from everyline.selfservice.errands.contract import Refused as Refused
