/// Where the directory of a zip file is.
struct ZipDirectory {
  let start: Int
  let byteCount: Int
  let entryCount: Int

  /// Looks for the record at the file's end, behind which a comment may follow.
  /// - Throws: `.format`.
  init(_ file: MappedFile) throws(IngotError) {
    func broken(_ what: String, _ offset: Int) -> IngotError {
      IngotError(
        .format, what, at: .init(file: file.path, offset: offset),
        hint: "the file is no .npz archive, or was cut short")
    }
    let last = file.byteCount - ZipLayout.endBytes
    guard last >= 0 else { throw broken("no zip file: only \(file.byteCount) bytes", 0) }
    let first = max(0, last - Int(UInt16.max))
    let found = (first...last).last { offset in
      UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        == ZipLayout.endSignature
        && Int(
          UInt16(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset + 20, as: UInt16.self)))
          == last - offset
    }
    guard let found else { throw broken("no zip directory at the file's end", first) }
    var reader = ByteReader(file, at: found + 4)
    let (disk, directoryDisk) = (try reader.read(UInt16.self), try reader.read(UInt16.self))
    _ = try reader.read(UInt16.self)
    let count = try reader.read(UInt16.self)
    let (size, offset) = (try reader.read(UInt32.self), try reader.read(UInt32.self))
    var values = (count: UInt64(count), size: UInt64(size), offset: UInt64(offset))
    var end = found
    if count == ZipLayout.overflow16 || size == ZipLayout.overflow32 || offset == ZipLayout.overflow32,
      found >= ZipLayout.locator64Bytes
    {
      reader = ByteReader(file, at: found - ZipLayout.locator64Bytes)
      if try reader.read(UInt32.self) == ZipLayout.locator64Signature {
        _ = try reader.read(UInt32.self)
        let place = try reader.read(UInt64.self)
        guard place <= UInt64(found) else { throw broken("a zip64 directory beyond the file", found) }
        end = Int(place)
        reader = ByteReader(file, at: end)
        guard try reader.read(UInt32.self) == ZipLayout.end64Signature else {
          throw broken("no zip64 record where the file says", end)
        }
        _ = try reader.take(28)
        values = (
          try reader.read(UInt64.self), try reader.read(UInt64.self), try reader.read(UInt64.self)
        )
      }
    }
    guard disk == 0 || disk == ZipLayout.overflow16, directoryDisk == disk else {
      throw broken("an archive in several parts", found)
    }
    // The directory lies before its end, and its records have a least size.
    guard values.offset <= UInt64(end), values.size <= UInt64(end) - values.offset else {
      throw broken("a directory of \(values.size) bytes at byte \(values.offset)", found)
    }
    guard values.count <= values.size / UInt64(ZipLayout.centralBytes) else {
      throw broken("\(values.count) entries in a directory of \(values.size) bytes", found)
    }
    (start, byteCount, entryCount) = (Int(values.offset), Int(values.size), Int(values.count))
  }
}
