internal import CKernels
internal import IngotCore

/// What a step is called and what it does: for profiles, and for limits computed beforehand.
extension Step {
  /// The kind of step, by which a profile sums up.
  var kind: String {
    switch self {
    case .embedding: "embedding"
    case .matmul: "matmul"
    case .gemm: "gemm"
    case .norm: "norm"
    case .rope: "rope"
    case .attention: "attention"
    case .unary: "unary"
    case .logicalNot: "not"
    case .binary: "binary"
    case .gated: "gated"
    case .softmax: "softmax"
    case .reduce: "reduce"
    case .copy: "copy"
    case .gatherRows: "gather"
    case .sort: "sort"
    case .convert: "convert"
    }
  }

  /// Extents that do not change from forward to forward, as `1536x576`; empty where there are none to tell.
  var shape: String {
    switch self {
    case .embedding(let step): "\(step.rowCount)x\(step.width)"
    case .matmul(let step): step.shape
    case .norm(let step):
      step.heads == 1 ? "\(step.arguments.width)" : "\(step.heads)x\(step.arguments.width)"
    case .rope(let step): "\(step.arguments.heads)x\(step.arguments.head_dim)"
    case .attention(let step):
      (step.queries.norm == nil ? "" : "norm·") + (step.queries.rope == nil ? "" : "rope·")
        + "\(step.arguments.heads)/\(step.arguments.kv_heads)x\(step.arguments.head_dim)"
    case .gated(let step): "\(step.width)"
    case .gemm, .unary, .logicalNot, .binary, .softmax, .reduce, .copy, .gatherRows, .sort, .convert: ""
    }
  }

  /// How weights or the cache are stored, as `i4m/32`; empty where all is f32.
  var format: String {
    switch self {
    case .matmul(let step):
      step.arguments.weight.pointee.format.name
        + (step.arguments.weight.pointee.group > 0 ? "/\(step.arguments.weight.pointee.group)" : "")
    case .attention(let step): step.arguments.type.name
    case .embedding, .gemm, .norm, .rope, .unary, .logicalNot, .binary, .gated, .softmax, .reduce, .copy,
      .gatherRows, .sort, .convert:
      ""
    }
  }

  /// What the step does in a forward of these sizes and lengths.
  func work(_ sizes: Sizes, _ lengths: ForwardLengths) -> StepWork {
    var work = StepWork()
    switch self {
    case .embedding(let step):
      let count = step.count.value(sizes)
      work.weightBytes = count * step.rowBytes
      work.activationBytes = count * step.width * 4
    case .matmul(let step): step.count(in: &work, rows: step.rows.value(sizes))
    case .gemm(let step):
      let items = step.batch.reduce(1) { $0 * $1.value(sizes) }
      let (m, n, k) = (step.m.value(sizes), step.n.value(sizes), step.k.value(sizes))
      work.activationBytes = 4 * items * (m * k + k * n + m * n)
      work.floatProducts = 2 * items * m * n * k
    case .norm(let step): step.count(in: &work, sizes)
    case .rope(let step): step.count(in: &work, sizes)
    case .attention(let step):
      step.count(in: &work, lengths, tokens: step.tokens.value(sizes))
      for heads in [step.queries, step.keys] {
        heads.norm?.count(in: &work, sizes)
        heads.rope?.count(in: &work, sizes)
      }
    case .unary(_, _, _, let count), .logicalNot(_, _, let count):
      work.elements(read: count.product(sizes), written: count.product(sizes), operationsPerElement: 1)
    case .binary(let step):
      func elements(_ has: [Bool]) -> Int {
        zip(step.dims, has).reduce(1) { $1.1 ? $0 * $1.0.value(sizes) : $0 }
      }
      let result = step.dims.reduce(1) { $0 * $1.value(sizes) }
      work.elements(
        read: elements(step.aHas) + elements(step.bHas), written: result, operationsPerElement: 1)
    case .gated(let step):
      let elements = step.rows.product(sizes) * step.width
      work.elements(read: 2 * elements, written: elements, operationsPerElement: 2)
    case .softmax(_, _, let rows, let width):
      let elements = rows.product(sizes) * width.value(sizes)
      work.elements(read: elements, written: elements, operationsPerElement: 4)
    case .reduce(_, _, _, let extents):
      let result = extents.outer.product(sizes) * extents.inner.product(sizes)
      let elements = result * extents.axis.value(sizes)
      work.elements(read: elements, written: result, operationsPerElement: 0)
      work.otherOperations = elements
    case .copy(let step):
      let bytes = step.dims.reduce(Int(step.elementBytes)) { $0 * $1.value(sizes) }
      work.activationBytes = 2 * bytes
    case .gatherRows(let step):
      let rows = step.outer.product(sizes) * step.count.product(sizes)
      work.activationBytes = 2 * rows * step.inner.product(sizes) * step.elementBytes
    case .sort(let step):
      let rows = step.rows.product(sizes)
      work.activationBytes = rows * (4 * step.width.value(sizes) + 12 * step.kept.value(sizes))
    case .convert(let step):
      let count = step.count.product(sizes)
      work.activationBytes = count * (step.from.storage.byteCount + step.to.storage.byteCount)
    }
    return work
  }
}

