package import IngotCore

/// Which files of an export are whole, kept in its folder so that an interrupted export can go on.
///
/// A file counts as finished when it was made by the same recipe and still has the digest it had: its name proves
/// nothing. A journal that cannot be read is an empty one.
package struct ExportJournal: Sendable {
  /// The journal's name in the folder.
  package static let fileName = "ingot-export.json"
  private static let version = 1

  /// A finished file.
  package struct Entry: Sendable, Equatable {
    /// From the folder.
    package var path: String
    package var bytes: Int
    /// In hexadecimal digits.
    package var sha256: String
    /// Digest of everything the bytes follow from.
    package var recipe: String
  }

  private let folder: String
  private let recipe: String
  package private(set) var entries: [Entry] = []

  /// Opens the journal of a folder.
  /// - Parameter recipe: digest of what the whole export follows from; noted for people, and not compared.
  package init(folder: String, recipe: String) {
    (self.folder, self.recipe) = (folder, recipe)
    guard let json = try? JSONParser.parse(path: place(Self.fileName)) else { return }
    guard case .object(let top) = json, top["version"]?.int == Self.version else { return }
    entries = (top["files"]?.array ?? []).compactMap(Entry.init)
  }

  /// Whether the file on disk is what this recipe makes; reads all of it, unless its length tells already.
  package func isFinished(_ path: String, recipe: String) -> Bool {
    guard let entry = entries.last(where: { $0.path == path }), entry.recipe == recipe else { return false }
    guard FileIdentity.ofRegularFile(place(path))?.byteCount == entry.bytes else { return false }
    return (try? digestOfFile(place(path))) == entry.sha256
  }

  /// Notes a finished file, on disk too.
  /// - Throws: `.io` when the journal cannot be written.
  package mutating func record(
    _ path: String, bytes: Int, sha256: String, recipe: String
  ) throws(IngotError) {
    entries.removeAll { $0.path == path }
    entries.append(Entry(path: path, bytes: bytes, sha256: sha256, recipe: recipe))
    let top = JSONObject([
      .init("version", .int(Self.version)), .init("recipe", .string(self.recipe)),
      .init("files", .array(entries.map(\.json))),
    ])
    let file = try AtomicFile(path: place(Self.fileName))
    try file.write(JSONValue.object(top).indented + "\n")
    try file.commit(flushes: false)
  }

  private func place(_ name: String) -> String { folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)" }
}

extension ExportJournal.Entry {
  /// Nil for what is no entry.
  fileprivate init?(_ json: JSONValue) {
    guard case .object(let object) = json, let path = object["path"]?.string,
      let bytes = object["bytes"]?.int, let sha256 = object["sha256"]?.string,
      let recipe = object["recipe"]?.string
    else { return nil }
    self.init(path: path, bytes: bytes, sha256: sha256, recipe: recipe)
  }

  fileprivate var json: JSONValue {
    .object(
      JSONObject([
        .init("path", .string(path)), .init("bytes", .int(bytes)), .init("sha256", .string(sha256)),
        .init("recipe", .string(recipe)),
      ]))
  }
}
