"""Mail that a real mailbox holds and a tidy example does not: bounces, robots, old code pages, damage.

Bytes by hand where a library would put things right.
"""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from webapp.demo.people import COMPANY, DOMAIN
from webapp.demo.story.cast import BY_KEY, Correspondent
from webapp.demo.story.conversation import StoredMail, moment, our_name
from webapp.demo.story.letter import Letter, message_id, to_bytes

KONTAKT = f"kontakt@{DOMAIN}"
OFERTY = f"oferty@{DOMAIN}"


def oddities(now: datetime, seed: int) -> Iterator[StoredMail]:
    made = (
        (KONTAKT, "2 12:11", _bounce),
        (OFERTY, "3 15:02", _out_of_office),
        (KONTAKT, "3 6:00", _newsletter),
        (OFERTY, "6 6:00", _newsletter),
        (KONTAKT, "5 6:30", _fleet_report),
        (KONTAKT, "4 11:11", _old_headers),
        (KONTAKT, "7 10:10", _without_message_id),
        (KONTAKT, "9 3:14", _broken),
    )
    for address, when, make in made:
        date = moment(when, now)
        raw = make(address, date, seed)
        yield StoredMail(address, "INBOX", raw, date.astimezone(UTC), frozenset({"\\Seen"}))
    for address, when, make in ((KONTAKT, "2 12:10", _to_balia), (OFERTY, "3 15:01", _to_schulz)):
        date = moment(when, now)
        yield StoredMail(address, "\\Sent", to_bytes(make(date, seed)), date.astimezone(UTC), frozenset({"\\Seen"}))


