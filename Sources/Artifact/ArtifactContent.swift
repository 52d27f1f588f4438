internal import Crypto
public import IngotCore

/// The plaintext of a segment in memory: pages of the file for a plain one, memory of its own for an encrypted one.
/// The bytes stay, and are shared with whoever asks for the same, as long as this object or its `file` is referenced.
public final class ArtifactContent: Sendable {
  /// What holds the bytes, for those who map parts of them: the artefact itself, or a stand-in for decrypted memory.
  public let file: MappedFile
  /// Where the bytes begin in `file`.
  public let offset: Int
  /// How many there are.
  public let byteCount: Int
  /// The SHA-256 that they should have.
  public let sha256: String
  let origin: Origin
  let soundness: Soundness

  /// Whether a block has its digest, where that is known; one for all contents that are the block.
  typealias Soundness = Locked<Bool?>

  /// Which bytes of which file these are.
  struct Origin: Hashable {
    var file: FileIdentity
    var segment: Int
  }

  init(
    _ file: MappedFile, offset: Int, _ segment: ArtifactSegment, _ origin: Origin,
    _ soundness: Soundness = Soundness(nil)
  ) {
    (self.file, self.offset, self.origin, self.soundness) = (file, offset, origin, soundness)
    (byteCount, sha256) = (segment.byteCount, segment.sha256)
  }

  /// The bytes, from a page's start. Keep this object or its `file` while you use them: `withBytes` does.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[offset..<offset + byteCount])
  }

  /// Calls `body` with the bytes, which stay meanwhile.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(IngotError) -> Result
  ) throws(IngotError) -> Result {
    try withExtendedLifetime(self) { (content) throws(IngotError) in try body(content.bytes) }
  }

  /// Whether the bytes have their digest; computed once.
  func isSound() -> Bool {
    soundness.withLock { known in
      let sound = known ?? (SHA256.hash(bytes: bytes).hexadecimal == sha256)
      known = sound
      return sound
    }
  }
}

extension SHA256 {
  /// The digest of bytes in memory.
  static func hash(bytes: UnsafeRawBufferPointer) -> SHA256Digest {
    var digest = SHA256()
    digest.update(bufferPointer: bytes)
    return digest.finalize()
  }
}

/// Blocks that are in the process's memory already, by digest, so that a second file with the same weights loads
/// nothing. A block goes with the last reference to what holds it (`ArtifactContent.file`).
///
/// Digests are only claims of manifests until somebody hashes the bytes. A block is handed to another file than its own
/// only after it was hashed (once, in memory, about 0.6 s per GB): otherwise a hostile file opened first could
/// claim the digest of an honest one and have its bytes used in the honest one's place. A hostile file that
/// comes second and claims another's digest gets the right bytes for the digest that it claims.
final class ContentRegistry: Sendable {
  static let shared = ContentRegistry()
  /// Smaller segments are not worth the bookkeeping.
  static let sharedByteCount = 1 << 20

  /// The place of one digest, locked while its block is loaded: who comes second waits and then shares.
  private typealias Slot = Locked<Block?>
  private struct Block {
    weak var file: MappedFile?
    let offset: Int
    let byteCount: Int
    let origin: ArtifactContent.Origin
    let soundness: ArtifactContent.Soundness
  }
  private let slots = Locked<[String: Slot]>([:])

  /// A block in memory with a digest and length, or else what `load` gives.
  func content(
    _ segment: ArtifactSegment, _ origin: ArtifactContent.Origin,
    load: () throws(IngotError) -> ArtifactContent
  ) throws(IngotError) -> ArtifactContent {
    let slot = slots.withLock { slots in
      if let slot = slots[segment.sha256] { return slot }
      let slot = Slot(nil)
      slots[segment.sha256] = slot
      return slot
    }
    return try slot.withLock { (block) throws(IngotError) in
      if let block, let file = block.file, block.byteCount == segment.byteCount {
        let known = ArtifactContent(file, offset: block.offset, segment, block.origin, block.soundness)
        if block.origin == origin || known.isSound() { return known }
      }
      let content = try load()
      block = Block(
        file: content.file, offset: content.offset, byteCount: content.byteCount, origin: origin,
        soundness: content.soundness)
      return content
    }
  }
}
