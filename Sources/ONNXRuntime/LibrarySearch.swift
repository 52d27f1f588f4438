package import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Where ONNX Runtime's library may be.
package struct LibrarySearch {
  package typealias Environment = [String: String]
  package let environment: Environment

  package init(environment: Environment) { self.environment = environment }

  static let variable = "INGOT_ORT_LIBRARY"
  static let installHint =
    "pip install onnxruntime, or give the library's path with --ort-library or \(variable)"

  /// The variables that the search looks at.
  static var processEnvironment: Environment {
    var values: Environment = [:]
    for name in [variable, "VIRTUAL_ENV", "CONDA_PREFIX", "PATH", "HOME"] {
      if let value = getenv(name) { values[name] = String(cString: value) }
    }
    return values
  }

  /// Opens the first library that works; a path that was given is the only one tried.
  package func load<Library>(
    _ library: String?, open: (String) throws(IngotError) -> Library
  ) throws(IngotError) -> Library {
    if let library { return try openNamed(library, by: "--ort-library", open) }
    if let path = environment[Self.variable], !path.isEmpty {
      return try openNamed(path, by: Self.variable, open)
    }
    var failures: [IngotError] = []
    for path in wheelLibraries() {
      do throws(IngotError) { return try open(path) } catch { failures.append(error) }
    }
    for name in Self.systemNames {
      do throws(IngotError) { return try open(name) } catch {
        // Of a name without a file there is nothing to tell.
        if error.kind != .io { failures.append(error) }
      }
    }
    if let failure = failures.first { throw failure }
    throw IngotError(.io, "ONNX Runtime was not found", hint: Self.installHint)
  }

  private func openNamed<Library>(
    _ path: String, by source: String, _ open: (String) throws(IngotError) -> Library
  ) throws(IngotError) -> Library {
    guard !path.isEmpty else { throw IngotError(.argument, "\(source) is empty", hint: Self.installHint) }
    // A bare name would be looked up among the system's libraries.
    let file = path.contains("/") ? path : "./\(path)"
    guard access(file, F_OK) == 0 else {
      throw IngotError(
        .io, "no such file, named by \(source)", at: .init(file: path), hint: Self.installHint)
    }
    do {
      return try open(file)
    } catch {
      var named = error
      named.hint = named.hint ?? "\(source) names this file; " + Self.installHint
      throw named
    }
  }

  #if canImport(Darwin)
    private static let systemNames = [
      "libonnxruntime.dylib", "/opt/homebrew/lib/libonnxruntime.dylib", "/usr/local/lib/libonnxruntime.dylib",
    ]
    private static func isLibrary(_ name: String) -> Bool {
      name.hasPrefix("libonnxruntime.") && name.hasSuffix(".dylib")
    }
  #else
    private static let systemNames = ["libonnxruntime.so.1", "libonnxruntime.so"]
    private static func isLibrary(_ name: String) -> Bool {
      name.hasPrefix("libonnxruntime.so")
    }
  #endif

  /// The libraries of all wheels installed, in the order of preference.
  package func wheelLibraries() -> [String] {
    var found: [String] = []
    for prefix in prefixes() {
      for folder in Self.packageFolders(of: prefix) {
        let capi = "\(folder)/onnxruntime/capi"
        for name in Self.names(in: capi).filter(Self.isLibrary).sorted(by: Self.isNewer) {
          let path = "\(capi)/\(name)"
          if !found.contains(path) { found.append(path) }
        }
      }
    }
    return found
  }

  /// Folders that a Python may be installed in: what holds `bin` and `lib`.
  private func prefixes() -> [String] {
    var found: [String] = []
    func add(_ path: String) {
      if !path.isEmpty, !found.contains(path) { found.append(path) }
    }
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] { add(environment[name] ?? "") }
    for folder in (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    where folder.hasPrefix("/") {
      let python = "\(folder)/python3"
      guard access(python, X_OK) == 0 else { continue }
      // An environment's python3 is a link: its packages are beside the link, others beside its target.
      add(Self.parent(folder))
      if let target = realpath(python, nil) {
        add(Self.parent(Self.parent(String(cString: target))))
        free(target)
      }
    }
    if let home = environment["HOME"], !home.isEmpty {
      add("\(home)/.local")
      for version in Self.names(in: "\(home)/Library/Python") { add("\(home)/Library/Python/\(version)") }
    }
    add("/usr/local")
    add("/usr")
    return found
  }

  /// `lib/python3*/site-packages` and its kin, newest Python first.
  private static func packageFolders(of prefix: String) -> [String] {
    ["lib", "lib64"].flatMap { lib in
      names(in: "\(prefix)/\(lib)").filter { $0.hasPrefix("python") }.sorted(by: isNewer).flatMap { python in
        ["site-packages", "dist-packages"].map { "\(prefix)/\(lib)/\(python)/\($0)" }
      }
    }
  }

  private static func parent(_ path: String) -> String {
    var parts = path.split(separator: "/")
    _ = parts.popLast()
    return "/" + parts.joined(separator: "/")
  }

  /// Whether the numbers in a name are those of a later version.
  private static func isNewer(_ a: String, _ b: String) -> Bool {
    let (left, right) = (numbers(a), numbers(b))
    return left == right ? a < b : right.lexicographicallyPrecedes(left)
  }

  private static func numbers(_ name: String) -> [Int] {
    name.split { !("0"..."9").contains($0) }.compactMap { Int($0) }
  }

  /// Names in a folder; none for a folder that cannot be read.
  private static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names
  }
}
