public import IngotCore

/// How the tensors of two collections differ, name by name.
public struct Comparison: Sendable {
  /// A tensor that both have.
  public struct Entry: Sendable {
    /// Its name.
    public var name: String
    /// The extents compared, without padding.
    public var shape: Shape
    /// The dtypes in A and B.
    public var dtypes: (DType, DType)
    /// Whether padding was cut off.
    public var isTrimmed: Bool
    /// How they differ.
    public var difference: TensorDifference
  }

  /// A tensor that both have in different shapes.
  public struct Mismatch: Sendable {
    /// Its name.
    public var name: String
    /// The extents in A and B, without padding.
    public var shapes: (Shape, Shape)
  }

  /// The path of A.
  public var a: String
  /// The path of B.
  public var b: String
  /// Tensors that both have.
  public var entries: [Entry] = []
  /// Tensors that both have in different shapes.
  public var mismatches: [Mismatch] = []
  /// Names that only A has.
  public var missing: [String] = []
  /// Names that only B has.
  public var extra: [String] = []

  /// Compares two collections.
  /// - Throws: `.io`, `.format`, `.unsupported` for files that cannot be read, naming file and tensor.
  public init(
    _ a: TensorCollection, _ b: TensorCollection,
    onProgress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(IngotError) {
    (self.a, self.b) = (a.path, b.path)
    let inB = Set(b.names)
    let inA = Set(a.names)
    missing = a.names.filter { !inB.contains($0) }
    extra = b.names.filter { !inA.contains($0) }
    for (index, name) in a.names.enumerated() where inB.contains(name) {
      let (first, second) = (try a.box(name), try b.box(name))
      onProgress(index, a.names.count)
      guard first.kept == second.kept else {
        mismatches.append(Mismatch(name: name, shapes: (Shape(first.kept), Shape(second.kept))))
        continue
      }
      var difference = TensorDifference()
      TensorBox.forEachPair(first, second) { x, y in
        for index in x.indices { difference.add(x[index], y[index]) }
      }
      entries.append(
        Entry(
          name: name, shape: Shape(first.kept), dtypes: (first.tensor.dtype, second.tensor.dtype),
          isTrimmed: first.isTrimmed || second.isTrimmed, difference: difference))
    }
  }

  /// Tensors that differ by more than a tolerance, with those that cannot be compared.
  /// - Parameter tolerance: the largest |a - b|, times the larger of 1 and the largest |a| of the tensor.
  public func beyond(_ tolerance: Double) -> [String] {
    missing + extra + mismatches.map(\.name)
      + entries.filter {
        $0.difference.nonFinite > 0
          || $0.difference.maxAbsolute > tolerance * max(1, $0.difference.maxReference)
      }.map(\.name)
  }
}