extension StepWork {
  fileprivate mutating func elements(read: Int, written: Int, operationsPerElement: Int) {
    activationBytes += 4 * (read + written)
    otherOperations += written * operationsPerElement
  }
}

extension MatmulStep {
  /// Extents, and what the product takes in.
  fileprivate var shape: String {
    let weight = arguments.weight.pointee
    return (arguments.norm == nil ? "" : "norm·") + "\(weight.n)x\(weight.k)"
      + (arguments.gated == 0 ? "" : "·gate")
  }

  fileprivate func count(in work: inout StepWork, rows: Int) {
    let weight = arguments.weight.pointee
    let (n, k) = (Int(weight.n), Int(weight.k))
    work.weightBytes = ingot_weight_bytes(weight.format, weight.n, weight.k, weight.group)
    let stored = arguments.gated == 0 ? n : n / 2
    work.activationBytes = 4 * rows * (k + stored * (arguments.residual == nil ? 1 : 2))
    // As the operators taken in would count on their own.
    if arguments.norm != nil { work.otherOperations += 4 * rows * k }
    if arguments.gated != 0 { work.otherOperations += 2 * rows * stored }
    if weight.group > 0 {
      work.int8Products = 2 * rows * n * k
    } else {
      work.floatProducts = 2 * rows * n * k
    }
  }
}

extension NormStep {
  fileprivate func count(in work: inout StepWork, _ sizes: Sizes) {
    let elements = rows.value(sizes) * heads * Int(arguments.width)
    work.weightBytes += 4 * Int(arguments.width) * (isLayerNorm ? 2 : 1)
    // Squares and sums, then scale and weight.
    work.elements(read: elements, written: elements, operationsPerElement: 4)
  }
}

extension RopeStep {
  fileprivate func count(in work: inout StepWork, _ sizes: Sizes) {
    let elements = tokens.value(sizes) * Int(arguments.heads * arguments.head_dim)
    work.elements(read: elements, written: elements, operationsPerElement: 3)
  }
}

extension AttentionStep {
  fileprivate func count(in work: inout StepWork, _ lengths: ForwardLengths, tokens: Int) {
    let (heads, kvHeads) = (Int(arguments.heads), Int(arguments.kv_heads))
    let (width, window) = (Int(arguments.head_dim), Int(arguments.window))
    let tokenBytes =
      ingot_page_bytes(arguments.type, arguments.kv_heads, arguments.head_dim) / KVCache.pageTokens
    // Without a cache the tokens are one sequence of their own.
    let sequences = layer == nil ? [.init(new: tokens, total: tokens)] : lengths.sequences
    var (pairs, read) = (0, 0)
    for sequence in sequences {
      pairs += sequence.visiblePairs(window: window)
      read += sequence.visibleTokens(window: window)
    }
    work.cacheBytes = tokenBytes * (read + tokens)
    // Queries and results, and what goes into the cache.
    work.activationBytes = 4 * tokens * (2 * heads * width + 2 * kvHeads * width)
    work.otherOperations = 4 * pairs * heads * width
  }
}

/// Lengths of the sequences of a forward, on which attention's work depends.
package struct ForwardLengths {
  /// New tokens of a sequence, and how many it has with them.
  package struct Sequence {
    package var new: Int
    package var total: Int

    package init(new: Int, total: Int) { (self.new, self.total) = (new, total) }

    /// Tokens that some new token sees.
    package func visibleTokens(window: Int) -> Int {
      window > 0 && new > 0 ? min(total, new + window - 1) : new > 0 ? total : 0
    }

    /// Pairs of a new token and one it sees.
    package func visiblePairs(window: Int) -> Int {
      func upTo(_ count: Int) -> Int {
        guard window > 0, count > window else { return count * (count + 1) / 2 }
        return window * (window + 1) / 2 + (count - window) * window
      }
      return upTo(total) - upTo(total - new)
    }
  }

  var sequences: [Sequence] = []

  init(_ sequences: [Sequence]) { self.sequences = sequences }

  /// The lengths of a batch as the kernels get it.
  init(_ batch: ingot_batch) {
    guard let starts = batch.q_start, let totals = batch.seq_len else { return }
    sequences = (0..<Int(batch.sequences)).map {
      Sequence(new: Int(starts[$0 + 1] - starts[$0]), total: Int(totals[$0]))
    }
  }
}

extension ingot_kv {
  fileprivate var name: String {
    switch self {
    case INGOT_KV_F32: "f32"
    case INGOT_KV_F16: "f16"
    case INGOT_KV_I8: "i8"
    default: "type \(rawValue)"
    }
  }
}

extension ingot_format {
  /// As in tables: `f16`, `i4m`.
  fileprivate var name: String {
    switch self {
    case INGOT_F32: "f32"
    case INGOT_F16: "f16"
    case INGOT_BF16: "bf16"
    case INGOT_I8: "i8"
    case INGOT_I8M: "i8m"
    case INGOT_I4: "i4"
    case INGOT_I4M: "i4m"
    default: "format \(rawValue)"
    }
  }
}
