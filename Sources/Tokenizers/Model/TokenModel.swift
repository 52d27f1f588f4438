/// The model that encodes pieces of text.
enum TokenModel: Sendable {
  case bpe(BPE)
  case unigram(Unigram)

  /// Appends the tokens of a piece.
  @inline(__always)
  func encode(_ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int], _ workspace: Workspace) {
    switch self {
    case .bpe(let model): model.encode(piece, into: &ids, workspace)
    case .unigram(let model): model.encode(piece, into: &ids, workspace)
    }
  }
}
