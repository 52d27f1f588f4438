internal import Checkpoints
package import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The few questions to the file system that stages have.
package enum Files {
  /// A path in a folder.
  package static func join(_ folder: String, _ name: String) -> String {
    FileSystem.join(folder, name)
  }

  /// Whether something is there.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }

  /// Whether a folder is there.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Makes a folder and those above it, as far as they are missing.
  /// - Throws: `.io`.
  package static func makeFolder(_ path: String) throws(IngotError) {
    if isFolder(path) { return }
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    if let slash = trimmed.lastIndex(of: "/"), slash != trimmed.startIndex {
      try makeFolder(String(trimmed[..<slash]))
    }
    guard mkdir(trimmed, 0o755) == 0 || errno == EEXIST && isFolder(trimmed) else {
      throw .system("cannot make the folder", path: path)
    }
  }

  /// Names in a folder, sorted; none when the folder is not there.
  /// - Throws: `.io` when it cannot be listed.
  package static func names(in path: String) throws(IngotError) -> [String] {
    exists(path) ? try FileSystem.names(in: path, includingHidden: true) : []
  }

  /// Removes a file, if it is there.
  /// - Throws: `.io`.
  package static func remove(_ path: String) throws(IngotError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .system("cannot remove", path: path) }
  }

  /// Removes a folder if it is empty.
  package static func removeEmptyFolder(_ path: String) { _ = rmdir(path) }
}
