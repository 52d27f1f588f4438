internal import Crypto
public import IngotCore

/// An `.ingot` file that was opened: its manifest, and its segments as mapped or decrypted memory.
///
/// Opening checks the header, the manifest's digest (or, in an encrypted file, its authentication), and that every
/// segment lies within the file and over no other. A segment's digest is checked as it is read, with one exception:
/// the weights of a plain file (more than `checkedByteCount` bytes) are only mapped, so that a start does not read them
/// all. That is safe because such a segment holds numbers and nothing else: whatever its bytes are, lengths,
/// offsets and shapes come from the manifest; damage gives wrong numbers, never a wrong address. `verify` checks them
/// too, and so does every read when a key that verifies signatures is given.
///
/// A mapped file must not be changed or cut short while it is used, as with every mapping.
public final class ArtifactFile: Sendable {
  /// Segments up to this size are checked against their digest whenever they are read.
  public static let checkedByteCount = 16 << 20

  /// The path the file was opened by.
  public let path: String
  /// The first page, which needs no key.
  public let header: ArtifactHeader
  /// The manifest, with the container's own members `format_version` and `segments`.
  public let manifest: JSONValue
  /// The segments in the order of the file.
  public let segments: [ArtifactSegment]
  let file: MappedFile
  let cipher: ChunkCipher?
  let identity: FileIdentity
  /// Whether every byte is checked before it is used: who asks for a signature wants to know about the weights too.
  let checksAll: Bool

  /// Whether segments and manifest are encrypted.
  public var isEncrypted: Bool { cipher != nil }
  /// Version of the format.
  public var formatVersion: Int { header.formatVersion }

  /// Opens a file.
  /// - Parameters:
  ///   - keys: asked for the key of an encrypted file.
  ///   - verifyKey: who must have signed the file; then every segment's digest is checked as it is read. Nil for anybody.
  /// - Throws: `.io`; `.format` for a file that is damaged, or not encrypted with that key, or not signed by that signer;
  ///   `.unsupported` for one written by a newer Ingot; what `keys` throws.
  public init(
    path: String, keys: any KeyProvider = DefaultKeys(), verifyKey: VerifyKey? = nil
  ) throws(IngotError) {
    let file = try MappedFile(path: path)
    let header = try ArtifactHeader(file)
    // Before the key is asked for: a passphrase is not for a file that somebody changed.
    if let verifyKey { try header.verify(verifyKey, path: path) }
    let stored = try file.bytes(at: header.manifestOffset, count: header.manifestByteCount)
    guard Array(SHA256.hash(bytes: stored)) == header.manifestDigest else {
      throw IngotError(
        .format, "the manifest is not the one that was written: its SHA-256 differs",
        at: .init(file: path, offset: header.manifestOffset),
        hint: "the file is damaged; fetch or compile it again")
    }
    var cipher: ChunkCipher?
    if let encryption = header.encryption {
      let key = try keys.key(
        for: KeyRequest(path: path, keyID: encryption.keyID, derivation: encryption.derivation))
      guard key.id == encryption.keyID else {
        throw IngotError(
          .argument,
          encryption.derivation == nil
            ? "the file is encrypted with key \(encryption.keyID), and the key given is \(key.id)"
            : "the passphrase is not the one that the file is encrypted with", at: .init(file: path),
          hint: encryption.derivation == nil
            ? "give the file of that key with --key, or its text in INGOT_KEY; the first line of a key file names its key"
            : "type it again, or look at INGOT_PASSPHRASE, which is taken before anybody is asked")
      }
      cipher = ChunkCipher(key, header, encryption)
    }
    (self.path, self.header, self.file, self.cipher) = (path, header, file, cipher)
    checksAll = verifyKey != nil
    identity = try FileIdentity(path: path)
    manifest = try Self.manifest(file, header, cipher)
    segments = try Self.table(manifest, header, cipher, path: path)
  }

