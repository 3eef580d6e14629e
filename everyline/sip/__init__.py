"""Signalling of calls over SIP (RFC 3261), by sippy behind a seam. Bodies are bytes that nothing here looks into.

    async with SipExchange(Listening(port=5060), [Trunk("north", "203.0.113.7")], on_call) as exchange: …

``exchange`` takes and makes calls; ``calls`` is one call, ``incoming`` and ``placed`` its two kinds; ``trunks`` and
``keeping`` the ways; ``guard`` and ``numbers`` what is refused; ``trace`` what was said. ``thread`` and ``transactions``
are the seam: nothing else knows sippy but ``digest``, which uses its arithmetic. It needs the extra ``phone``, so whoever
may run without it imports this package where it is used.
"""
