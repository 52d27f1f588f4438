internal import Engine
internal import IngotCore
internal import NN

/// Products of many rows by the engine's kernels and threads.
struct ErrorMeasure {
  private let plain: NetworkEngine
  private let transposed: NetworkEngine

  init() throws(IngotError) {
    func engine(transposeB: Bool) throws(IngotError) -> NetworkEngine {
      let network = Network()
      network.markOutput(matmul(Tensor("a"), Tensor("b"), transposeB: transposeB), "y")
      return try network.buildEngine()
    }
    (plain, transposed) = (try engine(transposeB: false), try engine(transposeB: true))
  }

  /// Σ (x · dᵀ)².
  /// - Parameters:
  ///   - x: [rows, width].
  ///   - d: [outputs, width].
  func energy(_ x: HostTensor, _ d: HostTensor) throws(IngotError) -> Double {
    guard let y = try transposed.forward(["a": x, "b": d])["y"] else { return 0 }
    var sum = 0.0
    y.withFloats { y in
      // Short sums in float, which vectorise, and theirs in double.
      for start in stride(from: 0, to: y.count, by: 256) {
        var part: (Float, Float, Float, Float) = (0, 0, 0, 0)
        let end = min(start + 256, y.count)
        var index = start
        while index + 4 <= end {
          part.0 += y[index] * y[index]
          part.1 += y[index + 1] * y[index + 1]
          part.2 += y[index + 2] * y[index + 2]
          part.3 += y[index + 3] * y[index + 3]
          index += 4
        }
        while index < end {
          part.0 += y[index] * y[index]
          index += 1
        }
        sum += Double(part.0 + part.1 + part.2 + part.3)
      }
    }
    return sum
  }

  /// xᵍᵀ · xᵍ of each group g of channels: [groups, size, size], zero beyond the last channel.
  func moments(_ x: [Float], width: Int, groupSize: Int) throws(IngotError) -> HostTensor {
    let (count, groups) = (x.count / width, (width + groupSize - 1) / groupSize)
    // [groups, size, count]
    var columns = [Float](repeating: 0, count: groups * groupSize * count)
    for row in 0..<count {
      for column in 0..<width { columns[column * count + row] = x[row * width + column] }
    }
    let tensor = try HostTensor(columns, shape: Shape([groups, groupSize, count]))
    guard let y = try transposed.forward(["a": tensor, "b": tensor])["y"] else {
      throw IngotError(.shape, "a product has no result")
    }
    return y
  }

  /// dᵍ · m · dᵍᵀ of each row's groups: [groups, rows].
  /// - Parameter d: [groups, rows, size].
  func forms(_ d: HostTensor, _ moments: HostTensor) throws(IngotError) -> [Float] {
    let size = d.shape.dims[2]
    var forms = [Float](repeating: 0, count: d.shape.dims[0] * d.shape.dims[1])
    try plain.forward(["a": d, "b": moments])["y"]?.withFloats { y in
      d.withFloats { d in
        for form in forms.indices {
          var sum: (Float, Float) = (0, 0)
          var index = form * size
          let end = index + size
          while index + 2 <= end {
            sum.0 += d[index] * y[index]
            sum.1 += d[index + 1] * y[index + 1]
            index += 2
          }
          if index < end { sum.0 += d[index] * y[index] }
          forms[form] = sum.0 + sum.1
        }
      }
    }
    return forms
  }
}

extension HostTensor {
  /// The elements of an f32 tensor.
  func withFloats(_ body: (UnsafeBufferPointer<Float>) -> Void) {
    body(bytes.assumingMemoryBound(to: Float.self))
    withExtendedLifetime(self) {}
  }
}
