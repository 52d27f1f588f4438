public import Graph
internal import IngotCore

// Functions on symbolic tensors, named as in torch.nn.functional. None of them throws or computes: see `Tensor`.

/// x Wᵀ + bias over the last axis of x; with `transposeB` false the weight is stored [K, N].
public func linear(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, transposeB: Bool = true,
  file: String = #fileID, line: Int = #line
) -> Tensor {
  let attributes = Op.Linear(transposeB: transposeB, hasBias: bias != nil)
  return Tensor(.linear(attributes), [x, weight] + (bias.map { [$0] } ?? []), place: "\(file):\(line)")
}

/// The matrix product over the last two axes, batched over the others.
public func matmul(
  _ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false,
  file: String = #fileID, line: Int = #line
) -> Tensor {
  Tensor(.matmul(transposeA: transposeA, transposeB: transposeB), [a, b], place: "\(file):\(line)")
}

/// Rows of a table [V, H] named by ids [T].
public func embedding(_ ids: Tensor, _ table: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  Tensor(.embedding, [table, ids], place: "\(file):\(line)")
}

/// x / √(mean(x²) + epsilon) · (weight + weightOffset) over the last axis.
/// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
public func rmsNorm(
  _ x: Tensor, _ weight: Tensor, epsilon: Double = 1e-6, weightOffset: Double = 0,
  file: String = #fileID, line: Int = #line
) -> Tensor {
  Tensor(
    .rmsNorm(epsilon: Float(epsilon), weightOffset: Float(weightOffset)), [x, weight],
    place: "\(file):\(line)")
}

/// (x − mean) / √(variance + epsilon) · weight + bias over the last axis.
public func layerNorm(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor, epsilon: Double = 1e-5,
  file: String = #fileID, line: Int = #line
) -> Tensor {
  Tensor(.layerNorm(epsilon: Float(epsilon)), [x, weight, bias], place: "\(file):\(line)")
}

/// Rotates pairs of the first `rotaryDim` dims of every head of x [T, heads, D] by angles of the positions [T].
/// Source: Su et al., "RoFormer", 2021.
public func rope(
  _ x: Tensor, at positions: Tensor, rotaryDim: Int, interleaved: Bool = false, table: String = "rope",
  file: String = #fileID, line: Int = #line
) -> Tensor {
  Tensor(
    .rope(.init(rotaryDim: rotaryDim, interleaved: interleaved, table: table)), [x, positions],
    place: "\(file):\(line)")
}

/// Causal attention among the tokens given: q [T, H, D], k and v [T, Hkv, D], H a multiple of Hkv.
public func causalAttention(
  _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Double, window: Int? = nil, softcap: Double? = nil,
  file: String = #fileID, line: Int = #line
) -> Tensor {
  let attributes = Op.Attention(
    cache: .none, scale: Float(scale), window: window, softcap: softcap.map { Float($0) })
  return Tensor(.attention(attributes), [q, k, v], place: "\(file):\(line)")
}

/// Attention over the cache of a layer: writes k and v [T, Hkv, D] of the new tokens to their slots, then lets
/// every query of q [T, H, D] see its sequence up to itself.
public func pagedAttention(
  _ q: Tensor, _ k: Tensor, _ v: Tensor, layer: Int, _ batch: Batch, scale: Double, window: Int? = nil,
  softcap: Double? = nil, file: String = #fileID, line: Int = #line
) -> Tensor {
  let attributes = Op.Attention(
    cache: .paged(layer: layer), scale: Float(scale), window: window, softcap: softcap.map { Float($0) })
  return Tensor(
    .attention(attributes),
    [q, k, v, batch.slots, batch.blockTables, batch.queryLengths, batch.sequenceLengths],
    place: "\(file):\(line)")
}

/// Softmax along an axis.
public func softmax(_ x: Tensor, axis: Int = -1, file: String = #fileID, line: Int = #line) -> Tensor {
  Tensor(.softmax(axis: axis), [x], place: "\(file):\(line)")
}

/// silu(gate) · up.
/// Source: Shazeer, "GLU Variants Improve Transformer", 2020.
public func swiglu(_ gate: Tensor, _ up: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  activation(.silu, gate, file: file, line: line) * up
}

/// An elementwise function by name.
public func activation(_ function: Op.Unary, _ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor
{
  Tensor(.unary(function), [x], place: "\(file):\(line)")
}

/// Elements of `data` along an axis, named by indices.
public func gather(
  _ data: Tensor, _ indices: Tensor, axis: Int = 0, file: String = #fileID, line: Int = #line
) -> Tensor {
  Tensor(.gather(axis: axis), [data, indices], place: "\(file):\(line)")
}

/// Tensors laid one after another along an axis.
public func concat(_ tensors: [Tensor], axis: Int, file: String = #fileID, line: Int = #line) -> Tensor {
  Tensor(.concat(axis: axis), tensors, place: "\(file):\(line)")
}
