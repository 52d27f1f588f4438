/// Writes a `.npz` file, NumPy's archive of `.npy` files, one tensor after another; the file appears whole or not
/// at all.
///
/// Nothing is compressed, and elements begin at multiples of 64 bytes, so that a reader can map them.
/// Source: `numpy/lib/_npyio_impl.py`, `savez`.
public struct NPZWriter: ~Copyable {
  private struct Entry {
    var name: String
    var offset: Int
    var byteCount: Int
    var crc: UInt32
  }

  private var file: AtomicFile
  private let path: String
  private var entries: [Entry] = []
  private var names: Set<String> = []
  private var offset = 0
  private var checksum = CRC32()
  /// Bytes of the open tensor that are still to come; nil when none is open.
  private var missing: Int?
  /// Sizes and offsets from this on are written in 64 bits.
  private let zip64Threshold: Int

  /// Begins a file.
  /// - Throws: `.io` when it cannot be written.
  public init(path: String) throws(IngotError) {
    try self.init(path: path, zip64Threshold: Int(ZipLayout.overflow32))
  }

  /// - Parameter zip64Threshold: smaller than the format asks for, to test what happens beyond.
  package init(path: String, zip64Threshold: Int) throws(IngotError) {
    file = try AtomicFile(path: path)
    self.path = path
    self.zip64Threshold = zip64Threshold
  }

  /// Appends a tensor.
  /// - Throws: `.argument` for a name that is empty, too long or taken; `.unsupported` for bf16, which NumPy
  ///   lacks; `.io`.
  public mutating func append(_ tensor: HostTensor, named name: String) throws(IngotError) {
    try begin(name, dtype: tensor.dtype, shape: tensor.shape)
    try append(tensor.bytes)
    try end()
  }

  /// Begins a tensor whose elements come in pieces.
  /// - Throws: as above; `.argument` when another is not ended.
  public mutating func begin(_ name: String, dtype: DType, shape: Shape) throws(IngotError) {
    guard missing == nil else { throw error(.argument, "a tensor begins before another has ended", name) }
    guard !name.isEmpty, name.utf8.count < 1 << 15, !name.utf8.contains(0) else {
      throw error(.argument, "not a name for a tensor", name)
    }
    guard names.insert(name).inserted else { throw error(.argument, "two tensors have this name", name) }
    let header = NPY.prefix(try NPY.header(dtype: dtype, shape: shape))
    let byteCount = header.count + shape.count * dtype.byteCount
    entries.append(Entry(name: name + ".npy", offset: offset, byteCount: byteCount, crc: 0))
    try write(localHeader(entries[entries.count - 1]))
    checksum = CRC32()
    missing = byteCount
    try header.withBytes { (bytes) throws(IngotError) in try append(bytes) }
  }

