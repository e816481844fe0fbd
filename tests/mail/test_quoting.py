"""What people wrote is told from what they quote, in the languages of the world and the manners of their programs."""

import random
import time

import pytest

from webapp.mail import quoting
from webapp.mail.text import is_answer, parted, snippet, split_quote, split_signature, to_html

QUOTED = "\n> first line\n> second line\n"
BARE = "\n\nfirst line\nsecond line\n"
# (language, an attribution) as Gmail (web), Outlook (phone), Apple Mail or Thunderbird write it.
ATTRIBUTIONS = [
    ("en", "On Mon, 6 Jan 2025 at 10:00, Jan Nowak <jan@firma.example> wrote:"),
    ("en", "On Jan 6, 2025, at 10:00 AM, Jan Nowak <jan@firma.example> wrote:"),
    ("en", "On 06/01/2025 10:00, Jan Nowak wrote:"),
    ("pl", "pon., 6 sty 2025 o 10:00 Jan Nowak <jan@firma.example> napisał(a):"),
    ("pl", "Wiadomość napisana przez Jan Nowak <jan@firma.example> w dniu 6 sty 2025, o godz. 10:00:"),
    ("pl", "W dniu 6.01.2025 o 10:00, Jan Nowak pisze:"),
    ("de", "Am Mo., 6. Jan. 2025 um 10:00 Uhr schrieb Jan Nowak <jan@firma.example>:"),
    ("de", "Am 06.01.2025 um 10:00 schrieb Jan Nowak:"),
    ("fr", "Le lun. 6 janv. 2025 à 10:00, Jan Nowak <jan@firma.example> a écrit :"),
    ("fr", "Le 06/01/2025 à 10:00, Jan Nowak a écrit\u00a0:"),
    ("es", "El lun, 6 ene 2025 a las 10:00, Jan Nowak (<jan@firma.example>) escribió:"),
    ("it", "Il giorno lun 6 gen 2025 alle ore 10:00 Jan Nowak <jan@firma.example> ha scritto:"),
    ("pt", "Jan Nowak <jan@firma.example> escreveu (segunda, 6/01/2025 à(s) 10:00):"),
    ("pt", "Em seg., 6 de jan. de 2025 às 10:00, Jan Nowak <jan@firma.example> escreveu:"),
    ("nl", "Op ma 6 jan 2025 om 10:00 schreef Jan Nowak <jan@firma.example>:"),
    ("nl", "Op 6 jan. 2025 om 10:00 heeft Jan Nowak <jan@firma.example> het volgende geschreven:"),
    ("sv", "Den mån 6 jan. 2025 kl 10:00 skrev Jan Nowak <jan@firma.example>:"),
    ("sv", "6 jan. 2025 kl. 10:00 skrev Jan Nowak <jan@firma.example>:"),
    ("nb", "man. 6. jan. 2025 kl. 10:00 skrev Jan Nowak <jan@firma.example>:"),
    ("da", "Den man. 6. jan. 2025 kl. 10.00 skrev Jan Nowak <jan@firma.example>:"),
    ("fi", "ma 6. tammik. 2025 klo 10.00 Jan Nowak (jan@firma.example) kirjoitti:"),
    ("is", "Þann mán., 6. jan. 2025 kl. 10:00 skrifaði Jan Nowak <jan@firma.example>:"),
    ("cs", "po 6. 1. 2025 v 10:00 odesílatel Jan Nowak <jan@firma.example> napsal:"),
    ("cs", "Dne 06. 01. 25 v 10:00 Jan Nowak napsal(a):"),
    ("sk", "po 6. 1. 2025 o 10:00 Jan Nowak <jan@firma.example> napísal(a):"),
    ("hu", "Jan Nowak <jan@firma.example> ezt írta (időpont: 2025. jan. 6., H, 10:00):"),
    ("ro", "În lun., 6 ian. 2025 la 10:00, Jan Nowak <jan@firma.example> a scris:"),
    ("tr", "Jan Nowak <jan@firma.example>, 6 Oca 2025 Pzt, 10:00 tarihinde şunu yazdı:"),
    ("el", "Στις Δευ 6 Ιαν 2025 στις 10:00 π.μ., ο χρήστης Jan Nowak <jan@firma.example> έγραψε:"),
    ("ru", "пн, 6 янв. 2025 г. в 10:00, Jan Nowak <jan@firma.example>:"),
    ("ru", "06.01.2025 10:00, Jan Nowak пишет:"),
    ("uk", "пн, 6 січ. 2025 р. о 10:00 Jan Nowak <jan@firma.example> пише:"),
    ("bg", "На пн, 6.01.2025 г. в 10:00 Jan Nowak <jan@firma.example> написа:"),
    ("hr", "pon, 6. sij 2025. u 10:00 Jan Nowak <jan@firma.example> napisao je:"),
    ("sr", "пон, 6. јан 2025. у 10:00 Jan Nowak <jan@firma.example> је написао/ла:"),
    ("sl", "V pon., 6. jan. 2025 ob 10:00 je oseba Jan Nowak <jan@firma.example> napisala:"),
    ("lt", "pirm., 2025-01-06 10:00, Jan Nowak <jan@firma.example> rašė:"),
    ("lv", "pirmd., 2025. g. 6. janv., plkst. 10:00 — lietotājs Jan Nowak (<jan@firma.example>) rakstīja:"),
    ("et", "Jan Nowak (<jan@firma.example>) kirjutas kuupäeval E, 6. jaanuar 2025 kell 10:00:"),
    ("ca", "Missatge de Jan Nowak <jan@firma.example> del dia dl., 6 de gen. 2025 a les 10:00 va escriure:"),
    ("he", "\u202bבתאריך יום ב׳, 6 בינו׳ 2025 ב-10:00 מאת \u202aJan Nowak\u202c\u200f <\u202ajan@firma.example\u202c\u200f>:\u202c"),
    ("he", "ב-6 בינו׳ 2025, בשעה 10:00, Jan Nowak <jan@firma.example> כתב/ה:"),
    ("ar", "في الاثنين، 6 يناير 2025 في 10:00 ص تمت كتابة ما يلي بواسطة Jan Nowak <jan@firma.example>:"),
    ("ar", "كتب Jan Nowak <jan@firma.example> في 6 يناير 2025 10:00:"),
    ("fa", "در تاریخ دوشنبه 6 ژانویهٔ 2025،‏ 10:00 Jan Nowak <jan@firma.example> نوشت:"),
    ("hi", "सोम, 6 जन॰ 2025 को 10:00 am बजे को Jan Nowak <jan@firma.example> ने लिखा:"),
    ("ja", "2025年1月6日(月) 10:00 Jan Nowak <jan@firma.example>:"),
    ("ja", "2025/01/06 10:00、Jan Nowakのメール:"),
    ("ko", "2025년 1월 6일 (월) AM 10:00, Jan Nowak <jan@firma.example>님이 작성:"),
    ("zh", "Jan Nowak <jan@firma.example> 于2025年1月6日周一 10:00写道："),
    ("zh", "在 2025年1月6日，10:00，Jan Nowak <jan@firma.example> 寫道："),
    ("th", "ในวันที่ จ. 6 ม.ค. 2025 เวลา 10:00 Jan Nowak <jan@firma.example> เขียนว่า:"),
    ("vi", "Vào Th 2, 6 thg 1, 2025 vào lúc 10:00 Jan Nowak <jan@firma.example> đã viết:"),
    ("id", "Pada tanggal Sen, 6 Jan 2025 pukul 10.00 Jan Nowak <jan@firma.example> menulis:"),
]
HEADERS = [
    ("en", "From: Jan\nSent: Monday, January 6, 2025 10:00\nTo: Anna\nSubject: RE: Pallet"),
    ("pl", "Od: Jan\nWysłano: poniedziałek, 6 stycznia 2025 10:00\nDo: Anna\nTemat: RE: Paleta"),
    ("de", "Von: Jan\nGesendet: Montag, 6. Januar 2025 10:00\nAn: Anna\nBetreff: AW: Palette"),
    ("fr", "De\u00a0: Jan\nEnvoyé\u00a0: lundi 6 janvier 2025 10:00\nÀ\u00a0: Anna\nObjet\u00a0: RE: Palette"),
    ("es", "De: Jan\nEnviado el: lunes, 6 de enero de 2025 10:00\nPara: Anna\nAsunto: RE: Palé"),
    ("it", "Da: Jan\nInviato: lunedì 6 gennaio 2025 10:00\nA: Anna\nOggetto: R: Bancale"),
    ("pt", "De: Jan\nEnviada em: segunda-feira, 6 de janeiro de 2025\nPara: Anna\nAssunto: RES: Palete"),
    ("nl", "Van: Jan\nVerzonden: maandag 6 januari 2025 10:00\nAan: Anna\nOnderwerp: RE: Pallet"),
    ("sv", "Från: Jan\nSkickat: den 6 januari 2025 10:00\nTill: Anna\nÄmne: SV: Pall"),
    ("da", "Fra: Jan\nSendt: 6. januar 2025 10:00\nTil: Anna\nEmne: SV: Palle"),
    ("fi", "Lähettäjä: Jan\nLähetetty: maanantai 6. tammikuuta 2025\nVastaanottaja: Anna\nAihe: VS: Lava"),
    ("cs", "Od: Jan\nOdesláno: pondělí 6. ledna 2025\nKomu: Anna\nPředmět: RE: Paleta"),
    ("hu", "Feladó: Jan\nElküldve: 2025. január 6.\nCímzett: Anna\nTárgy: RE: Raklap"),
    ("ro", "De la: Jan\nTrimis: luni, 6 ianuarie 2025\nCătre: Anna\nSubiect: RE: Palet"),
    ("tr", "Kimden: Jan\nGönderildi: 6 Ocak 2025 Pazartesi\nKime: Anna\nKonu: RE: Palet"),
    ("ru", "От: Jan\nОтправлено: 6 января 2025 г.\nКому: Anna\nТема: RE: Паллета"),
    ("uk", "Від: Jan\nНадіслано: 6 січня 2025 р.\nКому: Anna\nТема: RE: Палета"),
    ("el", "Από: Jan\nΣτάλθηκε: Δευτέρα, 6 Ιανουαρίου 2025\nΠρος: Anna\nΘέμα: RE: Παλέτα"),
    ("ja", "差出人: Jan\n送信日時: 2025年1月6日 10:00\n宛先: Anna\n件名: RE: パレット"),
    ("zh", "发件人: Jan\n发送时间: 2025年1月6日 10:00\n收件人: Anna\n主题: RE: 托盘"),
    ("ko", "보낸 사람: Jan\n보낸 날짜: 2025년 1월 6일\n받는 사람: Anna\n제목: RE: 팔레트"),
    ("he", "מאת: Jan\nנשלח: יום שני 6 ינואר 2025\nאל: Anna\nנושא: RE"),
    ("bold", "*From:* Jan\n*Sent:* Monday, January 6, 2025 10:00\n*To:* Anna"),
    ("a date and a subject", "From: Jan\nDate: Monday, January 6, 2025 10:00\nTo: Anna\nSubject: RE: Pallet"),
    ("a date and an address", "From: Jan <jan@firma.example>\nDate: Monday, January 6, 2025 10:00\nTo: Anna"),
]
RULES = ("-----Original Message-----", "-------- Oryginalna wiadomość --------", "-----Ursprüngliche Nachricht-----",
         "-----Message d'origine-----", "-------- Исходное сообщение --------", "----- 元のメッセージ -----",
         "-----Oorspronkelijk bericht-----", "-----Mensaje original-----", "-----Původní zpráva-----",
         "-----Original-Nachricht-----", "----- Mail original -----")
