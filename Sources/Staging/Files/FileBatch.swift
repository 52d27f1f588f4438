package import IngotCore

/// Files that are written first and named afterwards, in the order they were added: when one cannot be
/// written, none has appeared.
package final class FileBatch {
  /// A file without its name yet.
  private final class Pending {
    var array: NPYWriter?
    var text: AtomicFile?

    init(array: consuming NPYWriter) { self.array = consume array }
    init(text: consuming AtomicFile) { self.text = consume text }

    func commit() throws(IngotError) {
      if let array = array.take() { try array.commit() }
      if let text = text.take() { try text.commit() }
    }
  }

  private var files: [Pending] = []

  /// An empty batch.
  package init() {}

  /// Adds a tensor as a NumPy file.
  /// - Throws: `.io`.
  package func add(_ tensor: HostTensor, _ path: String) throws(IngotError) {
    var writer = try NPYWriter(path: path, dtype: tensor.dtype, shape: tensor.shape)
    try writer.append(tensor.bytes)
    files.append(Pending(array: writer))
  }

  /// Adds a text.
  /// - Throws: `.io`.
  package func add(_ text: String, _ path: String) throws(IngotError) {
    let file = try AtomicFile(path: path)
    try file.write(text)
    files.append(Pending(text: file))
  }

  /// Gives the files their names.
  /// - Throws: `.io`.
  package func commit() throws(IngotError) {
    defer { files = [] }
    for file in files { try file.commit() }
  }
}
