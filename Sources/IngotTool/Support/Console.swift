import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The reader of our output has gone away.
struct BrokenPipe: Error {}

/// Output to stdout, buffered until `flush`.
struct Output: ~Copyable {
  private var buffer: [UInt8] = []
  private static let capacity = 1 << 16

  mutating func write(_ text: String) throws {
    buffer += text.utf8
    if buffer.count >= Self.capacity { try flush() }
  }

  /// - Throws: `BrokenPipe`; `IngotError` of kind `.io`, for example when the disk is full.
  mutating func flush() throws {
    defer { buffer.removeAll(keepingCapacity: true) }
    try buffer.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let written = posixWrite(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest))
        if written < 0 && errno == EINTR { continue }
        if written < 0 && errno == EPIPE { throw BrokenPipe() }
        guard written > 0 else { throw IngotError.system("cannot write", path: "stdout") }
        rest = rest.dropFirst(written)
      }
    }
  }
}

/// Lines of a file, one in memory at a time.
struct LineReader {
  enum Line: Equatable {
    case line(String)
    /// A signal came while waiting for input.
    case interrupted
    case end
  }

  /// Bytes of the longest line.
  static let longest = 1 << 28

  let path: String
  /// Number of the last line, from 1.
  private(set) var number = 0
  private let input: InputFile
  private var buffer: [UInt8] = []
  private var start = 0
  private var reachedEnd = false

  /// Reads a file, a pipe, or stdin for `-`.
  /// - Throws: `.io`.
  init(path: String) throws(IngotError) {
    self.path = path == "-" ? "stdin" : path
    input = try InputFile(path: path)
  }

  /// The place of the last line, for errors.
  var place: IngotError.Place { .init(file: path, line: "\(number)") }

  /// The next line, without its end.
  /// - Throws: `.io`; `.format` for text that is not UTF-8.
  mutating func next() throws(IngotError) -> Line {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        return .line(try take(end, skip: 1))
      }
      searched = buffer.count
      if reachedEnd { return start < buffer.count ? .line(try take(buffer.count, skip: 0)) : .end }
      if start > 0 {
        buffer.removeFirst(start)
        (searched, start) = (searched - start, 0)
      }
      guard buffer.count <= Self.longest else {
        throw IngotError(
          .limit, "a line of more than \(Self.longest) bytes", at: .init(file: path, line: "\(number + 1)"))
      }
      switch try input.read(into: &buffer) {
      case .some: break
      case .interrupted: return .interrupted
      case .end: reachedEnd = true
      }
    }
  }

  private mutating func take(_ end: Int, skip: Int) throws(IngotError) -> String {
    number += 1
    var line = buffer[start..<end]
    start = end + skip
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard let text = String(validating: line, as: UTF8.self) else {
      throw IngotError(.format, "not valid UTF-8", at: place)
    }
    return text
  }
}

/// A file open for reading.
final class InputFile {
  enum Outcome { case some, interrupted, end }

  private let path: String
  private let descriptor: Int32

  /// - Parameter path: `-` for stdin.
  init(path: String) throws(IngotError) {
    self.path = path
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("cannot open the file", path: path) }
  }

  deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

  /// Appends some bytes.
  func read(into buffer: inout [UInt8]) throws(IngotError) -> Outcome {
    let count = withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { bytes in
      let count = posixRead(descriptor, bytes)
      if count > 0 { buffer += bytes.prefix(count) }
      return count
    }
    if count == 0 { return .end }
    if count > 0 { return .some }
    guard errno == EINTR else { throw .system("cannot read", path: path) }
    return .interrupted
  }

  /// All that is left; by default at most some 16 bytes for each token of the longest context.
  /// - Throws: `.io`; `.limit` beyond `most` bytes; `.format` for text that is not UTF-8.
  func readText(most: Int = 16 * TextModel.maximumContextLength) throws(IngotError) -> String {
    let place = IngotError.Place(file: path == "-" ? "stdin" : path)
    var buffer: [UInt8] = []
    while try read(into: &buffer) != .end {
      guard buffer.count <= most else { throw IngotError(.limit, "more than \(most) bytes", at: place) }
    }
    guard let text = String(validating: buffer, as: UTF8.self) else {
      throw IngotError(.format, "not valid UTF-8", at: place)
    }
    return text
  }
}

private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}

private func posixRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
  read(descriptor, bytes.baseAddress, bytes.count)
}
