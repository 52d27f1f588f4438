import Crypto
package import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The SHA-256 of a file in hexadecimal digits, read in passing.
/// - Throws: `.io` when it is no regular file or cannot be read.
package func digestOfFile(_ path: String) throws(IngotError) -> String {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { throw .system("cannot open the file", path: path) }
  defer { close(descriptor) }
  let buffer = try AlignedBuffer(byteCount: 1 << 20)
  var digest = SHA256()
  while true {
    let count = read(descriptor, buffer.base, buffer.byteCount)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw .system("cannot read", path: path) }
    if count == 0 { return digest.finalize().hexadecimal }
    digest.update(bufferPointer: UnsafeRawBufferPointer(start: buffer.base, count: count))
  }
}

/// The SHA-256 of bytes in hexadecimal digits.
package func digestOfBytes(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }

/// The SHA-256 of a text in hexadecimal digits.
package func digestOfText(_ text: String) -> String { digestOfBytes(Array(text.utf8)) }
