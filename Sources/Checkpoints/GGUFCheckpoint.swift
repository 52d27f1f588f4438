import IngotCore

/// A model in one GGUF file, or in the parts of one.
final class GGUFCheckpoint: Checkpoint {
  let path: String
  let config: DecoderConfig
  let metadata: GGUFMetadata?
  private let table: TensorTable

  /// Opens a file and, if it is the first part of a split model, the other parts beside it.
  convenience init(path: String) throws(IngotError) {
    let first = try Self.file(MappedFile(path: path))
    try self.init(path: path, files: [first] + GGUFPart.others(of: first, path: path))
  }

  /// Views a whole model that is mapped already.
  convenience init(_ file: MappedFile) throws(IngotError) {
    try self.init(path: file.path, files: [Self.file(file)])
  }

  private static func file(_ file: MappedFile) throws(IngotError) -> GGUFFile {
    try GGUFFile(file) { metadata throws(IngotError) in try GGUFNames(metadata) }
  }

  init(path: String, files: [GGUFFile]) throws(IngotError) {
    self.path = path
    var table = TensorTable()
    for tensor in files.flatMap(\.tensors) { try table.append(tensor) }
    let metadata = files[0].metadata
    var config = try DecoderConfig(gguf: metadata, tensors: table)
    config.tiesEmbeddings = try table.tiesEmbeddings(flag: false)
    (self.metadata, self.config, self.table) = (metadata, config, table)
  }

  var tensorNames: [String] { table.names }
  func tensor(named name: String) -> CheckpointTensor? { table[name] }
}

/// The place of a file in a split model, by its name: `model-00002-of-00005.gguf`.
/// Source: `gguf-split`, llama.cpp.
struct GGUFPart {
  let base: String
  let number: Int
  let count: Int

  init?(name: String) {
    guard let match = name.wholeMatch(of: /(.*)-(\d{5})-of-(\d{5})\.gguf/),
      let number = Int(match.2), let count = Int(match.3)
    else { return nil }
    (base, self.number, self.count) = (String(match.1), number, count)
  }

  func name(of number: Int) -> String {
    func digits(_ value: Int) -> String {
      let text = "\(value)"
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return "\(base)-\(digits(number))-of-\(digits(count)).gguf"
  }

  /// The other parts of the model that `first` begins; none for a whole model.
  /// - Throws: `.io` naming the missing parts; `.format` when names and metadata disagree.
  static func others(of first: GGUFFile, path: String) throws(IngotError) -> [GGUFFile] {
    let count = try first.metadata.integer("split.count") ?? 0
    guard count > 1 else { return [] }
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    let directory = slash.map { String(path[..<$0]) } ?? "."
    let place = IngotError.Place(file: path, key: "split.count")
    guard let part = GGUFPart(name: name), part.count == count else {
      throw IngotError(
        .format, "the file is one of \(count) parts, but its name does not end in -00001-of-\(count).gguf",
        at: place, hint: "give the parts their original names")
    }
    guard part.number == 1, try first.metadata.integer("split.no") ?? 0 == 0 else {
      throw IngotError(
        .argument, "the file is part \(part.number) of \(count)", at: place, hint: "name \(part.name(of: 1))")
    }
    let paths = (2...count).map { FileSystem.join(directory, part.name(of: $0)) }
    let missing = paths.filter { !FileSystem.exists($0) }
    guard missing.isEmpty else {
      let some = missing.prefix(4).joined(separator: ", ") + (missing.count > 4 ? ", …" : "")
      throw IngotError(.io, "\(missing.count) of \(count) parts are missing: \(some)", at: place)
    }
    let names = try GGUFNames(first.metadata)
    var files: [GGUFFile] = []
    for path in paths { files.append(try GGUFFile(MappedFile(path: path)) { _ in names }) }
    return files
  }
}
