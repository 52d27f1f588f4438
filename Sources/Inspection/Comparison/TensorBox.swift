internal import IngotCore

/// The beginning of a tensor along each axis: what is left of it when padding is cut off.
struct TensorBox {
  let tensor: HostTensor
  /// Extents that are kept, each at most the tensor's.
  private(set) var kept: [Int]

  init(_ tensor: HostTensor) { (self.tensor, kept) = (tensor, tensor.shape.dims) }

  /// Keeps the first elements along an axis.
  mutating func keep(_ count: Int, axis: Int) { kept[axis] = min(kept[axis], count) }

  var isTrimmed: Bool { kept != tensor.shape.dims }

  /// The last axis of which a part is kept; 0 when all of them are whole.
  private var lastCut: Int { kept.indices.last { kept[$0] != tensor.shape[$0] } ?? 0 }

  /// Calls `body` with elements of two boxes of the same kept extents, some thousands at a time.
  static func forEachPair(_ a: TensorBox, _ b: TensorBox, _ body: ([Double], [Double]) -> Void) {
    let axis = max(a.lastCut, b.lastCut)
    let runs = a.kept.prefix(axis).reduce(1, *)
    let length = a.kept.dropFirst(axis).reduce(1, *)
    guard runs > 0, length > 0 else { return }
    for run in 0..<runs {
      let (startA, startB) = (a.start(run: run, axis: axis), b.start(run: run, axis: axis))
      for offset in stride(from: 0, to: length, by: blockLength) {
        let count = min(blockLength, length - offset)
        body(
          a.tensor.doubles(startA + offset..<startA + offset + count),
          b.tensor.doubles(startB + offset..<startB + offset + count))
      }
    }
  }

  /// Elements before a run: the runs count through the kept extents of the axes before `axis`.
  private func start(run: Int, axis: Int) -> Int {
    var (rest, start) = (run, 0)
    var stride = tensor.shape.dims.dropFirst(axis).reduce(1, *)
    for index in (0..<axis).reversed() {
      start += rest % kept[index] * stride
      rest /= kept[index]
      stride *= tensor.shape[index]
    }
    return start
  }

  private static let blockLength = 1 << 14
}
