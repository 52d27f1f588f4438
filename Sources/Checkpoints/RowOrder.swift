/// The order in which a file stores the rows of a tensor, against Hugging Face's.
public enum RowOrder: Sendable, Hashable {
  /// Row for row as Hugging Face has them.
  case natural
  /// Within each head, row `2j` holds Hugging Face's row `j` and row `2j + 1` its row `j + headDim / 2`.
  ///
  /// The GGUF converter stores q and k so for the architectures whose rope turns neighbouring pairs.
  /// Source: `LlamaModel.permute`, llama.cpp `convert_hf_to_gguf.py`.
  case interleavedRope(headDim: Int)

  /// The row of the file that holds Hugging Face's row `row`.
  public func storedRow(_ row: Int) -> Int {
    switch self {
    case .natural: return row
    case .interleavedRope(let headDim):
      let (head, within) = row.quotientAndRemainder(dividingBy: headDim)
      let half = headDim / 2
      return head * headDim + (within < half ? 2 * within : 2 * (within - half) + 1)
    }
  }
}