NOT_QUOTES = (
    "From: 10:00\nTo: 12:00\nyou can come.\n",
    "Od: poniedziałku\nDo: piątku\nczynne.\n",
    "We talked on 6.01.2025 and then Jan wrote:\nhe would come.\n\nIs that so?\n",
    "Please note what they wrote on page 12:\nit is 5 kg.\n",
    "----------\nA line of dashes\n----------\nand words\n",
    "> quoted\nand my answer\n",
    "Please quote a transport:\n\nFrom: Gdansk\nTo: Berlin\nDate: 12.05.2025\n\nWhat is your price?\n",
    "Proszę o wycenę:\n\nOd: Gdańsk\nDo: Berlin\nData: 12.05.2025\n\nIle to kosztuje?\n",
    "Bitte um ein Angebot:\n\nVon: Hamburg\nAn: Berlin\nDatum: 12.05.2025\n\nWas kostet das?\n",
    "A message from the website.\n\nFrom: John Doe <john@x.example>\nDate: 2025-05-12\nPhone: 123\n\nPlease call me.\n",
    "As agreed on 12.05.2025 with Anna <anna@firma.example>:\nfive pallets go to Berlin.\n",
    "Hello,\nOn 6.01.2025 your driver wrote to me at jan@firma.example:\nthe goods are wet.\n\nWho pays?\n",
    "Pan Nowak pisze w mailu z 12.05.2025 (nowak@firma.example):\ndostawa w piątek.\n",
    "We can take\n >5 kg\n",
    "On Mon, 6 Jan 2025 at 10:00, Jan <jan@firma.example> wrote:\n> a question\nmy answer\n> one more\nno\n",
)


