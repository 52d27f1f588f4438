internal import CKernels
package import Checkpoints
package import Graph
package import IngotCore

/// What lies where in the segment of weights: matrices in the kernels' tiles, and tensors row by row.
///
/// It is a segment of its own, so that two files whose weights are the same bytes say the same of them:
///
///     {"matrices": [{"parts": [{"name", "rows"}], "inputs", "format", "group", "offset", "bytes", "order"}],
///      "tensors":  [{"name", "encoding", "shape", "offset", "bytes"}]}
///
/// `order`, which most matrices lack, is where the order of their inputs lies, as i32 [inputs].
package struct WeightIndex: Sendable {
  /// Tensors below one another in tiles.
  package struct Matrix: Sendable, Hashable {
    package var parts: [Part]
    package var inputs: Int
    package var format: UInt32
    package var group: Int
    package var offset: Int
    package var byteCount: Int
    /// Where the order of the inputs lies, where they have one of their own: i32 [inputs].
    package var order: Int?

    package struct Part: Sendable, Hashable {
      package var name: String
      package var rows: Int
      package init(name: String, rows: Int) { (self.name, self.rows) = (name, rows) }
    }

    package var outputs: Int { parts.reduce(0) { $0 + $1.rows } }
    /// The parameter of a graph that it is.
    package var parameter: Parameter { Parameter(parts: parts.map { .init($0.name, [$0.rows, inputs]) }) }

    package init(
      parts: [Part], inputs: Int, format: UInt32, group: Int, offset: Int, byteCount: Int, order: Int? = nil
    ) {
      (self.parts, self.inputs, self.format, self.group) = (parts, inputs, format, group)
      (self.offset, self.byteCount, self.order) = (offset, byteCount, order)
    }
  }

  /// A tensor as checkpoints hold it, rows in Hugging Face's order.
  package struct Tensor: Sendable, Hashable {
    package var name: String
    package var encoding: TensorEncoding
    package var shape: [Int]
    package var offset: Int
    package var byteCount: Int

    package init(name: String, encoding: TensorEncoding, shape: [Int], offset: Int, byteCount: Int) {
      (self.name, self.encoding, self.shape) = (name, encoding, shape)
      (self.offset, self.byteCount) = (offset, byteCount)
    }
  }

  package var matrices: [Matrix] = []
  package var tensors: [Tensor] = []

  package init() {}

  /// Where matrices and tensors begin.
  package static let alignment = 64
  private static let largestExtent = 1 << 31

  private static let formats: [(name: String, format: ingot_format)] = [
    ("f32", INGOT_F32), ("f16", INGOT_F16), ("bf16", INGOT_BF16), ("i8", INGOT_I8), ("i8m", INGOT_I8M),
    ("i4", INGOT_I4), ("i4m", INGOT_I4M),
  ]

  private static let encodings: [String: TensorEncoding] = {
    var all = DType.allCases.map { TensorEncoding.plain($0) }
    all += GGUFBlockType.allCases.map { .block($0) }
    for bits in [4, 8] {
      for group in [32, 64, 128] {
        for hasMinimum in [false, true] {
          if let format = try? GroupedFormat(bits: bits, groupSize: group, hasMinimum: hasMinimum) {
            all.append(.grouped(format))
          }
        }
      }
    }
    return Dictionary(all.map { ($0.description, $0) }) { first, _ in first }
  }()

  // MARK: As JSON

  package var json: JSONValue {
    .object(
      JSONObject([
        .init("matrices", .array(matrices.map(json))), .init("tensors", .array(tensors.map(json))),
      ]))
  }

  private func json(_ matrix: Matrix) -> JSONValue {
    let parts = matrix.parts.map {
      JSONValue.object(JSONObject([.init("name", .string($0.name)), .init("rows", .int($0.rows))]))
    }
    let format = Self.formats.first { $0.format.rawValue == matrix.format }?.name ?? ""
    return .object(
      JSONObject(
        [
          .init("parts", .array(parts)), .init("inputs", .int(matrix.inputs)),
          .init("format", .string(format)), .init("group", .int(matrix.group)),
          .init("offset", .int(matrix.offset)), .init("bytes", .int(matrix.byteCount)),
        ] + (matrix.order.map { [.init("order", .int($0))] } ?? [])))
  }

  private func json(_ tensor: Tensor) -> JSONValue {
    .object(
      JSONObject([
        .init("name", .string(tensor.name)), .init("encoding", .string(tensor.encoding.description)),
        .init("shape", .array(tensor.shape.map { .int($0) })), .init("offset", .int(tensor.offset)),
        .init("bytes", .int(tensor.byteCount)),
      ]))
  }

  /// Reads an index, and checks every number in it against the others and the size of the weights.
  /// - Throws: `.format` naming the entry.
  package init(_ json: JSONValue, byteCount: Int, path: String) throws(IngotError) {
    guard let matrices = json["matrices"]?.array, let tensors = json["tensors"]?.array else {
      throw IngotError(.format, "the index of weights lists none", at: .init(file: path))
    }
    for (index, value) in matrices.enumerated() {
      guard let matrix = Self.matrix(value, byteCount) else {
        throw IngotError(
          .format, "the index of weights contradicts itself", at: .init(file: path, key: "matrices[\(index)]")
        )
      }
      self.matrices.append(matrix)
    }
    for (index, value) in tensors.enumerated() {
      guard let tensor = Self.tensor(value, byteCount) else {
        throw IngotError(
          .format, "the index of weights contradicts itself", at: .init(file: path, key: "tensors[\(index)]"))
      }
      self.tensors.append(tensor)
    }
    guard isDisjoint else {
      throw IngotError(
        .format, "two entries of the index of weights share bytes", at: .init(file: path),
        hint: "the file was not written by ingot compile")
    }
  }

  /// Whether no two places share a byte, but for orders that several matrices have in common: so that what a reader
  /// makes of them stays in proportion to the file.
  private var isDisjoint: Bool {
    var places = matrices.map { $0.offset..<$0.offset + $0.byteCount }
    places += tensors.map { $0.offset..<$0.offset + $0.byteCount }
    let orders = Set(matrices.compactMap { matrix in matrix.order.map { $0..<$0 + 4 * matrix.inputs } })
    places = (places + orders).filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    return zip(places, places.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound }
  }

  private static func isPlace(_ offset: Int, _ bytes: Int, in byteCount: Int) -> Bool {
    offset >= 0 && bytes >= 0 && offset % alignment == 0 && offset <= byteCount
      && bytes <= byteCount - offset
  }

  private static func matrix(_ value: JSONValue, _ byteCount: Int) -> Matrix? {
    guard let list = value["parts"]?.array, let inputs = value["inputs"]?.int,
      let name = value["format"]?.string, let format = formats.first(where: { $0.name == name })?.format,
      let group = value["group"]?.int, let offset = value["offset"]?.int, let bytes = value["bytes"]?.int,
      !list.isEmpty, (1..<largestExtent).contains(inputs), isPlace(offset, bytes, in: byteCount)
    else { return nil }
    let isFloat = format == INGOT_F32 || format == INGOT_F16 || format == INGOT_BF16
    guard isFloat ? group == 0 : [32, 64, 128].contains(group) && inputs % group == 0 else { return nil }
    var parts: [Matrix.Part] = []
    var outputs = 0
    for part in list {
      guard let name = part["name"]?.string, let rows = part["rows"]?.int,
        (1..<largestExtent).contains(rows)
      else { return nil }
      outputs += rows
      guard outputs < largestExtent else { return nil }
      parts.append(.init(name: name, rows: rows))
    }
    // Both extents are below 2³¹, and an element takes at most four bytes and its share of a scale.
    guard outputs.multipliedReportingOverflow(by: inputs).partialValue < 1 << 56,
      ingot_weight_bytes(format, Int64(outputs), Int64(inputs), Int32(group)) == bytes
    else { return nil }
    let order = value["order"]?.int
    guard value["order"] == nil || order != nil && !isFloat && isPlace(order ?? 0, 4 * inputs, in: byteCount)
    else { return nil }
    return Matrix(
      parts: parts, inputs: inputs, format: format.rawValue, group: group, offset: offset, byteCount: bytes,
      order: order)
  }

  private static func tensor(_ value: JSONValue, _ byteCount: Int) -> Tensor? {
    guard let name = value["name"]?.string, let text = value["encoding"]?.string,
      let encoding = encodings[text], let list = value["shape"]?.array, list.count <= 8,
      let offset = value["offset"]?.int, let bytes = value["bytes"]?.int,
      isPlace(offset, bytes, in: byteCount)
    else { return nil }
    var (shape, count) = ([Int](), 1)
    for item in list {
      guard let extent = item.int, (0..<largestExtent).contains(extent) else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product < 1 << 56 else { return nil }
      shape.append(extent)
      count = product
    }
    guard (shape.last ?? 1) % encoding.blockWeights == 0,
      count / encoding.blockWeights * encoding.blockBytes == bytes, (try? Shape(checking: shape)) != nil
    else { return nil }
    return Tensor(name: name, encoding: encoding, shape: shape, offset: offset, byteCount: bytes)
  }
}
