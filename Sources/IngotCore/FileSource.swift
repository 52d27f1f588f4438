/// The small files of a model by name: those of a folder, or those that one file holds.
public protocol FileSource: Sendable {
  /// The folder or file, for messages.
  var path: String { get }
  /// Names, sorted; those in a folder within have its name and a slash in front.
  var names: [String] { get }
  /// A file's bytes.
  /// - Throws: `.io` when there is none of this name.
  func file(_ name: String) throws(IngotError) -> MappedFile
}

/// The files of a folder, and of the folders in it that are asked for.
public struct FolderFiles: FileSource {
  /// The folder.
  public let path: String
  /// Names, sorted.
  public let names: [String]

  /// Lists a folder.
  /// - Parameter subfolders: folders within whose files count too, if they are there.
  /// - Throws: `.io` when it cannot be listed.
  public init(_ path: String, subfolders: [String] = []) throws(IngotError) {
    self.path = path
    var names = try FileSystem.names(in: path)
    for folder in subfolders where names.contains(folder) {
      if let more = try? FileSystem.names(in: FileSystem.join(path, folder)) {
        names += more.map { "\(folder)/\($0)" }
      }
    }
    self.names = names.sorted()
  }

  /// Maps a file; see `FileSource`.
  public func file(_ name: String) throws(IngotError) -> MappedFile {
    try MappedFile(path: FileSystem.join(path, name))
  }
}
