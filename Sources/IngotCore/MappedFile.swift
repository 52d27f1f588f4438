#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A whole file mapped read-only into memory; pages load when first touched and are shared between
/// processes. The mapping lives as long as any reference to it.
public final class MappedFile: @unchecked Sendable {
  /// The path the file was opened by.
  public let path: String
  /// The file's bytes; valid while this object is referenced.
  public let bytes: UnsafeRawBufferPointer
  /// Whether the pages can come back from the file, which those of a copy cannot.
  private let isBacked: Bool
  /// Whose memory the bytes are, where it is not a mapping of our own.
  private let owner: AlignedBuffer?

  /// Maps a file.
  /// - Throws: `.io` when it cannot be opened, is not a regular file, or cannot be mapped.
  public convenience init(path: String) throws(IngotError) {
    // A pipe without a writer must not keep us waiting.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("cannot open the file", path: path) }
    defer { close(descriptor) }
    try self.init(descriptor: descriptor, path: path)
  }

  /// Maps a file that is open for reading, and may be closed afterwards.
  /// - Parameter path: stands in errors.
  init(descriptor: Int32, path: String) throws(IngotError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system("cannot stat the file", path: path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw IngotError(.io, "not a regular file", at: .init(file: path))
    }
    let size = Int(status.st_size)
    self.path = path
    isBacked = true
    owner = nil
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw .system("cannot map the file", path: path)
    }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  /// Copies bytes into memory of their own, as if they were a file: for tests and for data that comes
  /// from elsewhere.
  /// - Parameter name: stands for the path in errors.
  /// - Throws: `.memory` when the system refuses.
  public init(copying source: UnsafeRawBufferPointer, name: String) throws(IngotError) {
    path = name
    isBacked = false
    owner = nil
    guard source.count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let base = mmap(nil, source.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let base, base != MAP_FAILED else {
      throw IngotError(.memory, "could not allocate \(source.count) bytes", at: .init(file: name))
    }
    UnsafeMutableRawBufferPointer(start: base, count: source.count).copyMemory(from: source)
    bytes = UnsafeRawBufferPointer(start: base, count: source.count)
  }

  /// Takes memory that nobody writes to any more, as if it were a file: for contents that are made, not read.
  /// - Parameter name: stands for the path in errors.
  package init(adopting buffer: AlignedBuffer, name: String) {
    path = name
    isBacked = false
    owner = buffer
    bytes = UnsafeRawBufferPointer(buffer.bytes)
  }

  deinit {
    if owner == nil, let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  /// Size of the file in bytes when it was mapped.
  public var byteCount: Int { bytes.count }

  /// Lets the system take the pages of a range out of the process's memory, where they count as its own once they
  /// were read. They stay valid: who reads them again gets them again from the system's cache or the file.
  ///
  /// For readers that pass over much more than they keep, as an export does. Does nothing to a copy in memory.
  public func release(_ range: Range<Int>) {
    guard isBacked, let base = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let range = range.clamped(to: 0..<bytes.count)
    let start = range.lowerBound / page * page
    guard range.upperBound > start, !range.isEmpty else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + start), range.upperBound - start, MADV_DONTNEED)
  }

  /// The bytes of a range.
  /// - Throws: `.format` when the range leaves the file.
  public func bytes(at offset: Int, count: Int) throws(IngotError) -> UnsafeRawBufferPointer {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw IngotError(
        .format, "\(count) bytes at byte \(offset) reach beyond the file's \(bytes.count) bytes",
        at: .init(file: path, offset: offset),
        hint: "the file may be cut short; fetch or convert it again")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }
}

extension IngotError {
  /// An error of the operating system, with errno's text.
  public static func system(_ what: String, path: String) -> IngotError {
    IngotError(.io, "\(what): \(String(cString: strerror(errno)))", at: Place(file: path))
  }
}
