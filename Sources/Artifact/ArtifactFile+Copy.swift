public import IngotCore

extension ArtifactFile {
  /// Writes the same manifest and segments into another file: encrypted, decrypted, or signed anew.
  ///
  /// Every segment's digest is checked on the way. A signature does not go along, since it is of the file as it is.
  /// - Parameters:
  ///   - output: the new file; it appears when it is whole.
  ///   - key: encrypts the new file; nil for a plain one.
  ///   - signer: signs it; nil for none.
  ///   - progress: is told bytes done and bytes in all.
  /// - Throws: `.argument` when the new file is this one; `.io`; `.format` for a segment that was changed.
  public func copy(
    to output: String, key: ArtifactKey?, signer: SigningKey?,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(IngotError) {
    // By whatever name or link: the only copy of something must not be at stake.
    guard !FileIdentity.isSame(path, output) else {
      throw IngotError(
        .argument, "the output is the input", at: .init(file: output), hint: "name another file with -o")
    }
    guard let own = manifest.object else { throw IngotError(.format, "no manifest", at: .init(file: path)) }
    let writer = try ArtifactWriter(path: output, key: key, signer: signer)
    let total = segments.reduce(0) { $0 + $1.byteCount }
    var done = 0
    for segment in segments {
      let written = try writer.write(segment.name, byteCount: segment.byteCount) {
        (sink) throws(IngotError) in
        try read(segment.name) { (bytes) throws(IngotError) in
          try sink(bytes)
          done += bytes.count
          progress(done, total)
        }
      }
      guard written.sha256 == segment.sha256 else { throw wrongDigest(of: segment) }
    }
    try writer.finish(manifest: own)
  }
}
