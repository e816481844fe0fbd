"""How mail programs say “this is quoted”, in the languages that they speak. Data; webapp/mail/text.py reads it.

Each phrase is as Gmail, Outlook (desktop, web, phone), Apple Mail, Thunderbird and the phones write it. All is looked
up whole or as words of one short line, so that the time stays linear whatever a stranger sends.
"""

import re

# “On Monday Jan wrote:” : the verb, somewhere in a line that ends with a colon and holds a date or an address.
WROTE = {
    "ar": ("كتب", "كتبت"),
    "bg": ("написа", "писа"),
    "ca": ("va escriure", "ha escrit"),
    "cs": ("napsal", "napsala", "napsal(a)", "napsal/a", "píše"),
    "da": ("skrev", "skrev følgende"),
    "de": ("schrieb", "geschrieben", "schreibt"),
    "el": ("έγραψε", "έγραψαν"),
    "en": ("wrote", "writes"),
    "es": ("escribió", "escribio"),
    "et": ("kirjutas",),
    "eu": ("idatzi du", "erabiltzaileak hau idatzi du"),
    "fa": ("نوشت",),
    "fi": ("kirjoitti",),
    "fr": ("a écrit", "écrit"),
    "gl": ("escribiu",),
    "he": ("כתב", "כתבה", "מאת"),
    "hi": ("ने लिखा",),
    "hr": ("je napisao", "je napisala", "napisao je", "napisala je", "je napisao/la", "piše"),
    "hu": ("ezt írta", "írta"),
    "id": ("menulis",),
    "is": ("skrifaði",),
    "it": ("ha scritto", "scrisse"),
    "ja": ("さんは書きました", "のメール", "は書きました"),
    "ko": ("작성", "님이 작성", "님이 씀"),
    "lt": ("rašė", "parašė"),
    "lv": ("rakstīja",),
    "ms": ("menulis",),
    "nb": ("skrev",),
    "nl": ("schreef", "heeft geschreven", "geschreven"),
    "pl": ("napisał", "napisała", "napisał(a)", "napisał/a", "napisali", "napisana przez", "pisze"),
    "pt": ("escreveu",),
    "ro": ("a scris",),
    "ru": ("написал", "написала", "написал(а)", "пишет", "писал", "писал(а)"),
    "sk": ("napísal", "napísala", "napísal(a)", "napísal/a", "píše"),
    "sl": ("je napisal", "je napisala", "je oseba", "je napisal/-a", "napisala"),
    "sr": ("је написао", "је написала", "је написао/ла"),
    "sv": ("skrev",),
    "th": ("เขียน", "เขียนว่า"),
    "tr": ("şunu yazdı", "yazdı", "şunları yazdı"),
    "uk": ("пише", "написав", "написала", "написав(-ла)"),
    "vi": ("đã viết",),
    "zh": ("写道", "寫道", "写到"),
}

# How such a line begins, for one that is wrapped: its first line has neither verb nor colon.
OPENS = (
    "on ", "w dniu", "dnia ", "dn. ", "w dn.", "am ", "le ", "el ", "il ", "il giorno", "op ", "den ", "em ",
    "dne ", "dňa ", "în ", "în data", "на ", "в ", "у ", "tarihinde", "στις ", "ב", "في ", "vào ", "pada ",
    "el dia ", "el día ", "dana ", "dne. ", "kl. ", "þann ",
)

