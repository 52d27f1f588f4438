#!/usr/bin/env python3
"""Writes Tests/ArtifactTests/GoldenFiles.swift: .ingot files made without any of Ingot's code.

    pip install cryptography==48.0.0
    Scripts/make_artifact_fixtures.py > Tests/ArtifactTests/GoldenFiles.swift

Ingot must read these files, and write the same bytes from the same salts. The format is described in
Sources/Artifact/ArtifactHeader.swift and ChunkCipher.swift; Scripts/check_artifact.py reads it.
"""

import base64
import hashlib
import json
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

PAGE, CHUNK = 4096, 4096
SEGMENTS = [
    ("tokenizer", b'{"model":"\xc3\xa9"}'),
    ("nothing", b""),
    ("weights", bytes((i * 7 + i // 256) % 251 for i in range(CHUNK + 100))),
]
MODEL = {"model": "tiny \u00e9", "layers": 2, "scale": 0.5}


def hkdf(key, salt, info, count):
    return HKDF(hashes.SHA256(), count, salt or None, info).derive(key)


def artifact(key=None, cost=0, scrypt_salt=bytes(16), salt=bytes(32), signer=None):
    flags = (1 if key else 0) | (2 if signer else 0)
    page = bytearray(PAGE)
    page[0:16] = b"\x89INGOT\n\x1a" + struct.pack("<II", 1, flags)
    if key:
        page[40:48] = struct.pack("<II", CHUNK, cost)
        page[80:112] = salt
        page[112:128] = hkdf(key, b"", b"ingot key id", 16)
        page[128:144] = scrypt_salt
        prologue = hashlib.sha256(page[0:16] + page[40:48] + page[80:160]).digest()
        aead = AESGCM(hkdf(key, salt, b"ingot artifact 1 content", 32))

    def stored(data, number, name):
        if not key:
            return data
        parts = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
        result = b""
        for index, part in enumerate(parts):
            place = struct.pack("<IQ", number, index)
            result += aead.encrypt(place, part, prologue + place + bytes([index == len(parts) - 1]) + name)
        return result

    def padded(data):
        return data + bytes(-len(data) % PAGE)

    body, table = b"", []
    for number, (name, data) in enumerate(SEGMENTS):
        digest = hashlib.sha256(data).hexdigest()
        table.append({"name": name, "offset": PAGE + len(body), "bytes": len(data), "sha256": digest})
        body = padded(body + stored(data, number, name.encode()))
    manifest = {"format_version": 1, "segments": table} | MODEL
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False).encode()
    offset = PAGE + len(body)
    count = len(text) + (-(-len(text) // CHUNK) * 16 if key else 0)
    page[16:40] = struct.pack("<QQQ", offset, count, offset + count)
    text = stored(text, 0xFFFFFFFF, bytes(page[16:40]))
    assert len(text) == count
    page[48:80] = hashlib.sha256(text).digest()
    if signer:
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        page[160:192] = signer.public_key().public_bytes(*raw)
        page[192:256] = signer.sign(b"ingot artifact signature 1\n" + bytes(page[:192]))
    return bytes(page) + body + text


def swift(name, comment, data):
    # Runs of zeros are left out: pages are mostly empty.
    print(f"\n  /// {comment}\n  static let {name}: [(offset: Int, base64: String)] = [")
    start = 0
    while start < len(data):
        end = data.find(bytes(64), start)
        end = len(data) if end < 0 else end
        text = base64.b64encode(data[start:end]).decode()
        lines = [text[i : i + 96] for i in range(0, len(text), 96)]
        print(f"    ({start}, \"\"\"\n" + "".join(f"      {line}\n" for line in lines) + "      \"\"\"),")
        start = end
        while start < len(data) and data[start] == 0:
            start += 1
    print("  ]")


print("/// Files made by `Scripts/make_artifact_fixtures.py` with Python's cryptography 48.0.0; the rest of each is zeros.")
print("enum GoldenFiles {", end="")
swift("plain", "Neither encrypted nor signed.", artifact())
signer = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
swift(
    "sealed", "Encrypted with a key of 32 ones, and signed with one of 32 threes; the salt is 32 sevens.",
    artifact(bytes([1]) * 32, salt=bytes([7]) * 32, signer=signer),
)
scrypt_salt = bytes([9]) * 16
swift(
    "passphrase", "Encrypted with the passphrase \"correct horse\" and a cost of 2^10; the salt is 32 eights.",
    artifact(
        Scrypt(scrypt_salt, 32, 2**10, 8, 1).derive(b"correct horse"), 10, scrypt_salt, bytes([8]) * 32
    ),
)
print("}")
