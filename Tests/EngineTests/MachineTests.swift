import Engine
import Foundation
import TestSupport
import Testing

@Suite struct MachineTests {
  /// A tree as the kernel shows it.
  private func tree(_ files: [String: String]) throws -> Folder {
    let root = try Folder()
    for (path, text) in files { try root.write(text, to: path) }
    return root
  }

  private func machine(_ files: [String: String], processors: Int = 7) throws -> Machine {
    let root = try tree(files)
    return Machine.linux(root: root.path, processors: processors, memory: 8 << 30)
  }

  private func processor(_ index: Int, _ siblings: String) -> [String: String] {
    ["sys/devices/system/cpu/cpu\(index)/topology/core_cpus_list": siblings + "\n"]
  }

  @Test func hardwareThreadsOfACoreCountOnceAndOnlyAllowedOnesCount() throws {
    var files = ["proc/self/status": "Name:\tx\nCpus_allowed_list:\t0-2,5\n"]
    // Cores {0, 4}, {1, 5}, {2, 6}, {3, 7}; of the last none is allowed.
    for index in 0..<8 { files.merge(processor(index, "\(index % 4),\(index % 4 + 4)")) { $1 } }
    files["proc/cpuinfo"] = "processor\t: 0\nmodel name\t:  Some  CPU\n\nprocessor : 1\nmodel name : Other\n"
    files["sys/devices/system/node/online"] = "0-1\n"
    let machine = try machine(files)
    #expect(machine.threads == 4)
    #expect(machine.physicalCores == 3)
    #expect(machine.performanceCores == nil)
    #expect(machine.model == "Some CPU")
    #expect(machine.numaNodes == 2)
    #expect(machine.memory == 8 << 30)
  }

  @Test func fastCoresAreTold() throws {
    // Two fast cores of two threads, and four small ones, as Intel's hybrids show them.
    var files = [
      "proc/self/status": "Cpus_allowed_list: 0-7\n", "sys/devices/cpu_core/cpus": "0-3\n",
    ]
    for index in 0..<4 { files.merge(processor(index, "\(index / 2 * 2)-\(index / 2 * 2 + 1)")) { $1 } }
    for index in 4..<8 { files.merge(processor(index, "\(index)")) { $1 } }
    let hybrid = try machine(files)
    #expect(hybrid.physicalCores == 6 && hybrid.performanceCores == 2)
    // ARM tells capacities.
    var arm = ["proc/self/status": "Cpus_allowed_list: 0-3\n"]
    for index in 0..<4 {
      arm.merge(processor(index, "\(index)")) { $1 }
      arm["sys/devices/system/cpu/cpu\(index)/cpu_capacity"] = index < 3 ? "450" : "1024"
    }
    #expect(try machine(arm).performanceCores == 1)
  }

  @Test func cachesAreReadInOrder() throws {
    var files = ["proc/self/status": "Cpus_allowed_list: 1\n"]
    let caches = [
      ("3", "Unified", "32M", "0-7"), ("1", "Data", "48K", "1"), ("1", "Instruction", "32768", "1"),
    ]
    for (index, cache) in caches.enumerated() {
      let path = "sys/devices/system/cpu/cpu1/cache/index\(index)"
      (files["\(path)/level"], files["\(path)/type"]) = (cache.0, cache.1 + "\n")
      (files["\(path)/size"], files["\(path)/shared_cpu_list"]) = (cache.2 + "\n", cache.3)
    }
    let machine = try machine(files)
    #expect(
      machine.caches == [
        .init(level: 1, kind: .data, byteCount: 48 << 10, sharedBy: 1),
        .init(level: 1, kind: .instruction, byteCount: 32 << 10, sharedBy: 1),
        .init(level: 3, kind: .unified, byteCount: 32 << 20, sharedBy: 8),
      ])
    #expect(machine.cacheBytes(level: 1) == 48 << 10)
    #expect(machine.cacheBytes(level: 2) == nil)
    #expect(machine.lastLevelCacheBytes == 32 << 20)
  }

  @Test(arguments: [
    [:], ["proc/self/status": "Cpus_allowed_list: 4294967295,x\n", "proc/cpuinfo": ":::\n\n"],
    ["proc/self/status": "", "sys/devices/system/node/online": "-"],
    ["sys/devices/system/cpu/cpu0/cache/index0/level": "9999999999999999999999"],
  ])
  func whatIsMissingOrOddIsFilledIn(files: [String: String]) throws {
    let machine = try machine(files)
    #expect(machine.threads == 7 && machine.physicalCores == 7)
    #expect(machine.numaNodes == 1 && machine.caches.isEmpty)
    #expect(machine.model == "unknown processor")
    #expect(machine.lastLevelCacheBytes == nil)
  }

  @Test func listsOfProcessors() {
    #expect(Machine.processorList("0-3,8,10-11\n") == [0, 1, 2, 3, 8, 10, 11])
    #expect(Machine.processorList("") == [])
    for odd in ["3-1", "a", "1-2-3", "-", "0-99999999", "1,-2"] { #expect(Machine.processorList(odd) == nil) }
  }

  @Test func thisMachineIsPlausible() {
    let machine = Machine.current
    #expect(machine.threads >= 1 && (1...machine.threads).contains(machine.physicalCores))
    #expect(machine.description.contains(machine.instructionSet.rawValue))
  }

  @Test(arguments: InstructionSet.available, [1, 2]) func limitsAreNumbers(set: InstructionSet, threads: Int)
  {
    var options = EngineOptions(threads: threads)
    (options.instructionSet, options.spins) = (set, 0)
    // A buffer of the least size: the number itself is not of interest.
    var small = Machine()
    small.memory = 1
    let limits = MachineLimits.measure(options, machine: small)
    for value in [limits.readBandwidth, limits.int8Operations, limits.floatOperations] {
      #expect(value.isFinite && value > 1e6)
    }
    #expect(limits.forkJoin.isFinite && limits.forkJoin >= 0)
    #expect(threads > 1 || limits.forkJoin == 0)
    #expect(limits.threads == threads && limits.instructionSet == set)
  }
}