FROM = frozenset((
    "from", "od", "nadawca", "von", "absender", "de", "expéditeur", "da", "mittente", "van", "afzender", "från", "fra",
    "lähettäjä", "remitente", "desde", "expeditor", "de la", "feladó", "odesílatel", "odosielateľ", "от", "отправитель",
    "від", "від кого", "kimden", "gönderen", "από", "מאת", "من", "差出人", "送信元", "发件人", "寄件者", "寄件人",
    "보낸 사람", "보낸사람", "dari", "từ", "người gửi", "จาก", "nuo", "saatja", "pošiljatelj", "šalje", "шаље",
    "remetente", "frá", "फ़्रॉम", "از",
))
SENT = frozenset((
    "sent", "date", "wysłano", "data", "wysłane", "gesendet", "datum", "envoyé", "envoyé le", "inviato", "verzonden",
    "verzonden op", "skickat", "sendt", "dato", "lähetetty", "päiväys", "päivämäärä", "enviado", "enviado el", "fecha",
    "enviada em", "enviado em", "enviada", "enviat", "trimis", "elküldve", "dátum", "odesláno", "odoslané", "poslano",
    "дата", "отправлено", "надіслано", "изпратено", "gönderildi", "tarih", "gönderme tarihi", "στάλθηκε", "ημερομηνία",
    "נשלח", "תאריך", "تاريخ الإرسال", "أرسل", "التاريخ", "送信日時", "日付", "发送时间", "日期", "寄件日期",
    "보낸 날짜",
    "날짜", "dikirim", "tanggal", "đã gửi", "ngày", "ส่ง", "วันที่", "išsiųsta", "nosūtīts", "saadetud", "kuupäev",
))
# Of these the ones that stand in orders and forms, too: “From: Gdańsk, To: Berlin, Date: Friday”.
DATE = frozenset((
    "date", "data", "datum", "dato", "fecha", "dátum", "päiväys", "päivämäärä", "дата", "tarih", "ημερομηνία", "תאריך",
    "التاريخ", "日付", "日期", "날짜", "tanggal", "ngày", "วันที่", "kuupäev",
))
SUBJECT = frozenset((
    "subject", "temat", "betreff", "objet", "oggetto", "onderwerp", "ämne", "emne", "aihe", "asunto", "assunto",
    "assumpte", "subiect", "tárgy", "předmět", "predmet", "zadeva", "tema", "тема", "относно", "konu", "θέμα", "נושא",
    "الموضوع", "件名", "主题", "主旨", "제목", "subjek", "perihal", "chủ đề", "เรื่อง", "temats", "teema",
))
TO = frozenset((
    "to", "subject", "cc", "do", "dw", "temat", "an", "betreff", "à", "objet", "a", "oggetto", "aan", "onderwerp",
    "till", "ämne", "til", "emne", "vastaanottaja", "aihe", "para", "asunto", "assunto", "per a", "assumpte", "către",
    "catre", "subiect", "címzett", "tárgy", "komu", "předmět", "predmet", "za", "zadeva", "tema", "кому", "тема",
    "до", "относно", "kime", "konu", "προς", "θέμα", "אל", "נושא", "إلى", "الموضوع", "宛先", "件名", "收件人", "主题",
    "收件者", "主旨", "받는 사람", "제목", "kepada", "subjek", "perihal", "đến", "tới", "chủ đề", "ถึง",
    "เรื่อง", "kam",
    "temats", "adressaat", "teema",
))

# Between their dashes: what stands below is the mail that was answered …
ORIGINAL = frozenset((
    "original message", "original appointment", "reply message", "wiadomość oryginalna", "oryginalna wiadomość",
    "treść oryginalnej wiadomości", "pierwotna wiadomość", "ursprüngliche nachricht", "originalnachricht",
    "original-nachricht",
    "originalmeldung", "message d'origine", "message d’origine", "message original", "message initial", "mail original",
    "messaggio originale", "oorspronkelijk bericht", "origineel bericht", "ursprungligt meddelande",
    "originalmeddelande", "oprindelig meddelelse", "original meddelelse", "opprinnelig melding",
    "alkuperäinen viesti", "mensaje original", "mensagem original", "mesaj original", "mesajul original",
    "eredeti üzenet", "původní zpráva", "původní e-mail", "pôvodná správa", "izvorna poruka", "originalna poruka",
    "izvirno sporočilo", "исходное сообщение", "оригинальное сообщение", "пересланное сообщение от",
    "оригінальне повідомлення", "orijinal mesaj", "özgün ileti", "αρχικό μήνυμα", "πρωτότυπο μήνυμα", "הודעה מקורית",
    "الرسالة الأصلية", "رسالة أصلية", "元のメッセージ", "原始邮件", "原始郵件", "原始信件", "원본 메시지", "원본 메일",
    "pesan asli", "thư gốc", "tin nhắn gốc", "ข้อความต้นฉบับ", "originalus laiškas", "sākotnējais ziņojums",
    "algne kiri", "оригинално съобщение", "missatge original", "mensaxe orixinal",
))
# … or one that is handed on.
FORWARDED = frozenset((
    "forwarded message", "begin forwarded message", "wiadomość przekazana", "przekazana wiadomość",
    "początek przekazywanej wiadomości", "początek przekazanej wiadomości", "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail", "message transféré",
    "début du message transféré", "début du message réexpédié", "messaggio inoltrato", "inizio messaggio inoltrato",
    "doorgestuurd bericht", "begin doorgestuurd bericht", "vidarebefordrat meddelande",
    "vidarebefordrat mejl", "videresendt meddelelse", "start på videresendt besked", "videresendt melding",
    "edelleenlähetetty viesti", "välitetty viesti", "mensaje reenviado", "inicio del mensaje reenviado",
    "mensagem encaminhada", "mensagem reencaminhada", "início da mensagem reencaminhada",
    "início da mensagem encaminhada", "mesaj redirecționat", "továbbított üzenet", "přeposlaná zpráva",
    "preposlaná správa", "proslijeđena poruka", "prosleđena poruka", "posredovano sporočilo",
    "пересылаемое сообщение", "пересланное сообщение", "начало переадресованного сообщения", "переслане повідомлення",
    "пересилається повідомлення", "iletilen mesaj", "yönlendirilmiş ileti", "προωθημένο μήνυμα", "הודעה שהועברה",
    "رسالة معاد توجيهها", "رسالة مُعاد توجيهها", "転送されたメッセージ", "转发的邮件", "轉寄的郵件",
    "轉寄郵件", "전달된 메일",
    "전달된 메시지", "pesan terusan", "thư đã chuyển tiếp", "persiųstas laiškas", "pārsūtīts ziņojums",
    "edastatud kiri", "препратено съобщение", "missatge reenviat",
))
FORWARD_SUBJECT = re.compile(
    r"\s{0,5}(?:fwd?|fw|pd|wg|tr|i|rv|enc|vb|vl|doorst|továbbítás|přep|předat|preposl|прсл|пересл|ilet|προωθ|הועבר|"
    r"転送|转发|轉寄|fs)\s?(?:\[\d{1,3}\])?\s?[:：]", re.IGNORECASE)
