/// A weight as the graph sees it: which tensors of the checkpoint make it up and what shape they must have.
///
/// Nothing is read when a graph is made. A back end fetches the parts one at a time, so that peak memory does
/// not grow with the model.
public struct Parameter: Sendable, Hashable {
  /// One tensor of the checkpoint.
  public struct Part: Sendable, Hashable {
    /// The checkpoint's name, as `model.layers.0.self_attn.q_proj.weight`.
    public var name: String
    /// The shape the checkpoint must have for it.
    public var dims: [Int]

    /// Names a part.
    public init(_ name: String, _ dims: [Int]) {
      self.name = name
      self.dims = dims
    }
  }

  /// Tensors laid one after another along the first axis; all but the first extent agree.
  public var parts: [Part]

  /// A parameter of one tensor.
  public init(_ name: String, _ dims: [Int]) { parts = [Part(name, dims)] }

  /// A parameter of several tensors.
  public init(parts: [Part]) { self.parts = parts }

  /// The shape of the whole.
  public var dims: [Int] {
    guard let first = parts.first else { return [] }
    return [parts.reduce(0) { $0 + ($1.dims.first ?? 0) }] + first.dims.dropFirst()
  }
}

extension Parameter: CustomStringConvertible {
  /// As `@a.weight` or `@[a.weight; b.weight]`.
  public var description: String {
    parts.count == 1 ? "@\(parts[0].name)" : "@[" + parts.map(\.name).joined(separator: "; ") + "]"
  }
}