  /// Appends elements of the open tensor in row-major order.
  /// - Throws: `.shape` when they are more than the shape has; `.io`.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    guard let missing, bytes.count <= missing else {
      throw error(.shape, "\(bytes.count) bytes where \(missing ?? 0) are to come", entries.last?.name)
    }
    self.missing = missing - bytes.count
    checksum.update(bytes)
    try file.write(bytes)
    offset += bytes.count
  }

  /// Ends the open tensor.
  /// - Throws: `.shape` when elements are missing; `.io`, for example when `path` is a pipe.
  public mutating func end() throws(IngotError) {
    guard missing == 0 else {
      throw error(.shape, "\(missing ?? 0) bytes of the shape were not written", entries.last?.name)
    }
    missing = nil
    let last = entries.count - 1
    entries[last].crc = checksum.value
    var record = ZipRecord()
    record.append(checksum.value)
    // The checksum's place in the local header.
    let place = entries[last].offset + 14
    try record.bytes.withBytes { (bytes) throws(IngotError) in try file.places.write(bytes, at: place) }
  }

  /// Writes the directory and gives the file its name.
  /// - Throws: `.shape` when a tensor is not ended, `.io`; then there is no file.
  public consuming func commit() throws(IngotError) {
    if missing != nil { throw error(.shape, "the last tensor has not ended", entries.last?.name) }
    let start = offset
    for entry in entries { try write(centralHeader(entry)) }
    try write(endRecords(start: start, byteCount: offset - start))
    try file.commit()
  }

  private mutating func write(_ record: ZipRecord) throws(IngotError) {
    try record.bytes.withBytes { (bytes) throws(IngotError) in try file.write(bytes) }
    offset += record.bytes.count
  }

  private func error(_ kind: IngotError.Kind, _ what: String, _ name: String?) -> IngotError {
    IngotError(kind, what, at: .init(file: path, tensor: name))
  }

  // MARK: Records

  private func localHeader(_ entry: Entry) -> ZipRecord {
    let isLarge = entry.byteCount >= zip64Threshold
    var extra = ZipRecord()
    if isLarge {
      extra.append(ZipLayout.zip64Field)
      extra.append(UInt16(16))
      extra.append(UInt64(entry.byteCount))
      extra.append(UInt64(entry.byteCount))
    }
    let end = entry.offset + ZipLayout.localBytes + entry.name.utf8.count + extra.bytes.count + 4
    let padding = (64 - end % 64) % 64
    extra.append(ZipLayout.paddingField)
    extra.append(UInt16(padding))
    extra.bytes += [UInt8](repeating: 0, count: padding)
    var record = ZipRecord()
    record.append(ZipLayout.localSignature)
    appendCommon(entry, to: &record, isLarge: isLarge)
    record.append(UInt16(extra.bytes.count))
    record.bytes += entry.name.utf8
    record.bytes += extra.bytes
    return record
  }

  private func centralHeader(_ entry: Entry) -> ZipRecord {
    let (isLarge, isFar) = (entry.byteCount >= zip64Threshold, entry.offset >= zip64Threshold)
    var extra = ZipRecord()
    if isLarge || isFar {
      extra.append(ZipLayout.zip64Field)
      extra.append(UInt16((isLarge ? 16 : 0) + (isFar ? 8 : 0)))
      if isLarge {
        extra.append(UInt64(entry.byteCount))
        extra.append(UInt64(entry.byteCount))
      }
      if isFar { extra.append(UInt64(entry.offset)) }
    }
    var record = ZipRecord()
    record.append(ZipLayout.centralSignature)
    record.append(UInt16(45))
    appendCommon(entry, to: &record, isLarge: isLarge)
    record.append(UInt16(extra.bytes.count))
    // Comment length, disk, internal attributes.
    for _ in 0..<3 { record.append(UInt16(0)) }
    record.append(UInt32(0))
    record.append32(entry.offset, overflows: isFar)
    record.bytes += entry.name.utf8
    record.bytes += extra.bytes
    return record
  }

  /// What local and central headers have in common, from the version to the name's length.
  private func appendCommon(_ entry: Entry, to record: inout ZipRecord, isLarge: Bool) {
    record.append(UInt16(isLarge ? 45 : 20))
    record.append(ZipLayout.utf8Flag)
    // Stored, at midnight.
    record.append(UInt16(0))
    record.append(UInt16(0))
    record.append(ZipLayout.date)
    record.append(entry.crc)
    record.append32(entry.byteCount, overflows: isLarge)
    record.append32(entry.byteCount, overflows: isLarge)
    record.append(UInt16(entry.name.utf8.count))
  }

  private func endRecords(start: Int, byteCount: Int) -> ZipRecord {
    let (isFar, isLarge) = (start >= zip64Threshold, byteCount >= zip64Threshold)
    let isMany = entries.count >= min(zip64Threshold, Int(ZipLayout.overflow16))
    var record = ZipRecord()
    if isFar || isLarge || isMany {
      record.append(ZipLayout.end64Signature)
      record.append(UInt64(ZipLayout.end64Bytes - 12))
      record.append(UInt16(45))
      record.append(UInt16(45))
      record.append(UInt32(0))
      record.append(UInt32(0))
      record.append(UInt64(entries.count))
      record.append(UInt64(entries.count))
      record.append(UInt64(byteCount))
      record.append(UInt64(start))
      record.append(ZipLayout.locator64Signature)
      record.append(UInt32(0))
      record.append(UInt64(start + byteCount))
      record.append(UInt32(1))
    }
    let count = isMany ? ZipLayout.overflow16 : UInt16(entries.count)
    record.append(ZipLayout.endSignature)
    record.append(UInt32(0))
    record.append(count)
    record.append(count)
    record.append32(byteCount, overflows: isLarge)
    record.append32(start, overflows: isFar)
    record.append(UInt16(0))
    return record
  }
}
