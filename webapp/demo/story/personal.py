"""The two people's own mailboxes: work mail of their own, and some of life."""

from webapp.demo.story.attachments import docx, jpeg, pallet, pdf, txt, xlsx
from webapp.demo.story.conversation import says, thread

ZOFIA = (
    thread(
        "Stawki na III kwartał",
        says(
            "zofia",
            "4 16:20",
            """
Panie Tomaszu,

przygotowałam nowe stawki na trasy do Trójmiasta i Szczecina. Najważniejsza zmiana: chłodnia bez dopłaty za
weekend. Chętnie opowiem o szczegółach.""",
            pdf("cennik-3q.pdf", "Cennik, III kwartał", ["Trójmiasto: 3,95 zł/km", "Szczecin: 4,05 zł/km"]),
        ),
        says(
            "jablonski",
            "3 8:10",
            "Pani Zofio, dziękuję. Prezes chce zobaczyć porównanie z obecnymi stawkami. Czy mogę prosić?",
        ),
        says(
            "zofia",
            "3 11:45",
            "Oczywiście, porównanie w arkuszu.",
            xlsx("porownanie.xlsx", [["Trasa", "Dziś", "Nowa"], ["Gdynia", 4.1, 3.95], ["Szczecin", 4.2, 4.05]]),
        ),
        says("jablonski", "64m", "Pani Zofio, wygląda dobrze. Kiedy możemy porozmawiać? Środa po 10:00 mi pasuje."),
    ),
    thread(
        "Pytanie prywatnie, w sprawie Meblopolu",
        says(
            "nowicka",
            "2 17:05",
            """
Pani Zofio,

piszę na Pani adres, bo to nie na skrzynkę ogólną: szef pyta o zmianę opiekuna. Jestem zadowolona ze współpracy
i wolałabym, żeby została Pani. Czy możemy porozmawiać w czwartek?""",
        ),
        says("zofia", "1 9:30", "Pani Agnieszko, bardzo dziękuję za szczerość. Czwartek o 12:00? Zadzwonię."),
        says("nowicka", "1 9:50", "Świetnie, czekam na telefon."),
    ),
    thread(
        "Umowa z Apteki Zdrowie – opinia",
        says(
            "mazur",
            "10 13:15",
            """
Pani Zofio,

przejrzałem uwagi klienta. Punkty 1 i 3 do przyjęcia. W punkcie 2 proponuję dopisać „o ile okno potwierdzono do
16:00 dnia poprzedniego”. Poprawiona wersja w załączeniu.""",
            docx("umowa-v3.docx", ["Umowa ramowa, wersja 3", "§ 7 ust. 2: okna nocne."]),
        ),
        says("zofia", "10 14:00", "Panie mecenasie, dziękuję. To rozwiązuje sprawę."),
        says("mazur", "9 9:10", "Proszę bardzo. Faktura za opinię pod koniec miesiąca."),
    ),
    thread(
        "Paski płacowe za {last_month}",
        says(
            "biuro_ek",
            "8 12:00",
            "Dzień dobry, paski za {last_month} w załączeniu. Hasło jak zwykle.",
            pdf("paski.pdf", "Paski płacowe", ["Dokument przykładowy"]),
        ),
    ),
    thread(
        "Przypomnienie o wizycie",
        says("lis", "3 18:00", "Przypominamy o wizycie: środa, godz. 17:40, gabinet 4. Odwołanie: odpowiedź NIE."),
    ),
    thread(
        "Sobota u mamy",
        says("hania", "5 19:22", "Hej Zosiu, mama robi pierogi w sobotę. Bierzesz dzieciaki? Ja przywiozę ciasto."),
        says("zofia", "5 20:01", "Bierzemy! Będziemy o 13. Kup proszę śmietanę po drodze."),
        says("hania", "5 20:05", "Zrobione. PS mam dla Ciebie tę książkę o Bieszczadach."),
    ),
    thread(
        "Zdjęcia z wycieczki do lasu",
        says(
            "przedszkole",
            "6 14:30",
            "Szanowni Państwo, przesyłamy zdjęcia z wycieczki grupy Sówek. Prosimy o zwrot bluzy z żabą!",
            jpeg("sowki-1.jpg", pallet, 80, 60),
        ),
    ),
    thread(
        "Zbliża się termin zwrotu",
        says(
            "biblioteka",
            "7 6:00",
            "Termin zwrotu 2 książek mija za 3 dni. Można przedłużyć w katalogu.",
            headers=(("Auto-Submitted", "auto-generated"),),
        ),
    ),
    thread(
        "Urlopy w zespole",
        says(
            "ania",
            "9 10:00",
            """
Zosiu, plan urlopów na przyszły miesiąc:

Kto | Od | Do
Łukasz | 3. | 7.
Kasia | 10. | 14.
Marek | 24. | 28.

Daj znać, czy Ci pasuje.""",
        ),
        says("zofia", "9 10:40", "Pasuje, tylko Kasia ma wtedy targi. Zapytaj ją, czy woli tydzień później."),
        says("ania", "9 11:05", "Woli. Zmieniam."),
    ),
    thread(
        "Nowy grafik dyżurów",
        says(
            "lukasz",
            "12 15:20",
            "Cześć, grafik dyżurów do końca miesiąca w załączeniu. W piątek biorę Twój.",
            xlsx("grafik.xlsx", [["Dzień", "Dyżur"], ["piątek", "Łukasz"], ["sobota", "Ania"]]),
        ),
    ),
    thread(
        "Magazyn po Michale",
        says(
            "lukasz",
            "2 9:15",
            """
Zosiu, adres magazyn@ nadal wisi na koncie Michała i nikt nie może go podłączyć. Da się to jakoś odkręcić? Awizacje
idą teraz na telefon.""",
        ),
    ),
    thread(
        "Rozmowa o stawkach – potwierdzenie",
        says(
            "kaczmarek", "11 9:25", "Pani Zofio, w takim razie wtorek 10:30, telefonicznie. Proszę dzwonić na komórkę."
        ),
    ),
    thread(
        "Delegacja Hamburg – rozliczenie",
        says("biuro_ek", "14 11:30", "Dzień dobry, brakuje rachunku za parking. Czy ma go Pani?"),
        says("zofia", "14 12:15", "Tak, w załączeniu.", pdf("parking.pdf", "Parkschein", ["Hamburg, 18,00 EUR"])),
        says("biuro_ek", "14 12:40", "Dziękuję, komplet."),
    ),
    thread(
        "Introduction",
        says(
            "hughes",
            "16 10:30",
            "Dear Zofia, I am copying my colleague Priya, who takes over the Leeds bookings in spring.",
        ),
    ),
    thread(
        "Szczepienie psa",
        says("hania", "19 20:40", "Pamiętasz, żeby zapisać Burka na szczepienie? Doktor ma wolne po 15."),
    ),
    thread(
        "Notatka po spotkaniu",
        says(
            "ania",
            "21 16:10",
            "Notatka z dzisiejszego spotkania w załączniku.",
            txt("notatka.txt", "1. Rampa 3 do remontu\n2. Nowe czytniki\n3. Szkolenie ADR\n"),
        ),
    ),
    thread(
        "Zwolnienie z w-f",
        says("przedszkole", "23 8:00", "Prosimy o przyniesienie kapci na zmianę i podpisanie zgody na basen."),
    ),
)

