internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The machine this process runs on, as far as the system tells: processors it may use, caches, memory.
public struct Machine: Sendable, Equatable {
  /// A cache as one processor sees it.
  public struct Cache: Sendable, Equatable {
    /// What it holds.
    public enum Kind: String, Sendable { case data, instruction, unified }
    /// 1 is nearest to the processor.
    public var level: Int
    /// What it holds.
    public var kind: Kind
    /// Its size.
    public var byteCount: Int
    /// Threads (logical processors) that share it.
    public var sharedBy: Int

    /// Describes a cache.
    public init(level: Int, kind: Kind, byteCount: Int, sharedBy: Int) {
      (self.level, self.kind, self.byteCount, self.sharedBy) = (level, kind, byteCount, sharedBy)
    }
  }

  /// The processor's name, as `AMD EPYC 9654`.
  public var model = "unknown processor"
  /// Logical processors this process may run on.
  public var threads = 1
  /// Cores among them: two hardware threads of a core count once.
  public var physicalCores = 1
  /// Those of the cores that are of the fast kind, where there are two kinds.
  public var performanceCores: Int?
  /// Caches of the first of the processors, nearest first.
  public var caches: [Cache] = []
  /// Memory nodes.
  public var numaNodes = 1
  /// Bytes of memory; nil where the system does not say.
  public var memory: Int?
  /// The fastest instruction set of ours that it runs.
  public var instructionSet = InstructionSet.best

  /// A machine of which nothing is known.
  public init() {}

  /// The machine, looked at once: a process that later keeps to fewer processors sees the first answer.
  public static var current: Machine { found }
  private static let found = Machine.look()

  /// Bytes of the cache for data at a level; nil where there is none or nothing is known.
  public func cacheBytes(level: Int) -> Int? {
    caches.first { $0.level == level && $0.kind != .instruction }?.byteCount
  }

  /// Bytes of the largest cache, one instance of it; nil where nothing is known.
  public var lastLevelCacheBytes: Int? {
    caches.filter { $0.kind != .instruction }.max { $0.level < $1.level }?.byteCount
  }

  private static func look() -> Machine {
    #if canImport(Darwin)
      darwin()
    #else
      linux()
    #endif
  }
}

extension Machine: CustomStringConvertible {
  /// In one line.
  public var description: String {
    func count(_ number: Int, _ name: String) -> String { "\(number) \(name)\(number == 1 ? "" : "s")" }
    var parts = [model, count(physicalCores, "core"), count(threads, "thread")]
    if let performanceCores { parts.append("\(performanceCores) of the cores fast") }
    for cache in caches where cache.kind != .instruction {
      parts.append("L\(cache.level)\(cache.kind == .data ? "d" : "") \(Machine.size(cache.byteCount))")
    }
    parts.append(count(numaNodes, "memory node"))
    if let memory { parts.append(Machine.size(memory)) }
    parts.append(instructionSet.rawValue)
    return parts.joined(separator: ", ")
  }

  /// Bytes in KiB, MiB or GiB, with a decimal where the number is small.
  package static func size(_ bytes: Int) -> String {
    let (unit, name) =
      bytes < 1 << 20 ? (1 << 10, "KiB") : bytes < 1 << 30 ? (1 << 20, "MiB") : (1 << 30, "GiB")
    let tenths = (bytes * 10 + unit / 2) / unit
    return tenths % 10 == 0 || tenths >= 1000
      ? "\((tenths + 5) / 10) \(name)" : "\(tenths / 10).\(tenths % 10) \(name)"
  }
}

#if canImport(Darwin)
  extension Machine {
    private static func number(_ name: String) -> Int? {
      var value = Int64(0)
      var size = MemoryLayout<Int64>.size
      guard sysctlbyname(name, &value, &size, nil, 0) == 0, value > 0 else { return nil }
      // Some names hold 32 bits; the machine is little-endian and the rest is zero.
      return Int(value)
    }

    private static func darwin() -> Machine {
      var machine = Machine()
      var name = [UInt8](repeating: 0, count: 256)
      var size = name.count
      if sysctlbyname("machdep.cpu.brand_string", &name, &size, nil, 0) == 0 {
        machine.model = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
      }
      machine.threads = number("hw.logicalcpu") ?? ThreadPool.processorCount
      machine.physicalCores = number("hw.physicalcpu") ?? machine.threads
      if let fast = number("hw.perflevel0.physicalcpu"), fast < machine.physicalCores {
        machine.performanceCores = fast
      }
      // The fast cores' caches, where there are two kinds.
      for (level, kind, key) in [
        (1, Cache.Kind.instruction, "l1icachesize"), (1, .data, "l1dcachesize"), (2, .unified, "l2cachesize"),
        (3, .unified, "l3cachesize"),
      ] {
        guard let bytes = number("hw.perflevel0.\(key)") ?? number("hw.\(key)") else { continue }
        let shared = level == 1 ? 1 : number("hw.perflevel0.cpusperl\(level)") ?? machine.threads
        machine.caches.append(Cache(level: level, kind: kind, byteCount: bytes, sharedBy: shared))
      }
      machine.memory = number("hw.memsize") ?? physicalMemory
      return machine
    }
  }
#endif
