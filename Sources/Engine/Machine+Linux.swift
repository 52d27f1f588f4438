internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What Linux shows under /proc and /sys. Containers hide parts of it, so every answer has another to fall back on.
extension Machine {
  /// Reads a tree as the kernel lays it out.
  /// - Parameters:
  ///   - root: in place of `/`, for tests.
  ///   - processors: how many to assume where the tree does not say.
  package static func linux(
    root: String = "", processors: Int = ThreadPool.processorCount, memory: Int? = physicalMemory
  ) -> Machine {
    var machine = Machine()
    let tree = SystemTree(root: root)
    let listed = tree.status("Cpus_allowed_list").flatMap(processorList)
    let allowed = listed.flatMap { $0.isEmpty ? nil : $0 } ?? Array(0..<max(1, processors))
    machine.threads = allowed.count
    machine.model = tree.processorName ?? machine.model
    // A core is named by the processors it has, which are unique where core numbers are not.
    let cores = allowed.map { tree.core(of: $0) }
    machine.physicalCores = Set(cores).count
    if let fast = tree.fastProcessors(among: allowed) {
      let fastCores = Set(zip(allowed, cores).filter { fast.contains($0.0) }.map(\.1)).count
      if fastCores < machine.physicalCores, fastCores > 0 { machine.performanceCores = fastCores }
    }
    machine.caches = tree.caches(of: allowed[0])
    let nodes = tree.text("sys/devices/system/node/online").flatMap(processorList)
    machine.numaNodes = max(1, nodes?.count ?? 1)
    machine.memory = memory
    return machine
  }

  /// A list as `0-3,8,10-11`; nil for anything else.
  package static func processorList(_ text: String) -> [Int]? {
    var numbers: [Int] = []
    for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, first <= last,
        first >= 0, last < 1 << 16
      else { return nil }
      numbers += Array(first...last)
    }
    return numbers
  }
}

/// Small files under a root.
private struct SystemTree {
  let root: String

  /// The text of a file, at most 1 MiB; nil when it cannot be read.
  func text(_ path: String) -> String? {
    let descriptor = open("\(root)/\(path)", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    // Such files have no size and are read until they end.
    while bytes.count < 1 << 20 {
      let count = withUnsafeTemporaryAllocation(byteCount: 1 << 14, alignment: 1) { buffer in
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { bytes += buffer.prefix(count) }
        return count
      }
      if count < 0 { return nil }
      if count == 0 { break }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A file of one line, without its end.
  private func line(_ path: String) -> String? {
    text(path)?.split(separator: "\n").first.map(String.init)
  }

  private func number(_ path: String) -> Int? { line(path).flatMap { Int($0) } }

  /// The value of `key: value` in a file.
  private func value(_ path: String, _ key: String) -> String? {
    for line in text(path)?.split(separator: "\n") ?? [] {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].split(whereSeparator: \.isWhitespace).joined(separator: " ") == key
      else { continue }
      let words = parts[1].split(whereSeparator: \.isWhitespace)
      return words.isEmpty ? nil : words.joined(separator: " ")
    }
    return nil
  }

  /// The calling thread's, as `Machine.keep` places threads; the process's where /proc is older than that.
  func status(_ key: String) -> String? {
    value("proc/thread-self/status", key) ?? value("proc/self/status", key)
  }

  var processorName: String? {
    if let name = value("proc/cpuinfo", "model name") { return name }
    // ARM names the board, and the core by numbers.
    if let board = line("proc/device-tree/model") { return String(board.prefix { $0 != "\0" }) }
    guard let part = value("proc/cpuinfo", "CPU part") else { return nil }
    return "processor \(value("proc/cpuinfo", "CPU implementer") ?? "?"):\(part)"
  }

  private func processor(_ index: Int) -> String { "sys/devices/system/cpu/cpu\(index)" }

  func core(of index: Int) -> String {
    let topology = processor(index) + "/topology"
    if let siblings = line("\(topology)/core_cpus_list") ?? line("\(topology)/thread_siblings_list") {
      return siblings
    }
    guard let core = number("\(topology)/core_id") else { return "processor \(index)" }
    return "core \(number("\(topology)/physical_package_id") ?? 0):\(core)"
  }

  /// The processors of the fast kind; nil where all are of one kind.
  func fastProcessors(among allowed: [Int]) -> Set<Int>? {
    if let fast = line("sys/devices/cpu_core/cpus").flatMap(Machine.processorList) { return Set(fast) }
    let capacities = allowed.map { number(processor($0) + "/cpu_capacity") ?? 0 }
    guard let best = capacities.max(), capacities.contains(where: { $0 != best }) else { return nil }
    return Set(zip(allowed, capacities).filter { $0.1 == best }.map(\.0))
  }

  func caches(of index: Int) -> [Machine.Cache] {
    var caches: [Machine.Cache] = []
    for entry in 0..<16 {
      let path = processor(index) + "/cache/index\(entry)"
      guard let level = number("\(path)/level"), let kind = line("\(path)/type").flatMap(Self.kind),
        let size = line("\(path)/size").flatMap(Self.bytes), size > 0
      else { continue }
      let shared = line("\(path)/shared_cpu_list").flatMap(Machine.processorList)?.count ?? 1
      caches.append(.init(level: level, kind: kind, byteCount: size, sharedBy: max(1, shared)))
    }
    return caches.sorted { ($0.level, $0.kind.rawValue) < ($1.level, $1.kind.rawValue) }
  }

  private static func kind(_ name: String) -> Machine.Cache.Kind? {
    .init(rawValue: name.lowercased())
  }

  /// `512K`, `32M` or a number.
  private static func bytes(_ text: String) -> Int? {
    let digits = text.prefix { $0.isNumber }
    guard let number = Int(digits), number < 1 << 40 else { return nil }
    switch text.dropFirst(digits.count).uppercased() {
    case "": return number
    case "K": return number << 10
    case "M": return number << 20
    case "G": return number << 30
    default: return nil
    }
  }
}
