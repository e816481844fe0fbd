"""oferty@: the sales inbox. Requests, prices, tenders."""

from webapp.demo.story.attachments import docx, pdf, xlsx
from webapp.demo.story.conversation import says, thread

THREADS = (
    thread(
        "Cennik {year} – podpisany aneks",
        says(
            "nowicka",
            "2 10:30",
            """
Dzień dobry,

odsyłam podpisany aneks z nowym cennikiem. Drugi egzemplarz idzie pocztą.""",
            pdf("aneks-podpisany.pdf", "Aneks nr 3", ["Strony: Meblopol, Transwisła", "Cennik w załączniku 1"]),
        ),
    ),
    thread(
        "Zapytanie: stałe kursy Gdynia – Praga",
        says(
            "jablonski",
            "48m",
            """
Dzień dobry,

rozważamy stałe kursy chłodnicze z Gdyni do Pragi, dwa razy w tygodniu. Proszę o stawkę:

Dzień | Palety | Temperatura
wtorek | 33 | +2 °C
piątek | 18–22 | +2 °C

Początek: od pierwszego dnia przyszłego miesiąca.""",
        ),
    ),
    thread(
        "Quote: Gdynia to Leeds, 2 x 40' per month",
        says(
            "hughes",
            "3 10:05",
            """
Dear team,

please quote for two 40-foot containers a month, Gdynia to Leeds, door to door, for twelve months. Customs on our
side, unloading by us.

Month | Containers | Weight each
1–6 | 2 | 9.5 t
7–12 | 2–3 | 9.5 t""",
        ),
        says(
            "marek",
            "3 14:40",
            "Dear Eleanor, 2,480 EUR each, valid for thirty days. The surcharge for fuel is included.",
            pdf("quote-2291.pdf", "Quote 2291", ["Gdynia - Leeds, door to door", "2 480 EUR per container"]),
        ),
        says("hughes", "1 11:25", "Thank you. Is there a better price if we commit to thirty containers a year?"),
    ),
    thread(
        "Anfrage Teilladung Dresden–Wrocław",
        says(
            "weber",
            "71m",
            """
Guten Tag,

bitte um ein Angebot für eine Teilladung, 5 Paletten, 2,1 t, Dresden nach Wrocław, jede zweite Woche. Wichtig ist
uns die Zustellung vor 8 Uhr.""",
        ),
    ),
    thread(
        "Przetarg: dystrybucja do aptek, część II",
        says(
            "swiatek",
            "7 9:00",
            """
Dzień dobry,

zapraszamy do drugiej części przetargu. Formularz cenowy w załączeniu, oferty do piątku do 12:00.""",
            xlsx("formularz-cenowy.xlsx", [["Strefa", "Stawka netto"], ["Łódź", 0.0], ["Warszawa", 0.0]]),
            docx("warunki.docx", ["Warunki udziału", "1. Polisa OCP 500 000 EUR", "2. Flota EURO 6"]),
        ),
        says("kasia_my", "6 13:20", "Dzień dobry, dziękujemy, złożymy ofertę w terminie."),
        says("swiatek", "3 12:15", "Oferta dotarła, dziękuję. Wyniki w przyszłym tygodniu."),
    ),
    thread(
        "Palety z ceramiką do Włoch",
        says("lecka", "5 8:35", "Dzień dobry, ile kosztuje przewóz 12 palet z Bolesławca do Werony? Raz w miesiącu."),
        says("kasia_my", "5 10:50", "Pani Barbaro, 1 640 EUR przy dwunastu paletach, czas 3 dni."),
        says("lecka", "5 11:05", "Trochę drogo. A przy 24 paletach raz na dwa miesiące?"),
        says("kasia_my", "4 9:15", "Wtedy 2 380 EUR za całość, czyli około 99 EUR za paletę."),
        says("lecka", "4 9:40", "To już ma sens. Przedstawię szefowej i wrócę."),
    ),
    thread(
        "Sezon jabłek – stawki na jesień",
        says(
            "kaczmarek",
            "9 7:20",
            "Dzień dobry, jak co roku: 3 chłodnie dziennie przez 5 tygodni. Jaka stawka w tym sezonie?",
        ),
        says("marek", "9 8:45", "Panie Piotrze, 4,10 zł za km, minimum 900 zł. Auta gwarantowane od 15."),
        says("kaczmarek", "9 9:00", "Rok temu było 3,85. Spotkajmy się na 3,95."),
        says("marek", "8 8:30", "3,98 i gwarancja podstawienia w 2 godziny."),
        says("kaczmarek", "8 8:41", "Umowa stoi."),
    ),
    thread(
        "Firmenkunde werden",
        says(
            "hofer",
            "10 14:10",
            """
Grüß Gott,

wir versenden im Winter etwa 300 Pakete und 20 Paletten im Monat nach Polen und Tschechien. Was brauchen Sie von
uns für ein Kundenkonto?""",
        ),
        says(
            "kasia_my",
            "9 9:30",
            "Grüß Gott Herr Hofer, nur die UID-Nummer und eine Rechnungsadresse. Angebot anbei.",
            pdf("Angebot-Hofer.pdf", "Angebot", ["Palette Innsbruck - Wroclaw: 128 EUR", "Paket: 11,90 EUR"]),
        ),
        says("hofer", "8 15:35", "Passt. UID ATU5550012, Adresse: Alpin Sport Hofer, Innstraße 4, 6020 Innsbruck."),
    ),
    thread(
        "Steel beams, regular lane",
        says(
            "lindqvist",
            "12 10:00",
            "Hello, do you run a regular lane Gothenburg–Katowice? We have timber one way and would take steel back.",
        ),
        says("marek", "12 11:30", "Hello Anders, twice a week. 1,150 EUR south, 980 EUR north."),
        says("lindqvist", "11 9:15", "Good. I will come back with volumes after the board meeting."),
    ),
    thread(
        "Zwrot towaru od klientów – logistyka zwrotna",
        says(
            "wrobel",
            "6 15:25",
            """
Dzień dobry,

szukamy kogoś, kto odbierze zwroty rowerów od klientów (około 40 miesięcznie, cała Polska) i zwiezie je do
Krakowa. Czy to usługa dla Państwa?""",
        ),
        says("kasia_my", "5 9:45", "Pani Alicjo, tak. 79 zł za sztukę w kartonie, 109 zł bez kartonu."),
        says("wrobel", "5 10:20", "Dziękuję, porównuję z dwiema innymi ofertami."),
    ),
    thread(
        "Tender 2291-B, questions",
        says(
            "moreau",
            "4 16:00",
            """
Hello,

three questions before we decide:

- is breakage of glass covered up to the full value?
- can you collect in Reims on Saturdays?
- what is the notice period?""",
        ),
    ),
    thread(
        "Oferta na przewóz kręgów stalowych",
        says(
            "sikora",
            "16 8:15",
            "Proszę o ofertę: kręgi stalowe 24 t, Dąbrowa Górnicza – Wałbrzych, 6 kursów w tygodniu.",
        ),
        says(
            "marek",
            "16 12:00",
            "Oferta w załączeniu, ważna do końca miesiąca.",
            pdf("oferta-kregi.pdf", "Oferta 184", ["24 t, naczepa z muldą", "1 280 zł za kurs"]),
        ),
        says("sikora", "15 10:10", "Dziękuję, przyjmujemy od przyszłego tygodnia."),
    ),
    thread(
        "Prośba o prezentację floty",
        says(
            "gasior",
            "18 9:50",
            "Witam, dyrektor prosi o kilka slajdów o flocie i agregatach. Ile aut ma zapis temperatury online?",
        ),
        says(
            "kasia_my",
            "17 11:00",
            "Dzień dobry, wszystkie 62 chłodnie. Materiał w załączeniu.",
            pdf("flota.pdf", "Flota Transwisła", ["Chłodnie: 62", "Plandeki: 118", "Średni wiek: 2,9 roku"]),
        ),
    ),
    thread(
        "Anfrage Lagerfläche Wrocław",
        says(
            "brandt",
            "20 13:30",
            "Guten Tag, wir suchen 400 Stellplätze in Wrocław, Januar bis März. Haben Sie etwas frei?",
        ),
        says("marek", "19 10:00", "Guten Tag, 250 ab Januar, 400 ab Februar. 2,80 EUR pro Platz und Woche."),
        says("brandt", "19 10:45", "Dann nehmen wir 250 ab Januar und den Rest ab Februar. Bitte Vertrag senden."),
    ),
    thread(
        "Bawełna z Turcji",
        says(
            "cwik",
            "23 14:00",
            "Dzień dobry, czy organizują Państwo transport intermodalny z Izmiru? 2 kontenery na kwartał.",
        ),
        says("marek", "22 9:20", "Dzień dobry, tak, przez Triest. Orientacyjnie 3 900 EUR za kontener."),
        says("cwik", "22 9:50", "Dziękuję, wrócę po targach."),
    ),
    thread(
        "Faktura pro forma do oferty 2291",
        says(
            "pietrzyk",
            "13 12:25",
            "Dzień dobry, czy można prosić o pro formę na przewóz papieru z Kwidzyna? Zaliczka 30%.",
        ),
    ),
)
