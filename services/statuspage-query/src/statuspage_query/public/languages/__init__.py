"""The languages of public pages."""

from pathlib import Path

from pinghome_web.language import load

LANGUAGES = load(Path(__file__).parent)
