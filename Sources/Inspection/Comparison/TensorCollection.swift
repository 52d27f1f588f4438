public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Named tensors in files: a `.npz` archive, a folder with `.npy` files below it, or one `.npy` file.
public struct TensorCollection: Sendable {
  private enum Source: Sendable {
    case archive(NPZFile)
    case folder(RunFolder)
    case file(String)
  }

  /// The path it was opened by.
  public let path: String
  /// Names of the tensors: those of the archive, or paths below the folder without `.npy`.
  public let names: [String]
  private let source: Source

  /// Lists the tensors; reads none.
  /// - Throws: `.io`; `.format` for a damaged archive; `.argument` for a folder without `.npy` files.
  public init(_ path: String) throws(IngotError) {
    self.path = path
    if isFolder(path) {
      let folder = try RunFolder(path)
      (names, source) = (folder.names, .folder(folder))
    } else if path.hasSuffix(".npy") {
      (names, source) = (["array"], .file(path))
    } else {
      let archive = try NPZFile(path: path)
      (names, source) = (archive.names, .archive(archive))
    }
  }

  /// A tensor, without padding where the files beside it say what is padding.
  /// - Throws: `.io`, `.format`, `.unsupported`, naming file and tensor.
  func box(_ name: String) throws(IngotError) -> TensorBox {
    switch source {
    case .archive(let file): return TensorBox(try file.tensor(name))
    case .folder(let folder): return try folder.box(name)
    case .file(let path): return TensorBox(try NPY.read(path: path))
    }
  }
}

/// Whether a path is a folder.
func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
