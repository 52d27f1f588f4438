import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A file of keys or values, f16 `[layers, 1, kv, C, hd]`, of which rows are written in place.
///
/// The file is locked as long as this object lives, so that no two runs write into one cache.
final class CacheFile {
  let path: String
  private let descriptor: Int32
  /// Where the elements begin.
  private let dataOffset: Int
  private let shape: Shape

  /// Opens a file that is there, and copies its elements.
  /// - Throws: `.io`, `.format`; `.shape` for the file of another model.
  init(path: String, shape: Shape, into halves: UnsafeMutableBufferPointer<UInt16>?) throws(IngotError) {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("cannot open the file", path: path) }
    (self.path, self.shape, self.descriptor) = (path, shape, descriptor)
    do {
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        throw IngotError(
          .io, "another process is working with this cache", at: .init(file: path),
          hint: "wait for it, or use another --kv-dir")
      }
      let tensor = try NPY.read(path: path)
      let hint = "the cache is another model's; use another --kv-dir"
      guard tensor.dtype == .f16 else {
        throw IngotError(
          .shape, "the cache holds \(tensor.dtype) where f16 is expected", at: .init(file: path), hint: hint)
      }
      guard tensor.shape == shape else {
        throw IngotError(
          .shape, "the cache has shape \(tensor.shape) where the model takes \(shape)", at: .init(file: path),
          hint: hint)
      }
      var status = stat()
      guard fstat(descriptor, &status) == 0 else {
        throw IngotError.system("cannot stat the file", path: path)
      }
      dataOffset = Int(status.st_size) - tensor.bytes.count
      withExtendedLifetime(tensor) {
        if let halves { UnsafeMutableRawBufferPointer(halves).copyMemory(from: tensor.bytes) }
      }
    } catch let error as IngotError {
      close(descriptor)
      throw error
    } catch {
      close(descriptor)
      throw IngotError(.io, "\(error)", at: .init(file: path))
    }
  }

  deinit { close(descriptor) }

  /// Makes a file of zeros, whole or not at all.
  /// - Throws: `.io`, for example when the disk is full.
  static func create(path: String, shape: Shape) throws(IngotError) {
    var writer = try NPYWriter(path: path, dtype: .f16, shape: shape)
    let zeros = try AlignedBuffer(byteCount: 1 << 20)
    var rest = shape.count * 2
    while rest > 0 {
      let count = min(rest, zeros.byteCount)
      try writer.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(zeros.bytes)[..<count]))
      rest -= count
    }
    try writer.commit()
  }

  /// Writes rows `[first, first + count)` of every layer and head.
  /// - Parameter halves: `[layers, kv, count, hd]`.
  /// - Throws: `.io`.
  func write(_ halves: [UInt16], at first: Int, count: Int) throws(IngotError) {
    let result: Result<Void, IngotError> = halves.withUnsafeBytes { bytes in
      do throws(IngotError) { return .success(try write(bytes, at: first, count: count)) } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  private func write(_ bytes: UnsafeRawBufferPointer, at first: Int, count: Int) throws(IngotError) {
    let rowBytes = shape[4] * 2
    let pieceBytes = count * rowBytes
    for piece in 0..<shape[0] * shape[2] {
      var rest = UnsafeRawBufferPointer(rebasing: bytes[piece * pieceBytes..<(piece + 1) * pieceBytes])
      var offset = dataOffset + (piece * shape[3] + first) * rowBytes
      while rest.count > 0 {
        let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset))
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw .system("cannot write", path: path) }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        offset += written
      }
    }
  }

  /// Waits until what was written is on the disk.
  /// - Throws: `.io`.
  func flush() throws(IngotError) {
    guard fsync(descriptor) == 0 else { throw .system("cannot flush", path: path) }
  }
}
