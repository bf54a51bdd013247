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
        ("entropy-without-tables", "no-tables", build(fields(encoding=2), payload=b"\1\2\3")),
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


# Entropy coding: tables of 3 slots and 4 channels, made up so that every class and every table is used.
SLOTS, CHANNELS, CLASSES, SYMBOLS, TOTAL = 3, 4, 5, 15, 4096


def made_up_tables():
    rows = []
    for peak in (0, 3, 7, 14):
        row = [max(1, 1500 >> (2 * abs(symbol - peak))) for symbol in range(SYMBOLS)]
        row[peak] += TOTAL - sum(row)
        rows.append(row)
    contexts = [(slot + 3 * channel + cls) % len(rows)
                for slot in range(SLOTS) for channel in range(CHANNELS) for cls in range(CLASSES)]
    return rows, contexts


ROWS, CONTEXTS = made_up_tables()


def row_of(i, nibbles):
    """The frequencies for value i, given all nibbles before it."""
    before = nibbles[i - CHANNELS] if i >= CHANNELS else 0
    cls = 0 if before <= -4 else 1 if before < 0 else 2 if before == 0 else 3 if before <= 3 else 4
    return ROWS[CONTEXTS[i * CLASSES + cls]]


def entropy_payload(latent):
    nibbles = [max(-7, min(7, round(q / 18))) for q in latent]
    state, tail = 1 << 23, []
    for i in reversed(range(len(nibbles))):
        row, symbol = row_of(i, nibbles), nibbles[i] + 7
        frequency, start = row[symbol], sum(row[:symbol])
        while state >= frequency << 19:
            tail.append(state & 255)
            state >>= 8
        state = (state // frequency << 12) + state % frequency + start
    return struct.pack("<I", state) + bytes(reversed(tail))


def entropy():
    count = SLOTS * CHANNELS
    latents = {
        "zeros": [0] * count,
        "ramp": [-127 + 23 * i for i in range(count)],
        "least-likely": [-127, 127] * (count // 2),
        "roundings": [9, -9, 27, -27, 8, 10, -8, -10, 117, 118, 99, -99],
    }
    frames = [dict(name=name, latent=latent, decodedLatent=decoded(latent, 1),
                   hex=build(fields(encoding=2, latent=latent), payload=entropy_payload(latent)).hex())
              for name, latent in latents.items()]
    good = entropy_payload(latents["ramp"])
    low, high = struct.pack("<I", (1 << 23) - 1), struct.pack("<I", 1 << 31)
    payloads = [
        ("empty", "entropy-truncated", b""),
        ("state-cut", "entropy-truncated", good[:3]),
        ("last-byte-cut", "entropy-truncated", good[:-1]),
        ("one-byte-more", "entropy-extra-bytes", good + b"\0"),
        ("state-too-low", "entropy-bad-state", low + good[4:]),
        ("state-too-high", "entropy-bad-state", high + good[4:]),
        ("last-byte-changed", "entropy-bad-state", good[:-1] + bytes([good[-1] ^ 1])),
    ]
    bad = [dict(name=name, code=code, hex=build(fields(encoding=2), payload=payload).hex())
           for name, code, payload in payloads]
    tables = dict(slots=SLOTS, channels=CHANNELS, frequencies=sum(ROWS, []), contexts=CONTEXTS)
    return [dict(tables=tables, frames=frames, refused=bad)]


def write(name, cases):
    """One case per line, so that a change shows as the lines it touches."""
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


write("valid.json", valid())
write("refused.json", refused())
write("entropy.json", entropy())