@pytest.mark.parametrize("language, line", ATTRIBUTIONS, ids=[f"{a[0]}-{n}" for n, a in enumerate(ATTRIBUTIONS)])
def test_an_attribution_begins_the_quote(language, line):
    new = "My answer.\n\n"
    assert split_quote(new + line + QUOTED) == (new, line + QUOTED)
    if "@" in line:
        assert split_quote(new + line + BARE) == (new, line + BARE)
    assert split_quote(new + line + QUOTED + "and more of my own\n")[1] == ""


@pytest.mark.parametrize("language, line", ATTRIBUTIONS, ids=[f"{a[0]}-{n}" for n, a in enumerate(ATTRIBUTIONS)])
def test_an_attribution_may_be_wrapped(language, line):
    words = line.split(" ")
    if len(words) < 4:
        return
    wrapped = " ".join(words[:-1]) + "\n" + words[-1]
    assert split_quote("My answer.\n\n" + wrapped + QUOTED) == ("My answer.\n\n", wrapped + QUOTED)


@pytest.mark.parametrize("language, header", HEADERS, ids=[h[0] for h in HEADERS])
def test_a_copied_header_begins_the_quote(language, header):
    for rule in ("", "________________________________\n"):
        quoted = rule + header + "\n\nThe old text\n"
        assert split_quote("My answer.\n\n" + quoted) == ("My answer.\n\n", quoted)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_begins_the_quote(rule):
    assert split_quote(f"My answer.\n\n{rule}\nThe old text\n") == ("My answer.\n\n", f"{rule}\nThe old text\n")


