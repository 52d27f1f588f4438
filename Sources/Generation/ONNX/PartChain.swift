internal import IngotCore
internal import ONNXRuntime

/// A model that is one part of a decoder: its session and what is bound to it.
struct PartModel {
  let session: OrtSession
  let binding: OrtBinding

  init(_ session: OrtSession) throws(IngotError) {
    self.session = session
    binding = try OrtBinding(session)
  }

  var path: String { session.path }

  /// Binds inputs and outputs, runs.
  func run(inputs: [(String, OrtValue)], outputs: [(String, OrtValue)]) throws(IngotError) {
    for (name, value) in inputs { try binding.bind(input: name, to: value) }
    for (name, value) in outputs { try binding.bind(output: name, to: value) }
    try binding.run()
  }
}

/// The embedding of an export in parts: ids to rows.
struct EmbeddingModel {
  private let part: PartModel
  private let ids: TensorPort
  let result: TensorPort
  /// Tokens of a run; nil for any number.
  let fixedCount: Int?

  /// - Parameter result: name of the output.
  init(_ session: OrtSession, result: String) throws(IngotError) {
    part = try PartModel(session)
    ids = try session.required(input: "input_ids")
    self.result = try session.required(output: result)
    guard ids.dims.count == 2, ids.dims[0] == nil || ids.dims[0] == 1, self.result.dims.count == 3 else {
      throw IngotError(
        .unsupported, "\(ids) and \(self.result) should be [1, length] and [1, length, width]",
        at: .init(file: session.path))
    }
    fixedCount = ids.dims[1]
  }

  /// Writes the rows of some tokens.
  /// - Parameter target: [1, tokens, width].
  func run(_ tokens: [Int], into target: OrtValue) throws(IngotError) {
    let runtime = part.session.runtime
    if let fixedCount, fixedCount != tokens.count {
      // One token at a time serves any number.
      guard fixedCount == 1 else {
        throw IngotError(
          .unsupported, "the embedding takes \(fixedCount) tokens, the other parts \(tokens.count)",
          at: .init(file: part.path))
      }
      let width = target.shape[2]
      for (index, token) in tokens.enumerated() {
        try run([token], into: try target.rows(index..<index + 1, shape: [1, 1, width], runtime))
      }
      return
    }
    let value = try OrtValue(runtime, tokens, shape: [1, tokens.count], for: ids, file: part.path)
    try part.run(inputs: [(ids.name, value)], outputs: [(result.name, target)])
  }
}

extension OrtValue {
  /// Some rows of the last axis as a tensor of their own; nothing is copied.
  func rows(_ range: Range<Int>, shape: Shape, _ runtime: OrtRuntime) throws(IngotError) -> OrtValue {
    let rowBytes = (self.shape.dims.last ?? 1) * dtype.byteCount
    guard range.upperBound * rowBytes <= bytes.count else {
      throw IngotError(.shape, "rows \(range) of a tensor of shape \(self.shape)")
    }
    let slice = bytes[range.lowerBound * rowBytes..<range.upperBound * rowBytes]
    return try OrtValue(
      runtime,
      try HostTensor(
        dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(rebasing: slice), storage: self))
  }

  /// The first rows as floats f32 [count, width].
  func observedRows(_ count: Int) throws(IngotError) -> HostTensor {
    let width = shape.dims.last ?? 1
    let part = UnsafeMutableRawBufferPointer(rebasing: bytes[0..<count * width * dtype.byteCount])
    return try HostTensor(try floats(part, dtype), shape: [count, width])
  }
}

/// Names of the values between parts: `hidden_states.{i}` enters layer i.
struct PartBorders {
  /// Layers before the first part, after it, and so on.
  let layers: [Int]

  init(layersPerPart: [Int]) {
    var sums = [0]
    for count in layersPerPart { sums.append((sums.last ?? 0) + count) }
    layers = sums
  }

  var names: [String] { layers.map { "hidden_states.\($0)" } }
  var layerCount: Int { layers.last ?? 0 }
}

/// Files of a folder that are numbered from 0 on.
/// - Throws: `.io` when one between others is missing.
func numberedFiles(
  _ names: [String], prefix: String, in folder: String
) throws(IngotError) -> [String] {
  let numbers = names.compactMap { name -> Int? in
    guard name.hasPrefix(prefix), name.hasSuffix(".onnx") else { return nil }
    let digits = name.dropFirst(prefix.count).dropLast(".onnx".count)
    guard let number = Int(digits), "\(number)" == digits, number >= 0 else { return nil }
    return number
  }.sorted()
  for (expected, number) in numbers.enumerated() where number != expected {
    throw IngotError(
      .io, "the export lacks \(prefix)\(expected).onnx and has \(prefix)\(number).onnx",
      at: .init(file: folder),
      hint: "export the model again")
  }
  return numbers.map { "\(prefix)\($0).onnx" }
}
