public import Artifact
public import IngotCore

extension ArtifactCheckpoint {
  /// Whether both files' weights are the same bytes of memory, as those of equal digests are from a mebibyte up.
  /// - Throws: as `ArtifactFile.content(of:)`.
  public func sharesMemory(with other: ArtifactCheckpoint) throws(IngotError) -> Bool {
    let own = try artifact.content(of: SegmentName.weights)
    let others = try other.artifact.content(of: SegmentName.weights)
    return own.file === others.file && own.offset == others.offset
  }
}
