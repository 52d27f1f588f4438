internal import Crypto
public import IngotCore

/// Writes an `.ingot` file segment by segment, in memory that does not grow with it.
///
/// The file has its name only once `finish` returns: until then, and after a failure, whatever was there is untouched
/// (`AtomicFile`).
///
/// ```swift
/// let writer = try ArtifactWriter(path: "model.ingot")
/// try writer.write("weights", byteCount: nil) { sink throws(IngotError) in try sink(bytes) }
/// try writer.finish(manifest: manifest)
/// ```
public final class ArtifactWriter {
  private let path: String
  private var file: AtomicFile?
  private var header: ArtifactHeader
  private let cipher: ChunkCipher?
  private let signer: SigningKey?
  /// Where the next segment may begin.
  private var end = ArtifactHeader.pageBytes
  /// The segments written so far.
  public private(set) var segments: [ArtifactSegment] = []

  /// Begins a file.
  /// - Parameters:
  ///   - key: encrypts segments and manifest; nil for a plain file.
  ///   - signer: signs the file; nil for none.
  /// - Throws: `.io` when the file cannot be created.
  public convenience init(path: String, key: ArtifactKey? = nil, signer: SigningKey? = nil) throws(IngotError)
  {
    try self.init(
      path: path, key: key, signer: signer, salt: randomBytes(32), chunkBytes: ChunkCipher.defaultChunkBytes)
  }

  /// With what is otherwise random or fixed, for tests of the format: a salt must never be used twice.
  package init(
    path: String, key: ArtifactKey?, signer: SigningKey?, salt: [UInt8], chunkBytes: Int
  ) throws(IngotError) {
    var header = ArtifactHeader()
    cipher = key.map { key in
      let encryption = ArtifactHeader.Encryption(
        chunkByteCount: chunkBytes, salt: salt, keyID: key.id, derivation: key.derivation)
      header.encryption = encryption
      // The flags are bound to every chunk, so they must be known now.
      header.signature = signer.map {
        .init(signer: $0.verifyKey.bytes, bytes: .init(repeating: 0, count: 64))
      }
      return ChunkCipher(key, header, encryption)
    }
    header.signature = signer.map { .init(signer: $0.verifyKey.bytes, bytes: .init(repeating: 0, count: 64)) }
    (self.path, self.header, self.signer) = (path, header, signer)
    file = try AtomicFile(path: path)
  }

  /// Appends a segment at the next page.
  /// - Parameters:
  ///   - name: unique in the file.
  ///   - byteCount: its length where it is known: then room is reserved on the disk, and another length is an error.
  ///   - body: calls its sink with the bytes, as often as it likes.
  /// - Returns: where the segment is, and its digest.
  /// - Throws: `.argument` for a name that cannot be or another length; `.io`, for example when the disk is full; what
  ///   `body` throws. The file is then given up.
  @discardableResult
  public func write(
    _ name: String, byteCount: Int? = nil,
    _ body: ((UnsafeRawBufferPointer) throws(IngotError) -> Void) throws(IngotError) -> Void
  ) throws(IngotError) -> ArtifactSegment {
    do {
      return try append(name, byteCount: byteCount, body)
    } catch {
      file = nil
      throw error.inFile(path)
    }
  }

