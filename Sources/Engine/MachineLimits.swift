internal import CKernels

/// What the machine reaches at best on a number of threads: measured in registers and over memory, so that the
/// speed of a model can be told as a fraction of it.
public struct MachineLimits: Sendable, Equatable {
  /// Threads it was measured on.
  public var threads: Int
  /// The instruction set it was measured with.
  public var instructionSet: InstructionSet
  /// Bytes per second read from a buffer far larger than the caches.
  public var readBandwidth: Double
  /// Operations per second (multiply and add are two) of 8-bit products in registers. With AVX2 that is what
  /// `vpmaddubsw` and 16-bit additions reach, without the widening that real sums need now and then.
  public var int8Operations: Double
  /// The same of 32-bit floats, by fused multiply-adds where the instruction set has them.
  public var floatOperations: Double
  /// Seconds a fork-join costs beyond the work in it; 0 on one thread.
  public var forkJoin: Double

  /// Takes measurements from elsewhere.
  public init(
    threads: Int, instructionSet: InstructionSet = .best, readBandwidth: Double, int8Operations: Double,
    floatOperations: Double, forkJoin: Double
  ) {
    (self.threads, self.instructionSet, self.forkJoin) = (threads, instructionSet, forkJoin)
    (self.readBandwidth, self.int8Operations) = (readBandwidth, int8Operations)
    self.floatOperations = floatOperations
  }

  /// Measures on the pool that engines of these options use; about 0.6 s, and for its time some hundred MiB.
  public static func measure(_ options: EngineOptions, machine: Machine = .current) -> MachineLimits {
    let pool = ThreadPool.shared(threads: options.threads, spins: options.spins)
    let (threads, isa) = (Int32(options.threads), options.instructionSet.kernelValue)
    return withExtendedLifetime(pool) {
      MachineLimits(
        threads: options.threads, instructionSet: options.instructionSet,
        readBandwidth: ingot_limit_read(pool.handle, threads, isa, bufferBytes(machine), 0.25),
        int8Operations: ingot_limit_int8(pool.handle, threads, isa, 0.1),
        floatOperations: ingot_limit_f32(pool.handle, threads, isa, 0.1),
        forkJoin: ingot_limit_fork_join(pool.handle, threads, isa))
    }
  }

  /// Well beyond the last-level cache (there may be several), and no burden to the machine.
  private static func bufferBytes(_ machine: Machine) -> Int {
    let wanted = max(256 << 20, 4 * (machine.lastLevelCacheBytes ?? 0))
    return min(wanted, 1 << 30, max(16 << 20, (machine.memory ?? .max) / 8))
  }
}