MAREK = (
    thread(
        "Lunch in Hamburg?",
        says(
            "brandt",
            "1 16:30",
            "Hallo Herr Zieliński, sind Sie nächste Woche auf der Messe? Ich lade Sie zum Mittagessen ein.",
        ),
        says("marek", "1 17:00", "Sehr gern, Herr Brandt. Mittwoch, 12:30 Uhr?"),
        says("brandt", "83m", "Mittwoch passt. Halle B4, am Stand der Hafenbahn."),
    ),
    thread(
        "Odnowienie umowy {year}",
        says(
            "marek",
            "5 9:00",
            "Pani Agnieszko, umowa kończy się za dwa miesiące. Czy możemy porozmawiać o kolejnym roku?",
        ),
        says("nowicka", "4 8:15", "Panie Marku, tak, ale najpierw zamknijmy ostatnią reklamację. Potem chętnie."),
        says("marek", "4 9:10", "Oczywiście, rozumiem."),
    ),
    thread(
        "Annual volumes",
        says(
            "lindqvist",
            "3 14:05",
            """
Hello Marek,

the board has agreed. Volumes for next year:

Quarter | Southbound | Northbound
Q1 | 22 | 18
Q2 | 26 | 20
Q3 | 24 | 19
Q4 | 20 | 22

Please send the draft contract to me directly.""",
        ),
        says(
            "marek",
            "2 10:20",
            "Hello Anders, great news. The draft is attached.",
            docx("draft-contract.docx", ["Transport contract, draft", "Volumes as in annex 1"]),
        ),
        says("lindqvist", "2 15:45", "Received. Legal needs a week."),
    ),
    thread(
        "Numer startowy i pakiet",
        says(
            "biegi",
            "4 12:00",
            """
Cześć Marek!

Twój numer startowy: 1187. Odbiór pakietu:

Dzień | Godziny | Miejsce
piątek | 16:00–20:00 | namiot przy moście
sobota | 9:00–18:00 | namiot przy moście""",
            remote_images=("https://img.trzymosty.example/mail/naglowek.jpg",),
        ),
    ),
    thread(
        "Wtorkowe bieganie",
        says("olek", "5 21:10", "Biegniemy we wtorek o 6:30? 12 km, spokojnie. Tym razem bez podbiegów, obiecuję."),
        says("marek", "5 21:40", "Wchodzę. Ostatnio też obiecywałeś."),
        says("olek", "5 21:44", ":) weź czołówkę"),
    ),
    thread(
        "Zebranie wspólnoty",
        says(
            "mieszkanie",
            "8 17:30",
            "Zapraszamy na zebranie w sprawie remontu elewacji. Czwartek, 18:30, świetlica.",
            pdf("porzadek-obrad.pdf", "Porządek obrad", ["1. Elewacja", "2. Fundusz remontowy", "3. Rowerownia"]),
        ),
    ),
    thread(
        "Gwarancja na dźwigary",
        says(
            "sikora", "9 13:00", "Panie Marku, dyrektor pyta o OC przewoźnika na ponadgabaryt. Prześle Pan skan polisy?"
        ),
        says("marek", "9 13:30", "W załączeniu.", pdf("polisa-ocp.pdf", "Polisa OCP", ["Suma: 500 000 EUR"])),
        says("sikora", "9 13:40", "Dziękuję."),
    ),
    thread(
        "Targi – stoisko i hotel",
        says("kasia", "10 11:15", "Marek, hotel zarezerwowany, śniadanie od 6:30. Roll-upy jadą z Łukaszem."),
        says("marek", "10 11:50", "Super, dzięki. Weźmiesz wizytówki?"),
        says("kasia", "10 12:00", "Mam dwa pudełka."),
    ),
    thread(
        "Muster für den Rahmenvertrag",
        says(
            "weber",
            "12 10:10",
            "Guten Tag Herr Zieliński, anbei unser Muster. Die gelben Stellen sind verhandelbar.",
            docx("Rahmenvertrag-Muster.docx", ["Rahmenvertrag", "Muster"]),
        ),
    ),
    thread(
        "Kurs ADR – terminy",
        says("lukasz", "15 8:50", "Są trzy miejsca na kurs ADR w przyszłym miesiącu. Kogo zgłaszamy?"),
    ),
    thread(
        "Paski płacowe za {last_month}",
        says(
            "biuro_ek",
            "8 12:02",
            "Dzień dobry, pasek za {last_month} w załączeniu.",
            pdf("pasek.pdf", "Pasek płacowy", ["Dokument przykładowy"]),
        ),
    ),
    thread(
        "Jabłka dla zespołu",
        says("kaczmarek", "7 9:30", "Panie Marku, kierowca wiezie dla Państwa skrzynkę Ligola. Na zdrowie!"),
    ),
    thread(
        "Rower do odbioru",
        says("wrobel", "11 16:00", "Dzień dobry, Pana rower po przeglądzie czeka w sklepie. Wymieniliśmy też linkę."),
    ),
    thread(
        "Contract renewal, glass",
        says("moreau", "13 9:00", "Dear Marek, our renewal is due. Could we speak next Tuesday?"),
    ),
    thread(
        "Klucze do rowerowni",
        says("mieszkanie", "18 10:00", "Nowe klucze do rowerowni do odbioru u dozorcy, kaucja 20 zł."),
    ),
    thread("Wyniki półmaratonu", says("biegi", "20 19:00", "Gratulacje! Twój czas: 1:44:31, miejsce 212 z 1 840.")),
    thread(
        "Pożyczysz przyczepkę?",
        says("olek", "24 18:20", "Hej, pożyczysz przyczepkę rowerową w weekend? Jedziemy z małą do Kampinosu."),
    ),
)
