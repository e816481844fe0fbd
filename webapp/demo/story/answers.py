"""What customers say: when they are answered, when they wait, and when they write by themselves.

A pattern before a text makes it the first choice for mail whose own words match. "{n}" is a number of
a shipment or order, "{hour}" an hour of the working day.
"""

MAX_ANSWERS = 6  # in one thread, the closing thanks among them

# key of the customer: (pattern or "", text)
BY_CUSTOMER = {
    "nowicka": (
        (
            "polis|likwid|szkod|OC",
            "Dziękuję, to dla mnie najważniejsze. Przekazuję numer szkody działowi prawnemu. "
            "Czy protokół mam podpisać ja, czy kierownik zmiany?",
        ),
        ("jutro|wyjedzie|palet", "Świetnie. Na zamienną paletę czekamy przy bramie 2, proszę tylko o numer auta."),
        ("zdję|foto|skan", "Zdjęcia są w pełnej rozdzielczości na naszym dysku, mogę je udostępnić likwidatorowi."),
        ("", "Bardzo dziękuję za szybką odpowiedź. Dzwonię do klienta końcowego i wracam z potwierdzeniem."),
        ("", "Klient potwierdził, montaż zostaje na piątek. Czy mogę liczyć na telefon od kierowcy godzinę wcześniej?"),
    ),
    "jablonski": (
        (
            "wykres|zapis|rejestr|agregat|protok",
            "Dziękuję za zapis. Dział jakości porówna go z naszą bramką, odpowiedź będzie do 15:00.",
        ),
        ("przepra|przykro", "Rozumiem, ale potrzebuję czegoś na piśmie dla jakości. Wystarczą dwa zdania z godzinami."),
        ("stawk|cen|zł|ofert", "Przekazuję prezes Lewandowskiej. Jeśli podpisze dziś, ruszamy od pierwszego."),
        ("", "Dziękuję. Ile minut drzwi były otwarte? Bez tej liczby nie zamkną mi karty niezgodności."),
        ("", "Jakość zwolniła towar warunkowo. Proszę pamiętać o rejestratorze przy następnym kursie."),
    ),
    "pietrzyk": (
        ("faktur|zbiorcz|korekt", "Pięknie dziękuję. Czy na zbiorczej będzie widać MPK przy każdej pozycji?"),
        ("MPK", "MPK 410 to druk, a 435 oprawa. Reszta się zgadza."),
        ("", "Dziękuję, wystarczy mi PDF, oryginału nie trzeba."),
        ("", "Zaksięgowane. Płatność wyjdzie w najbliższy czwartek."),
    ),
    "gasior": (
        ("komor|naczep", "Dobrze, dwie komory. Mrozone ida z przodu, prosze przekazac kierowcy."),
        ("awizac|kierowc|nr|rej", "Awizacja przyjeta, brama 7. Kierowca niech wezmie kamizelke i kask."),
        ("", "Przyjalem. Gdyby cos sie zmienilo, prosze dzwonic na spedycje, wewnetrzny 60."),
        ("", "Towar gotowy od 4:00, mozna podjechac wczesniej."),
    ),
    "brandt": (
        ("Kennzeichen|WGM|LKW|Fahrer", "Danke, ist an die Rampe gegeben. Der Fahrer soll sich an Tor 3 melden."),
        ("Preis|EUR|Angebot", "Der Preis passt. Schicken Sie mir bitte noch die Auftragsbestätigung?"),
        ("", "Vielen Dank für die schnelle Antwort. Welches Kennzeichen darf ich der Rampe nennen?"),
        ("", "Alles klar. Entladen wird bis 10:00 Uhr, danach ist die Rampe belegt."),
        ("", "Perfekt, so machen wir es. Für KW danach hätten wir noch einmal 12 Paletten."),
    ),
    "swiatek": (
        ("klucz|śluz", "Klucze przekażę w piątek kierowcy, za pokwitowaniem. Kto będzie odbierał?"),
        ("", "Dziękuję. Poinformuję kierowniczki aptek, że zaczynamy od poniedziałku."),
        ("", "Jeszcze jedno: apteka nr 9 prosi, żeby nie stawiać pojemników przy drzwiach ewakuacyjnych."),
    ),
    "hughes": (
        ("slot|book|reference", "Thank you, I can see the reference on their list now. Who is the driver?"),
        ("invoice|price|EUR|quote", "Thanks. I will take the figures to our finance people and come back this week."),
        ("", "Many thanks for the quick reply. Could you also send the seal number once it is on the door?"),
        ("", "Lovely, that works for us. I have told the shop floor."),
        ("sorry|delay|late", "Understood, weather is weather. Please let me know as soon as the vessel is in."),
    ),
    "weber": (
        ("gefunden|Kiste|Zustellung", "Sehr gut. Bitte geben Sie die Zustellzeit noch an unsere Pforte, Frau Lehmann."),
        ("Angebot|EUR|Preis", "Danke für das Angebot. Gilt der Preis auch bei wöchentlicher Abfahrt?"),
        ("", "Vielen Dank, das hilft uns weiter. Ich gebe es an die Montage."),
        ("", "In Ordnung. Eine Bitte noch: Avis am Vortag per E-Mail."),
    ),
    "tanaka": (
        ("", "ご返信いただきありがとうございます。社内で確認のうえ、改めてご連絡いたします。"),
        ("", "承知いたしました。木箱の寸法は 1,200 × 800 × 900 mm です。"),
        ("", "ご手配のほど、どうぞよろしくお願いいたします。"),
    ),
}