REPLY_SUBJECT = re.compile(
    r"\s{0,5}(?:re|aw|antw|sv|vs|odp|ref|rif|réf?|odg|ynt|yan|απ|atb|res|rép|vá|hv|bls|bal|на|отв|ответ|відп|"
    r"回复|回覆|答复|返信|답장|회신|תשובה|השב|رد|trl|ynl)\s?(?:\[\d{1,3}\])?\s?[:：]", re.IGNORECASE)

# What such a line names, in small letters: people, too, write “Sent via DHL” and “Von meinem Konto …”.
DEVICE = re.compile(
    r"iphone|ipad|android|samsung|galaxy|huawei|xiaomi|redmi|pixel|nokia|motorola|blackberry|windows|outlook|yahoo|"
    r"gmail|gmx|proton|bluemail|email\+|smart-? ?phone|smartfon|tablet\b|mobil|móvil|\bapp\b|aplikacj|смартфон|"
    r"手机|手機|אייפון|אנדרואיד|جوال|هاتف")
# These stand beside the phrase, for people ask for a call or a mail, too: “Sent via DHL, please phone”.
DEVICE_NEAR = re.compile(
    r"(?:\w{1,12} ){0,2}(?:e-?mail|mail|poczty (?!w\b|na\b)|handy|phone|t[eé]l[eé][fmp]|cellulare|телефон|puhelim)")

# Lines that a phone puts below everything by itself; matched at the line's beginning, in small letters.
MOBILE = (
    "sent from my ", "sent from mail for windows", "sent from outlook for ", "sent from yahoo mail", "sent from proton",
    "sent from samsung", "sent from gmail mobile", "sent from email+", "sent via ", "sent with proton mail",
    "get outlook for ", "get bluemail for ", "envoyé de mon ", "envoyé à partir de ", "envoyé depuis ",
    "obtenir outlook",
    "télécharger outlook pour ", "von meinem ", "gesendet von ", "gesendet mit der ", "gesendet aus ", "outlook für ",
    "holen sie sich outlook", "diese nachricht wurde von meinem ", "wysłane z ", "wysłano z ", "wysłano za pomocą",
    "pobierz aplikację outlook", "pobierz program outlook", "inviato da ", "scarica outlook", "enviado desde ",
    "obtener outlook", "descargar outlook", "enviado do meu ", "enviado a partir ", "obter o outlook",
    "verzonden vanaf ",
    "verstuurd vanaf ", "outlook voor ", "skickat från ", "hämta outlook", "sendt fra ", "hent outlook", "få outlook",
    "lähetetty ", "hanki outlook", "odesláno z ", "získat outlook", "odoslané z ", "iphone-ról küldve", "elküldve ",
    "trimis de pe ", "poslano s ", "poslano z ", "послано с ", "отправлено с ", "отправлено из ", "надіслано з ",
    "iphone’umdan gönderildi", "iphone'umdan gönderildi", "στάλθηκε από ", "נשלח מה", "أرسلت من ", "تم الإرسال من ",
    "iphoneから送信", "从我的 iphone 发送", "发自我的 ", "從我的 iphone 傳送", "내 iphone에서 보냄",
    "나의 iphone에서 보냄",
    "dikirim dari ", "đã gửi từ ", "saadetud ", "nosūtīts no ", "išsiųsta iš ", "изпратено от ",
)
