"""Everybody who writes or is written to, apart from the mailboxes' own side."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Correspondent:
    key: str
    name: str
    address: str
    language: Literal["pl", "en", "de", "ja"]
    company: str = ""
    title: str = ""
    phone: str = ""
    colour: str = ""          # of the company's HTML; "" writes plain text only
    charset: str = "utf-8"
    logo: bool = False        # carries its logo as an inline image in the signature
    program: str = ""         # what it says in X-Mailer or User-Agent
    temper: Literal["answers", "away", "bounces", "silent"] = "answers"

    @property
    def first_name(self) -> str:
        return self.name.split()[0]


CUSTOMERS = (
    Correspondent("nowicka", "Agnieszka Nowicka", "a.nowicka@meblopol.example", "pl", "Meblopol",
                  "Kierownik magazynu", "71 555 01 42", colour="#8a4b1f", logo=True),
    Correspondent("jablonski", "Tomasz Jabłoński", "t.jablonski@chlodnie-pomorze.example", "pl", "Chłodnie Pomorze",
                  "Kierownik logistyki", "58 555 02 71", colour="#0b5e8a"),
    Correspondent("pietrzyk", "Ewa Pietrzyk", "ewa.pietrzyk@drukarnia-zoliborz.example", "pl", "Drukarnia Żoliborz",
                  "Księgowość", "22 555 03 19", program="Mozilla Thunderbird"),
    Correspondent("gasior", "Krzysztof Gąsior", "k.gasior@zm-lukow.example", "pl", "Zakłady Mięsne Łuków",
                  "Spedycja", "25 555 04 60", charset="iso-8859-2", program="The Bat! (v4.2.44) Professional"),
    Correspondent("brandt", "Jürgen Brandt", "j.brandt@spedition-brandt.example", "de", "Spedition Brandt GmbH",
                  "Disposition", "+49 40 555 0187", colour="#a3211f"),
    Correspondent("swiatek", "Małgorzata Świątek", "m.swiatek@apteki-zdrowie.example", "pl", "Apteki Zdrowie",
                  "Dział zaopatrzenia", "42 555 05 33", colour="#1d7a46"),
    Correspondent("lecka", "Barbara Łęcka", "b.lecka@ceramika-boleslawiec.example", "pl", "Ceramika Bolesławiec",
                  "Pakowalnia", "75 555 06 08"),
    Correspondent("brzecz", "Grzegorz Brzęczyszczykiewicz", "biuro@lekolody.example", "pl", "PPHU Łękołody",
                  "Właściciel", "603 555 071", charset="windows-1250", program="Microsoft Outlook Express 6.00"),
    Correspondent("cwik", "Joanna Ćwik", "joanna.cwik@tkaniny-lodzkie.example", "pl", "Tkaniny Łódzkie",
                  "Koordynator dostaw", "42 555 08 90", colour="#5b3f8f"),
    Correspondent("hughes", "Eleanor Hughes", "eleanor@hughes-pratt.example", "en", "Hughes & Pratt Furniture",
                  "Supply Chain Manager", "+44 113 555 0146", colour="#24405e"),
    Correspondent("lindqvist", "Anders Lindqvist", "anders.lindqvist@nordictimber.example", "en", "Nordic Timber AB",
                  "Export Coordinator", "+46 31 555 0120"),
    Correspondent("weber", "Sabine Weber", "s.weber@weber-maschinenbau.example", "de", "Weber Maschinenbau KG",
                  "Einkauf und Logistik", "+49 351 555 0163", colour="#3a4a55"),
    Correspondent("kaczmarek", "Piotr Kaczmarek", "piotr@sady-grojeckie.example", "pl", "Sady Grójeckie",
                  "Współwłaściciel", "48 555 09 14"),
    Correspondent("wrobel", "Alicja Wróbel", "alicja@rowery-wrobel.example", "pl", "Rowery Wróbel",
                  "Sklep internetowy", "12 555 10 25", colour="#c2571a"),
    Correspondent("moreau", "Claire Moreau", "c.moreau@verre-moreau.example", "en", "Verrerie Moreau",
                  "Logistics", "+33 3 5550 0148"),
    Correspondent("hofer", "Lukas Hofer", "l.hofer@alpin-sport.example", "de", "Alpin Sport Hofer",
                  "Geschäftsführer", "+43 512 555 012"),
    Correspondent("sikora", "Dariusz Sikora", "d.sikora@stal-slask.example", "pl", "Stal Śląsk",
                  "Zakupy", "32 555 11 47", colour="#44546a"),
    Correspondent("tanaka", "田中 健一", "k.tanaka@tanaka-seiki.example", "ja", "田中精機株式会社", "輸出部",
                  "+81 3 5550 0119"),
    Correspondent("schulz", "Petra Schulz", "p.schulz@schulz-verpackungen.example", "de", "Schulz Verpackungen",
                  "Vertrieb Innendienst", "+49 30 555 0172", temper="away"),
    Correspondent("balia", "Sklep Balia", "zamowienia@sklep-balia.example", "pl", "Sklep Balia", temper="bounces"),
)

OTHERS = (
    Correspondent("gielda", "Giełda ładunków", "no-reply@gielda-ladunkow.example", "pl", "Giełda ładunków",
                  colour="#0f6b74", temper="silent"),
    Correspondent("radar", "Radar Transportu", "newsletter@radar-transportu.example", "pl", "Radar Transportu",
                  colour="#b3261e", temper="silent"),
    Correspondent("telematik", "FlotaTrack", "raporty@flotatrack.example", "pl", "FlotaTrack",
                  colour="#2d5b2f", temper="silent"),
    Correspondent("daemon", "Mail Delivery System", "MAILER-DAEMON@mail.transwisla.example", "en", temper="silent"),
    Correspondent("paliwa", "Karta paliwowa Orlik", "faktury@orlik-paliwa.example", "pl", "Orlik Paliwa",
                  "Dział rozliczeń", colour="#b0122b", temper="silent"),
    Correspondent("opony", "Serwis Opon Rolka", "biuro@opony-rolka.example", "pl", "Serwis Opon Rolka",
                  "Rozliczenia", "22 555 12 02"),
    Correspondent("ubezpieczyciel", "Iwona Krawczyk", "i.krawczyk@polisa-warta-wisly.example", "pl",
                  "Polisa Warta Wisły", "Likwidacja szkód", "22 555 13 31", colour="#1b3a75"),
    Correspondent("mazur", "Radosław Mazur", "r.mazur@kancelaria-mazur.example", "pl", "Kancelaria Mazur",
                  "Radca prawny", "22 555 14 77"),
    Correspondent("lis", "Przychodnia dr. Lisa", "dr.lis@przychodnia.example", "pl", "Przychodnia", temper="silent"),
    Correspondent("biuro_ek", "Biuro Rachunkowe EK", "ksiegowosc@biuro-ek.example", "pl", "Biuro EK",
                  "Kadry i płace", "22 555 15 60"),
    Correspondent("hania", "Hania Dąbrowska", "hania.dabrowska@poczta.example", "pl"),
    Correspondent("przedszkole", "Przedszkole Biedronka", "sekretariat@przedszkole-biedronka.example", "pl",
                  "Przedszkole Biedronka"),
    Correspondent("biblioteka", "Biblioteka na Woli", "przypomnienia@biblioteka-wola.example", "pl", temper="silent"),
    Correspondent("biegi", "Bieg Trzech Mostów", "biuro@trzymosty.example", "pl", "Bieg Trzech Mostów",
                  colour="#0a7d4f"),
    Correspondent("olek", "Olek Nowak", "olek.nowak@poczta.example", "pl"),
    Correspondent("mieszkanie", "Wspólnota Kłopotowskiego 8", "zarzad@wspolnota-klopotowskiego.example", "pl"),
    Correspondent("ania", "Ania Kowalczyk", "ania.kowalczyk@transwisla.example", "pl", "Transwisła",
                  "Kierownik obsługi klienta", temper="silent"),
    Correspondent("lukasz", "Łukasz Wójcik", "lukasz.wojcik@transwisla.example", "pl", "Transwisła",
                  "Obsługa klienta", temper="silent"),
    Correspondent("kasia", "Kasia Śliwińska", "kasia.sliwinska@transwisla.example", "pl", "Transwisła",
                  "Sprzedaż", temper="silent"),
)

BY_KEY = {person.key: person for person in CUSTOMERS + OTHERS}
BY_ADDRESS = {person.address.lower(): person for person in CUSTOMERS + OTHERS}

# Who answers from the company's mailboxes: signature name and line below it.
OUR_SIDE = {
    "zofia": ("Zofia Dąbrowska", "tel. 22 555 01 18 · transwisla.example"),
    "marek": ("Marek Zieliński", "tel. 22 555 01 24 · transwisla.example"),
    "ania_my": ("Ania Kowalczyk", "tel. 22 555 01 10 · transwisla.example"),
    "lukasz_my": ("Łukasz Wójcik", "tel. 22 555 01 15 · transwisla.example"),
    "kasia_my": ("Kasia Śliwińska", "tel. 22 555 01 31 · transwisla.example"),
    "michal": ("Michał Żuraw", "tel. 22 555 01 40 · transwisla.example"),
}
