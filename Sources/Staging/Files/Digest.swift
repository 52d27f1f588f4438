import CKernels
import IngotCore

/// 64-bit digests, as 16 hexadecimal digits in files.
enum Digest {
  static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    ingot_hash64(bytes.baseAddress, bytes.count, seed)
  }

  static func of(_ words: [UInt64], seed: UInt64 = 0) -> UInt64 {
    words.map(\.littleEndian).withUnsafeBytes { of($0, seed: seed) }
  }

  static func text(_ digest: UInt64) -> String {
    let digits = String(digest, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  static func value(_ text: String) -> UInt64? {
    text.utf8.count == 16 && text.utf8.allSatisfy { $0 != UInt8(ascii: "+") } ? UInt64(text, radix: 16) : nil
  }
}
