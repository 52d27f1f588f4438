import IngotCore

/// Reads lengths off a part's inputs and outputs, and says what does not fit.
struct PortReader {
  let ports: StagePorts
  /// The part's file.
  let file: String

  func input(_ name: String, rank: Int, _ types: [DType]) throws(IngotError) -> StagePort {
    try port(name, ports.inputs, "input", rank, types)
  }

  func output(_ name: String, rank: Int, _ types: [DType]) throws(IngotError) -> StagePort {
    try port(name, ports.outputs, "output", rank, types)
  }

  private func port(
    _ name: String, _ list: [StagePort], _ kind: String, _ rank: Int, _ types: [DType]
  ) throws(IngotError) -> StagePort {
    guard let port = list.first(where: { $0.name == name }) else {
      let names = list.map(\.name).joined(separator: ", ")
      throw IngotError(
        .format, "no \(kind) \"\(name)\"; the file has \(names)", at: .init(file: file),
        hint: "export the model with --preset staged")
    }
    guard let dtype = port.dtype, types.contains(dtype) else {
      let wanted = types.map(\.rawValue).joined(separator: " or ")
      let found = port.dtype?.rawValue ?? "another type"
      throw error(.shape, "the \(kind) is \(found) where \(wanted) is expected", name)
    }
    guard port.dims.count == rank else {
      throw error(.shape, "the \(kind) has shape \(port.shapeText) where \(rank) extents are expected", name)
    }
    return port
  }

  /// The extent at an index, which must be fixed.
  func length(_ port: StagePort, _ index: Int) throws(IngotError) -> Int {
    guard let dim = port.dims[index], (1...1 << 31).contains(dim) else {
      throw error(
        .unsupported, "extent \(index) of \(port.shapeText) is not a fixed length", port.name,
        hint: "stages work on fixed shapes; export with --preset staged --seq-len S --max-cache-len C")
    }
    return dim
  }

  /// Checks all extents.
  func require(_ port: StagePort, _ dims: [Int]) throws(IngotError) {
    guard port.dims == dims.map(Optional.some) else {
      throw error(.shape, "shape \(port.shapeText) where \(Shape(dims)) follows from the others", port.name)
    }
  }

  func require(_ port: StagePort, _ dtype: DType) throws(IngotError) {
    guard port.dtype == dtype else {
      throw error(.shape, "\(port.dtype?.rawValue ?? "another type") where \(dtype) is expected", port.name)
    }
  }

  private func error(
    _ kind: IngotError.Kind, _ what: String, _ name: String, hint: String? = nil
  ) -> IngotError {
    IngotError(kind, what, at: .init(file: file, tensor: name), hint: hint)
  }
}

extension StagePort {
  /// As `[1, ?, 48]`.
  var shapeText: String { "[" + dims.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]" }
}
