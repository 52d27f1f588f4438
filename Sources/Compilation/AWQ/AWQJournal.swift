internal import CKernels
internal import Checkpoints
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What a search has found so far, layer by layer, so that one that is cut short goes on where it was.
///
///     "INGOTAW1", 16 bytes: a digest of all that the result depends on
///     then per layer: u32 bytes, u32 CRC-32, the layer as `LayerResult+Bytes` writes it
///
/// A file of another digest is begun anew; what follows the first damaged layer is dropped.
final class AWQJournal {
  /// The layers found, in order.
  private(set) var layers: [LayerResult] = []
  private let path: String
  private let descriptor: Int32
  private static let magic = Array("INGOTAW1".utf8)
  /// Far more than a layer takes.
  private static let mostBytes = 1 << 30

  /// Opens or makes the file.
  /// - Throws: `.io`.
  init(path: String, key: [UInt8]) throws(IngotError) {
    self.path = path
    let header = Self.magic + key
    var end = 0
    if let file = try? MappedFile(path: path), let found = Self.read(file, header) { (layers, end) = found }
    let opened = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard opened >= 0 else { throw .system("cannot open the journal", path: path) }
    descriptor = opened
    guard ftruncate(opened, off_t(end)) == 0, lseek(opened, 0, SEEK_END) >= 0 else {
      throw .system("cannot write the journal", path: path)
    }
    if end == 0 { try write(header) }
  }

  deinit { close(descriptor) }

  /// A digest of a checkpoint's tensors, the tokens and everything else that matters.
  static func key(_ checkpoint: any Checkpoint, _ tokens: [Int], _ description: String) throws(IngotError)
    -> [UInt8]
  {
    var text = "1 \(description) \(checkpoint.config)"
    for name in checkpoint.tensorNames {
      let tensor = try checkpoint.required(name)
      text += " \(name) \(tensor.encoding) \(tensor.shape) \(try digest(of: tensor))"
    }
    text += " \(tokens)"
    let bytes = Array(text.utf8)
    return [1, 2].flatMap { (seed: UInt64) in
      withUnsafeBytes(of: ingot_hash64(bytes, bytes.count, seed).littleEndian) { Array($0) }
    }
  }

  private static func digest(of tensor: CheckpointTensor) throws(IngotError) -> UInt64 {
    if let bytes = tensor.storedBytes {
      defer { tensor.file.release(tensor.byteRange) }
      return ingot_hash64(bytes.baseAddress, bytes.count, 0)
    }
    var digest: UInt64 = 0
    for row in 0..<tensor.rowCount {
      try tensor.withRow(row) { digest = ingot_hash64($0.baseAddress, $0.count, digest) }
    }
    return digest
  }

  /// Appends what was found for the next layer.
  /// - Throws: `.io`.
  func append(_ layer: LayerResult) throws(IngotError) {
    let payload = layer.encoded
    var head = ByteSink()
    head.append(UInt32(payload.count))
    head.append(payload.checksum)
    try write(head.bytes + payload)
    layers.append(layer)
  }

  private func write(_ bytes: [UInt8]) throws(IngotError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        posixWrite(descriptor, UnsafeRawBufferPointer(rebasing: $0[done...]))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .system("cannot write the journal", path: path) }
      done += count
    }
  }

  /// The layers of a file and where the last whole one ends; nil for a file of something else.
  private static func read(_ file: MappedFile, _ header: [UInt8]) -> ([LayerResult], Int)? {
    guard let start = try? file.bytes(at: 0, count: header.count), Array(start) == header else { return nil }
    var layers: [LayerResult] = []
    var reader = ByteReader(file, at: header.count)
    var end = header.count
    while let count = try? reader.read(UInt32.self), let checksum = try? reader.read(UInt32.self),
      count <= mostBytes, let payload = try? reader.take(Int(count))
    {
      let bytes = Array(payload)
      guard bytes.checksum == checksum, let layer = LayerResult(bytes: bytes) else { break }
      layers.append(layer)
      end = reader.offset
    }
    return (layers, end)
  }
}

extension [UInt8] {
  fileprivate var checksum: UInt32 {
    var crc = CRC32()
    withUnsafeBytes { crc.update($0) }
    return crc.value
  }
}

private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}
