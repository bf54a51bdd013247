"""Writes the golden latent frames of docs/protocol.md, from the specification alone.

Nothing here shares code with src/protocol: the layout is a struct format and the checksum is a
bitwise CRC-32C, so an agreement between the two means something. Python 3.9 or later, no packages:

    python3 test/vectors/protocol/make.py
"""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
#         magic version encoding header model survey record device devices first receivers ns payload
HEADER = "<4s   B       B        H      8s    16s    Q      H      H       H     H         Q  I"


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283  # the check value every catalogue of CRCs lists


def payload_bytes(latent, encoding):
    if encoding == 0:
        return struct.pack(f"<{len(latent)}b", *latent)
    nibbles = [max(-7, min(7, round(q / 18))) & 15 for q in latent]  # round(): ties to even
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2]))


def decoded(latent, encoding):
    if encoding == 0:
        return latent
    return [18 * max(-7, min(7, round(q / 18))) for q in latent]


def build(f, *, magic=b"EPIC", version=1, header=60, length=None, crc=None, payload=None):
    payload = payload_bytes(f["latent"], f["encoding"]) if payload is None else payload
    head = struct.pack(
        HEADER, magic, version, f["encoding"], header, bytes.fromhex(f["modelId"]),
        f["survey"] if isinstance(f["survey"], bytes) else f["survey"].encode(),
        int(f["record"]), f["device"], f["devices"], f["firstReceiver"], f["receivers"],
        int(f["acquiredNs"]), len(payload) if length is None else length)
    assert len(head) == 60
    body = head + payload
    return body + struct.pack("<I", crc32c(body) if crc is None else crc)


def fields(**changes):
    base = dict(encoding=0, modelId="0123456789abcdef", survey="north-field-7", record="123",
                device=2, devices=5, firstReceiver=28, receivers=14,
                acquiredNs="1796000000123456789", latent=[0, 1, -1, 127, -127, 64])
    return {**base, **changes}


def valid():
    ramp = [((37 * i + 11) % 255) - 127 for i in range(1024)]
    cases = {
        "six-codes": fields(),
        "one-code-all-limits": fields(
            survey="abcdefghij-01234", record=str(2**64 - 1), device=65534, devices=65535,
            firstReceiver=65535, receivers=65535, acquiredNs=str(2**64 - 1), latent=[-127]),
        "smallest-numbers": fields(survey="s", record="0", device=0, devices=1, firstReceiver=0,
                                   receivers=1, acquiredNs="0", latent=[0]),
        "full-latent": fields(latent=ramp),
        "nibble-every-rounding": fields(
            encoding=1, latent=[9, -9, 27, -27, 8, 10, -8, -10, 127, -127, 126, 117, 118, 0]),
        "nibble-full-latent": fields(encoding=1, latent=ramp),
    }
    return [dict(name=name, fields=f, decodedLatent=decoded(f["latent"], f["encoding"]),
                 hex=build(f).hex()) for name, f in cases.items()]


def refused():
    good = build(fields())
    cases = [
        ("empty", "truncated", b""),
        ("header-cut", "truncated", good[:59]),
        ("payload-cut", "truncated", good[:-5]),
        ("checksum-cut", "truncated", good[:-1]),
        ("one-byte-more", "extra-bytes", good + b"\0"),
        ("magic", "bad-magic", build(fields(), magic=b"EPIc")),
        ("version-2", "bad-version", build(fields(), version=2)),
        ("header-64", "bad-header-length", build(fields(), header=64)),
        ("entropy-coded", "reserved-encoding", build(fields(encoding=2), payload=b"\1\2\3")),
        ("encoding-3", "bad-encoding", build(fields(encoding=3), payload=b"\1\2\3")),
        ("length-4-gib", "payload-too-long", build(fields(), length=2**32 - 1)),
        ("length-cap-plus-1", "payload-too-long", build(fields(), length=16385)),
        ("checksum-zero", "bad-checksum", build(fields(), crc=0)),
        ("payload-bit", "bad-checksum", good[:60] + bytes([good[60] ^ 4]) + good[61:]),
        ("survey-empty", "bad-field", build(fields(survey=""))),
        ("survey-upper-case", "bad-field", build(fields(survey="North"))),
        ("survey-after-zero", "bad-field", build(fields(survey=b"ab\0c"))),
        ("device-is-devices", "bad-field", build(fields(device=5))),
        ("no-devices", "bad-field", build(fields(device=0, devices=0))),
        ("no-receivers", "bad-field", build(fields(receivers=0))),
        ("no-payload", "bad-field", build(fields(), payload=b"")),
        ("code-minus-128", "bad-field", build(fields(), payload=b"\1\x80")),
        ("nibble-minus-8", "bad-field", build(fields(encoding=1), payload=b"\x18")),
    ]
    return [dict(name=name, code=code, hex=data.hex()) for name, code, data in cases]


def write(name, cases):
    """One case per line, so that a change shows as the lines it touches."""
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


write("valid.json", valid())
write("refused.json", refused())
