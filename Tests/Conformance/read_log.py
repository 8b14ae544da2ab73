"""Reads a log directory by docs/LOG_FORMAT.md alone, with nothing but the standard library: a JSON line per record."""
import json, pathlib, struct, sys

def crc32c(*parts):
    crc = 0xFFFFFFFF
    for byte in (byte for part in parts for byte in part):
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF

TABLE = list(range(256))
for _ in range(8):
    TABLE = [value >> 1 ^ (0x82F63B78 if value & 1 else 0) for value in TABLE]

def varint(data, at):
    value, shift = 0, 0
    while True:
        value, shift, at = value | (data[at] & 0x7F) << shift, shift + 7, at + 1
        if data[at - 1] < 0x80: return value, at

def lz4_block(block):
    out, at = bytearray(), 0
    def length(nibble, at):
        more = nibble == 15
        while more: nibble, more, at = nibble + block[at], block[at] == 255, at + 1
        return nibble, at
    while True:
        token = block[at]
        count, at = length(token >> 4, at + 1)
        out, at = out + block[at:at + count], at + count
        if at == len(block): return bytes(out)
        offset, at = struct.unpack_from("<H", block, at)[0], at + 2
        count, at = length(token & 15, at)
        for _ in range(count + 4): out.append(out[-offset])

def fields(message):
    at, found = 0, {}
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0: value, at = varint(message, at)
        elif key & 7 == 1: value, at = struct.unpack_from("<q", message, at)[0], at + 8
        else:
            size, at = varint(message, at)
            value, at = message[at:at + size], at + size
        found[key >> 3] = value
    return found

def records(segment):
    data = segment.read_bytes()
    magic, version, size, position = struct.unpack_from("<8sIIQ", data)
    assert magic == b"SLUICLOG" and version in (1, 2) and crc32c(data[:size - 4]) == struct.unpack_from("<I", data, size - 4)[0]
    assert segment.name == f"{position:020d}.seg"
    while size < len(data):
        _, stored, _, count, first, flags, check = struct.unpack_from("<4sIIIQII", data, size)
        payload = data[size + 32:size + 32 + stored]
        assert first == position and check == crc32c(data[size:size + 28], payload), f"damage at {segment.name}:{size}"
        raw, at, size = lz4_block(payload) if flags & 1 else payload, 0, size + 32 + stored
        for position in range(position, position + count):
            length, at = varint(raw, at)
            pruned = flags & 2 and length & 1
            if flags & 2: length = 32 if pruned else length // 2
            if not pruned: yield position, raw[at:at + length]
            at += length
        position += 1

for segment in sorted(pathlib.Path(sys.argv[1]).glob("*.seg")) if __name__ == "__main__" else []:
    for position, record in records(segment):
        event = fields(record)
        print(json.dumps({"position": position, "id": event[2].hex(), "stream_sequence": event.get(7, 0), "payload": max(event)}))
