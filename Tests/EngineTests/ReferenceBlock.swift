import Foundation
import IngotCore

/// The block of `NetworkTests.block`, written out in double precision.
struct ReferenceBlock {
  private let tensors: [String: [Double]]
  private let tokens: Int

  init(_ inputs: [String: HostTensor], tokens: Int) {
    tensors = inputs.filter { $0.value.dtype == .f32 }.mapValues { $0.floats.map(Double.init) }
    self.tokens = tokens
  }

  private func linear(_ x: [Double], _ name: String, inputs: Int) -> [Double] {
    let weight = tensors[name]!
    let outputs = weight.count / inputs
    return (0..<tokens * outputs).map { index in
      let (row, output) = (index / outputs, index % outputs)
      return (0..<inputs).reduce(0) { $0 + x[row * inputs + $1] * weight[output * inputs + $1] }
    }
  }

  private func rotated(_ x: [Double], heads: Int) -> [Double] {
    var y = x
    for token in 0..<tokens {
      for head in 0..<heads {
        for pair in 0..<4 {
          let angle = Double(token) / pow(10_000, Double(2 * pair) / 8)
          let at = (token * heads + head) * 8 + pair
          y[at] = x[at] * cos(angle) - x[at + 4] * sin(angle)
          y[at + 4] = x[at + 4] * cos(angle) + x[at] * sin(angle)
        }
      }
    }
    return y
  }

  func output() -> [Double] {
    let (x, norm) = (tensors["x"]!, tensors["norm"]!)
    var h = x
    for token in 0..<tokens {
      let row = x[token * 24..<(token + 1) * 24]
      let factor = 1 / (row.reduce(0) { $0 + $1 * $1 } / 24 + 1e-5).squareRoot()
      for column in 0..<24 { h[token * 24 + column] = x[token * 24 + column] * factor * norm[column] }
    }
    let q = rotated(linear(h, "q", inputs: 24), heads: 3)
    let k = rotated(linear(h, "k", inputs: 24), heads: 1)
    let v = linear(h, "v", inputs: 24)
    var attended = [Double](repeating: 0, count: tokens * 24)
    for token in 0..<tokens {
      for head in 0..<3 {
        let scores = (0...token).map { past in
          (0..<8).reduce(0.0) { $0 + q[(token * 3 + head) * 8 + $1] * k[past * 8 + $1] } * 0.25
        }
        let weights = scores.map { exp($0 - scores.max()!) }
        let sum = weights.reduce(0, +)
        for dim in 0..<8 {
          attended[(token * 3 + head) * 8 + dim] =
            (0...token).reduce(0) { $0 + weights[$1] * v[$1 * 8 + dim] } / sum
        }
      }
    }
    let residual = zip(x, linear(attended, "o", inputs: 24)).map(+)
    let gated = zip(linear(residual, "gate", inputs: 24), linear(residual, "up", inputs: 24)).map {
      $0 / (1 + exp(-$0)) * $1
    }
    return zip(residual, linear(gated, "down", inputs: 40)).map(+)
  }
}