def bounce(recipient: str, to: str, original: bytes, date: datetime, ident: str) -> bytes:
    """A delivery report (RFC 3464): words for people, facts for programs, and the header of what came back."""
    boundary = f"=_report_{ident}"
    header = original.replace(b"\r\n", b"\n").partition(b"\n\n")[0].replace(b"\n", b"\r\n")
    head = (
        f"From: Mail Delivery System <MAILER-DAEMON@mail.{DOMAIN}>\r\n"
        f"To: {to}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\n"
        f"Date: {format_datetime(date)}\r\n"
        f"Message-ID: <{ident}@mail.{DOMAIN}>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\r\n'
        "\r\n"
        f"--{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        f"This is the mail system at host mail.{DOMAIN}.\r\n\r\n"
        "I'm sorry to have to inform you that your message could not\r\n"
        "be delivered to one or more recipients. It's attached below.\r\n\r\n"
        f"<{recipient}>: host mx.{recipient.rpartition('@')[2]} said: 550 5.1.1\r\n"
        f"    <{recipient}>: Recipient address rejected: User unknown\r\n"
        f"--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mail.{DOMAIN}\r\n"
        f"Arrival-Date: {format_datetime(date)}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\n"
        f"Original-Recipient: rfc822;{recipient}\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n"
        f"Remote-MTA: dns; mx.{recipient.rpartition('@')[2]}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 Recipient address rejected: User unknown\r\n\r\n"
        f"--{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    )
    return head.encode() + header + f"\r\n\r\n--{boundary}--\r\n".encode()


AWAY_TEXT = """
Guten Tag,

vielen Dank für Ihre Nachricht. Ich bin bis einschließlich Freitag nicht im Büro und lese keine E-Mails. In dringenden
Fällen wenden Sie sich bitte an die Zentrale, Telefon +49 30 555 0170.
"""


def out_of_office(person: Correspondent, to: tuple[str, str], subject: str, answered_id: str, date: datetime,
                  ident: str) -> bytes:
    """An automatic answer (RFC 3834)."""
    return to_bytes(Letter(
        sender=(person.name, person.address), to=(to,), subject=f"Automatische Antwort: {subject}", text=AWAY_TEXT,
        date=date, message_id=ident, in_reply_to=answered_id, references=(answered_id,) if answered_id else (),
        language=person.language, signature=(person.name, person.title, person.company),
        headers=(("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"), ("Precedence", "bulk"))))


def _to_balia(date: datetime, seed: int) -> Letter:
    return _ours(KONTAKT, "balia", "Potwierdzenie terminu odbioru", "Dzień dobry, odbiór jutro o 9:00.", date, seed)


def _to_schulz(date: datetime, seed: int) -> Letter:
    return _ours(OFERTY, "schulz", "Angebot Verpackungsmaterial", "Guten Tag Frau Schulz, passt Ihnen Dienstag?", date,
                 seed)


def _ours(address: str, key: str, subject: str, text: str, date: datetime, seed: int) -> Letter:
    person = BY_KEY[key]
    return Letter(sender=our_name(address), to=((person.name, person.address),), subject=subject, text=text, date=date,
                  message_id=message_id(DOMAIN, seed, key), language=person.language)


def _bounce(address: str, date: datetime, seed: int) -> bytes:
    original = to_bytes(_to_balia(date - timedelta(minutes=1), seed))
    return bounce(BY_KEY["balia"].address, address, original, date, f"bounce.first.{seed}")


def _out_of_office(address: str, date: datetime, seed: int) -> bytes:
    asked = _to_schulz(date - timedelta(minutes=1), seed)
    return out_of_office(BY_KEY["schulz"], our_name(address), asked.subject, asked.message_id, date,
                         message_id("schulz-verpackungen.example", seed, "away"))


def _newsletter(address: str, date: datetime, seed: int) -> bytes:
    person = BY_KEY["radar"]
    return to_bytes(Letter(
        sender=(person.name, person.address), to=(our_name(address),), date=date,
        subject="Radar Transportu: ceny paliw, zmiany w pakiecie mobilności, nowe opłaty",
        text="""
W tym tygodniu: paliwo tańsze o 4 grosze, nowe opłaty na drogach krajowych, i rozmowa z dyspozytorką roku.

Paliwo | Średnia | Zmiana
ON hurt | 5,02 zł | −0,04 zł
AdBlue | 1,89 zł | 0,00 zł

Nie chcesz tych wiadomości? Wypisz się: https://radar-transportu.example/wypisz""",
        message_id=message_id("radar-transportu.example", seed, address), colour=person.colour,
        signature=("Redakcja", "Radar Transportu", "Radar Transportu"),
        remote_images=("https://img.radar-transportu.example/n/okladka.jpg",
                       "https://img.radar-transportu.example/n/wykres.png",
                       "https://stat.radar-transportu.example/o/7f31.gif"),
        headers=(
            ("List-Unsubscribe", "<https://radar-transportu.example/wypisz>, <mailto:stop@radar-transportu.example>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("List-Id", "<tydzien.radar-transportu.example>"), ("Precedence", "bulk"))))


def _fleet_report(address: str, date: datetime, seed: int) -> bytes:
    """HTML alone, no plain text, as robots send it."""
    html = (f"<html><body><h2 style='font-family:Verdana;color:#2d5b2f'>Raport dzienny floty</h2>"
            f"<table border=1 cellpadding=4><tr><th>Pojazd<th>Km<th>Spalanie"
            f"<tr><td>WGM 4K821<td align=right>612<td>27,4<tr><td>WGM 77P3<td align=right>588<td>26,9</table>"
            f"<p><font size=1>Wygenerowano automatycznie dla {COMPANY}</font></body></html>")
    head = (f"From: FlotaTrack <raporty@flotatrack.example>\r\nTo: {address}\r\nSubject: Raport dzienny floty\r\n"
            f"Date: {format_datetime(date)}\r\nMessage-ID: {message_id('flotatrack.example', seed)}\r\n"
            "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n")
    lines = b64encode(html.encode())
    return head.encode() + b"\r\n".join(lines[at:at + 76] for at in range(0, len(lines), 76)) + b"\r\n"


def _old_headers(address: str, date: datetime, seed: int) -> bytes:
    """Encoded words in two old code pages, a folded subject, a body in windows-1250 as 8bit."""
    words = ("Zap=B3ata_za_us=B3ugi", "_=2D_=B6rodki_ju=BF_wys=B3ane")
    subject = " ".join(f"=?iso-8859-2?Q?{word}?=" for word in words)
    sender = "=?windows-1250?B?" + b64encode("Łucja Żądło".encode("windows-1250")).decode() + "?="
    head = (f"From: {sender} <l.zadlo@hurtownia-grot.example>\r\nTo: <{address}>\r\nSubject: {subject}\r\n"
            f"Date: {format_datetime(date)}\r\nMessage-ID: {message_id('hurtownia-grot.example', seed)}\r\n"
            "X-Mailer: Microsoft Outlook Express 6.00.2900.5931\r\nMIME-Version: 1.0\r\n"
            'Content-Type: text/plain; charset="windows-1250"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n')
    text = ("Dzień dobry,\r\n\r\nśrodki za usługi z ubiegłego miesiąca już wysłane, proszę sprawdzić „konto złotowe”."
            "\r\n\r\nŁucja Żądło\r\nHurtownia Grot\r\n")
    return head.encode() + text.encode("windows-1250")


def _without_message_id(address: str, date: datetime, seed: int) -> bytes:
    person = BY_KEY["brzecz"]
    return to_bytes(Letter(sender=(person.name, person.address), to=(our_name(address),), date=date, message_id="",
                           subject="Prosba o kontakt", text="Prosze o telefon w sprawie terminu. Brzeczyszczykiewicz",
                           charset="windows-1250", headers=(("X-Mailer", "FormMail 1.92"),)))


def _broken(address: str, date: datetime, seed: int) -> bytes:
    """Two From fields, a header that is none, bytes of no charset, a boundary that never comes, base64 cut short."""
    head = (f"From: skaner@biuro\r\nFrom: \"Skaner 2 pietro <skaner@biuro-rampa.example>\r\nTo: {address};\r\n"
            f"Date: wczoraj wieczorem\r\nSubject: Skan ").encode() + b"\xb3\xf3\xffdka\r\nto nie jest naglowek\r\n"
    return head + (b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"gdzies-tu\r\n\r\n"
                   b"--gdzies\r\nContent-Type: application/pdf; name==?utf-8?Q?skan\r\n"
                   b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQKJeLjz9MKMSAwIG9iago8PCAvVHlwZSA\r\n=\x00\xfe")
