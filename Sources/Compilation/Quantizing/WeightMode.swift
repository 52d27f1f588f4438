public import Checkpoints
public import IngotCore

/// What a compiled weight is stored as.
public enum WeightMode: Sendable, Hashable {
  /// As the checkpoint has it.
  case keep
  /// Floats: bf16, f16 or f32.
  case float(DType)
  /// Integers in groups.
  case integers(GroupedFormat)
  /// Integers around zero of which all inputs of an output channel share one scale. Kernels read it once per group.
  case channels(bits: Int)

  /// Integers of the groups that the engine runs best: 32 inputs, symmetric.
  public static func integers(
    bits: Int, groupSize: Int = 32, isSymmetric: Bool = true
  ) throws(IngotError) -> WeightMode {
    .integers(try GroupedFormat(bits: bits, groupSize: groupSize, hasMinimum: !isSymmetric))
  }

  /// Whether weights are rounded to integers.
  public var isIntegers: Bool {
    switch self {
    case .integers, .channels: true
    case .keep, .float: false
    }
  }

  /// Reads a mode: `keep`, `f32`, `f16`, `bf16`, or `int8` and `int4`, which may be followed by a group and by `sym` or
  /// `asym`, as in `int4:64:asym`. The group `channel`, or 0, is all inputs of an output.
  /// - Throws: `.argument` naming what is known.
  public init(
    named text: String, groupSize: Int? = nil, isSymmetric: Bool? = nil
  ) throws(IngotError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let unknown = IngotError(
      .argument, "\"\(text)\" is no way to store weights",
      hint: "use bf16, f16, f32, int8, int4 or keep; int4:64:asym and int8:channel set group and symmetry")
    switch parts.first {
    case "keep" where parts.count == 1: self = .keep
    case "bf16" where parts.count == 1: self = .float(.bf16)
    case "f16" where parts.count == 1: self = .float(.f16)
    case "f32" where parts.count == 1: self = .float(.f32)
    case "int4", "int8":
      var (group, symmetric) = (groupSize ?? 32, isSymmetric ?? true)
      for part in parts.dropFirst() {
        switch part {
        case "sym": symmetric = true
        case "asym": symmetric = false
        case "channel": group = 0
        default:
          guard let number = Int(part) else { throw unknown }
          group = number
        }
      }
      if group == 0 {
        guard symmetric else {
          throw IngotError(
            .argument, "one scale per channel goes without minimums",
            hint: "use groups of 32, 64 or 128 with asym")
        }
        self = .channels(bits: parts[0] == "int4" ? 4 : 8)
        return
      }
      self = try .integers(bits: parts[0] == "int4" ? 4 : 8, groupSize: group, isSymmetric: symmetric)
    default: throw unknown
    }
  }
}

extension WeightMode: CustomStringConvertible {
  /// As `int4:64:asym`; `init(named:)` reads it.
  public var description: String {
    switch self {
    case .keep: "keep"
    case .float(let dtype): dtype.rawValue
    case .channels(let bits): "int\(bits):channel"
    case .integers(let format):
      "int\(format.bits):\(format.groupSize):\(format.hasMinimum ? "asym" : "sym")"
    }
  }
}
