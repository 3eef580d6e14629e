"""Where one goes after signing in, how long one waits, what a browser is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.people.rules import LONGEST_WAIT, browser_words, own_path, seconds_to_wait

pytestmark = pytest.mark.req("P3")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/ /evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/desk\r\nSet-Cookie: a=b",
        "/\x00",
        "http:/desk",
        "///evil.example",
    ],
)
def test_no_way_leads_to_another_site(elsewhere: str) -> None:
    assert own_path(elsewhere) == "/desk"


@pytest.mark.parametrize("own", ["/", "/desk", "/desk/case/17?view=mine#newest", "/setup/lines"])
def test_own_paths_are_kept(own: str) -> None:
    assert own_path(own) == own


@given(st.text(max_size=60))
def test_whatever_is_asked_for_begins_with_one_slash(wanted: str) -> None:
    found = own_path(wanted)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))


def test_waits_grow_and_have_an_end() -> None:
    waits = [seconds_to_wait("name", failures) for failures in range(60)]
    assert waits[:5] == [0] * 5
    assert waits[5:9] == [2, 4, 8, 16]
    assert waits == sorted(waits)
    assert max(waits) <= LONGEST_WAIT
    assert seconds_to_wait("address", 5) == 0, "behind one address sits a whole office"


def test_browsers_have_names() -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    phone = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"
    )
    assert browser_words(firefox) == "Firefox, Linux"
    assert browser_words(phone) == "Safari, iPhone"
    assert browser_words("curl/8.5") == "curl/8.5"
    assert browser_words("") == ""
