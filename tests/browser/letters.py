"""Mail for the browser tests, as bytes."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

PIXEL = (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
         b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82")


def letter(to, subject, text="Good morning,\n\nwhere is our pallet?\n", sender="Anna Nowak <anna@customer.example>",
           html=None, answers=None, minutes_ago=0, file=None):
    """One mail. `answers` is the raw mail that it answers; `file` is (name, bytes) of an attachment."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(datetime.now(UTC) - timedelta(minutes=minutes_ago))
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("> "))
    if answers is not None:
        mail["In-Reply-To"] = answers["Message-ID"]
        mail["References"] = " ".join(filter(None, [answers["References"], answers["Message-ID"]]))
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
        mail.get_payload()[1].add_related(PIXEL, "image", "png", cid="<dot@customer.example>")
    if file:
        mail.add_attachment(file[1], "application", "pdf", filename=file[0])
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


NEWSLETTER = """<html><body style="background:url(http://leak.test/body)"><h1 style="color:#8a4b1f">Rampe 4</h1>
<p>The <b>truck</b> comes at <i>nine</i>.</p><img src="http://leak.test/pixel.gif" width="1" height="1" alt="">
<img src="cid:dot@customer.example" width="12" height="12" alt="dot">
<script>document.title = "owned"; fetch("http://leak.test/script")</script>
<table width="900"><tr><td>wide</td><td background="http://leak.test/cell">cells</td></tr></table>
<a href="http://leak.test/offer">Offer</a></body></html>"""