BY_LANGUAGE = {
    "pl": (
        ("faktur|korekt|płatn", "Dziękuję, fakturę proszę wysłać na ten sam adres co zwykle."),
        ("termin|jutro|godzin|dzisiaj|dziś", "Dziękuję, termin nam pasuje. Przekazuję na magazyn."),
        ("przepra|przykro", "Rozumiem, zdarza się. Ważne, że wiemy, na czym stoimy."),
        ("cen|stawk|zł|ofert", "Dziękuję za ofertę. Porównam i odezwę się do końca tygodnia."),
        ("", "Dziękuję za szybką odpowiedź! Czy mogę prosić o numer telefonu do kierowcy?"),
        ("", "Super, dziękuję. Dam znać, jak tylko towar dojedzie."),
        ("", "Rozumiem. A czy da się to zrobić jeszcze w tym tygodniu?"),
        ("", "Dobrze, w takim razie czekam na potwierdzenie."),
        ("", "Przekazałam dalej, wrócę z odpowiedzią z magazynu."),
    ),
    "en": (
        ("price|quote|EUR|rate", "Thank you for the figures. Is the fuel surcharge included?"),
        ("sorry|delay", "Thanks for being open about it. Please keep me posted."),
        ("", "Thanks for getting back so quickly. Could you confirm the unloading time as well?"),
        ("", "That is clear, thank you. I will pass it on to the warehouse."),
        ("", "Good. One more question: do you need anything from our side before then?"),
        ("", "Understood, that works for us."),
        ("", "Noted, I have updated our plan."),
    ),
    "de": (
        ("Preis|Angebot|EUR", "Danke für das Angebot, ich bespreche es intern und melde mich."),
        ("leider|Entschuldigung", "Schade, aber danke für die offene Antwort. Gibt es eine Alternative?"),
        ("", "Vielen Dank für die schnelle Rückmeldung. Bis wann brauchen Sie unsere Papiere?"),
        ("", "Verstanden, ich gebe es an unser Lager weiter."),
        ("", "Das passt uns gut. Bitte noch kurz die Ansprechperson vor Ort nennen."),
        ("", "Alles klar, dann bleiben wir dabei."),
        ("", "Notiert. Ich bestätige es unserem Kunden."),
    ),
    "ja": (("", "ご連絡ありがとうございます。内容を確認いたしました。"),),
}

THANKS = {
    "pl": "Dziękuję za pomoc, z mojej strony to wszystko. Miłego dnia!",
    "en": "Thank you for all your help, that is everything from our side. Have a good day!",
    "de": "Vielen Dank für Ihre Hilfe, von unserer Seite ist damit alles geklärt. Einen schönen Tag noch!",
    "ja": "いろいろとありがとうございました。今後ともよろしくお願いいたします。",
}

NUDGES = {
    "pl": (
        "Dzień dobry, czy wiadomo już coś w tej sprawie?",
        "Przypominam się uprzejmie – szef pyta mnie o to drugi raz.",
        "Dzień dobry, uzupełniam: sprawa zrobiła się pilna, potrzebuję odpowiedzi dzisiaj.",
    ),
    "en": (
        "Hello, is there any news on this?",
        "Just a gentle reminder, our warehouse is asking.",
        "Could somebody have a look at this today, please?",
    ),
    "de": (
        "Guten Tag, gibt es hierzu schon etwas Neues?",
        "Darf ich kurz daran erinnern? Unser Kunde fragt nach.",
        "Wir bräuchten dazu bitte heute noch eine Antwort.",
    ),
    "ja": ("先日お送りした件について、その後いかがでしょうか。",),
}

# Someone whom the visitor made up: the honest answer. Nothing has left this machine.
STRANGER = {
    "pl": (
        "To odpowiedź wersji demonstracyjnej. Wiadomość na adres {address} nie opuściła tego komputera: w demie "
        "piszą i odpowiadają tylko wymyśleni klienci Transwisły."
    ),
    "en": (
        "This is the demo answering. The message to {address} has not left this computer: in the demo, only the "
        "made-up customers of Transwisła write and answer."
    ),
}

