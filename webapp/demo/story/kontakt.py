"""kontakt@: the customer service inbox. Damage, temperatures, loading slots, invoices, in three languages."""

from webapp.demo.story.attachments import (
    csv,
    docx,
    ics,
    jpeg,
    pallet,
    pdf,
    png,
    shifted_pallet,
    temperature_chart,
    trailer,
    txt,
    xlsx,
)
from webapp.demo.story.conversation import says, thread

CMR = pdf(
    "CMR_48213.pdf",
    "CMR 48213",
    [
        "Nadawca: Meblopol, Kępno, ul. Wrocławska 42",
        "Odbiorca: Kuchnie Poznań, ul. Głogowska 118",
        "Przewoźnik: Transwisła",
        "Ładunek: 6 palet, fronty i blaty meblowe, 2 140 kg",
        "Poz. 18, zastrzeżenia: paleta nr 3, folia rozerwana,",
        "ładunek przesunięty, uszkodzone krawędzie frontów.",
    ],
)

THREADS = (
    thread(
        "Uszkodzona paleta – przesyłka TW-48213",
        says(
            "nowicka",
            "3 14:07",
            """
Dzień dobry,

paleta nr 3 z przesyłki TW-48213 (Wrocław – Poznań) przyjechała uszkodzona. Kierowca jest jeszcze na rampie,
spisujemy protokół. Proszę o potwierdzenie, że zgłoszenie zostało przyjęte.""",
        ),
        says(
            "zofia",
            "3 15:20",
            """
Pani Agnieszko,

zgłoszenie przyjęte, numer szkody 4821. Proszę o zdjęcia palety i kopię listu CMR z zastrzeżeniem
kierowcy. Sprawdzam, co było przy załadunku w Kępnie.""",
        ),
        says(
            "nowicka",
            "2 9:12",
            """
Dzień dobry, zdjęcia zrobi magazynier po zmianie, prześlę jutro rano razem z zestawieniem. Paletę odstawiliśmy
na bok, nic z niej nie wydajemy.""",
        ),
        says(
            "nowicka",
            "126m",
            """
Dzień dobry,

paleta nr 3 przyjechała z rozerwaną folią i przesuniętym ładunkiem, kierowca wpisał zastrzeżenie do listu CMR
(poz. 18). Zestawienie:

Pozycja | Szt. | Uszkodzenie | Netto
Front MDF biały mat 60×72 | 3 | wyszczerbione krawędzie | 412,50 zł
Blat dąb artisan 180 | 1 | pęknięcie wzdłuż | 689,00 zł
Razem |  |  | 1 101,50 zł

Czy likwidujemy szkodę z Państwa polisy OC? W piątek montaż kuchni.""",
            CMR,
            jpeg("przód.jpg", shifted_pallet),
            jpeg("bok.jpg", pallet),
            quote=False,
            remote_images=(
                "https://cdn.meblopol.example/stopka/baner-kuchnie.jpg",
                "https://stat.meblopol.example/o/48213.gif",
            ),
        ),
        says(
            "nowicka",
            "26m",
            """
Pani Zofio, czy jest szansa na odpowiedź przed 10:30? Klient końcowy właśnie dzwonił.""",
        ),
    ),
    thread(
        "Temperatura w naczepie podczas rozładunku",
        says(
            "jablonski",
            "37m",
            """
Dzień dobry,

rejestrator pokazał +7,2 °C o 5:10, a w zleceniu mamy maksymalnie +5 °C. W załączeniu wykres i odczyt z naszej
bramki. Towar (twaróg, 11 palet) stoi w buforze, dział jakości czeka z decyzją.

Godzina | Czujnik 1 | Czujnik 2
4:40 | +4,1 °C | +4,3 °C
5:10 | +7,2 °C | +6,8 °C
5:40 | +4,9 °C | +4,6 °C

Proszę o wyjaśnienie i pełny zapis z agregatu, najlepiej dziś.""",
            png("wykres-temperatury.png", temperature_chart),
            csv(
                "odczyt-bramki.csv",
                [
                    ["czas", "czujnik 1", "czujnik 2"],
                    ["4:40", "4,1", "4,3"],
                    ["5:10", "7,2", "6,8"],
                    ["5:40", "4,9", "4,6"],
                ],
            ),
        ),
    ),
    thread(
        "Prośba o fakturę zbiorczą za maj",
        says(
            "pietrzyk",
            "58m",
            """
Dzień dobry,

zamiast czternastu faktur proszę o jedną, z podziałem na MPK. Lista przewozów w arkuszu. Bardzo ułatwi mi to
zamknięcie rozliczenia z centralą – wracają do maja już drugi raz.

Pozdrawiam
Ewa Pietrzyk""",
            xlsx(
                "przewozy-mpk.xlsx",
                [
                    ["Przewóz", "MPK", "Netto"],
                    ["TW-46901", "410", 820.0],
                    ["TW-46955", "410", 640.5],
                    ["TW-47012", "435", 1190.0],
                ],
            ),
        ),
    ),
    thread(
        "Okno załadunku w czwartek 4:30–5:15",
        says(
            "gasior",
            "1 13:40",
            """
Witam,

w czwartek mamy okno 4:30-5:15, brama 7. Awizacja do środy do 14:00, potem system zamyka listę.""",
        ),
        says(
            "lukasz_my",
            "1 14:25",
            """
Dzień dobry,

kierowca: Stępień Jan, ciągnik WGM 4K821, naczepa WGM 77P3. Awizację wpiszemy dziś.""",
        ),
        says(
            "gasior",
            "74m",
            """
Brama 7, awizacja do środy do 14:00. Czy naczepa będzie miała dwie komory? Połowa towaru jedzie w -18,
reszta w +2.""",
        ),
    ),
    thread(
        "Rückladung Poznań–Hamburg, KW {week}",
        says(
            "brandt",
            "2 8:15",
            """
Guten Morgen,

wir suchen für Donnerstag eine Rückladung Posen–Hamburg, 18 Paletten, nicht stapelbar, 11,2 t. Haben Sie Platz?""",
        ),
        says(
            "marek",
            "2 10:40",
            """
Guten Tag Herr Brandt,

ja, Donnerstag passt. Welche Ladezeit und welche Adresse in Hamburg?""",
        ),
        says(
            "brandt",
            "1 9:05",
            """
Laden in Posen ab 6:00 Uhr, Entladen Hamburg-Billbrook, Freitag bis 10:00 Uhr.

Pos. | Paletten | Gewicht
A | 12 | 7 400 kg
B | 6 | 3 800 kg""",
        ),
        says(
            "marek",
            "1 11:30",
            """
Notiert. Preis wie beim letzten Mal, 890 EUR. Wir brauchen noch die Referenznummer.""",
        ),
        says(
            "brandt",
            "92m",
            """
Guten Morgen,

wir hätten 18 Paletten ab Posen, Donnerstag früh, Referenz SB-20914. Bitte um kurze Bestätigung mit Kennzeichen,
dann gebe ich es an die Rampe.""",
        ),
    ),
    thread(
        "Dostawy nocne do sześciu aptek w Łodzi",
        says(
            "swiatek",
            "4 10:15",
            """
Dzień dobry,

od poniedziałku chcemy przejść na dostawy nocne do sześciu aptek w Łodzi (22:00–5:00). Klucze do śluz mają
kierowcy stali. Czy dostaną Państwo drugi komplet na wymianę?""",
        ),
        says(
            "ania_my",
            "4 12:50",
            """
Pani Małgorzato,

tak, odbierzemy drugi komplet w piątek. Proszę o listę adresów z wjazdami.""",
        ),
        says(
            "swiatek",
            "117m",
            """
Potwierdzam adresy, zmienia się tylko Piotrkowska 217 – wjazd od podwórza:

Apteka | Adres | Śluza
nr 4 | Piotrkowska 217 | od podwórza
nr 7 | Zgierska 69 | front
nr 9 | Rzgowska 12 | front
nr 11 | Pabianicka 140 | rampa
nr 15 | Wojska Polskiego 33 | front
nr 18 | Limanowskiego 8 | od podwórza""",
        ),
    ),
    thread(
        "Potwierdzenie zlecenia 7741/06",
        says(
            "gielda",
            "2h",
            """
Zlecenie przyjęte. Załadunek: Kępno, ul. Wrocławska 42.

Zlecenie | Trasa | Stawka
7741/06 | Kępno – Gdynia | 2 150 zł

Wiadomość wysłana automatycznie, prosimy na nią nie odpowiadać.""",
            headers=(("Auto-Submitted", "auto-generated"),),
        ),
    ),
    thread(
        "Jak oznaczyć palety „kruche”?",
        says(
            "lecka",
            "1 12:05",
            """
Dzień dobry,

czy wystarczy naklejka na dwóch bokach, czy potrzebna też góra? Ostatnio dwie palety z półmiskami przyjechały
spod innych palet, chociaż naklejka była.""",
        ),
    ),
    thread(
        "Reklamacja do faktury FV/{year}/05/1187",
        says(
            "brzecz",
            "1 10:31",
            """
Witam,

naliczono postój 4 h, a kierowca stał niecałe dwie. W załączeniu tarczka i karta drogowa podpisana na bramie.
Proszę o korektę.

G. Brzęczyszczykiewicz""",
            pdf("karta-drogowa.pdf", "Karta drogowa", ["Wjazd: 7:05", "Wyjazd: 8:52", "Podpis na bramie: nieczytelny"]),
            jpeg("tarczka.jpg", trailer, 100, 70),
        ),
    ),
    thread(
        "Zmiana adresu rozładunku",
        says(
            "cwik",
            "1 9:20",
            """
Dzień dobry,

proszę przekierować TW-48199 na magazyn w Zgierzu, rampa jest wyższa o 15 cm, więc winda nie będzie potrzebna.

Magazyn Zgierz, ul. Przemysłowa 14, brama B, kontakt na miejscu: pan Henryk, 601 555 032.""",
        ),
    ),
    thread(
        "Delayed container – booking HP-2291",
        says(
            "hughes",
            "8 11:02",
            """
Hello,

the container for HP-2291 was meant to be in Leeds on Tuesday and our tracking still says Gdynia. Could you tell
me where it is and when we will have it? The shop floor is waiting for the dining sets.""",
        ),
        says(
            "zofia",
            "8 12:40",
            """
Dear Eleanor,

the vessel left Gdynia a day late because of the wind. It is due in Immingham tomorrow at noon.""",
        ),
        says("hughes", "8 13:15", "Thank you. Who books the slot at Immingham, you or the line?"),
        says("zofia", "8 14:05", "We do. It is booked for 16:30, reference IMM-77120."),
        says(
            "hughes",
            "7 9:48",
            """
Immingham say they have no such reference. Their list for this afternoon:

Slot | Reference | Status
15:45 | IMM-77102 | confirmed
16:30 | – | free
17:15 | IMM-77131 | confirmed""",
        ),
        says("zofia", "7 10:20", "The line had typed 77210. It is corrected, and 16:30 is ours again."),
        says("hughes", "7 10:31", "Found it, thanks. Will the driver call half an hour before?"),
        says("zofia", "7 11:15", "He will. His name is Wiktor and he speaks English."),
        says(
            "hughes",
            "6 8:55",
            """
He called, and was on time. One thing: seal number on the paper is 0448813, on the door 0448831. I have let them
open it, but I would like your side to confirm in writing.""",
            jpeg("seal.jpg", trailer, 90, 60),
        ),
        says(
            "zofia",
            "6 9:40",
            "Confirmed: the seal put on in Gdynia was 0448831. The paper had two digits swapped.",
            pdf("seal-confirmation.pdf", "Seal confirmation", ["Container MSKU 448120-7", "Seal: 0448831"]),
        ),
        says("hughes", "6 9:52", "Perfect. Everything is in, no damage. 64 cartons counted."),
        says("zofia", "5 10:10", "Good to hear. The invoice goes out on Friday."),
        says(
            "hughes",
            "2 16:20",
            """
Invoice received and passed on. Could we have the same arrangement for HP-2304 next month, please, but with the
slot booked a week earlier?""",
        ),
    ),
    thread(
        "Stückzahl stimmt nicht, Lieferung WM-5518",
        says(
            "weber",
            "5 8:20",
            """
Guten Tag,

laut Lieferschein 24 Kisten, angekommen sind 23. Der Fahrer hat den Vermerk unterschrieben (Anlage). Bitte klären
Sie das mit dem Umschlag in Wrocław.""",
            pdf(
                "Lieferschein_WM-5518.pdf",
                "Lieferschein WM-5518",
                ["Kisten laut Schein: 24", "Erhalten: 23", "Vermerk: 1 Kiste fehlt"],
            ),
        ),
        says("ania_my", "5 11:10", "Guten Tag Frau Weber, wir fragen im Umschlag nach und melden uns heute noch."),
        says("weber", "4 9:00", "Gibt es etwas Neues? Die Kiste enthält die Frässpindel, ohne sie steht die Montage."),
        says("ania_my", "4 9:35", "Gefunden: Sie stand auf Platz 14 statt 41. Zustellung morgen bis 9 Uhr."),
        says("weber", "3 9:25", "Um 8:40 Uhr angekommen, unbeschädigt. Vielen Dank für die schnelle Hilfe."),
    ),
    thread(
        "Opóźnienie na S8 – TW-48240",
        says("cwik", "6 7:50", "Dzień dobry, kierowca dzwonił, że stoi na S8. O której realnie będzie u nas?"),
        says("lukasz_my", "6 8:05", "Dzień dobry, według nawigacji 10:40. Damy znać, gdy minie Rawę."),
        says("cwik", "6 8:09", "Dziękuję, przesuwam brygadę na 10:30."),
        says("lukasz_my", "6 9:50", "Minął Rawę, będzie 10:35."),
        says("cwik", "6 11:20", "Rozładowane, wszystko w porządku."),
    ),
    thread(
        "Umowa ramowa – nasze uwagi",
        says(
            "swiatek",
            "12 9:30",
            """
Dzień dobry,

w załączeniu nasze uwagi do umowy. Najważniejsze punkty:

- kara za temperaturę liczona od palety, nie od całego ładunku
- okna nocne bez dopłaty do godziny 5:00
- termin płatności 30 dni""",
            docx(
                "uwagi-do-umowy.docx",
                ["Uwagi do umowy ramowej", "§ 4 ust. 2: kara od palety.", "§ 7: okna nocne.", "§ 11: 30 dni."],
            ),
        ),
        says("zofia", "11 10:00", "Pani Małgorzato, przekazałam uwagi prawnikowi, wracam z odpowiedzią do środy."),
        says("swiatek", "9 13:30", "Dziękuję. Zarząd zbiera się w piątek, więc środa nas urządza."),
    ),
    thread(
        "Zaproszenie: odprawa świąteczna z magazynem",
        says(
            "nowicka",
            "5 12:00",
            """
Dzień dobry,

zapraszam na krótką odprawę w sprawie szczytu. W załączeniu zaproszenie do kalendarza.""",
            ics(
                "odprawa.ics",
                "odprawa-1@meblopol.example",
                "{start}",
                "{end}",
                "Odprawa z magazynem",
                "Wrocław\\, brama 2",
                "a.nowicka@meblopol.example",
            ),
        ),
        says("ania_my", "5 12:40", "Dziękujemy, będziemy we dwie."),
    ),
    thread(
        "Palety EUR do zwrotu",
        says("kaczmarek", "10 8:10", "Dzień dobry, mam u siebie 46 palet EUR do oddania. Kiedy ktoś może je zabrać?"),
        says("lukasz_my", "10 9:15", "Dzień dobry, w czwartek przy okazji kursu do Radomia, około 13:00."),
        says(
            "kaczmarek",
            "7 15:05",
            """
Zabrane, ale kierowca pokwitował 44, a było 46. Przeliczaliśmy we dwóch. Proszę sprawdzić.""",
        ),
        says("kaczmarek", "4 7:30", "Czy udało się ustalić, co z tymi dwiema paletami?"),
    ),
    thread(
        "Rower uszkodzony w transporcie",
        says(
            "wrobel",
            "9 10:45",
            """
Dzień dobry,

klientka odebrała rower z wgniecionym kartonem, w środku skrzywiony hak przerzutki. Zdjęcie w załączeniu.
Nadanie 12, kurs TW-47988.""",
            png("karton.png", pallet, 360, 240),
        ),
        says("ania_my", "9 12:20", "Pani Alicjo, przyjmujemy reklamację. Czy klientka zachowała karton?"),
        says("wrobel", "9 12:55", "Tak, karton czeka. Naprawa w serwisie to 140 zł."),
        says("ania_my", "8 8:40", "Pokryjemy naprawę, proszę o rachunek."),
        says(
            "wrobel",
            "6 14:10",
            "Rachunek w załączeniu, dziękuję za szybką decyzję.",
            pdf("rachunek-serwis.pdf", "Rachunek 118", ["Wymiana haka przerzutki", "Regulacja", "Razem: 140,00 zł"]),
        ),
    ),
    thread(
        "Breakage report, shipment VM-0877",
        says(
            "moreau",
            "13 15:10",
            """
Hello,

two crates of VM-0877 arrived with broken glass. Our packing was checked at loading (see the list). Please open a
claim.""",
            xlsx("packing-list.xlsx", [["Crate", "Pieces", "Broken"], ["A1", 48, 5], ["A2", 48, 0], ["B1", 60, 11]]),
        ),
        says("zofia", "12 9:20", "Dear Claire, the claim is open, number 4790. Do you keep the crates?"),
        says("moreau", "12 9:55", "Yes, all of them, in Reims. Somebody may come and look."),
    ),
    thread(
        "Frage zur Laderampe in Wrocław",
        says(
            "hofer",
            "11 9:40",
            """
Grüß Gott,

wir holen am Montag selbst ab. Ist die Rampe für einen 7,5-Tonner ohne Hebebühne geeignet, und brauchen unsere
Leute Sicherheitsschuhe?""",
        ),
        says("lukasz_my", "11 10:30", "Grüß Gott, Rampe 3 ist passend, 1,10 m. Sicherheitsschuhe und Weste bitte ja."),
        says("hofer", "11 10:52", "Danke, dann bis Montag um 7 Uhr."),
    ),
    thread(
        "Transport stali – ponadgabaryt",
        says(
            "sikora",
            "14 11:15",
            """
Dzień dobry,

proszę o informację, czy podejmą się Państwo transportu dwóch dźwigarów 17,8 m z Katowic do Szczecina. Termin: za
trzy tygodnie. Zezwolenie po Państwa stronie.""",
            pdf("dzwigar-rysunek.pdf", "Dźwigar HEB 600", ["Długość: 17,80 m", "Masa: 3 770 kg", "Sztuk: 2"]),
        ),
        says("marek", "13 9:10", "Dzień dobry, tak. Zezwolenie kategorii IV, czas oczekiwania około 10 dni."),
        says("sikora", "13 9:45", "Proszę składać. Kto jest osobą do kontaktu przy pilotażu?"),
    ),
    thread(
        "お問い合わせ: ヴロツワフ倉庫への搬入について",
        says(
            "tanaka",
            "6 6:30",
            """
トランスヴィスワ ご担当者様

いつもお世話になっております。田中精機の田中です。
来月、工作機械の部品(木箱8個、合計2,400kg)をヴロツワフの倉庫へ搬入したいと考えております。

- フォークリフトは現地で利用できますか
- 保管料は一日あたりいくらになりますか

お手数ですが、英語または日本語でご返信いただけますと幸いです。""",
        ),
    ),
    thread(
        "Return of empty racks",
        says(
            "lindqvist",
            "15 13:20",
            """
Good afternoon,

we have 30 empty steel racks in Gothenburg. Could one of your trucks take them back to Gdynia on a return leg?""",
        ),
        says("marek", "14 8:30", "Good morning, yes, there is room on Friday. 420 EUR for all thirty."),
        says("lindqvist", "14 9:02", "That is fine. They are stacked by tens, straps included."),
    ),
    thread(
        "Zagubiony dokument WZ",
        says("lecka", "8 8:45", "Dzień dobry, do TW-48011 nie wrócił podpisany WZ. Bez niego nie mogę zafakturować."),
        says(
            "lukasz_my",
            "8 10:10",
            "Pani Barbaro, kierowca oddał go w Lesznie. Skan w załączeniu, oryginał pocztą.",
            pdf("WZ_48011.pdf", "WZ 48011", ["Wydano: 14 palet", "Odebrano: 14 palet", "Podpis: czytelny"]),
        ),
        says("lecka", "8 10:25", "Bardzo dziękuję, skan na razie wystarczy."),
    ),
    thread(
        "Kontrola ITD – prośba o oświadczenie",
        says(
            "jablonski",
            "16 12:35",
            """
Dzień dobry,

nasz dział jakości prosi o oświadczenie, że drzwi były otwarte podczas kontroli na A1, i jak długo. Bez tego
traktują przewóz jako niezgodny.""",
        ),
        says(
            "zofia",
            "15 9:00",
            "Panie Tomaszu, protokół w załączeniu. Drzwi były otwarte 11 minut.",
            pdf("protokol-ITD.pdf", "Protokół kontroli", ["Miejsce: A1, MOP Olsze", "Czas: 11 minut"]),
        ),
        says("jablonski", "15 9:30", "Dziękuję, to zamyka temat. Przewóz uznany."),
    ),
    thread(
        "Stawka za kontener chłodniczy",
        says("kaczmarek", "18 10:20", "Dzień dobry, ile wyniesie podpięcie kontenera na trzy doby w Gdyni?"),
        says("kasia_my", "18 11:00", "Dzień dobry, 180 zł za dobę z prądem. Rezerwować?"),
        says("kaczmarek", "18 11:12", "Tak, od wtorku."),
    ),
    thread(
        "Adresse für die Rechnung hat sich geändert",
        says(
            "weber",
            "20 8:50",
            """
Guten Tag,

bitte ab sofort alle Rechnungen an: Weber Maschinenbau KG, Rechnungseingang, Löbtauer Straße 9, 01159 Dresden.""",
        ),
        says("ania_my", "20 9:25", "Guten Tag Frau Weber, ist geändert, ab der nächsten Rechnung."),
    ),
    thread(
        "Awizacja Wrocław, brama 2",
        says("nowicka", "19 13:00", "Dzień dobry, na jutro awizuję 8 palet, brama 2, 9:00–9:45."),
        says("lukasz_my", "19 13:20", "Potwierdzam, kierowca Adamczyk, tel. 600 555 114."),
        says("nowicka", "18 9:55", "Odebrane, dziękuję."),
    ),
    thread(
        "Schulung für Gefahrgut",
        says(
            "brandt",
            "17 15:00",
            "Guten Tag, haben Ihre Fahrer alle den ADR-Schein? Ab Januar fragt unser Kunde danach.",
        ),
        says("marek", "16 9:15", "Guten Tag, elf von vierzehn. Die Liste schicke ich, sobald der Kurs vorbei ist."),
    ),
    thread(
        "Ankieta po dostawie",
        says("wrobel", "22 16:45", "Wypełniłam ankietę, kierowca był bardzo miły. Proszę mu przekazać!"),
    ),
    thread(
        "Zmiana godzin pracy magazynu w Zgierzu",
        says(
            "cwik",
            "24 9:00",
            "Od przyszłego tygodnia rozładunki w Zgierzu tylko 6:00–14:00. Proszę poinformować dyspozytorów.",
        ),
        says("lukasz_my", "24 9:40", "Dziękujemy, wpisane do systemu."),
    ),
    thread(
        "Faktura bez numeru zamówienia",
        says(
            "pietrzyk",
            "25 8:30",
            "Dzień dobry, na fakturze z zeszłego tygodnia brakuje numeru zamówienia 4500-882. Proszę o notę.",
        ),
        says("ania_my", "25 10:15", "Nota w załączeniu.", pdf("nota.pdf", "Nota korygująca", ["Zamówienie: 4500-882"])),
        says("pietrzyk", "25 10:40", "Dziękuję."),
    ),
    thread(
        "Waga na WZ i na bramie",
        says(
            "sikora", "21 7:40", "Na WZ 21 380 kg, waga na bramie pokazała 21 940 kg. Którą przyjmujemy do rozliczenia?"
        ),
        says("zofia", "21 8:55", "Dzień dobry, wagę z bramy. Poprawiony WZ wyślę dzisiaj."),
    ),
    thread(
        "Kierowca zostawił rękawice",
        says("gasior", "23 12:10", "Wasz kierowca zostawił u nas rękawice i termos. Są na portierni.", quote=False),
    ),
    thread(
        "Opening hours over the holidays",
        says(
            "lindqvist",
            "3 11:40",
            """
Good morning,

could you send me your opening hours in Gdynia and Wrocław for the second half of next month? We are planning the
last shipments of the year.""",
            txt("our-plan.txt", "Week 1: 4 trucks\nWeek 2: 3 trucks\nWeek 3: none\n"),
        ),
    ),
    thread(
        "Reklamace – chybějící zboží / missing goods",
        says(
            "moreau",
            "2 13:25",
            """
Hello,

our Czech depot asks me to forward this: one roll of protective film (item 20-118) is missing in today's delivery
to Brno. They have signed with a remark. Could you check whether it stayed in the trailer?""",
        ),
    ),
    thread(
        "Pilne: chłodnia na jutro",
        says(
            "kaczmarek",
            "1 15:50",
            """
Panowie, potrzebuję na jutro rano chłodni do Radomia, 22 palety jabłek deserowych, +2 °C. Da się?""",
        ),
    ),
)