  private func append(
    _ name: String, byteCount: Int?,
    _ body: ((UnsafeRawBufferPointer) throws(IngotError) -> Void) throws(IngotError) -> Void
  ) throws(IngotError) -> ArtifactSegment {
    try ArtifactSegment.check(name: name)
    guard !segments.contains(where: { $0.name == name }) else {
      throw IngotError(
        .argument, "a second segment \"\(name)\"", hint: "every segment of a file has a name of its own")
    }
    guard segments.count < ArtifactSegment.most else {
      throw IngotError(
        .limit,
        "segment \"\(name)\" would be number \(segments.count + 1), and a file holds at most \(ArtifactSegment.most)",
        hint: "put several things into one segment")
    }
    let places = try places()
    let offset = end
    if let byteCount {
      let stored = cipher.map { $0.storedBytes(of: byteCount) } ?? byteCount
      guard let stored, byteCount >= 0, stored < Int.max - offset else {
        throw IngotError(
          .argument,
          "segment \"\(name)\" cannot have \(byteCount) bytes: it begins at byte \(offset), and lengths are from 0 to what a 64-bit file can hold",
          hint: "announce the number of bytes that will be written, or nil")
      }
      try file?.reserve(byteCount: offset + stored)
    }
    var sink = SegmentSink(
      places, offset: offset, cipher, .init(segment: segments.count, name: name))
    try body { (bytes) throws(IngotError) in try sink.write(bytes) }
    try sink.finish()
    guard byteCount ?? sink.byteCount == sink.byteCount else {
      throw IngotError(
        .argument, "segment \"\(name)\" has \(sink.byteCount) bytes, and \(byteCount ?? 0) were announced",
        hint: "the source changed while it was read, or the caller counted wrong: write it again")
    }
    let segment = ArtifactSegment(
      name: name, offset: offset, byteCount: sink.byteCount, sha256: sink.digest.finalize().hexadecimal)
    end = Self.page(after: sink.offset)
    segments.append(segment)
    return segment
  }

  /// Appends a segment that is in memory.
  /// - Throws: as the other `write`.
  @discardableResult
  public func write(_ name: String, _ bytes: [UInt8]) throws(IngotError) -> ArtifactSegment {
    try write(name, byteCount: bytes.count) { (sink) throws(IngotError) in
      let result: Result<Void, IngotError> = bytes.withUnsafeBytes { buffer in
        do throws(IngotError) { return .success(try sink(buffer)) } catch { return .failure(error) }
      }
      try result.get()
    }
  }

  /// The file as it is so far, with a manifest that it might have, to be looked at before it is finished: its segments
  /// are read from where they were written.
  ///
  /// That manifest is not written anywhere. So there is never a second one to be encrypted, which would need a nonce of
  /// its own, nor to be signed.
  /// - Throws: `.io`, also for a device or a pipe; `.memory`.
  public func draft(manifest: JSONObject) throws(IngotError) -> ArtifactFile {
    guard let mapped = try file?.mapped() else { throw isGivenUp }
    var header = header
    (header.manifestOffset, header.fileByteCount) = (end, end)
    return try ArtifactFile(
      mapped.file, mapped.identity, header, cipher,
      manifest: .object(ArtifactSegment.manifest(segments, manifest, version: header.formatVersion)))
  }

  /// Writes the manifest and gives the file its name. Its members `format_version` and `segments` are replaced by the
  /// container's own.
  /// - Throws: `.io`; `.limit` for a manifest that no reader accepts.
  public func finish(manifest: JSONObject) throws(IngotError) {
    let whole = ArtifactSegment.manifest(segments, manifest, version: header.formatVersion)
    try finish(manifestText: Array(JSONValue.object(whole).description.utf8), flushes: true)
  }

  /// Writes any bytes as the manifest, for tests of readers.
  package func finish(manifestText text: [UInt8], flushes: Bool = false) throws(IngotError) {
    let places = try places()
    let stored = cipher.map { $0.storedBytes(of: text.count) } ?? text.count
    guard let stored, stored <= ArtifactHeader.longestManifest else {
      throw IngotError(
        .limit, "a manifest of \(text.count) bytes; at most \(ArtifactHeader.longestManifest) are read",
        at: .init(file: path), hint: "put large members into segments")
    }
    (header.manifestOffset, header.manifestByteCount, header.fileByteCount) = (end, stored, end + stored)
    var sink = SegmentSink(places, offset: end, cipher, .init(manifestOf: header), digestsStored: true)
    try sink.write(text)
    try sink.finish()
    header.manifestDigest = Array(sink.digest.finalize())
    if let signer {
      let signature = try signer.sign(header.signedMessage)
      header.signature?.bytes = signature
    }
    try places.write(header.page, at: 0)
    try file.take()?.commit(flushes: flushes)
  }

  private func places() throws(IngotError) -> FilePlaces {
    guard let places = file?.places else { throw isGivenUp }
    return places
  }

