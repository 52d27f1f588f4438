internal import Crypto
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How keys stand in files: a line that says what it is, and comments.
///
///     # ingot encryption key 0123456789abcdef…: whoever has it can read the files
///     ingot-key-1:<64 hexadecimal digits><8 digits: the start of their bytes' SHA-256>
enum KeyText: String, CaseIterable {
  case encryption = "ingot-key-1"
  case signing = "ingot-signing-key-1"
  case verifying = "ingot-verify-key-1"

  private var title: String {
    switch self {
    case .encryption: "an encryption key"
    case .signing: "a signing key"
    case .verifying: "a key that verifies signatures"
    }
  }

  /// The line of a key.
  func line(_ bytes: [UInt8]) -> String { "\(rawValue):\((bytes + checksum(bytes)).hexadecimal)" }

  private func checksum(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes).prefix(4)) }

  /// The 32 bytes of a key in a text. The 64 digits alone are a key too, for those who bring their own.
  /// - Throws: `.format`; never quotes the text, which may be a secret.
  func bytes(in text: String, _ place: IngotError.Place) throws(IngotError) -> [UInt8] {
    let lines = text.split(whereSeparator: \.isNewline).map { trimmed($0) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard lines.count == 1, let line = lines.first else {
      throw IngotError(.format, "one line with \(title) is expected, not \(lines.count)", at: place)
    }
    if line.utf8.count == 64, let bytes = [UInt8](hexadecimal: line) { return bytes }
    for other in Self.allCases where line.hasPrefix(other.rawValue + ":") {
      guard other == self else {
        throw IngotError(.format, "this is \(other.title), and \(title) is needed", at: place)
      }
      guard let bytes = [UInt8](hexadecimal: line.dropFirst(rawValue.utf8.count + 1)), bytes.count == 36,
        checksum(Array(bytes.prefix(32))) == Array(bytes.suffix(4))
      else { throw IngotError(.format, "the key is damaged: a digit is missing or wrong", at: place) }
      return Array(bytes.prefix(32))
    }
    throw IngotError(
      .format, "not \(title)", at: place, hint: "'ingot keygen' makes one; it begins with \(rawValue):")
  }

  private func trimmed(_ line: Substring) -> Substring {
    var line = line
    while let first = line.first, first.isWhitespace { line.removeFirst() }
    while let last = line.last, last.isWhitespace { line.removeLast() }
    return line
  }

  /// The 32 bytes of a key in a file.
  func bytes(path: String) throws(IngotError) -> [UInt8] {
    let file = try MappedFile(path: path)
    return try withExtendedLifetime(file) { (file) throws(IngotError) in
      guard file.byteCount <= 1 << 16, let text = String(validating: file.bytes, as: UTF8.self) else {
        throw IngotError(.format, "not \(title)", at: .init(file: path))
      }
      return try bytes(in: text, .init(file: path))
    }
  }

  /// Writes a key into a new file: never over another, since a key that is lost takes its files along.
  /// - Parameter mode: who may read it.
  /// - Throws: `.io`, also when there is a file already.
  static func write(_ text: String, path: String, mode: mode_t) throws(IngotError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      if errno == EEXIST {
        throw IngotError(
          .io, "there is a file already, and keys are not written over others", at: .init(file: path),
          hint: "name another file, or move this one away")
      }
      throw .system("cannot create the file", path: path)
    }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { posixWrite(descriptor, $0) }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        let error = IngotError.system("cannot write", path: path)
        close(descriptor)
        unlink(path)
        throw error
      }
      bytes = bytes.dropFirst(written)
    }
    let flushed = fsync(descriptor) == 0
    let error = IngotError.system("cannot flush", path: path)
    close(descriptor)
    guard flushed else {
      unlink(path)
      throw error
    }
  }
}

private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}
