/// Where every initialiser of an export lies: data files and the pieces in them, planned before anything is read.
///
/// A piece lies once, whichever models of the export read it.
package struct WeightLayout: Sendable {
  /// A data file.
  package struct File: Sendable {
    /// Path from the export's folder.
    package var path: String
    /// What it holds, in order; `offsets[i]` is the offset of the piece's i-th tensor.
    package var pieces: [(piece: WeightPiece, offsets: [Int])] = []
    package var byteCount = 0
  }
  /// A tensor's place.
  package struct Location: Sendable, Hashable {
    package var path: String
    package var offset: Int
  }

  package private(set) var files: [File] = []
  private var placed: [WeightPiece: [Location]] = [:]

  package init() {}

  /// Places a piece, in a file of this path unless it has a place already.
  /// - Returns: the place of each of its tensors.
  package mutating func place(_ piece: WeightPiece, in path: String) -> [Location] {
    if let known = placed[piece] { return known }
    let index = files.firstIndex { $0.path == path } ?? files.count
    if index == files.count { files.append(File(path: path)) }
    var offsets: [Int] = []
    for tensor in piece.tensors {
      // Runtimes map the file: large tensors begin at pages.
      let alignment = tensor.byteCount >= 1 << 16 ? 4096 : 64
      let offset = (files[index].byteCount + alignment - 1) / alignment * alignment
      offsets.append(offset)
      files[index].byteCount = offset + tensor.byteCount
    }
    files[index].pieces.append((piece, offsets))
    let locations = offsets.map { Location(path: path, offset: $0) }
    placed[piece] = locations
    return locations
  }
}