def test_at_least_25_languages_are_known():
    assert len({language for language, _line in ATTRIBUTIONS}) >= 25 and len(quoting.WROTE) >= 25


@pytest.mark.parametrize("text", NOT_QUOTES, ids=range(len(NOT_QUOTES)))
def test_what_is_no_quote_is_shown(text):
    assert split_quote(text) == (text, "")


def test_what_is_forwarded_is_no_quote_where_it_is_read():
    text = "For you.\n\n---------- Forwarded message ---------\nFrom: Jan\nDate: Mon\n\nThe letter\n"
    assert split_quote(text)[0] == "For you.\n\n"
    assert split_quote(text, forwards=False) == (text, "")
    assert snippet(text) == "For you."


@pytest.mark.parametrize("words, signature", [
    ("Yes.\n\n", "-- \nJan Nowak\nFirma"),
    ("Yes.\n\n", "--\nJan"),
    ("Yes.\n\n", "Sent from my iPhone"),
    ("Tak.\n\n", "Wysłane z iPhone’a\n"),
    ("Ja.\n\n", "Von meinem iPhone gesendet\n\n"),
    ("Ja.\n\n", "Get Outlook for iOS<https://aka.example/x>\n"),
    ("Oui.\n", "Envoyé de mon iPhone"),
    ("はい\n", "iPhoneから送信"),
    ("Ja.\n", "Von meinem Handy gesendet"),
    ("Tak.\n", "Wysłane z mojego telefonu"),
    ("Yes.\n", "Sent via the Samsung Galaxy S21, an AT&T 5G smartphone"),
    ("Sí.\n", "Enviado desde mi teléfono"),
    ("Yes.\n\n", "—\nJan Nowak\nFirma"),
    ("Yes.\n\n", "-- \nJan Nowak\nCan we help you?"),
])
def test_a_signature_is_told_from_what_is_said(words, signature):
    assert split_signature(words + signature) == (words, signature)
    assert snippet(words + signature) == words.strip()


@pytest.mark.parametrize("text", ["-- \nonly a signature", "a -- b", "Sent from my desk is what he said.\nOne\nTwo\nThree",
                                  "-- \n" + "line\n" * 40, "", "Hi,\nSent via DHL yesterday, number 123456.\n",
                                  "Hallo,\nvon meinem Konto wurde schon abgebucht.\n", "Wysłano z magazynu, proszę o telefon.\n",
                                  "Hallo,\ngesendet von uns am Montag: 5 Paletten.\n", "Sent via DHL, please phone me\n",
                                  "We take it.\n--\nSecond question: can you deliver on Sunday?\n",
                                  "We take it.\n\n—\n\n" + "And one more thing, that is longer than a name and a street are: " * 2,
                                  "We take it.\n--\n" + "one of many lines\n" * 13])
