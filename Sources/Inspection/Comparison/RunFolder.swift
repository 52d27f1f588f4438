internal import Checkpoints
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A folder with `.npy` files below it, as the staged pipeline leaves it: `step_0000/hidden_block0.npy` and so on,
/// with a `meta.json` in each step that says how many rows are real.
struct RunFolder: Sendable {
  let path: String
  /// Paths below the folder, without `.npy`, in order.
  let names: [String]
  private static let deepest = 4
  private static let most = 1_000_000

  init(_ path: String) throws(IngotError) {
    self.path = path
    var names: [String] = []
    try Self.collect(path, "", depth: 0, &names)
    guard !names.isEmpty else {
      throw IngotError(
        .argument, "the folder holds no .npy files", at: .init(file: path),
        hint: "name the root of a run, or a .npz file")
    }
    self.names = names.sorted()
  }

  private static func collect(
    _ root: String, _ below: String, depth: Int, _ names: inout [String]
  ) throws(IngotError) {
    let folder = below.isEmpty ? root : root + "/" + below
    for name in try FileSystem.names(in: folder) {
      let inside = below.isEmpty ? name : below + "/" + name
      if name.hasSuffix(".npy") {
        names.append(String(inside.dropLast(4)))
        guard names.count <= most else {
          throw IngotError(.limit, "more than \(most) .npy files", at: .init(file: root))
        }
      } else if depth < deepest, isFolder(root + "/" + inside) {
        try collect(root, inside, depth: depth + 1, &names)
      }
    }
  }

  /// A tensor without its padding.
  func box(_ name: String) throws(IngotError) -> TensorBox {
    let file = path + "/" + name + ".npy"
    var box = TensorBox(try NPY.read(path: file))
    let parts = name.split(separator: "/").map(String.init)
    let (folder, base) = (parts.dropLast().joined(separator: "/"), parts.last ?? "")
    let rank = box.tensor.shape.rank
    if base.hasPrefix("past_key_block") || base.hasPrefix("past_value_block") {
      // [layers, 1, kvHeads, max_cache_len, headDim]: rows beyond the last step's end were never written.
      if rank == 5, let count = try lastCount() { try cut(&box, count, axis: 3, file) }
      return box
    }
    guard let axis = Self.rowAxis(base, rank: rank), let count = try meta(folder, "q_len") else { return box }
    try cut(&box, count, axis: axis, file)
    return box
  }

  private func cut(_ box: inout TensorBox, _ count: Int, axis: Int, _ file: String) throws(IngotError) {
    guard count <= box.tensor.shape[axis] else {
      throw IngotError(
        .format, "\(box.tensor.shape[axis]) rows where meta.json says \(count)", at: .init(file: file))
    }
    box.keep(count, axis: axis)
  }

  /// The axis of the tokens of a step's file; nil for files that have none.
  private static func rowAxis(_ base: String, rank: Int) -> Int? {
    if base.hasPrefix("hidden_block"), rank == 3 { return 1 }
    // [1, 1, rows, columns].
    if base == "attention_mask", rank == 4 { return 2 }
    if base == "position_ids" || base == "tokens", rank >= 1 { return rank - 1 }
    if base == "logits", rank >= 2 { return rank - 2 }
    return nil
  }

  /// Tokens in the cache after the last step; nil when the folder has no steps.
  private func lastCount() throws(IngotError) -> Int? {
    let folders = names.map { $0.split(separator: "/").dropLast() }
    let steps = folders.filter { $0.last?.hasPrefix("step_") == true }.map { $0.joined(separator: "/") }
    guard let last = steps.max() else { return nil }
    return try meta(last, "next_past_len")
  }

  /// A count in a folder's `meta.json`; nil when there is no such file.
  private func meta(_ folder: String, _ key: String) throws(IngotError) -> Int? {
    let file = (folder.isEmpty ? path : path + "/" + folder) + "/meta.json"
    guard access(file, F_OK) == 0 else { return nil }
    guard let value = try JSONParser.parse(path: file)[key]?.int, value >= 0 else {
      throw IngotError(.format, "not a count", at: .init(file: file, key: key))
    }
    return value
  }
}
