public import Checkpoints
internal import Graph
public import IngotCore
public import NN
internal import Quantization

/// What a network needs besides its graph.
public struct NetworkOptions: Sendable {
  /// Threads and instruction set.
  public var engine = EngineOptions()
  /// Angles of the rotary tables, by name.
  public var rotary: [String: RotaryTableSource] = ["rope": RotaryTableSource()]
  /// Positions the rotary tables cover.
  public var maximumPositions = 4096
  /// Element type of keys and values in attention.
  public var kvType = KVType.f32
  /// Pages of 64 tokens for paged attention; slots and block tables of the caller must stay within them.
  public var cachePages = 64
  /// Takes the times of steps; nil for none.
  public var profiler: Profiler?
  /// Whether to run the passes that join operators; results are the same.
  public var fuses = true

  /// The defaults.
  public init() {}
}

/// What the angles of a rotary table follow from.
public struct RotaryTableSource: Sendable {
  /// Base and scaling.
  public var parameters: RopeParameters
  /// Context length of the model, for scalings that depend on it.
  public var maxPositions: Int

  /// Plain angles with base 10,000 unless said otherwise.
  public init(_ parameters: RopeParameters = RopeParameters(), maxPositions: Int = 4096) {
    self.parameters = parameters
    self.maxPositions = maxPositions
  }
}

extension Network {
  /// Makes an engine for the network.
  ///
  /// Where every input has a declared type, mistakes in the graph are found here; otherwise at the first
  /// forward, when the tensors given say what was missing.
  /// - Parameter checkpoint: where parameters are read; nil for a network without.
  /// - Throws: `.shape`, naming operator, operand types and line.
  public func buildEngine(
    _ checkpoint: (any Checkpoint)? = nil, options: NetworkOptions = NetworkOptions()
  ) throws(IngotError) -> NetworkEngine {
    if inputs.allSatisfy({ $0.type != nil }) { _ = try graph() }
    return NetworkEngine(self, checkpoint, options)
  }
}

/// Runs a network on real tensors.
///
/// Named dims take their sizes from the tensors of each call. A plan is made per combination of input types and
/// kept for the last few.
public final class NetworkEngine: @unchecked Sendable {
  private let network: Network
  private let checkpoint: (any Checkpoint)?
  private let options: NetworkOptions
  /// Guarded by `lock`, which is held while a forward runs.
  private var compiled: [(signature: [String: TensorType], network: CompiledNetwork)] = []
  private let lock = Locked(())
  private static let keptPlans = 4

  fileprivate init(_ network: Network, _ checkpoint: (any Checkpoint)?, _ options: NetworkOptions) {
    (self.network, self.checkpoint, self.options) = (network, checkpoint, options)
  }

  /// Computes the outputs.
  /// - Parameter inputs: one tensor per input of the network; of f16 and bf16 the arithmetic is f32.
  /// - Returns: one tensor per output, in the output's dtype.
  /// - Throws: `.argument` for a missing or unknown input; `.shape` where a tensor or operator does not fit.
  public func forward(_ inputs: [String: HostTensor]) throws(IngotError) -> [String: HostTensor] {
    try lock.withLock { (_) throws(IngotError) in try plan(for: inputs).forward(inputs) }
  }

  /// Computes into a dictionary: tensors in it under an output's name must have that output's dtype and shape
  /// and are replaced; other names are left alone.
  /// - Throws: as `forward(_:)`, and `.shape` for a result that does not fit.
  public func forward(
    inputs: [String: HostTensor], outputs: inout [String: HostTensor]
  ) throws(IngotError) {
    for (name, tensor) in try forward(inputs) {
      if let expected = outputs[name], expected.dtype != tensor.dtype || expected.shape != tensor.shape {
        throw IngotError(
          .shape,
          "output \"\(name)\" is \(tensor.dtype)\(tensor.shape), room was made for \(expected.dtype)\(expected.shape)"
        )
      }
      outputs[name] = tensor
    }
  }

  private func plan(for inputs: [String: HostTensor]) throws(IngotError) -> CompiledNetwork {
    var signature: [String: TensorType] = [:]
    var sizes: [String: Int] = [:]
    for (name, declared) in network.inputs {
      guard let tensor = inputs[name] else { throw IngotError(.argument, "input \"\(name)\" is missing") }
      let given = TensorType(tensor.dtype, tensor.shape.dims.map(Dim.fixed))
      if let declared { try declared.bind(to: given, name, &sizes) }
      signature[name] = given
    }
    for name in inputs.keys where signature[name] == nil {
      throw IngotError(
        .argument, "the network has no input \"\(name)\"",
        hint: "its inputs are \(signature.keys.sorted().joined(separator: ", "))")
    }
    if let known = compiled.first(where: { $0.signature == signature }) { return known.network }
    let made = try CompiledNetwork(network, checkpoint, options, signature: signature, sizes: sizes)
    if compiled.count == Self.keptPlans { compiled.removeFirst() }
    compiled.append((signature, made))
    return made
  }
}

extension TensorType {
  /// Checks a tensor against a declaration and notes the sizes of its names.
  fileprivate func bind(to given: TensorType, _ name: String, _ sizes: inout [String: Int]) throws(IngotError)
  {
    let mismatch = IngotError(.shape, "input \"\(name)\" is declared as \(self), the tensor is \(given)")
    guard dtype == given.dtype, rank == given.rank else { throw mismatch }
    for (dim, extent) in zip(dims, given.dims) {
      if dim.terms.count == 1, dim.terms[0].factor == 1, dim.constant == 0, let value = extent.value {
        guard sizes.updateValue(value, forKey: dim.terms[0].name) ?? value == value else { throw mismatch }
      } else if let value = dim.binding(sizes).value {
        guard value == extent.value else { throw mismatch }
      }
    }
  }
}
