"""What can be wrong with what others send. The text is for logs and for the reason phrase of an answer.

MediaError
├── BadPacket        no RTP or RTCP packet (RFC 3550)
├── BadDescription   no session description, or one beyond the limits (RFC 8866)
├── NothingInCommon  a description that is fine and shares no codec with us (RFC 3264)
├── BadSound         a file that holds no sound we can read
└── NoPorts          every port of the range is taken
"""

from __future__ import annotations


class MediaError(Exception):
    """The common root."""


class BadPacket(MediaError):
    """Not a packet of the protocol it came for."""


class BadDescription(MediaError):
    """A body that is no session description; answered with 400 or 488."""


class NothingInCommon(MediaError):
    """No stream that both sides can speak; answered with 488."""


class BadSound(MediaError):
    """A file that cannot be played."""


class NoPorts(MediaError):
    """No port is left for another leg; answered with 503."""
