internal import Crypto
internal import IngotCore

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// AES-256-GCM over the chunks of one file's segments and manifest.
///
/// The file's key is HKDF-SHA256 of the user's key with the file's random salt. A nonce is the segment's number (4 bytes)
/// and the chunk's (8), so none repeats under a key. With each chunk is authenticated: SHA-256 of the header's
/// prologue (version, flags, chunk size, salts, key id), the segment's number and name, the chunk's number, and
/// whether it is the segment's last. So a chunk opens at its own place in its own file only, and one that is
/// missing shows: the last is marked, and the manifest, sealed in the same way, holds every length.
///
/// In the file a chunk is its ciphertext and then the tag of 16 bytes. An empty segment has no chunks.
struct ChunkCipher: Sendable {
  static let tagBytes = 16
  /// Chunks stay within a core's L2 cache on their way through AES.
  static let defaultChunkBytes = 1 << 18

  /// Plaintext bytes of every chunk but the last.
  let chunkBytes: Int
  private let key: SymmetricKey
  private let prologue: [UInt8]

  init(_ key: ArtifactKey, _ header: ArtifactHeader, _ encryption: ArtifactHeader.Encryption) {
    chunkBytes = encryption.chunkByteCount
    self.key = key.secret.derived(salt: encryption.salt, info: "ingot artifact 1 content", byteCount: 32)
    prologue = Array(SHA256.hash(data: header.prologue))
  }

  /// What the chunks of one segment have in common.
  struct Stream: Sendable {
    fileprivate let number: UInt32
    fileprivate let name: [UInt8]
    fileprivate let title: String

    /// The segment at a place of the table.
    init(segment index: Int, name: String) {
      (number, self.name) = (UInt32(truncatingIfNeeded: index), Array(name.utf8))
      title = "segment \"\(name)\""
    }

    /// The manifest, with where it and the file end.
    init(manifestOf header: ArtifactHeader) {
      (number, name, title) = (.max, header.extent, "the manifest")
    }
  }

  func chunkCount(of byteCount: Int) -> Int { (byteCount + chunkBytes - 1) / chunkBytes }

  /// Bytes that plaintext takes in the file; nil beyond what can be counted.
  func storedBytes(of byteCount: Int) -> Int? {
    guard byteCount >= 0, byteCount < Int.max / 2 else { return nil }
    return byteCount + chunkCount(of: byteCount) * Self.tagBytes
  }

  /// Bytes of plaintext in so many stored ones; nil when no plaintext takes so many.
  func plainBytes(of stored: Int) -> Int? {
    let stride = chunkBytes + Self.tagBytes
    let rest = stored % stride
    guard stored >= 0, rest == 0 || rest > Self.tagBytes else { return nil }
    return stored / stride * chunkBytes + max(0, rest - Self.tagBytes)
  }

  private func nonce(_ stream: Stream, _ index: Int) throws -> AES.GCM.Nonce {
    try AES.GCM.Nonce(data: stream.number.littleEndianBytes + UInt64(index).littleEndianBytes)
  }

  private func context(_ stream: Stream, _ index: Int, isLast: Bool) -> [UInt8] {
    prologue + stream.number.littleEndianBytes + UInt64(index).littleEndianBytes + [isLast ? 1 : 0]
      + stream.name
  }

  /// Encrypts a chunk.
  /// - Returns: ciphertext and tag.
  func seal(
    _ chunk: UnsafeRawBufferPointer, _ stream: Stream, _ index: Int, isLast: Bool
  ) throws(IngotError) -> [UInt8] {
    do {
      let box = try AES.GCM.seal(
        Self.view(chunk), using: key, nonce: nonce(stream, index),
        authenticating: context(stream, index, isLast: isLast))
      return Array(box.ciphertext) + Array(box.tag)
    } catch { throw IngotError(.memory, "could not encrypt chunk \(index + 1) of \(stream.title)") }
  }

  /// Decrypts the chunk that is all of `stored`.
  /// - Parameters:
  ///   - count: how many chunks the segment has.
  ///   - place: of the chunk, for errors.
  ///   - output: its plaintext's memory, of the right size.
  /// - Throws: `.format` naming the chunk, with nothing written to the output.
  func open(
    _ stored: UnsafeRawBufferPointer, _ stream: Stream, _ index: Int, of count: Int,
    _ place: IngotError.Place,
    into output: UnsafeMutableRawBufferPointer
  ) throws(IngotError) {
    do {
      let box = try AES.GCM.SealedBox(
        nonce: nonce(stream, index), ciphertext: Self.view(stored.dropLast(Self.tagBytes)),
        tag: Self.view(stored.suffix(Self.tagBytes)))
      let plain = try AES.GCM.open(
        box, using: key, authenticating: context(stream, index, isLast: index == count - 1))
      plain.withUnsafeBytes { output.copyMemory(from: $0) }
    } catch {
      throw IngotError(
        .format, "chunk \(index + 1) of \(count) of \(stream.title) is not what was encrypted there",
        at: place,
        hint: "the file was damaged or changed after it was encrypted; fetch it again")
    }
  }

  /// Bytes as `Data`, without a copy; to be used while the bytes are there.
  private static func view(_ bytes: some Sequence<UInt8> & ContiguousBytes) -> Data {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return Data() }
      return Data(
        bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none)
    }
  }
}
