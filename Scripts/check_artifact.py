#!/usr/bin/env python3
"""Reads an .ingot file without any of Ingot's code, and says what is in it; the oracle of Sources/Artifact.

    pip install cryptography==48.0.0
    Scripts/check_artifact.py FILE [--key HEX | --passphrase TEXT] [--verify-key HEX] [--segment NAME]

Everything is checked: header, manifest, chunks, digests, signature. Prints the manifest and a line per segment;
with --segment, that segment's bytes instead. The format is described in Sources/Artifact/ArtifactHeader.swift and
ChunkCipher.swift. Fixtures: Tests/ArtifactTests/GoldenTests.swift.
"""

import argparse
import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

TAG = 16


def hkdf(key: bytes, salt: bytes, info: bytes, count: int) -> bytes:
    return HKDF(hashes.SHA256(), count, salt or None, info).derive(key)


class Chunks:
    """AES-256-GCM over the chunks of one file."""

    def __init__(self, page: bytes, key: bytes, size: int):
        self.size = size
        self.prologue = hashlib.sha256(page[0:16] + page[40:48] + page[80:160]).digest()
        self.aead = AESGCM(hkdf(key, page[80:112], b"ingot artifact 1 content", 32))

    def open(self, stored: bytes, number: int, name: bytes) -> bytes:
        stride = self.size + TAG
        count = -(-len(stored) // stride)
        plain = b""
        for index in range(count):
            place = struct.pack("<IQ", number, index)
            context = self.prologue + place + bytes([index == count - 1]) + name
            plain += self.aead.decrypt(place, stored[index * stride : (index + 1) * stride], context)
        return plain


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--key")
    parser.add_argument("--passphrase")
    parser.add_argument("--verify-key")
    parser.add_argument("--segment")
    options = parser.parse_args()
    data = open(options.file, "rb").read()
    page = data[:4096]
    assert page[:8] == b"\x89INGOT\n\x1a", "magic"
    version, flags = struct.unpack_from("<II", page, 8)
    offset, count, total = struct.unpack_from("<QQQ", page, 16)
    chunk, cost = struct.unpack_from("<II", page, 40)
    assert version == 1 and total == len(data) and offset % 4096 == 0 and offset + count == total
    stored = data[offset : offset + count]
    assert hashlib.sha256(stored).digest() == page[48:80], "digest of the manifest"
    if options.verify_key:
        assert flags & 2 and page[160:192].hex() == options.verify_key, "signer"
        key = Ed25519PublicKey.from_public_bytes(page[160:192])
        key.verify(page[192:256], b"ingot artifact signature 1\n" + page[:192])
    cipher = None
    if flags & 1:
        if options.passphrase is not None:
            key = Scrypt(page[128:144], 32, 2**cost, 8, 1).derive(options.passphrase.encode())
        else:
            key = bytes.fromhex(options.key)
        assert hkdf(key, b"", b"ingot key id", 16) == page[112:128], "the key is another"
        cipher = Chunks(page, key, chunk)
        stored = cipher.open(stored, 0xFFFFFFFF, page[16:40])
    manifest = json.loads(stored)
    assert manifest["format_version"] == version
    if not options.segment:
        print(json.dumps(manifest))
    for number, segment in enumerate(manifest["segments"]):
        start, plain = segment["offset"], segment["bytes"]
        assert start % 4096 == 0
        length = plain + -(-plain // chunk) * TAG if cipher else plain
        content = data[start : start + length]
        if cipher:
            content = cipher.open(content, number, segment["name"].encode())
        assert len(content) == plain
        assert hashlib.sha256(content).hexdigest() == segment["sha256"], segment["name"]
        if options.segment == segment["name"]:
            sys.stdout.buffer.write(content)
        elif not options.segment:
            print(f"{segment['name']}: {plain} bytes, {segment['sha256']}")


main()