# (customer, mailbox before the @, subject, text)
OPENINGS = (
    (
        "nowicka",
        "kontakt",
        "Awizacja TW-{n}",
        "Dzień dobry,\n\nna jutro awizuję 10 palet, TW-{n}, brama 2, godzina {hour}:15. "
        "Proszę o potwierdzenie z nazwiskiem kierowcy.",
    ),
    (
        "cwik",
        "kontakt",
        "Gdzie jest TW-{n}?",
        "Dzień dobry,\n\nkierowca z TW-{n} miał być o {hour}:00 i nie odbiera telefonu. "
        "Brygada czeka na rampie. Czy mogą Państwo sprawdzić GPS?",
    ),
    (
        "jablonski",
        "kontakt",
        "Wydruk temperatury do TW-{n}",
        "Dzień dobry,\n\nproszę o wydruk z agregatu do przewozu TW-{n}, "
        "klient robi u nas audyt.\n\nPunkt | Wymagane\nzaładunek | +2…+4 °C\nrozładunek | do +5 °C",
    ),
    (
        "brandt",
        "oferty",
        "Anfrage: {n} kg ab Posen",
        "Guten Tag,\n\nhaben Sie diese Woche noch Platz für {n} kg ab Posen nach Bremen? "
        "8 Paletten, Laden ab {hour}:00 Uhr.",
    ),
    (
        "hughes",
        "kontakt",
        "Delivery note HP-{n} missing",
        "Hello,\n\nthe goods for HP-{n} arrived this morning, but without a delivery note. "
        "Could you send us a scan, please? Goods-in cannot book them otherwise.",
    ),
    (
        "pietrzyk",
        "kontakt",
        "Duplikat faktury {n}",
        "Dzień dobry,\n\nproszę o duplikat faktury {n}, oryginał do nas nie dotarł.\n\nPozdrawiam\nEwa Pietrzyk",
    ),
    (
        "gasior",
        "kontakt",
        "Zmiana bramy, zlecenie {n}",
        "Witam,\n\nzlecenie {n}: zamiast bramy 7 prosze brame 4, godzina {hour}:30. Siodemka w remoncie.",
    ),
    (
        "wrobel",
        "oferty",
        "Wycena: {n} paczek miesięcznie",
        "Dzień dobry,\n\nile kosztowałaby obsługa około {n} paczek miesięcznie z Krakowa? "
        "Najczęściej rowery dziecięce, do 12 kg.",
    ),
    (
        "weber",
        "kontakt",
        "Zustellung WM-{n} verschieben",
        "Guten Tag,\n\nkönnen wir die Zustellung WM-{n} auf {hour}:00 Uhr verschieben? Der Kran ist vorher belegt.",
    ),
    (
        "swiatek",
        "kontakt",
        "Brak pojemnika, apteka nr 9",
        "Dzień dobry,\n\nw nocnej dostawie do apteki nr 9 zabrakło jednego pojemnika (nr {n}). "
        "W środku leki na zamówienie, pacjent przyjdzie o {hour}:00.",
    ),
    (
        "lindqvist",
        "oferty",
        "Rate for {n} cbm",
        "Good morning,\n\nplease let me have your rate for {n} cbm of sawn timber, Gothenburg to Wrocław, "
        "loading next week.",
    ),
    (
        "lecka",
        "kontakt",
        "Pytanie o karton do wazonów",
        "Dzień dobry,\n\nmamy nowe wazony, wysokość 62 cm. Czy wejdą po dwa na poziom, "
        "jeśli przekładka ma 5 cm? Wysyłka {n} pojutrze.",
    ),
    (
        "kaczmarek",
        "kontakt",
        "Palety do odbioru – {n}",
        "Dzień dobry,\n\nmam znowu palety EUR do zabrania. Najlepiej jutro po {hour}:00, kwit {n}.",
    ),
    (
        "moreau",
        "kontakt",
        "Pick-up in Reims, VM-{n}",
        "Hello,\n\ncould the pick-up for VM-{n} be at {hour}:00 instead of the early morning? "
        "The furnace line starts late this week.",
    ),
    (
        "hofer",
        "oferty",
        "Angebot für {n} Pakete",
        "Grüß Gott,\n\nwir bräuchten ein Angebot für {n} Pakete nach Krakau, Abholung {hour}:00 Uhr.",
    ),
    (
        "sikora",
        "oferty",
        "Zapytanie {n}: blachy do Gdańska",
        "Dzień dobry,\n\nproszę o stawkę: blachy w arkuszach, 23 t, Katowice – Gdańsk, "
        "nr zapytania {n}. Termin: przyszły tydzień.",
    ),
    (
        "brzecz",
        "kontakt",
        "Postój kierowcy, zlecenie {n}",
        "Witam,\n\nkierowca czekał u mnie pół godziny, a na zleceniu {n} widzę godzinę. Proszę poprawić.\n\nG. "
        "Brzęczyszczykiewicz",
    ),
    (
        "tanaka",
        "kontakt",
        "ご質問: 木箱の搬入日 ({n})",
        "トランスヴィスワ ご担当者様\n\nお世話になっております。木箱(管理番号 {n})の搬入日を一日早めることは"
        "可能でしょうか。\n\nよろしくお願いいたします。",
    ),
)
