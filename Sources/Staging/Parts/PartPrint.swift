package import IngotCore

/// What tells a part from the same part of another model.
///
/// The prefill and the decode form of a part are different graphs over the same weights, so a cache filled by
/// one and continued by the other is told by the weights: tensors of the same type and shape must be the same,
/// while tables whose shape follows the lengths may come and go.
package struct PartPrint: Sendable, Hashable {
  /// A weight.
  package struct Weight: Sendable, Hashable {
    /// ONNX's number for the element type, and the extents, as `1[48,48]`.
    package var form: String
    /// Bytes of the elements.
    package var byteCount: Int
    /// Digest of the bytes.
    package var digest: UInt64

    /// Takes the values.
    package init(form: String, byteCount: Int, digest: UInt64) {
      (self.form, self.byteCount, self.digest) = (form, byteCount, digest)
    }
  }

  /// Digest of the graph's file.
  package var graph: UInt64
  /// The weights that are large enough to count, in a fixed order.
  package var weights: [Weight]

  /// Takes digests.
  package init(graph: UInt64, weights: [Weight]) {
    self.graph = graph
    self.weights = weights.sorted { ($0.form, $0.byteCount, $0.digest) < ($1.form, $1.byteCount, $1.digest) }
  }

  /// Smaller tensors, as scalars and norms, are not looked at.
  static let smallestWeight = 1024

  /// One number for graph and weights.
  package var digest: UInt64 {
    Digest.of([graph] + weights.map(\.digest))
  }

  /// Whether two parts have the same weights, each in its form.
  package func hasWeights(of other: PartPrint) -> Bool {
    let mine = Dictionary(grouping: weights, by: \.form)
    let theirs = Dictionary(grouping: other.weights, by: \.form)
    var common = 0
    for (form, list) in mine {
      guard let partner = theirs[form] else { continue }
      // Both are sorted.
      guard list == partner else { return false }
      common += list.reduce(0) { $0 + $1.byteCount }
    }
    func total(_ print: PartPrint) -> Int { print.weights.reduce(0) { $0 + $1.byteCount } }
    return 2 * common >= min(total(self), total(other))
  }
}

extension PartPrint {
  /// The weights as JSON.
  package var json: JSONValue {
    .array(weights.map { .string("\($0.form) \($0.byteCount) \(Digest.text($0.digest))") })
  }

  /// Reads what `json` wrote; nil for anything else.
  package init?(json: JSONValue?) {
    guard let lines = json?.array else { return nil }
    var weights: [Weight] = []
    for line in lines {
      guard let fields = line.string?.split(separator: " "), fields.count == 3,
        let byteCount = Int(fields[1]), (0...1 << 40).contains(byteCount),
        let digest = Digest.value(String(fields[2]))
      else { return nil }
      weights.append(Weight(form: String(fields[0]), byteCount: byteCount, digest: digest))
    }
    self.init(graph: 0, weights: weights)
  }
}

extension ONNXHeader {
  /// Reads all weights once.
  /// - Throws: `.io` and `.format` for external data that is missing or cut short.
  package func print() throws(IngotError) -> PartPrint {
    var beside: [String: MappedFile] = [:]
    var digests: [PartPrint.Weight] = []
    for weight in weights {
      let bytes: UnsafeRawBufferPointer
      if let location = weight.location {
        let data = try external(location, weight, &beside)
        bytes = try data.bytes(
          at: weight.offset, count: weight.length ?? max(0, data.byteCount - weight.offset))
      } else {
        bytes = UnsafeRawBufferPointer(rebasing: file.bytes[weight.inline ?? 0..<0])
      }
      guard bytes.count >= PartPrint.smallestWeight else { continue }
      let dims = weight.dims.map(String.init).joined(separator: ",")
      digests.append(
        .init(form: "\(weight.type)[\(dims)]", byteCount: bytes.count, digest: Digest.of(bytes)))
    }
    defer { withExtendedLifetime((file, beside)) {} }
    return PartPrint(graph: Digest.of(file.bytes), weights: digests)
  }

  private func external(
    _ location: String, _ weight: Weight, _ open: inout [String: MappedFile]
  ) throws(IngotError) -> MappedFile {
    if let file = open[location] { return file }
    guard !location.hasPrefix("/"), !location.split(separator: "/").contains("..") else {
      throw IngotError(
        .format, "the external data \"\(location)\" is not beside the model",
        at: .init(file: file.path, tensor: weight.name))
    }
    let folder = file.path.lastIndex(of: "/").map { String(file.path[...$0]) } ?? ""
    let data = try MappedFile(path: folder + location)
    open[location] = data
    return data
  }
}
