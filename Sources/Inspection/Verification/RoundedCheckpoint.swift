internal import CKernels
public import Checkpoints
internal import Graph
public import IngotCore
public import Models
public import Quantization

/// How an export rounds weights.
public struct WeightRounding: Sendable, Equatable {
  /// f32, f16 or bf16: of all weights that are not integers, and of scales.
  public var dtype: DType
  /// Integers for the weights of linear layers.
  public var quantization: BlockQuantization?

  /// Takes both.
  public init(_ dtype: DType, quantization: BlockQuantization? = nil) {
    (self.dtype, self.quantization) = (dtype, quantization)
  }
}

/// A checkpoint with its weights rounded as an export rounds them, as 32-bit floats again: what the export should be
/// compared with, so that rounding, which is meant, does not hide what is not.
///
/// Rounding to four bits moves the logits of a small model as far as a missing layer does; of the same rounded weights
/// both sides must make the same. Each weight is checked to have moved by no more than one step of its group, so that
/// a wrong scale or zero point, which both sides would share, cannot pass.
public final class RoundedCheckpoint: Checkpoint {
  /// The path of the original.
  public let path: String
  /// Its configuration; with integers the head has weights of its own.
  public let config: DecoderConfig
  /// Names of the tensors.
  public let tensorNames: [String]
  /// The original's.
  public var metadata: GGUFMetadata? { original.metadata }

  private let original: any Checkpoint
  private let rounding: WeightRounding
  private let quantizer: BlockQuantizer?
  private let linearNames: Set<String>
  private let headName: String?
  private let state = Locked<State>(State())
  private static let head = "lm_head.weight"

  private struct State {
    var failure: IngotError?
    /// The tensor made last: it is asked for several times.
    var last: CheckpointTensor?
  }

  /// Rounds lazily, a tensor when it is asked for.
  /// - Throws: `.argument` for a dtype weights are not rounded to; `.unsupported` for an unknown family.
  public init(
    _ checkpoint: any Checkpoint, _ rounding: WeightRounding, registry: ModelRegistry = .standard
  ) throws(IngotError) {
    guard [.f32, .f16, .bf16].contains(rounding.dtype) else {
      throw IngotError(.argument, "weights are not rounded to \(rounding.dtype); f32, f16 and bf16 are")
    }
    (original, self.rounding, path) = (checkpoint, rounding, checkpoint.path)
    var config = checkpoint.config
    var linear: Set<String> = []
    var names = checkpoint.tensorNames
    var head: String?
    if let quantization = rounding.quantization {
      // Operators compute in f32 for bf16, and scales are what they compute in.
      quantizer = try BlockQuantizer(quantization, scales: rounding.dtype == .f16 ? .f16 : .f32)
      let graph = try registry.graph(for: config)
      for node in graph.nodes {
        guard case .linear = node.op, case .parameter(let parameter) = graph.nodes[node.inputs[1].node].op
        else { continue }
        linear.formUnion(parameter.parts.map(\.name))
      }
      // A matrix that is embedding and head at once is looked up as it is and multiplied as integers.
      if config.tiesEmbeddings, let tied = Self.tiedName(graph, linear) {
        config.tiesEmbeddings = false
        linear.remove(tied)
        linear.insert(Self.head)
        head = tied
        if !names.contains(Self.head) { names.append(Self.head) }
      }
    } else {
      quantizer = nil
    }
    (self.config, linearNames, tensorNames, headName) = (config, linear, names, head)
  }

  private static func tiedName(_ graph: Graph, _ linear: Set<String>) -> String? {
    for node in graph.nodes {
      if case .embedding = node.op, case .parameter(let table) = graph.nodes[node.inputs[0].node].op {
        return table.parts.first.map(\.name).flatMap { linear.contains($0) ? $0 : nil }
      }
    }
    return nil
  }

  /// Why a tensor could not be rounded, if one could not.
  public var failure: IngotError? { state.withLock { $0.failure } }

  /// The rounded tensor; nil when there is none, or when `failure` says why.
  public func tensor(named name: String) -> CheckpointTensor? {
    let source = name == Self.head ? headName ?? name : name
    guard let tensor = original.tensor(named: source) else { return nil }
    // Nothing to round: it stays in its file.
    let isInteger = quantizer != nil && linearNames.contains(name)
    if !isInteger, rounding.dtype == .f32 || tensor.encoding == .plain(rounding.dtype) { return tensor }
    if let last = state.withLock({ $0.last }), last.name == name { return last }
    do throws(IngotError) {
      let rounded = try round(tensor, name)
      state.withLock { $0.last = rounded }
      return rounded
    } catch {
      state.withLock { $0.failure = $0.failure ?? error }
      return nil
    }
  }

