"""Which linked videos can be played in their place."""

from __future__ import annotations

import pytest

from everyline.ground import markdown
from everyline.portal import linked

pytestmark = pytest.mark.req("W2")
ALLOWED = linked.hosts("www.youtube-nocookie.com, player.vimeo.com ,Tube.example:8443,bad host, 'none', *")


def test_hosts_are_hosts() -> None:
    assert {"www.youtube-nocookie.com", "player.vimeo.com", "tube.example:8443"} == ALLOWED
    assert linked.hosts("") == frozenset()


@pytest.mark.parametrize(
    ("url", "player"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=4", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"),
        ("https://youtu.be/dQw4w9WgXcQ", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"),
        ("https://m.youtube.com/shorts/dQw4w9WgXcQ", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"),
        ("https://www.youtube.com/watch?v=%22%3E%3Cscript", ""),
        ("https://www.youtube.com/", ""),
        ("https://vimeo.com/76979871", "https://player.vimeo.com/video/76979871"),
        ("https://vimeo.com/about", ""),
        ("https://tube.example:8443/embed/1?a=1&b=2", "https://tube.example:8443/embed/1?a=1&b=2"),
        ("http://tube.example:8443/embed/1", ""),
        ("https://tube.example:8443@evil.example/", ""),
        ("https://evil.example/tube.example", ""),
        ("https://[::1/", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_each_address_has_its_player_or_none(url: str, player: str) -> None:
    assert linked.player(url, ALLOWED) == player


def test_what_is_not_allowed_stays_the_link_that_it_is() -> None:
    html = markdown.article("![Pay <b>](https://youtu.be/dQw4w9WgXcQ)\n\n![Other](https://evil.example/v)")
    faced = linked.faced(html, ALLOWED)
    assert faced.count("<figure") == 1
    assert 'data-player="https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"' in faced
    assert "From youtu.be." in faced
    assert "<b>" not in faced
    assert linked.framed(faced) == "; frame-src https://www.youtube-nocookie.com"
    assert linked.faced(html, frozenset()) == html
    assert linked.framed(html) == ""
