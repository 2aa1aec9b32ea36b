"""The page in the language of the browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from support.places import SOURCE
from support.visits import Visit, photo

STATIC = SOURCE / "web" / "static"
LANGUAGES = ("en", "de", "es", "fr")
ENTRY = re.compile(r"^\s+(\w+): (?:\"((?:[^\"\\]|\\.)*)\"|\{ one: \"([^\"]*)\", other: \"([^\"]*)\" \})", re.MULTILINE)
SECOND = re.compile(r"(?<=[,]) (\w+): \"((?:[^\"\\]|\\.)*)\"")


def table(language: str) -> dict[str, set[str]]:
    """The keys of a language, each with the names of what is filled in."""
    text = (STATIC / f"words-{language}.js").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        for key, said in re.findall(r"(?:^|(?<=, ))\s*(\w+): (\"(?:[^\"\\]|\\.)*\"|\{.*?\})(?=,)", line):
            found[key] = set(re.findall(r"\{(\w+)\}", said))
    return found


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_says_all_that_english_says(language: str) -> None:
    assert table(language) == table("en")


def test_every_word_that_is_asked_for_is_there() -> None:
    sources = {
        path.name: path.read_text(encoding="utf-8") for path in STATIC.iterdir() if path.suffix in (".js", ".html")
    }
    code = "\n".join(text for name, text in sources.items() if not name.startswith("words-"))
    asked = set(re.findall(r"\bt\(\"(\w+)\"", code)) | set(re.findall(r"data-t(?:-\w+)?=\"(\w+)\"", code))
    known = table("en")
    assert len(known) > 100
    assert asked <= set(known)
    unused = {key for key in known if not re.search(rf"\b{key}\b", code)}
    told = {"bad_photo", "damaged", "too_many_pixels", "too_large", "no_memory", "too_slow", "busy", "no_colors"}
    assert unused <= told  # which the server calls by these codes


@pytest.mark.parametrize(
    ("locale", "drop", "download"),
    [
        ("de-DE", "Alte Fotos oder Ordner hierher ziehen", "Herunterladen"),
        ("es-MX", "Suelte aquí fotos antiguas o carpetas", "Descargar"),
        ("fr-CA", "Déposez ici de vieilles photos ou des dossiers", "Télécharger"),
        ("it-IT", "Drop old photos or folders here", "Download"),
    ],
)
def test_the_browser_chooses_the_language(
    visiting: Callable[..., Visit], locale: str, drop: str, download: str
) -> None:
    visit = visiting(locale=locale)
    assert drop in visit.page.inner_text("#drop")
    visit.add(("a.jpg", photo()))
    visit.done(1)
    assert visit.page.inner_text("#download").strip() == download
    assert visit.page.evaluate("() => document.documentElement.lang") == (
        locale[:2] if locale[:2] in LANGUAGES else "en"
    )
    left = visit.page.evaluate("() => document.body.innerText.match(/\\{\\w+\\}|undefined/g)")
    assert left is None
    assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= 1280
