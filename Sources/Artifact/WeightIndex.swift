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

  static let formats: [(name: String, format: ingot_format)] = [
    ("f32", INGOT_F32), ("f16", INGOT_F16), ("bf16", INGOT_BF16), ("i8", INGOT_I8), ("i8m", INGOT_I8M),
    ("i4", INGOT_I4), ("i4m", INGOT_I4M),
  ]

  static let encodings: [String: TensorEncoding] = {
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
}