  /// Views a file that has no manifest of its own yet.
  init(
    _ file: MappedFile, _ identity: FileIdentity, _ header: ArtifactHeader, _ cipher: ChunkCipher?,
    manifest: JSONValue
  ) throws(IngotError) {
    (path, self.file, self.identity) = (file.path, file, identity)
    (self.header, self.cipher, self.manifest, checksAll) = (header, cipher, manifest, false)
    segments = try Self.table(manifest, header, cipher, path: file.path)
  }

  private static func table(
    _ manifest: JSONValue, _ header: ArtifactHeader, _ cipher: ChunkCipher?, path: String
  ) throws(IngotError) -> [ArtifactSegment] {
    try ArtifactSegment.table(of: manifest, header, path: path) { byteCount in
      cipher.map { $0.storedBytes(of: byteCount) } ?? byteCount
    }
  }

  private static func manifest(
    _ file: MappedFile, _ header: ArtifactHeader, _ cipher: ChunkCipher?
  ) throws(IngotError) -> JSONValue {
    guard let cipher else {
      let text = try file.bytes(at: header.manifestOffset, count: header.manifestByteCount)
      return try JSONParser.parse(text, file: file.path, baseOffset: header.manifestOffset)
    }
    guard let count = cipher.plainBytes(of: header.manifestByteCount), count > 0 else {
      throw IngotError(
        .format, "an encrypted manifest cannot have \(header.manifestByteCount) bytes",
        at: .init(file: file.path, offset: 24))
    }
    let buffer = try AlignedBuffer(byteCount: count)
    try cipher.open(
      file, at: header.manifestOffset, .init(manifestOf: header), byteCount: count,
      chunks: 0..<cipher.chunkCount(of: count), into: buffer)
    return try withExtendedLifetime(buffer) { (buffer) throws(IngotError) in
      try JSONParser.parse(UnsafeRawBufferPointer(buffer.bytes), file: file.path)
    }
  }

  /// The segment of a name; nil when there is none.
  public func segment(named name: String) -> ArtifactSegment? { segments.first { $0.name == name } }

  /// Whether two files hold the same bytes under a name, as their manifests' digests say; false when one has no such
  /// segment. After `verify` of both that is certain.
  public static func sameContent(_ a: ArtifactFile, _ b: ArtifactFile, named name: String) -> Bool {
    guard let first = a.segment(named: name), let second = b.segment(named: name) else { return false }
    return first.sha256 == second.sha256 && first.byteCount == second.byteCount
  }

  func index(of name: String) throws(IngotError) -> Int {
    guard let index = segments.firstIndex(where: { $0.name == name }) else {
      throw IngotError(
        .format, "no segment \"\(name)\"", at: .init(file: path),
        hint: "it has \(segments.map(\.name).joined(separator: ", "))")
    }
    return index
  }
}

extension ChunkCipher {
  /// Decrypts chunks of a segment on several threads.
  /// - Parameters:
  ///   - offset: where the segment begins in the file.
  ///   - byteCount: of its plaintext.
  ///   - buffer: takes the plaintext of these chunks, from its start.
  func open(
    _ file: MappedFile, at offset: Int, _ stream: Stream, byteCount: Int, chunks: Range<Int>,
    into buffer: AlignedBuffer
  ) throws(IngotError) {
    let count = chunkCount(of: byteCount)
    try forEachConcurrently(chunks.count) { [self] (number) throws(IngotError) in
      let index = chunks.lowerBound + number
      let plain = min(chunkBytes, byteCount - index * chunkBytes)
      let start = offset + index * (chunkBytes + Self.tagBytes)
      let stored = try file.bytes(at: start, count: plain + Self.tagBytes)
      let output = UnsafeMutableRawBufferPointer(
        rebasing: buffer.bytes[(number * chunkBytes)...].prefix(plain))
      try open(stored, stream, index, of: count, .init(file: file.path, offset: start), into: output)
      // The ciphertext is not needed in memory beside the plaintext.
      file.release(start..<start + stored.count)
    }
  }
}

extension ArtifactFile {
  /// Whether two paths lead to one file; false where one leads nowhere.
  public static func isSameFile(_ a: String, _ b: String) -> Bool { FileIdentity.isSame(a, b) }
}
