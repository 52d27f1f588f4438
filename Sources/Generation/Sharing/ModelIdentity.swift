internal import Artifact
public import Checkpoints
internal import Crypto
public import IngotCore

/// What a model computes, as a digest: two models of equal identity turn the same tokens into the same keys and
/// values. Prompt caches and `reuse` are refused where it differs.
public struct ModelIdentity: Sendable, Hashable {
  /// Hexadecimal digits of a SHA-256.
  public let digest: String

  /// Takes a digest that is known already, as a compiled file's of its weights.
  /// - Throws: `.argument` unless it is 64 hexadecimal digits.
  public init(digest: String) throws(IngotError) {
    guard digest.utf8.count == 64, digest.allSatisfy({ $0.isHexDigit && $0.isASCII }) else {
      throw IngotError(.argument, "\"\(digest)\" is no SHA-256 in hexadecimal digits")
    }
    self.digest = digest.lowercased()
  }

  /// Reads all weights of a checkpoint: about a second for each gigabyte or two.
  /// - Throws: errors of the files.
  public init(of checkpoint: any Checkpoint) throws(IngotError) {
    var hash = SHA256()
    func add(_ text: String) {
      var text = text + "\n"
      text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
    }
    add("ingot model 1")
    add(checkpoint.config.arithmetic)
    // A compiled file knows the digest of its weights.
    let artifact = checkpoint as? ArtifactCheckpoint
    if let artifact { add(try artifact.weightIdentity()) }
    for name in artifact == nil ? checkpoint.tensorNames.sorted() : [] {
      guard let tensor = checkpoint.tensor(named: name) else { continue }
      add("\(name.utf8.count) \(name) \(tensor.encoding) \(tensor.shape) \(tensor.rowOrder)")
      add("\(tensor.byteRange.count)")
      try tensor.forEachBand { hash.update(bufferPointer: $0) }
    }
    digest = hash.finalize().hexadecimal
  }
}

extension ModelIdentity: CustomStringConvertible {
  /// The first digits, enough to tell models apart.
  public var description: String { String(digest.prefix(12)) }
}

extension DecoderConfig {
  /// All that changes keys and values, as text.
  fileprivate var arithmetic: String {
    let sizes = [
      vocabSize, hiddenSize, layerCount, headCount, kvHeadCount, headDim, intermediateSize, maxPositions,
    ]
    let windows = slidingWindows.map { $0.map(String.init) ?? "-" }.joined(separator: ",")
    return "\(modelType) \(sizes) \(rmsNormEps) \(hiddenActivation.rawValue) "
      + "\(attentionBias) \(attentionOutputBias) \(mlpBias) \(windows) \(rope) "
      + (slidingRope.map { "\($0)" } ?? "-")
  }
}