  private var isGivenUp: IngotError {
    IngotError(
      .argument, "the file is finished, or was given up after a failure", at: .init(file: path),
      hint: "begin another writer for the path")
  }

  private static func page(after offset: Int) -> Int {
    (offset + ArtifactHeader.pageBytes - 1) / ArtifactHeader.pageBytes * ArtifactHeader.pageBytes
  }
}

/// What one segment's bytes go through: digest, encryption, file.
private struct SegmentSink {
  private let places: FilePlaces
  private let cipher: ChunkCipher?
  private let stream: ChunkCipher.Stream
  private let digestsStored: Bool
  /// The plaintext of the chunk that is not yet full, or that may be the last.
  private var pending: [UInt8] = []
  private var chunk = 0
  private(set) var byteCount = 0
  /// Where the next byte of the file goes.
  private(set) var offset: Int
  private(set) var digest = SHA256()

  /// - Parameter digestsStored: whether the digest is of what is in the file and not of the plaintext.
  init(
    _ places: FilePlaces, offset: Int, _ cipher: ChunkCipher?, _ stream: ChunkCipher.Stream,
    digestsStored: Bool = false
  ) {
    (self.places, self.offset, self.cipher, self.stream) = (places, offset, cipher, stream)
    self.digestsStored = digestsStored
    if let cipher { pending.reserveCapacity(cipher.chunkBytes) }
  }

  mutating func write(_ bytes: [UInt8]) throws(IngotError) {
    let pointer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { pointer.deallocate() }
    pointer.copyBytes(from: bytes)
    try write(UnsafeRawBufferPointer(pointer))
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    byteCount += bytes.count
    if !digestsStored { digest.update(bufferPointer: bytes) }
    guard let cipher else { return try store(bytes) }
    var rest = bytes
    while !rest.isEmpty {
      // A full chunk waits for what follows it: the last one is sealed as such.
      if pending.count == cipher.chunkBytes { try sealPending(cipher, isLast: false) }
      if pending.isEmpty, rest.count > cipher.chunkBytes {
        let whole = UnsafeRawBufferPointer(rebasing: rest[..<cipher.chunkBytes])
        try seal(whole, cipher, isLast: false)
        rest = UnsafeRawBufferPointer(rebasing: rest[cipher.chunkBytes...])
      } else {
        let count = min(rest.count, cipher.chunkBytes - pending.count)
        pending += rest[..<count]
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }

  mutating func finish() throws(IngotError) {
    if let cipher, !pending.isEmpty { try sealPending(cipher, isLast: true) }
  }

  private mutating func sealPending(_ cipher: ChunkCipher, isLast: Bool) throws(IngotError) {
    let (stream, chunk) = (stream, chunk)
    let sealed: Result<[UInt8], IngotError> = pending.withUnsafeBytes { bytes in
      do throws(IngotError) { return .success(try cipher.seal(bytes, stream, chunk, isLast: isLast)) } catch {
        return .failure(error)
      }
    }
    try storeSealed(try sealed.get())
    pending.removeAll(keepingCapacity: true)
  }

  private mutating func seal(_ bytes: UnsafeRawBufferPointer, _ cipher: ChunkCipher, isLast: Bool)
    throws(IngotError)
  {
    try storeSealed(try cipher.seal(bytes, stream, chunk, isLast: isLast))
  }

  private mutating func storeSealed(_ sealed: [UInt8]) throws(IngotError) {
    chunk += 1
    try places.write(sealed, at: offset)
    if digestsStored { digest.update(data: sealed) }
    offset += sealed.count
  }

  private mutating func store(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    try places.write(bytes, at: offset)
    if digestsStored { digest.update(bufferPointer: bytes) }
    offset += bytes.count
  }
}

extension FilePlaces {
  /// Writes bytes so that they begin at an offset.
  func write(_ bytes: [UInt8], at offset: Int) throws(IngotError) {
    let result: Result<Void, IngotError> = bytes.withUnsafeBytes { buffer in
      do throws(IngotError) { return .success(try write(buffer, at: offset)) } catch {
        return .failure(error)
      }
    }
    try result.get()
  }
}
