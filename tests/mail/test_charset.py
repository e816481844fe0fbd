import pytest

from webapp.mail.charset import codec_of, decode, decode_words


@pytest.mark.parametrize(
    "label",
    [
        "zlib",
        "hex",
        "rot13",
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
        "raw_unicode_escape",
        "base64",
        "utf-7",
        "mbcs",
        "",
        " ",
        None,
        "x" * 10_000,
        "utf-8\0",
    ],
)
def test_no_name_reaches_pythons_own_codecs(label):
    assert codec_of(label) is None
    assert decode(b"+ADw-script\\x41 Zm9v", label) == "+ADw-script\\x41 Zm9v"


@pytest.mark.parametrize(
    "text, codec, label",
    [
        ("Zażółć", "utf-8", "utf-8"),
        ("Zażółć", "utf-8", None),
        ("Zażółć", "iso8859_2", "iso-8859-2"),
        ("Zażółć", "cp1250", "Windows-1250"),
        ("Zażółć", "utf-8", "us-ascii"),
        ("été", "latin-1", "utf-8"),
        ("été", "latin-1", None),
        ("“été”", "cp1252", "iso-8859-1"),
        ("日本語テスト", "iso2022_jp", "ISO-2022-JP"),
        ("日本語", "cp932", "shift_jis"),
        ("中国北京", "gb18030", "gb2312"),
        ("привет", "koi8-r", "koi8-r"),
        ("ไทย", "cp874", "windows-874"),
        ("שלום", "iso8859_8", "iso-8859-8-i"),
        ("Zażółć", "utf-16", "utf-16"),
        ("Zażółć", "utf-8", "x-unknown"),
    ],
)
def test_text_comes_out_as_it_was_written(text, codec, label):
    assert decode(text.encode(codec), label) == text


def test_control_characters_go_and_lines_end_one_way():
    assert decode(b"a\0b\x07c\r\nd\re\tf\x1b[31m\xc2\x85g") == "abc\nd\ne\tf[31mg"


def test_one_broken_byte_does_not_turn_a_text_into_another_charset():
    assert decode("Zażółć gęślą jaźń ".encode() * 2 + b"\xff") == "Zażółć gęślą jaźń " * 2 + "\ufffd"


@pytest.mark.parametrize(
    "raw, text",
    [
        ("=?utf-8?q?a_b=C5=BB?= c", "a bŻ c"),
        ("=?utf-8?b?xQ==?= =?utf-8?b?uw==?=", "Ż"),
        ("=?utf-8*pl?q?x?=", "x"),
        ("=?utf-8?b?!?=", ""),
        ("=?iso-8859-2?q?=AF?= =?utf-8?q?=C5=BB?=", "ŻŻ"),
        ("a =?b", "a =?b"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("x=?utf-8?q?y?=z", "xyz"),
        ("=?utf-8?b?eA?=", "x"),
    ],
)
def test_encoded_words_are_decoded_and_broken_ones_stay(raw, text):
    assert decode_words(raw) == text
