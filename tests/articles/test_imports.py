"""Articles taken in from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.articles import finding, imports, queries, working
from everyline.articles.finding import Asked
from everyline.articles.queries import Shown
from everyline.ground import markdown
from everyline.ground.errors import Invalid
from everyline.ground.installation import Ground
from tests.articles.conftest import PUBLIC

PAGE = """\
<!doctype html><html lang="es-MX"><head><title>Pagar | Ayuda</title><style>p{}</style></head><body><nav>Inicio</nav>
<article><h1>Pagar la <b>cuenta</b></h1><p>Pague <a href="https://pay.example/a">aquí</a> o
<a href="javascript:alert(1)">allí</a> &lt;script&gt;alert(1)&lt;/script&gt;.</p>
<h2>Formas</h2><ul><li>Cheque<ul><li>por correo</li></ul></li><li>Efectivo</li></ul><ol><li>uno</li><li>dos</li></ol>
<table><tr><th>Forma</th><th>Costo</th></tr><tr><td>a|b</td><td>$2</td></tr></table>
<img src="https://spy.example/x.png" alt="La cuenta"><iframe src="https://evil.example">x</iframe><script>alert(1)</script>
</article><footer>Fin</footer></body></html>
"""


@pytest.mark.req("W2")
def test_a_page_of_another_desk_becomes_markdown() -> None:
    piece = imports.from_html(PAGE, "pagos/pagar.html", ("Pagos",))
    assert (piece.title, piece.language, piece.category) == ("Pagar la cuenta", "es", ("Pagos",))
    html = markdown.article(piece.text)
    assert '<a href="https://pay.example/a"' in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert '<h3 id="part-formas">Formas</h3>' in html
    assert "<td>a|b</td>" in html
    assert "La cuenta" in html
    for gone in ("javascript:", "spy.example", "evil.example", "Inicio", "Fin", "<script"):
        assert gone not in html


@given(st.text("<>/abp h1 ul li=\"'&;table tr td\n-!", max_size=300))
def test_any_page_is_read(content: str) -> None:
    piece = imports.from_html(content, "x.html")
    assert "<script" not in markdown.article(piece.text)


@pytest.mark.req("W2")
def test_a_markdown_file_with_and_without_a_head() -> None:
    headed = '---\ntitle: "Pay: how"\ntags: [bill, water]\ncategory: Water/Bills\nlang: en\nsummary: In short.\n---\n\n## One\ntext'
    piece = imports.from_markdown(headed, "a/b.md", ("Folder",))
    assert (piece.title, piece.tags, piece.category) == ("Pay: how", ("bill", "water"), ("Water", "Bills"))
    assert (piece.summary, piece.text) == ("In short.", "## One\ntext")
    assert imports.from_markdown("# Title\n\ntext", "a.md").title == "Title"
    assert imports.from_markdown("text", "02-get-a-dog_license.md").title == "Get a dog license"


@pytest.mark.req("W2")
def test_a_table_of_questions_and_answers() -> None:
    table = 'Question;Answer;Category;Questions\nHow to pay?;"Pay\nat once.";Water/Bills;Where?|When?\nMay I pay?;"Pay\nat once.";;\nDogs?;Yes.;;\n'
    first, second = imports.from_table(table, "faq.csv")
    assert (first.title, first.text, first.category) == ("How to pay?", "Pay\nat once.", ("Water", "Bills"))
    assert first.questions == ("Where?", "When?", "May I pay?")
    assert second.title == "Dogs?"
    assert [piece.title for piece in imports.from_table("a,b\nc,d\n", "x.csv")] == ["a", "c"]
    assert list(imports.from_table("", "x.csv")) == []
    lacking = list(imports.from_table('question,answer\na,"b\nc"\n\nd,\n', "x.csv"))
    assert [(piece.title, piece.line, piece.fault) for piece in lacking] == [
        ("d", 5, "it lacks a question or an answer"),
        ("a", 2, ""),
    ]
    with pytest.raises(Invalid, match=r"Line 2 of x\.csv"):
        list(imports.from_table(f"question,answer\na,{'b' * 200_000}\n", "x.csv"))


@pytest.mark.req("W2")
async def test_a_folder_is_taken_in_twice_and_nothing_is_doubled(ground: Ground, tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    (folder / "01-water bills").mkdir(parents=True)
    pay = folder / "01-water bills/pay.md"
    pay.write_text("# Pay your water bill\n\nPay at the counter.")
    (folder / "dogs.html").write_text("<h1>Dogs</h1><p>License your dog.</p>")
    (folder / "empty.md").write_text("# Nothing\n")
    (folder / "notes.txt").write_text("not this")
    secret = tmp_path / "secret.md"
    secret.write_text("# Secret\n\nwords")
    (folder / "leads-out.md").symlink_to(secret)

    async def take_in() -> imports.Done:
        async with ground.database.transaction() as tx:
            return await imports.take_in(tx, None, imports.from_folder(folder), language="en", publish=True)

    done = await take_in()
    assert (done.added, done.changed, done.same) == (2, 0, 0)
    assert [str(fault) for fault in done.refused] == ["empty.md: there is no text in it"]
    done = await take_in()
    assert (done.added, done.changed, done.same) == (0, 0, 2)
    pay.write_text("# Pay your water bill\n\nPay online.")
    done = await take_in()
    assert (done.added, done.changed, done.same) == (0, 1, 1)
    async with ground.database.transaction() as tx:
        (hit,) = (await finding.find(tx, Asked("pay water", PUBLIC)))[:1]
        shown = await queries.shown(tx, PUBLIC, hit.slug)
        assert isinstance(shown, Shown)
        assert (shown.html, [place.name for place in shown.path]) == ("<p>Pay online.</p>", ["Water bills"])
        assert len(await working.versions(tx, hit.article_id, "en")) == 2
        assert await finding.find(tx, Asked("secret", PUBLIC)) == []
