internal import COnnxRuntime
public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// ONNX Runtime's library, loaded with dlopen: once per path, and kept as long as the process lives.
///
/// The wheel of `pip install onnxruntime` holds the library; nothing of Python runs.
public final class OrtRuntime: Sendable {
  /// The file that was loaded.
  public let libraryPath: String
  /// Its version, as `1.31.1`.
  public let version: String

  nonisolated(unsafe) let api: UnsafePointer<OrtApi>
  /// Describes main memory.
  nonisolated(unsafe) let memory: OpaquePointer
  /// Frees the names that the library hands out.
  nonisolated(unsafe) let allocator: OpaquePointer
  private let environment = Locked<Environment?>(nil)

  /// The oldest release we work with: 1.18 looks for external data where we say.
  package static let oldestMinorVersion: UInt32 = 18
  private static let loaded = Locked<[String: OrtRuntime]>([:])

  /// Loads the library, or returns it if it is loaded.
  /// - Parameter library: its path; nil looks in `INGOT_ORT_LIBRARY`, Python environments, then where the system
  ///   keeps libraries. A path that is given must work: nothing else is tried.
  /// - Throws: `.io` when there is none or it cannot be loaded, `.unsupported` when it is too old.
  public static func load(library: String? = nil) throws(IngotError) -> OrtRuntime {
    try LibrarySearch(environment: LibrarySearch.processEnvironment).load(library) {
      path throws(IngotError) in
      try loaded.withLock { (table) throws(IngotError) in
        if let known = table[path] { return known }
        let runtime = try open(path)
        table[path] = runtime
        // Two names of one file are one library.
        table[runtime.libraryPath] = table[runtime.libraryPath] ?? runtime
        return table[runtime.libraryPath] ?? runtime
      }
    }
  }

  private static func open(_ path: String) throws(IngotError) -> OrtRuntime {
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      let why = dlerror().map { String(cString: $0) } ?? "no reason given"
      throw IngotError(.io, "the library cannot be loaded: \(why)", at: .init(file: path))
    }
    guard let symbol = dlsym(handle, "OrtGetApiBase") else {
      dlclose(handle)
      throw IngotError(
        .io, "the library is not ONNX Runtime: it has no OrtGetApiBase", at: .init(file: path),
        hint: LibrarySearch.installHint)
    }
    let found = ingot_file_of_symbol(symbol).map { String(cString: $0) }
    guard let base = unsafeBitCast(symbol, to: OrtGetApiBaseFunction.self)() else {
      throw IngotError(.io, "ONNX Runtime gives no function table", at: .init(file: path))
    }
    return try OrtRuntime(base.pointee, path: found ?? path)
  }

  /// Takes the functions of a loaded library.
  /// - Throws: `.unsupported` when it is too old.
  private convenience init(_ base: OrtApiBase, path: String) throws(IngotError) {
    let version = base.GetVersionString().map { String(cString: $0) } ?? "unknown"
    // An older library prints to stderr when asked for a table it does not have, so its version is looked at first.
    if let failure = Self.versionFailure(version) { throw failure.inFile(path) }
    guard let api = base.GetApi(Self.oldestMinorVersion) else {
      throw IngotError(
        .unsupported, "ONNX Runtime \(version) does not have the functions of 1.\(Self.oldestMinorVersion)",
        at: .init(file: path), hint: "pip install --upgrade onnxruntime")
    }
    try self.init(api, path: path, version: version)
  }

  /// Why a version cannot be used; nil if it can.
  package static func versionFailure(_ version: String) -> IngotError? {
    let parts = version.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) }
    if parts.count >= 2, parts[0] == 1, let minor = parts[1], minor >= oldestMinorVersion { return nil }
    return IngotError(
      .unsupported,
      "ONNX Runtime \(version) cannot be used; Ingot needs 1.\(oldestMinorVersion) or a later 1.x",
      hint: "pip install --upgrade onnxruntime")
  }

  private init(_ api: UnsafePointer<OrtApi>, path: String, version: String) throws(IngotError) {
    var memory: OpaquePointer?
    var allocator: OpaquePointer?
    let deviceAllocator: Int32 = 0
    let defaultMemory: Int32 = 0
    for status in [
      api.pointee.CreateCpuMemoryInfo(deviceAllocator, defaultMemory, &memory),
      api.pointee.GetAllocatorWithDefaultOptions(&allocator),
    ] {
      if let failure = IngotError(api, status, "start", .io) { throw failure.inFile(path) }
    }
    guard let memory, let allocator else {
      throw IngotError(.io, "ONNX Runtime does not describe main memory", at: .init(file: path))
    }
    (self.api, self.memory, self.allocator) = (api, memory, allocator)
    (libraryPath, self.version) = (path, version)
  }

  /// The library's one environment, made by the first session, whose thread count its pool has.
  private struct Environment {
    let handle: OpaquePointer
    let threads: Int
  }

  /// The environment, and whether sessions of so many threads share its pool.
  ///
  /// Parts of a model run one after another: with a pool each, those that wait for work would keep the processors
  /// from those that have some.
  func withEnvironment(
    threads: Int?, _ body: (_ handle: OpaquePointer, _ sharesPool: Bool) throws(IngotError) -> Void
  ) throws(IngotError) {
    let wanted = threads ?? 0
    let environment = try environment.withLock { (known) throws(IngotError) in
      if let known { return known }
      let made = Environment(handle: try makeEnvironment(threads: wanted), threads: wanted)
      known = made
      return made
    }
    try body(environment.handle, environment.threads == wanted)
  }

  private func makeEnvironment(threads: Int) throws(IngotError) -> OpaquePointer {
    var options: OpaquePointer?
    try check(api.pointee.CreateThreadingOptions(&options), "make a thread pool", .memory)
    defer { api.pointee.ReleaseThreadingOptions(options) }
    try check(
      api.pointee.SetGlobalIntraOpNumThreads(options, Int32(clamping: threads)), "set threads", .argument)
    try check(api.pointee.SetGlobalInterOpNumThreads(options, 1), "set threads", .argument)
    var handle: OpaquePointer?
    // Only fatal messages are logged: what goes wrong comes back as a status.
    let fatal: Int32 = 4
    try check(
      api.pointee.CreateEnvWithGlobalThreadPools(fatal, "ingot", options, &handle), "start", .memory)
    guard let handle else {
      throw IngotError(.memory, "ONNX Runtime made no environment", at: .init(file: libraryPath))
    }
    return handle
  }
}
