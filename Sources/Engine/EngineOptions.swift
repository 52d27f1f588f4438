internal import CKernels

/// Element type of the key/value cache.
public enum KVType: String, Sendable, CaseIterable {
  /// 16-bit floats.
  case f16
  /// 32-bit floats.
  case f32
  /// Signed bytes with a 16-bit scale per 32 values; llama.cpp calls this `q8_0`.
  case i8

  /// The type of a name: `f16`, `f32`, `i8`, or `q8_0` for `i8`.
  public init?(named name: String) {
    guard let type = name == "q8_0" ? .i8 : KVType(rawValue: name) else { return nil }
    self = type
  }

  var kernelType: ingot_kv {
    switch self {
    case .f16: INGOT_KV_F16
    case .f32: INGOT_KV_F32
    case .i8: INGOT_KV_I8
    }
  }
}

/// An instruction set the kernels are written for.
public enum InstructionSet: String, Sendable, CaseIterable {
  /// Plain C.
  case portable
  /// arm64 with dot products.
  case neon
  /// arm64 with products of 8-bit matrices.
  case i8mm
  /// x86-64 with AVX2, FMA and F16C.
  case avx2
  /// AVX2 and 256-bit VNNI.
  case avxvnni
  /// AVX-512 with VNNI.
  case avx512vnni

  /// The fastest this processor runs.
  public static var best: InstructionSet { available.last ?? .portable }

  /// Those this processor runs, slowest first.
  public static var available: [InstructionSet] {
    allCases.filter { ingot_isa_available($0.kernelValue) }
  }

  var kernelValue: ingot_isa {
    switch self {
    case .portable: INGOT_ISA_PORTABLE
    case .neon: INGOT_ISA_NEON
    case .i8mm: INGOT_ISA_I8MM
    case .avx2: INGOT_ISA_AVX2
    case .avxvnni: INGOT_ISA_AVX_VNNI
    case .avx512vnni: INGOT_ISA_AVX512_VNNI
    }
  }
}

/// How an engine computes. None of it changes a result by a bit, but the cache's element type.
public struct EngineOptions: Sendable {
  /// Threads that compute, the caller counted in.
  public var threads: Int
  /// How many `pause` instructions an idle thread waits before it sleeps. 0 for processes that run many engines,
  /// as tests do.
  public var spins = 20_000
  /// The instruction set.
  public var instructionSet = InstructionSet.best

  /// Options for a number of threads; by default one per core, of the fast kind where there are two: hardware threads
  /// of one core share its arithmetic, and every fork-join waits for the slowest.
  public init(threads: Int? = nil) {
    let machine = Machine.current
    self.threads = max(1, threads ?? machine.performanceCores ?? machine.physicalCores)
  }
}
