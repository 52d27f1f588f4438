internal import COnnxRuntime
public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A model loaded into ONNX Runtime. Several threads may run it at once.
public final class OrtSession: @unchecked Sendable {
  /// How a model is loaded.
  public struct Options: Sendable {
    /// How far the graph is rewritten before it runs.
    public enum Optimization: Int32, Sendable {
      case none = 0, basic = 1, extended = 2, all = 99
    }
    /// Threads of one run; nil for what the library thinks best. The sessions of a process that ask for as many as
    /// the first one share its threads.
    public var threads: Int?
    /// How far the graph is rewritten.
    public var optimization = Optimization.all
    /// Whether memory for intermediate values is kept between runs.
    public var usesArena = true
    /// Whether the places of intermediate values are remembered for each set of input shapes; in decoding nearly
    /// every step has its own.
    public var usesMemoryPatterns = false
    /// Entries of the session's configuration, as `session.disable_prepacking`.
    public var entries: [String: String] = [:]

    /// The defaults, which fit decoding on the CPU.
    public init() {}
  }

  /// The library it is loaded into.
  public let runtime: OrtRuntime
  /// What errors call the model: its path.
  public let path: String
  /// The inputs that a run needs, in the model's order.
  public let inputs: [TensorPort]
  /// The outputs, in the model's order.
  public let outputs: [TensorPort]
  let handle: OpaquePointer
  private let names: PortNames

  /// Loads a model and the external data beside it.
  /// - Throws: `.io` for a missing file, `.format` for a broken one, `.unsupported` for operators or port types
  ///   that cannot be run.
  public convenience init(
    _ runtime: OrtRuntime, path: String, options: Options = Options()
  ) throws(IngotError) {
    guard access(path, R_OK) == 0 else { throw .system("cannot read the model", path: path) }
    try self.init(runtime, name: path, options) { env, settings, session in
      runtime.api.pointee.CreateSession(env, path, settings, session)
    }
  }

  /// Loads a model from memory, which is needed no longer than this call.
  /// - Parameters:
  ///   - externalDataFolder: where the files are that its tensors point to.
  ///   - name: what errors call the model.
  /// - Throws: as above.
  public convenience init(
    _ runtime: OrtRuntime, modelBytes: UnsafeRawBufferPointer, externalDataFolder: String,
    options: Options = Options(), name: String = "model in memory"
  ) throws(IngotError) {
    guard modelBytes.count > 0 else {
      throw IngotError(.format, "the model has no bytes", at: .init(file: name))
    }
    var options = options
    options.entries["session.model_external_initializers_file_folder_path"] = externalDataFolder
    try self.init(runtime, name: name, options) { env, settings, session in
      runtime.api.pointee.CreateSessionFromArray(
        env, modelBytes.baseAddress, modelBytes.count, settings, session)
    }
  }

  private init(
    _ runtime: OrtRuntime, name: String, _ options: Options,
    create: (OpaquePointer, OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>) -> OpaquePointer?
  ) throws(IngotError) {
    var made: OpaquePointer?
    try runtime.withEnvironment(threads: options.threads) { (env, sharesPool) throws(IngotError) in
      let settings = try runtime.makeSettings(options, sharesPool: sharesPool, file: name)
      defer { runtime.api.pointee.ReleaseSessionOptions(settings) }
      try runtime.check(create(env, settings, &made), "load the model", .format, file: name)
    }
    guard let made else {
      throw IngotError(.format, "ONNX Runtime made no session", at: .init(file: name))
    }
    do {
      inputs = try runtime.ports(of: made, .input, file: name)
      outputs = try runtime.ports(of: made, .output, file: name)
      names = try PortNames(inputs + outputs, file: name)
    } catch {
      runtime.api.pointee.ReleaseSession(made)
      throw error
    }
    (self.runtime, path, handle) = (runtime, name, made)
  }

  deinit { runtime.api.pointee.ReleaseSession(handle) }

  /// The input of a name.
  public func input(_ name: String) -> TensorPort? { inputs.first { $0.name == name } }
  /// The output of a name.
  public func output(_ name: String) -> TensorPort? { outputs.first { $0.name == name } }

  /// A port's name for C, as long as the session lives.
  func cName(_ name: String) -> UnsafePointer<CChar>? { names[name] }
}

/// The names of a session's ports, ready for C.
private struct PortNames {
  private let pointers: [String: UnsafePointer<CChar>]
  private let storage: AlignedBuffer

  init(_ ports: [TensorPort], file: String) throws(IngotError) {
    let bytes: [UInt8] = ports.flatMap { Array($0.name.utf8) + [UInt8(0)] }
    do { storage = try AlignedBuffer(byteCount: bytes.count) } catch { throw error.inFile(file) }
    storage.bytes.copyBytes(from: bytes)
    var pointers: [String: UnsafePointer<CChar>] = [:]
    var offset = 0
    for port in ports {
      pointers[port.name] = UnsafePointer((storage.base + offset).assumingMemoryBound(to: CChar.self))
      offset += port.name.utf8.count + 1
    }
    self.pointers = pointers
  }

  subscript(name: String) -> UnsafePointer<CChar>? { pointers[name] }
}

extension OrtRuntime {
  /// Session options, to be released.
  fileprivate func makeSettings(
    _ options: OrtSession.Options, sharesPool: Bool, file: String
  ) throws(IngotError) -> OpaquePointer? {
    var settings: OpaquePointer?
    try check(api.pointee.CreateSessionOptions(&settings), "make session options", .memory, file: file)
    do throws(IngotError) {
      var statuses = [
        api.pointee.SetSessionGraphOptimizationLevel(settings, options.optimization.rawValue),
        options.usesArena
          ? api.pointee.EnableCpuMemArena(settings) : api.pointee.DisableCpuMemArena(settings),
        options.usesMemoryPatterns
          ? api.pointee.EnableMemPattern(settings) : api.pointee.DisableMemPattern(settings),
        sharesPool
          ? api.pointee.DisablePerSessionThreads(settings)
          : api.pointee.SetIntraOpNumThreads(settings, Int32(clamping: options.threads ?? 0)),
        api.pointee.SetInterOpNumThreads(settings, 1),
      ]
      for (key, value) in options.entries {
        statuses.append(api.pointee.AddSessionConfigEntry(settings, key, value))
      }
      let failures = statuses.compactMap { IngotError(api, $0, "take the session's options", .argument) }
      if let failure = failures.first { throw failure.inFile(file) }
      return settings
    } catch {
      api.pointee.ReleaseSessionOptions(settings)
      throw error
    }
  }
}
