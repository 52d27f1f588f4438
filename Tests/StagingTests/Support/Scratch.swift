import Foundation
import IngotCore
import Staging
import Testing

extension StageText {
  /// Without tokenizer.
  static func plain(eos: Set<Int> = [], padding: Int = 0) -> StageText {
    StageText(tokenizer: nil, eosIDs: eos, paddingID: padding)
  }
}

/// The bits of a tensor, with its form.
struct Bits: Equatable {
  let dtype: DType, dims: [Int], bytes: [UInt8]

  init(_ tensor: HostTensor) { (dtype, dims, bytes) = (tensor.dtype, tensor.shape.dims, Array(tensor.bytes)) }
  init(_ path: String) throws { self.init(try NPY.read(path: path)) }
}

/// Runs `body`, which must fail with an error of a kind whose text has all of the words.
func expectError(
  _ kind: IngotError.Kind, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error, expected \(kind)", sourceLocation: sourceLocation)
  } catch let error as IngotError {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    for word in words {
      #expect("\(error)".contains(word), "\"\(word)\" is not in: \(error)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
  }
}