def test_what_is_no_signature_stays(text):
    assert split_signature(text) == (text, "")


@pytest.mark.parametrize("text, subject, parts", [
    ("Yes.\n\n-- \nJan\n\nOn 1.01.2025 at 10:00 a@b.example wrote:\n> x\n", "Re: x",
     ("Yes.\n\n", "-- \nJan\n\n", "On 1.01.2025 at 10:00 a@b.example wrote:\n> x\n")),
    ("Yes.\n> x\n", "Fwd: x", ("Yes.\n> x\n", "", "")),
    ("> all of it\n", "Re: x", ("> all of it\n", "", "")),
    ("", "", ("", "", "")),
])
def test_a_text_is_parted_for_the_eye(text, subject, parts):
    assert parted(text, subject) == parts


BOMBS = {
    "colons": "x:\n" * 350_000, "wrote": "On 1.1.2025 a@b wrote:\n" * 40_000, "one line": "On 1.1.2025 " + "a " * 500_000,
    "wrote words": "wrote " * 170_000 + ":", "from": "From: x\nSent: y\n"[:8] * 125_000, "dashes": "-" * 1_000_000,
    "rules": "-----Original Message-----"[:-1] * 40_000, "spaces": " \n" * 500_000, "quotes": "> x\n" * 250_000,
    "deep": ">" * 1_000_000, "signatures": "-- \n" * 250_000, "underscores": ("_" * 30 + "\n") * 33_000,
    "marks": "*" * 999_999 + ":", "bidi": "\u202b" * 500_000 + ":", "times": "10:00 " * 170_000 + "wrote:",
    "addresses": "<" * 500_000 + "a@b>:", "cjk": "写道" * 400_000 + "：", "mobile": "Sent from my \n" * 70_000,
    "deep lines": (">" * 50 + " x\n") * 19_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_megabyte_of_nonsense_takes_no_time(text):
    for function in (split_quote, snippet, split_signature, to_html):
        started = time.process_time()
        function(text)
        assert time.process_time() - started < 0.7, function


def test_no_word_is_ever_lost():
    rng = random.Random(5)
    lines = [line for _l, line in ATTRIBUTIONS] + [line for _l, h in HEADERS for line in h.split("\n")] + [
        "", "> q", "words", "-- ", "Sent from my iPhone", *RULES]
    for _ in range(500):
        text = "\n".join(rng.choices(lines, k=rng.randint(0, 25)))
        assert "".join(split_quote(text)) == text and "".join(split_signature(text)) == text


FORMS = ("A message from the website.\n\nFrom: Anna <anna@x.example>\nDate: 12.05.2025\nSubject: Pallets\n\nPlease call me.\n",
         "New enquiry\n\nFrom: anna@x.example\nTo: sales@corp.example\nSubject: Pallets\n\nWhat do they cost?\n",
         "Nowe zapytanie\n\n*Od:* anna@x.example\n*Data:* 12.05.2025\n*Temat:* Palety\n\nIle kosztują?\n")


@pytest.mark.parametrize("text", FORMS, ids=range(len(FORMS)))
def test_what_a_form_sends_answers_nothing_and_stays_in_sight(text):
    assert parted(text, "New message", answers=False) == (text, "", "")
    assert parted(text, "Re: Pallets", answers=True)[2], "in an answer it is a mail's header, copied"


def test_what_a_mail_program_marks_is_a_quote_in_every_mail():
    for quoted in ("From: Jan\nSent: Monday\nTo: Anna\n\nOLD\n", "-----Original Message-----\nOLD\n", "> OLD\n",
                   "________________________________\nFrom: Jan <j@x.example>\nDate: Mon\nTo: Anna\n\nOLD\n",
                   "On 6 Jan 2025 at 10:00, Jan <j@x.example> wrote:\n> OLD\n"):
        assert parted("NEW\n\n" + quoted, answers=False) == ("NEW\n\n", "", quoted)


def test_an_answer_is_told_by_its_header_or_its_subject():
    assert all(is_answer(s, ()) for s in ("Re: x", "AW: x", "Odp: x", "RE[2]: x", "SV: x", "Antw: x", "回复：x", " re : x"))
    assert not any(is_answer(s, ()) for s in ("", "Reklamacja: x", "Pallets", "Area: x", "Fwd: x"))
    assert is_answer("Pallets", ["a@x"])
