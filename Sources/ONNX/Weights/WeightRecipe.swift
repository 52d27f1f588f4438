package import Checkpoints
package import Graph
import IngotCore
import Quantization

/// Digest of everything that a data file's bytes follow from: what its pieces are and where they lie, and which bytes
/// of which files they are made of. A source file is known by its name, length and time of change, not by its bytes.
package func recipe(of file: WeightLayout.File, checkpoint: any Checkpoint) -> String {
  // Raised whenever the same pieces become other bytes.
  var lines = ["ingot weights 1", "\(file.byteCount) bytes"]
  var identities: [String: String] = [:]
  for (piece, offsets) in file.pieces {
    lines.append("\(piece.recipeLine) at \(offsets)")
    for part in piece.parameter?.parts ?? [] {
      guard let tensor = checkpoint.tensor(named: part.name) else {
        lines.append("  no \(part.name)")
        continue
      }
      let path = tensor.file.path
      let identity = identities[path] ?? describeFile(path)
      identities[path] = identity
      lines.append(
        "  \(part.name) \(part.dims) \(tensor.encoding) \(tensor.rowOrder) \(tensor.byteRange) of \(identity)"
      )
    }
  }
  return digestOfText(lines.joined(separator: "\n"))
}

private func describeFile(_ path: String) -> String {
  let name = path.split(separator: "/").last ?? ""
  guard let identity = FileIdentity.ofRegularFile(path) else { return "\(name)" }
  return "\(name) \(identity.byteCount) \(identity.modified)"
}

extension WeightPiece {
  /// The checkpoint's tensors it is made of; nil for what is computed.
  package var parameter: Parameter? {
    switch self {
    case .dense(let parameter, _, _), .matMulNBits(let parameter, _, _, _),
      .dequantizeLinear(let parameter, _, _, _):
      parameter
    case .computed, .inputOrder: nil
    }
  }

  fileprivate var recipeLine: String {
    switch self {
    case .dense(let parameter, let dtype, let transposed):
      "dense \(parameter) \(dtype)\(transposed ? " transposed" : "")"
    case .matMulNBits(let parameter, let scheme, let scales, let reordered):
      "matMulNBits \(parameter) \(scheme.recipeText) \(scales)\(reordered ? " reordered" : "")"
    case .dequantizeLinear(let parameter, let scheme, let scales, let reordered):
      "dequantizeLinear \(parameter) \(scheme.recipeText) \(scales)\(reordered ? " reordered" : "")"
    case .inputOrder(let order):
      "inputOrder \(order.name) \(digestOfText(order.indices.map(String.init).joined(separator: ",")))"
    case .computed(let tensor): "computed \(tensor.key) \(tensor.source) \(tensor.dtype) \(tensor.dims)"
    }
  }
}

extension BlockQuantization {
  fileprivate var recipeText: String {
    "\(bits) bits, \(groupSize.map { "groups of \($0)" } ?? "per channel"), \(isSymmetric ? "symmetric" : "asymmetric")"
  }
}
