internal import Crypto
public import IngotCore

#if canImport(Glibc)
  import Glibc
#endif

extension ArtifactFile {
  /// The plaintext of a segment: mapped, or decrypted on several threads. A block of a mebibyte or more is in the
  /// process once, whichever files with its digest ask for it.
  /// - Throws: `.format` when there is no such segment, its digest does not fit, or a chunk was changed, moved or
  ///   encrypted with another key, naming the chunk; `.memory`.
  public func content(of name: String) throws(IngotError) -> ArtifactContent {
    let index = try index(of: name)
    let segment = segments[index]
    let origin = ArtifactContent.Origin(file: identity, segment: index)
    let content: ArtifactContent
    if segment.byteCount >= ContentRegistry.sharedByteCount {
      content = try ContentRegistry.shared.content(segment, origin) { () throws(IngotError) in
        try load(index, origin)
      }
    } else {
      content = try load(index, origin)
    }
    if checksAll || segment.byteCount <= Self.checkedByteCount, !content.isSound() {
      throw wrongDigest(of: segment)
    }
    return content
  }

  private func load(_ index: Int, _ origin: ArtifactContent.Origin) throws(IngotError) -> ArtifactContent {
    let segment = segments[index]
    guard let cipher else { return ArtifactContent(file, offset: segment.offset, segment, origin) }
    let buffer = try plaintextBuffer(segment.byteCount)
    try cipher.open(
      file, at: segment.offset, .init(segment: index, name: segment.name), byteCount: segment.byteCount,
      chunks: 0..<cipher.chunkCount(of: segment.byteCount), into: buffer)
    return ArtifactContent(MappedFile(adopting: buffer, name: path), offset: 0, segment, origin)
  }

  private func plaintextBuffer(_ byteCount: Int) throws(IngotError) -> AlignedBuffer {
    do throws(IngotError) {
      let buffer = try AlignedBuffer(byteCount: byteCount, alignment: ArtifactHeader.pageBytes)
      #if os(Linux)
        // Not into core dumps; only whole pages can be told so.
        if byteCount >= ContentRegistry.sharedByteCount { madvise(buffer.base, byteCount, MADV_DONTDUMP) }
      #endif
      return buffer
    } catch {
      throw IngotError(
        .memory, "could not allocate \(byteCount) bytes to decrypt into", at: .init(file: path),
        hint: "an encrypted file must fit in memory; decrypt it into a plain one to have it mapped")
    }
  }

  /// Passes on the plaintext of a segment in order, in windows of some mebibytes; nothing larger is allocated.
  /// - Throws: as `content(of:)`, except that the digest is not checked; what `body` throws.
  public func read(
    _ name: String, _ body: (UnsafeRawBufferPointer) throws(IngotError) -> Void
  ) throws(IngotError) {
    let index = try index(of: name)
    let segment = segments[index]
    let window: Int
    let buffer: AlignedBuffer?
    if let cipher {
      window = max(1, (16 << 20) / cipher.chunkBytes) * cipher.chunkBytes
      buffer = try plaintextBuffer(min(window, segment.byteCount))
    } else {
      (window, buffer) = (16 << 20, nil)
    }
    var start = 0
    while start < segment.byteCount {
      let count = min(window, segment.byteCount - start)
      if let cipher, let buffer {
        let first = start / cipher.chunkBytes
        try cipher.open(
          file, at: segment.offset, .init(segment: index, name: segment.name), byteCount: segment.byteCount,
          chunks: first..<first + cipher.chunkCount(of: count), into: buffer)
        try body(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
      } else {
        try body(file.bytes(at: segment.offset + start, count: count))
        file.release(segment.offset + start..<segment.offset + start + count)
      }
      start += count
    }
  }

  /// Checks the SHA-256 of every segment, as the file holds it now; reads the whole file.
  /// - Parameter progress: is told bytes done and bytes in all.
  /// - Throws: `.format` naming the first segment, and in an encrypted file the chunk, that does not fit.
  public func verify(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws(IngotError) {
    let total = segments.reduce(0) { $0 + $1.byteCount }
    var done = 0
    for segment in segments {
      var digest = SHA256()
      try read(segment.name) { (bytes) throws(IngotError) in
        digest.update(bufferPointer: bytes)
        done += bytes.count
        progress(done, total)
      }
      guard digest.finalize().hexadecimal == segment.sha256 else { throw wrongDigest(of: segment) }
    }
  }

  func wrongDigest(of segment: ArtifactSegment) -> IngotError {
    IngotError(
      .format, "segment \"\(segment.name)\" is not what was written: its SHA-256 is not \(segment.sha256)",
      at: .init(file: path, offset: segment.offset), hint: "the file is damaged; fetch or compile it again")
  }
}
