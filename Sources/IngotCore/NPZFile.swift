/// Reads a `.npz` file, NumPy's archive of `.npy` files, as `numpy.savez` and `NPZWriter` write it; elements stay in
/// the mapped file until someone looks at them.
public struct NPZFile: Sendable {
  private struct Entry {
    var offset: Int
    var byteCount: Int
    var crc: UInt32
    var method: UInt16
    var isEncrypted: Bool
  }

  /// Names of the tensors, in the directory's order.
  public private(set) var names: [String] = []
  private var entries: [String: Entry] = [:]
  private let file: MappedFile
  private let directoryStart: Int

  /// Maps a file and reads its directory.
  /// - Throws: `.io`; `.format` for a file that is not such an archive, or is damaged.
  public init(path: String) throws(IngotError) { try self.init(try MappedFile(path: path)) }

  /// Reads the directory of a mapped file.
  /// - Throws: as above.
  public init(_ file: MappedFile) throws(IngotError) {
    self.file = file
    let directory = try ZipDirectory(file)
    directoryStart = directory.start
    var reader = ByteReader(file, at: directory.start)
    for _ in 0..<directory.entryCount {
      let start = reader.offset
      let (name, entry) = try Self.entry(&reader, limit: directory.start + directory.byteCount)
      // Other files may lie beside the tensors.
      guard name.hasSuffix(".npy") else { continue }
      let tensor = String(name.dropLast(4))
      guard entries.updateValue(entry, forKey: tensor) == nil else {
        throw IngotError(
          .format, "two tensors have one name", at: .init(file: file.path, tensor: tensor, offset: start))
      }
      names.append(tensor)
    }
  }

  /// Views a tensor after checking its checksum; copies it when the file has it at an odd address.
  /// - Throws: `.argument` for an unknown name; `.unsupported` for compressed or encrypted entries and for dtypes
  ///   that `NPY.read` refuses; `.format` for damaged ones.
  public func tensor(_ name: String) throws(IngotError) -> HostTensor {
    guard let entry = entries[name] else {
      throw IngotError(.argument, "the archive has no such tensor", at: .init(file: file.path, tensor: name))
    }
    do throws(IngotError) {
      let range = try bytes(of: entry)
      var checksum = CRC32()
      checksum.update(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
      guard checksum.value == entry.crc else {
        throw IngotError(
          .format, "the tensor's bytes do not match their checksum", at: .init(offset: range.lowerBound),
          hint: "the file is damaged; write it again")
      }
      return try NPY.tensor(file, range)
    } catch {
      var error = error.inFile(file.path)
      error.place.tensor = name
      throw error
    }
  }

  /// Where the bytes of an entry are, behind its local header.
  private func bytes(of entry: Entry) throws(IngotError) -> Range<Int> {
    let place = IngotError.Place(file: file.path, offset: entry.offset)
    guard !entry.isEncrypted else { throw IngotError(.unsupported, "the tensor is encrypted", at: place) }
    guard entry.method == 0 else {
      throw IngotError(
        .unsupported, "the tensor is compressed (zip method \(entry.method))", at: place,
        hint: "write it with numpy.savez, not savez_compressed")
    }
    var reader = ByteReader(file, at: entry.offset)
    guard try reader.read(UInt32.self) == ZipLayout.localSignature else {
      throw IngotError(.format, "no zip entry where the directory says", at: place)
    }
    _ = try reader.take(22)
    let (nameLength, extraLength) = (Int(try reader.read(UInt16.self)), Int(try reader.read(UInt16.self)))
    _ = try reader.take(nameLength + extraLength)
    guard reader.offset <= directoryStart, entry.byteCount <= directoryStart - reader.offset else {
      throw IngotError(.format, "an entry of \(entry.byteCount) bytes reaches into the directory", at: place)
    }
    return reader.offset..<reader.offset + entry.byteCount
  }

  /// The next record of the directory.
  private static func entry(_ reader: inout ByteReader, limit: Int) throws(IngotError) -> (String, Entry) {
    let start = reader.offset
    func broken(_ what: String) -> IngotError {
      IngotError(.format, what, at: .init(file: reader.file.path, offset: start))
    }
    guard try reader.read(UInt32.self) == ZipLayout.centralSignature else {
      throw broken("no zip directory record here")
    }
    _ = try reader.take(4)
    let (flags, method) = (try reader.read(UInt16.self), try reader.read(UInt16.self))
    _ = try reader.take(4)
    let crc = try reader.read(UInt32.self)
    let sizes = (try reader.read(UInt32.self), try reader.read(UInt32.self))
    let lengths = (
      name: Int(try reader.read(UInt16.self)), extra: Int(try reader.read(UInt16.self)),
      comment: Int(try reader.read(UInt16.self))
    )
    _ = try reader.take(8)
    let offset = try reader.read(UInt32.self)
    guard let name = String(validating: try reader.take(lengths.name), as: UTF8.self) else {
      throw broken("a name that is not UTF-8")
    }
    let extraEnd = reader.offset + lengths.extra
    // In this order, and only those that do not fit 32 bits.
    var wide = [sizes.1, sizes.0, offset].map { $0 == ZipLayout.overflow32 ? nil : Int($0) }
    while reader.offset + 4 <= extraEnd {
      let (id, length) = (try reader.read(UInt16.self), Int(try reader.read(UInt16.self)))
      let fieldEnd = reader.offset + length
      guard fieldEnd <= extraEnd else { throw broken("an extra field longer than its record") }
      if id == ZipLayout.zip64Field {
        for index in wide.indices where wide[index] == nil {
          guard reader.offset + 8 <= fieldEnd else { throw broken("a zip64 field too short") }
          wide[index] = Int(exactly: try reader.read(UInt64.self))
          guard wide[index] != nil else { throw broken("a size beyond 63 bits") }
        }
      }
      _ = try reader.take(fieldEnd - reader.offset)
    }
    guard reader.offset <= extraEnd else { throw broken("an extra field longer than its record") }
    _ = try reader.take(extraEnd - reader.offset + lengths.comment)
    guard reader.offset <= limit else { throw broken("a directory longer than it says") }
    guard let full = wide[0], let stored = wide[1], let offset = wide[2] else {
      throw broken("a zip64 size is missing")
    }
    guard method != 0 || full == stored else {
      throw broken("an uncompressed entry of \(full) bytes stored in \(stored)")
    }
    return (
      name,
      Entry(
        offset: offset, byteCount: stored, crc: crc, method: method,
        isEncrypted: flags & ZipLayout.encryptedFlag != 0)
    )
  }
}
