public import IngotCore

/// An operator of the graph with its attributes.
///
/// A closed set: every back end switches over it without a default, so a new case does not compile until
/// each of them answers for it. Operands are the node's inputs, in the order the case's comment gives.
public enum Op: Sendable, Hashable {
  // Sources: no operands.
  /// A tensor the caller provides.
  case input(name: String)
  /// A tensor of the checkpoint.
  case parameter(Parameter)
  /// A scalar or small tensor known when the graph is made.
  case constant(Constant)

  // Looking up.
  /// (table [V, H], ids [T]) → [T, H].
  case embedding
  /// (data, indices): the elements of `data` along an axis that the indices name.
  case gather(axis: Int)

  // Matrix products.
  /// (x [..., K], weight, bias [N] if any, residual [..., N] if any) → [..., N].
  case linear(Linear)
  /// (a [..., M, K], b [..., K, N]) → [..., M, N], each transposed first if so said.
  case matmul(transposeA: Bool, transposeB: Bool)

  // Normalisation, over the last axis.
  /// (x, weight): x / √(mean(x²) + epsilon) · (weight + weightOffset).
  case rmsNorm(epsilon: Float, weightOffset: Float)
  /// (x, weight, bias).
  case layerNorm(epsilon: Float)

  // Attention.
  /// (x [T, heads, D], positions [T]) → the same shape, rotated.
  case rope(Rope)
  /// (q [T, H, D], k [T, Hkv, D], v [T, Hkv, D]; paged: slots, block tables, q_len, seq_len) → [T, H, D].
  case attention(Attention)

  // Elementwise.
  /// (x).
  case unary(Unary)
  /// (a, b), broadcast as in NumPy. Comparisons give `bool`.
  case binary(Binary)
  /// (gate, up): activation(gate) · up.
  case gated(Unary)
  /// (x): another element type.
  case cast(DType)

  // Along an axis.
  /// (x).
  case softmax(axis: Int)
  /// (x): one value in place of an axis, which stays with extent 1 if `keepDims`.
  case reduce(Reduction, axis: Int, keepDims: Bool)
  /// (x) → (values, indices i64), along the last axis, largest first.
  case topK(Int)
  /// (x) → (values, indices i64), along the last axis, stable.
  case sort(descending: Bool)

  // Moving elements.
  /// (x).
  case reshape([ReshapeDim])
  /// (x): axis i of the result is axis `order[i]` of x.
  case permute([Int])
  /// (x): elements start, start + step, … before end along an axis.
  case slice(axis: Int, start: Int, end: Int, step: Int)
  /// (x0, x1, …).
  case concat(axis: Int)
  /// (x) → one output per size.
  case split(axis: Int, sizes: [Int])
  /// (x): each axis repeated.
  case tile([Int])
}

extension Op {
  /// The operator's name in the text form.
  public var name: String {
    switch self {
    case .input: "input"
    case .parameter: "parameter"
    case .constant: "constant"
    case .embedding: "embedding"
    case .gather: "gather"
    case .linear: "linear"
    case .matmul: "matmul"
    case .rmsNorm: "rmsNorm"
    case .layerNorm: "layerNorm"
    case .rope: "rope"
    case .attention: "attention"
    case .unary(let function): function.rawValue
    case .binary(let function): function.rawValue
    case .gated(let function): "\(function.rawValue)Gated"
    case .cast: "cast"
    case .softmax: "softmax"
    case .reduce(let reduction, _, _): reduction.rawValue
    case .topK: "topK"
    case .sort: "sort"
    case .reshape: "reshape"
    case .permute: "permute"
    case .slice: "slice"
    case .concat: "concat"
    case .split: "split"
    case .tile: "tile"
    }
  }

  /// How many values the operator produces.
  public var outputCount: Int {
    switch self {
    case .topK, .sort: 2
    case .split(_, let sizes): sizes.count
    case .input, .parameter, .constant, .embedding, .gather, .linear, .matmul, .rmsNorm, .layerNorm, .rope,
      .attention, .unary, .binary, .gated, .cast, .softmax, .reduce, .reshape, .permute, .slice, .concat,
      .tile:
      1
    }
  }
}
