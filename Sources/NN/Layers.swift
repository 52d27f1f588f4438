public import Graph

/// The name of a module within a checkpoint: `"model.layers" / 3 / "self_attn"`.
public struct ParameterPath: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The dotted name.
  public let description: String

  /// Takes a dotted name.
  public init(_ path: String) { description = path }
  /// Takes a dotted name.
  public init(stringLiteral value: String) { description = value }

  /// A member of a module.
  public static func / (path: ParameterPath, name: String) -> ParameterPath {
    ParameterPath("\(path.description).\(name)")
  }
  /// An element of a list of modules.
  public static func / (path: ParameterPath, index: Int) -> ParameterPath { path / "\(index)" }
}

/// A linear layer: x Wᵀ + b.
public struct Linear: Sendable {
  let weight: Tensor
  let bias: Tensor?

  /// - Parameters:
  ///   - inputs: K, the extent of the last axis of x.
  ///   - outputs: N; `weight` is [N, K] and `bias` [N].
  public init(
    _ path: ParameterPath, _ inputs: Int, _ outputs: Int, bias: Bool = false,
    file: String = #fileID, line: Int = #line
  ) {
    weight = Tensor(parameter: "\(path).weight", [outputs, inputs], file: file, line: line)
    self.bias = bias ? Tensor(parameter: "\(path).bias", [outputs], file: file, line: line) : nil
  }

  init(weight: Tensor) { (self.weight, bias) = (weight, nil) }

  /// [..., K] → [..., N].
  public func callAsFunction(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    linear(x, weight, bias: bias, file: file, line: line)
  }
}

/// A table of token vectors [V, H].
public struct Embedding: Sendable {
  let weight: Tensor

  /// Names the table.
  public init(_ path: ParameterPath, _ count: Int, _ width: Int, file: String = #fileID, line: Int = #line) {
    weight = Tensor(parameter: "\(path).weight", [count, width], file: file, line: line)
  }

  /// Ids [T] → [T, H].
  public func callAsFunction(_ ids: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    embedding(ids, weight, file: file, line: line)
  }

  /// The table as an output head: tied embeddings.
  public var asLinear: Linear { Linear(weight: weight) }
}

/// Root-mean-square normalisation with a learnt scale [H].
public struct RMSNorm: Sendable {
  let weight: Tensor
  let epsilon: Double

  /// Names the scale.
  public init(
    _ path: ParameterPath, _ width: Int, _ epsilon: Double, file: String = #fileID, line: Int = #line
  ) {
    weight = Tensor(parameter: "\(path).weight", [width], file: file, line: line)
    self.epsilon = epsilon
  }

  /// [..., H] → [..., H].
  public func callAsFunction(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    rmsNorm(x, weight, epsilon: epsilon, file: file, line: line)
  }
}

/// The gated feed-forward network: down(act(gate(x)) · up(x)).
public struct GatedMLP: Sendable {
  let gateProj: Linear
  let upProj: Linear
  let downProj: Linear
  let function: Op.Unary

  /// - Parameter path: of the module that holds `gate_proj`, `up_proj` and `down_proj`.
  public init(
    _ path: ParameterPath, _ width: Int, _ inner: Int, activation: Op.Unary = .silu, bias: Bool = false,
    file: String = #fileID, line: Int = #line
  ) {
    gateProj = Linear(path / "gate_proj", width, inner, bias: bias, file: file, line: line)
    upProj = Linear(path / "up_proj", width, inner, bias: bias, file: file, line: line)
    downProj = Linear(path / "down_proj", inner, width, bias: bias, file: file, line: line)
    function = activation
  }

  /// [..., H] → [..., H].
  public func callAsFunction(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    let gate = activation(function, gateProj(x, file: file, line: line), file: file, line: line)
    return downProj(gate * upProj(x, file: file, line: line), file: file, line: line)
  }
}

/// Rotary embedding bound to the positions of a batch.
public struct Rope: Sendable {
  let positions: Tensor
  let rotaryDim: Int
  let interleaved: Bool
  let table: String

  /// - Parameter rotaryDim: how many dims of each head rotate.
  public init(at positions: Tensor, rotaryDim: Int, interleaved: Bool = false, table: String = "rope") {
    (self.positions, self.rotaryDim, self.interleaved, self.table) = (
      positions, rotaryDim, interleaved, table
    )
  }

  /// [T, heads, D] → the same, rotated.
  public func callAsFunction(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    rope(
      x, at: positions, rotaryDim: rotaryDim, interleaved: interleaved, table: table, file: file, line: line)
  }
}
