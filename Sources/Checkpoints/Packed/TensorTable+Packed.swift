import IngotCore

extension TensorTable {
  /// The table with each packed weight as one tensor, `….weight`, in place of its pieces.
  /// - Parameter scheme: what the configuration says; nil for nothing.
  /// - Throws: `.format`, `.shape` naming the piece that is missing or does not fit the others; `.unsupported`.
  func unpacked(_ scheme: PackedScheme?) throws(IngotError) -> TensorTable {
    guard let scheme else {
      if let name = names.first(where: { $0.hasSuffix(".qweight") || $0.hasSuffix(".weight_packed") }),
        let tensor = self[name]
      {
        throw tensor.error(
          .config, "the weight is packed, and no quantization_config says how",
          hint: "fetch the model's config.json, or its quantize_config.json or quant_config.json")
      }
      return self
    }
    var table = TensorTable()
    for name in names {
      guard let tensor = self[name] else { continue }
      guard let dot = name.lastIndex(of: "."), scheme.owns(name[dot...], of: tensor) else {
        try table.append(tensor)
        continue
      }
      let layer = PackedLayer(name: String(name[..<dot]), table: self)
      if scheme.isMain(name[dot...], of: tensor) {
        try table.append(try layer.matrix(scheme).tensor())
      } else if layer.optional(scheme.main(of: layer)) == nil {
        throw tensor.error(
          .format,
          "it belongs to a packed weight whose \"\(layer.name).\(scheme.main(of: layer))\" is missing")
      }
    }
    return table
  }
}

extension PackedLayer {
  fileprivate func matrix(_ scheme: PackedScheme) throws(IngotError) -> PackedMatrix {
    switch scheme {
    case .awq(let awq): try self.awq(awq)
    case .gptq(let gptq): try self.gptq(gptq)
    case .compressed(let compressed): try self.compressed(compressed)
    }
  }
}

extension PackedScheme {
  /// Whether a tensor is a piece of a packed weight, by the last part of its name.
  fileprivate func owns(_ piece: Substring, of tensor: CheckpointTensor) -> Bool {
    switch self {
    case .awq: [".qweight", ".qzeros", ".scales"].contains(piece)
    case .gptq: [".qweight", ".qzeros", ".scales", ".g_idx"].contains(piece)
    case .compressed:
      [".weight_packed", ".weight_scale", ".weight_zero_point", ".weight_shape", ".weight_g_idx"].contains(
        piece)
        || isMain(piece, of: tensor)
    }
  }

  /// Whether it is the piece that stands for the weight.
  fileprivate func isMain(_ piece: Substring, of tensor: CheckpointTensor) -> Bool {
    switch self {
    case .awq, .gptq: piece == ".qweight"
    case .compressed: piece == ".weight_packed" || piece == ".weight" && tensor.encoding == .plain(.i8)
    }
  }

  /// The name of that piece.
  fileprivate func main(of layer: PackedLayer) -> String {
    switch self {
    case .awq, .gptq: "qweight"
    case .compressed: layer.optional("weight")?.encoding == .plain(.i8) ? "weight" : "weight_packed"
    }
  }
}
