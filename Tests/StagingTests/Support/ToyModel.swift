import Generation
import IngotCore
import Staging

/// A small attention model written out by hand, cut into parts as a staged export is: enough to see every
/// mistake in masks, positions, cache rows and padding.
struct ToyModel: Sendable {
  var inputLength = 4
  var cacheLength = 24
  /// Layers of each block.
  var blocks = [2, 1]
  /// Element type of keys and values at the ports.
  var cacheType = DType.f32
  var seed: UInt64 = 1
  let hiddenSize = 8, headCount = 2, headSize = 4, vocabularySize = 19

  var cacheWidth: Int { headCount * headSize }

  /// A matrix of fixed random numbers.
  private func matrix(_ name: UInt64, _ rows: Int, _ columns: Int) -> [[Float]] {
    let key = [seed, name, UInt64(rows), UInt64(columns)]
    if let known = Self.matrices.withLock({ $0[key] }) { return known }
    let made = makeMatrix(name, rows, columns)
    Self.matrices.withLock { $0[key] = made }
    return made
  }

  private static let matrices = Locked<[[UInt64]: [[Float]]]>([:])

  private func makeMatrix(_ name: UInt64, _ rows: Int, _ columns: Int) -> [[Float]] {
    var random = RandomGenerator(seed: seed &* 1000 &+ name)
    return (0..<rows).map { _ in (0..<columns).map { _ in Float(random.unit() * 1.6 - 0.8) } }
  }

  private func multiply(_ row: [Float], _ matrix: [[Float]]) -> [Float] {
    (0..<matrix[0].count).map { column in
      row.indices.reduce(0) { $0 + row[$1] * matrix[$1][column] }
    }
  }

  func embed(_ id: Int) -> [Float] { matrix(1, vocabularySize, hiddenSize)[id] }

  func logits(_ hidden: [Float]) -> [Float] {
    multiply(hidden, matrix(2, hiddenSize, vocabularySize)).map { $0 * 2 }
  }

  /// Key and value of a token in a layer, `[kv * hd]` each; the key depends on the position.
  func keyValue(_ hidden: [Float], layer: Int, position: Int) -> (key: [Float], value: [Float]) {
    let turn = 1 + 0.25 * Float(position % 7)
    let key = multiply(hidden, matrix(UInt64(10 * layer + 11), hiddenSize, cacheWidth)).map { $0 * turn }
    return (key, multiply(hidden, matrix(UInt64(10 * layer + 12), hiddenSize, cacheWidth)))
  }

  /// One layer for one token: what it sees are keys and values with what the mask adds to their scores.
  func attend(
    _ hidden: [Float], layer: Int, seen: [(key: [Float], value: [Float], mask: Float)]
  ) -> [Float] {
    let query = multiply(hidden, matrix(UInt64(10 * layer + 13), hiddenSize, cacheWidth))
    var mixed = [Float](repeating: 0, count: cacheWidth)
    for head in 0..<headCount {
      let lanes = head * headSize..<(head + 1) * headSize
      let scores = seen.map { entry in lanes.reduce(entry.mask) { $0 + query[$1] * entry.key[$1] } }
      let top = scores.max() ?? 0
      let weights = scores.map { Float(exponential(Double($0 - top))) }
      let sum = weights.reduce(0, +)
      for lane in lanes {
        mixed[lane] = zip(weights, seen).reduce(0) { $0 + $1.0 * $1.1.value[lane] } / sum
      }
    }
    let back = multiply(mixed, matrix(UInt64(10 * layer + 14), cacheWidth, hiddenSize))
    return zip(hidden, back).map { ($0 + $1) * 0.7 }
  }

  /// Greedy tokens without cache, masks or cuts.
  func greedy(_ prompt: [Int], steps: Int) -> [Int] {
    var tokens = prompt
    for _ in 0..<steps {
      let last = logits(whole(tokens).last ?? [])
      tokens.append(last.indices.max { last[$0] < last[$1] } ?? 0)
    }
    return Array(tokens.dropFirst(prompt.count))
  }

  /// Hidden states of all tokens at the end, without cache.
  func whole(_ tokens: [Int]) -> [[Float]] {
    var states = tokens.map { embed($0) }
    for layer in 0..<blocks.reduce(0, +) {
      let rows = states.enumerated().map { keyValue($1, layer: layer, position: $0) }
      states = states.enumerated().map { index, state in
        attend(state, layer: layer, seen: rows[...index].map { ($0.key, $0.value, 0) })
      }
    }
    return states
  }
}

/// e to the power of x ≤ 0, without Foundation.
private func exponential(_ x: Double) -> Double {
  if x < -700 { return 0 }
  var term = 1.0, sum = 1.0
  let small = x / 1024
  for index in 1..<12 {
    term *= small / Double(index)
    sum += term
  }
  for _ in 0..<10 { sum *= sum }
  return sum
}
