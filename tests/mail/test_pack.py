import base64
import random
import time
from hashlib import sha256

import pytest

from webapp.mail.pack import MAGIC, pack, part_hashes, rest, unpack, unpack_pieces
from webapp.mail.parse import parse


def message(
    data,
    *,
    line=76,
    end="\r\n",
    tail="\r\n",
    header="Content-Type: application/pdf; name=a.pdf",
    encoding="base64",
    spoil=None,
):
    text = base64.b64encode(data).decode()
    body = end.join(text[i : i + line] for i in range(0, len(text), line))
    body = spoil(body) if spoil else body
    return (
        end.join(
            [
                "From: a@b.example",
                "Content-Type: multipart/mixed; boundary=q",
                "",
                "--q",
                "Content-Type: text/plain",
                "",
                "hello",
                "--q",
                header,
                f"Content-Transfer-Encoding: {encoding}",
                "",
                body,
            ]
        ).encode()
        + (tail + "--q--" + end).encode()
    )


def back(packed):
    """The raw bytes; the same whether whole or in pieces, however those are cut."""
    raw = unpack(packed.skeleton, packed.parts.__getitem__)
    for size in (1, 4_000, 131_072):
        def cut(part, size=size):
            data = packed.parts[part]
            return (data[i:i + size] for i in range(0, len(data), size)) if len(data) / size < 20_000 else [data]
        assert b"".join(unpack_pieces(packed.skeleton, cut)) == raw
    return raw


@pytest.mark.parametrize("line", [4, 57, 60, 64, 72, 76, 998, 10**9])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("encoding", ["base64", "BASE64", "Base64"])
def test_an_attachment_leaves_and_comes_back_byte_for_byte(line, end, encoding):
    data = random.Random(1).randbytes(9_001)
    raw = message(data, line=line, end=end, tail=end, encoding=encoding)
    packed = pack(raw)
    assert packed.parts == {sha256(data).hexdigest(): data}
    assert len(packed.skeleton) < 600 and back(packed) == raw
    assert [p.sha256 for p in parse(raw).parts] == list(packed.parts) == list(part_hashes(packed.skeleton))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b[:500] + " " + b[500:],
        lambda b: b[:500] + "\r\n" + b[500:],
        lambda b: b.replace("\r\n", "\n", 1),
        lambda b: b + "AAAA",
        lambda b: b[:-3] + "!!!",
        lambda b: b + "\r\n\r\nfooter of a list",
        lambda b: "\r\n" + b,
        lambda b: b[:-1],
    ],
    ids=range(8),
)
def test_an_odd_encoding_is_never_changed(spoil):
    raw = message(random.Random(2).randbytes(9_000 + 1), spoil=spoil)
    assert back(pack(raw)) == raw


def test_what_a_reader_sees_and_what_is_small_stays_in_the_skeleton():
    for raw in (
        b"",
        b"x",
        message(b"x" * 100),
        message(b"x" * 9_000, header="Content-Type: text/plain; charset=utf-8"),
    ):
        packed = pack(raw)
        assert packed.parts == {} and packed.skeleton.endswith(raw) and back(packed) == raw


def test_the_same_attachment_in_two_places_is_one_part():
    data = random.Random(4).randbytes(6_000)
    raw = message(data) + message(data, line=60)
    packed = pack(raw)
    assert len(packed.parts) == 1 and len(part_hashes(packed.skeleton)) == 2 and back(packed) == raw


def test_random_mail_survives():
    rng = random.Random(5)
    for _ in range(400):
        raws = [
            message(
                rng.randbytes(rng.randint(0, 9_000)),
                line=rng.choice([60, 76, 77]),
                end=rng.choice(["\r\n", "\n"]),
                tail=rng.choice(["", "\r\n", "\n", "\n\n"]),
            )
            for _ in range(rng.randint(1, 3))
        ]
        raw = bytearray(b"".join(raws))
        for _ in range(rng.choice([0, 0, 1, 5])):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randint(0, 3)] = rng.choice([b"", b"\n", b"\r\n", b"--q", b"base64", b"=", b"\0"])
        assert back(pack(bytes(raw), min_size=rng.choice([1, 100, 4096]))) == bytes(raw)


def test_a_skeleton_inside_a_message_is_only_bytes():
    raw = MAGIC + b"\0\0\0\x05" + b"x" * 400
    assert back(pack(raw)) == raw


@pytest.mark.parametrize("skeleton", [b"", b"PRM", b"PRM2\0\0\0\0", b"PRM1\0\0\0\x01short"])
def test_what_is_no_skeleton_is_refused(skeleton):
    with pytest.raises(ValueError):
        unpack(skeleton, {}.__getitem__)


def test_a_part_of_another_length_is_refused():
    packed = pack(message(b"x" * 9_000))
    with pytest.raises(ValueError):
        unpack(packed.skeleton, lambda name: b"short")


@pytest.mark.parametrize(
    "raw",
    [
        b"base64\n" * 300_000,
        b"Content-Transfer-Encoding: base64\n\n" * 60_000,
        b"Content-Transfer-Encoding: base64\n" * 60_000,
        b"Content-Transfer-Encoding: base64\n\nAAAA\n--" * 40_000,
        b"\n--base64" * 200_000,
    ],
)
def test_time_is_linear(raw):
    started = time.process_time()
    assert back(pack(raw)) == raw
    assert time.process_time() - started < 1


def test_the_rest_of_a_message_has_its_structure_without_the_large_bodies():
    raw = message(random.Random(2).randbytes(50_000))
    left = rest(pack(raw).skeleton)
    assert len(left) < 600
    assert [p.index for p in parse(left).parts] == [p.index for p in parse(raw).parts]
    with pytest.raises(ValueError, match="known version"):
        rest(b"nothing")
    with pytest.raises(ValueError, match="known version"):
        list(unpack_pieces(b"nothing", {}.__getitem__))


def test_a_message_in_pieces_never_lies_in_memory_as_a_whole():
    packed = pack(message(random.Random(3).randbytes(5_000_000)))
    sizes = [len(piece) for piece in unpack_pieces(packed.skeleton, lambda part: [packed.parts[part]])]
    assert max(sizes) < 200_000