  private func round(_ tensor: CheckpointTensor, _ name: String) throws(IngotError) -> CheckpointTensor {
    let width = tensor.columnCount
    let quantizer = linearNames.contains(name) ? quantizer : nil
    let order = quantizer?.inputOrder(of: [tensor])
    let tensor = order == nil ? tensor : tensor.reordered?.tensor ?? tensor
    var floats = [Float](repeating: 0, count: tensor.shape.count)
    for row in 0..<tensor.rowCount {
      let range = row * width..<(row + 1) * width
      try floats.withFloats(range) { (values) throws(IngotError) in
        try tensor.readRows(row..<row + 1, into: values)
        if let quantizer {
          try round(values, row, tensor, quantizer)
          guard let order else { return }
          let inGroups = Array(values)
          for (column, input) in order.enumerated() { values[Int(input)] = inGroups[column] }
        } else {
          roundElements(values)
        }
      }
    }
    let file: Result<MappedFile, IngotError> = floats.withUnsafeBytes { bytes in
      do throws(IngotError) { return .success(try MappedFile(copying: bytes, name: path)) } catch {
        return .failure(error)
      }
    }
    return CheckpointTensor(
      name: name, storedName: tensor.storedName, encoding: .plain(.f32), shape: tensor.shape,
      file: try file.get(), byteRange: 0..<4 * tensor.shape.count)
  }

  private func roundElements(_ values: UnsafeMutableBufferPointer<Float>) {
    guard rounding.dtype != .f32, let base = values.baseAddress else { return }
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: values.count) { halves in
      guard let short = halves.baseAddress else { return }
      if rounding.dtype == .f16 {
        ingot_f32_to_f16(base, short, values.count)
        ingot_f16_to_f32(short, base, values.count)
      } else {
        ingot_f32_to_bf16(base, short, values.count)
        ingot_bf16_to_f32(short, base, values.count)
      }
    }
  }

  /// A row to integers and back.
  private func round(
    _ values: UnsafeMutableBufferPointer<Float>, _ row: Int, _ tensor: CheckpointTensor,
    _ quantizer: BlockQuantizer
  ) throws(IngotError) {
    let count = values.count
    let group = min(quantizer.scheme.groupSize ?? count, max(count, 1))
    let groups = (count + group - 1) / max(group, 1)
    var codes = [UInt8](repeating: 0, count: count)
    var zeros = [UInt8](repeating: 0, count: groups)
    var scales = [Float](repeating: 0, count: groups)
    var scratch = [Float](repeating: 0, count: count)
    let status = try tensor.withRow(row) {
      quantizer.quantize(
        $0, tensor.encoding, count: count, group: group, floats: &scratch, codes: &codes, scales: &scales,
        zeros: &zeros)
    }
    guard status == INGOT_QUANTIZED else {
      throw tensor.error(.unsupported, "row \(row) has weights that integers cannot stand for")
    }
    for index in 0..<count {
      let scale = scales[index / group]
      let rounded = (Float(codes[index]) - Float(zeros[index / group])) * scale
      // Half a step, or a whole one at the end of a symmetric range; and the scale's own rounding. Scales of Q4_0 may
      // be negative.
      guard abs(rounded - values[index]) <= 1.1 * abs(scale) else {
        throw tensor.error(
          .format,
          "row \(row), column \(index): \(values[index]) was rounded to \(rounded), more than a step of \(scale) away"
        )
      }
      values[index] = rounded
    }
  }
}

extension Array where Element == Float {
  fileprivate mutating func withFloats(
    _ range: Range<Int>, _ body: (UnsafeMutableBufferPointer<Float>) throws(IngotError) -> Void
  ) throws(IngotError) {
    let result: Result<Void, IngotError> = withUnsafeMutableBufferPointer { buffer in
      do throws(IngotError) {
        return .success(try body(UnsafeMutableBufferPointer(rebasing: buffer[range])))
      } catch { return .failure(error) }
    }
    try result.get()
  }
}
