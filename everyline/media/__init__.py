"""Sound: legs over RTP, codecs, jitter, DTMF, mixing, prompts, recording, and the SDP that agrees on them.

Knows no database, no case and no signalling. Whoever signals hands in the bodies of messages and gets bodies back.
Import it only in a process that moves sound: it loads numpy, and codecs of the extra ``phone`` where a leg needs one.
"""
