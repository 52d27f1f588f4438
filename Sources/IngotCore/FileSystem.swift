#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The few questions to the file system that opening a model needs.
package enum FileSystem {
  package enum Item { case file, directory, other, missing }

  package static func item(at path: String) -> Item {
    var status = stat()
    guard stat(path, &status) == 0 else { return .missing }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    default: return .other
    }
  }

  package static func exists(_ path: String) -> Bool { item(at: path) != .missing }

  /// Names in a directory, sorted; hidden ones only if asked for, and never `.` and `..`.
  package static func names(
    in path: String, includingHidden: Bool = false
  ) throws(IngotError) -> [String] {
    guard let directory = opendir(path) else { throw .system("cannot list the directory", path: path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if includingHidden ? name != "." && name != ".." : !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  package static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
  }
}

extension UnsafeRawBufferPointer {
  /// Whether two ranges hold the same bytes, by `memcmp`.
  package func elementsEqualFast(_ other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let a = baseAddress, let b = other.baseAddress, count > 0 else { return true }
    return a == b || memcmp(a, b, count) == 0
  }
}
