"""A mail to a subscriber: text and HTML, with the headers by which mail programs unsubscribe."""

from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from pinghome_common.text import one_line
from pinghome_delivery.message import Message
from statuspage_cmd.subscriptions.links import Links, Place

_HTML = """\
<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"></head>
<body style="margin:0;padding:24px;background:#f5f6f8;color:#1c2024;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:560px;margin:0 auto;padding:32px;background:#fff;border-radius:8px">
<p style="margin:0 0 8px;color:#5b6470;font-size:14px">{page}</p>
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">{title}</h1>
{paragraphs}
<p style="margin:24px 0 0"><a href="{url}" style="display:inline-block;padding:10px 18px;background:#1c2024;
color:#fff;border-radius:6px;text-decoration:none">{button}</a></p>
</div>
<p style="max-width:560px;margin:16px auto 0;color:#5b6470;font-size:13px">{footer}</p>
</body></html>
"""
_PARAGRAPH = '<p style="margin:0 0 12px">{}</p>'


def letter(message: Message, place: Place, links: Links, to: str, sender: str) -> EmailMessage:
    """The mail of a message; the same message has the same `Message-ID`, and what is about the same is one thread."""
    news, words = message.notifications[-1], place.words
    mail = EmailMessage()
    mail["Subject"] = one_line(f"[{place.name}] {message.title}")[:200]
    mail["From"] = sender
    mail["To"] = to
    mail["Date"] = format_datetime(news.at)
    mail["Message-ID"] = f"<{message.key}@pinghome>"
    mail["Auto-Submitted"] = "auto-generated"
    if news.noun == "subscription":
        footer = words("ask.footer")
        _write(mail, message, place, links.manage, words("confirm"), (footer, escape(footer)))
        return mail
    mail["References"] = f"<{news.about}@pinghome>"
    mail["List-Unsubscribe"] = f"<{links.unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    why, leave = words("why", page=place.name), words("unsubscribe")
    link = f'<a href="{escape(links.unsubscribe)}" style="color:inherit">{leave}</a>'
    footers = f"{why}\n{leave}: {links.unsubscribe}", f"{escape(why)} {link}"
    _write(mail, message, place, place.of(news.noun, news.about), words("read_more"), footers)
    return mail


def _write(mail: EmailMessage, message: Message, place: Place, url: str, button: str, footer: tuple[str, str]) -> None:
    mail.set_content(f"{message.text}\n\n{button}: {url}\n\n-- \n{footer[0]}\n")
    blocks = [escape(block).replace("\n", "<br>") for block in message.text.split("\n\n")]
    html = _HTML.format(
        language=place.words.code, title=escape(message.title), page=escape(place.name),
        url=escape(url), button=button, footer=footer[1],
        paragraphs="\n".join(map(_PARAGRAPH.format, blocks)),
    )  # fmt: skip
    mail.add_alternative(html, subtype="html")
