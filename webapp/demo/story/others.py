"""faktury@, free to be connected by the visitor, and magazyn@, which a removed person still holds."""

from webapp.demo.story.attachments import csv, jpeg, pallet, pdf, xlsx
from webapp.demo.story.conversation import says, thread


def _invoice(number: str, total: str):
    return pdf(f"faktura-{number}.pdf", f"Faktura {number}", [f"Razem do zapłaty: {total}", "Termin: 14 dni"])


FAKTURY = (
    thread(
        "Faktura za paliwo, okres 1–15",
        says(
            "paliwa",
            "3 7:00",
            """
Szanowni Państwo,

faktura za okres 1–15 w załączeniu.

Karta | Litry | Brutto
…4410 | 1 820 | 11 102,00 zł
…4411 | 1 655 | 10 095,50 zł""",
            _invoice("OP-55120", "21 197,50 zł"),
        ),
    ),
    thread(
        "Faktura za paliwo, okres 16–31",
        says("paliwa", "14 7:00", "Faktura za okres 16–31 w załączeniu.", _invoice("OP-54981", "23 410,20 zł")),
    ),
    thread(
        "Opony zimowe – faktura końcowa",
        says(
            "opony",
            "6 12:30",
            "Dzień dobry, faktura za 24 opony z montażem. Proszę o płatność w 14 dni.",
            _invoice("R-311", "38 640,00 zł"),
        ),
        says("ania_my", "6 13:15", "Dzień dobry, na fakturze jest 26 sztuk. Proszę o korektę."),
        says("opony", "5 8:20", "Racja, korekta w załączeniu. Przepraszamy.", _invoice("R-311-K", "35 664,00 zł")),
    ),
    thread(
        "Zestawienie opłat drogowych",
        says(
            "telematik",
            "2 5:30",
            "Zestawienie opłat za ubiegły tydzień w załączeniu.",
            csv("oplaty.csv", [["pojazd", "kwota"], ["WGM 4K821", "412,80"]]),
            headers=(("Auto-Submitted", "auto-generated"),),
        ),
    ),
    thread(
        "Składka OC – rata trzecia",
        says(
            "ubezpieczyciel",
            "9 10:00",
            "Dzień dobry, przypominam o trzeciej racie, termin za 10 dni.",
            _invoice("PW-8820", "12 400,00 zł"),
        ),
    ),
    thread(
        "Potwierdzenie salda",
        says(
            "biuro_ek",
            "11 9:00",
            "Dzień dobry, proszę o potwierdzenie sald na koniec miesiąca.",
            xlsx("salda.xlsx", [["Kontrahent", "Saldo"], ["Meblopol", 18220.4]]),
        ),
    ),
    thread(
        "Wezwanie do zapłaty – nasze czy Państwa?",
        says(
            "pietrzyk",
            "4 11:45",
            """
Dzień dobry,

dostałam wezwanie do faktury, którą zapłaciliśmy 9. dnia miesiąca. Potwierdzenie przelewu w załączeniu.""",
            pdf("przelew.pdf", "Potwierdzenie przelewu", ["1 190,00 zł"]),
        ),
    ),
    thread(
        "Rechnung 20914",
        says(
            "brandt",
            "95m",
            "Guten Tag, anbei die Rechnung für die Rückladung. Zahlbar in 30 Tagen.",
            _invoice("20914", "890,00 EUR"),
        ),
    ),
)

MAGAZYN = (
    thread(
        "Awizacja: 12 palet, jutro 7:00",
        says("lecka", "1 14:10", "Dzień dobry, awizuję 12 palet na jutro, 7:00, brama 4."),
    ),
    thread(
        "Brak miejsca w regale C",
        says("lukasz", "2 8:20", "Panowie, regał C pełny. Gdzie odstawiamy papier z Kwidzyna?"),
        says("michal", "2 8:45", "Na B, poziom 0. Wózek wraca o 10."),
    ),
    thread("Stan palet EUR", says("kaczmarek", "4 7:45", "Dzień dobry, ile palet EUR mam u Państwa na koncie?")),
    thread(
        "Różnica w inwentaryzacji",
        says(
            "nowicka",
            "5 13:30",
            "Dzień dobry, wychodzi różnica 4 kartonów na froncie biały mat.",
            xlsx("inwentaryzacja.xlsx", [["Indeks", "System", "Spis"], ["F-6072", 118, 114]]),
        ),
    ),
    thread(
        "Neue Paletten, andere Höhe",
        says("weber", "7 9:15", "Guten Tag, ab nächster Woche sind die Kisten 1,65 m hoch statt 1,40 m."),
    ),
    thread(
        "Przegląd wózków widłowych",
        says("opony", "9 10:30", "Dzień dobry, przegląd UDT wózków: wtorek od 8:00. Prosimy o puste baterie."),
    ),
    thread(
        "Zdjęcia po rozładunku",
        says(
            "cwik",
            "11 12:50",
            "Dla porządku: tak wyglądały palety po rozładunku. Bez uwag.",
            jpeg("rozladunek.jpg", pallet, 80, 60),
        ),
    ),
    thread(
        "Delivery window",
        says("moreau", "13 8:00", "Hello, our truck arrives between 6 and 7 instead of 9. Is someone there?"),
    ),
    thread("Klucz do klatki z chemią", says("ania", "16 15:40", "Michał, kto ma drugi klucz do klatki z chemią?")),
)
