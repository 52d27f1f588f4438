public import IngotCore

/// The quantised block layouts of GGUF that Ingot reads; the raw value is the number in the file.
public enum GGUFBlockType: UInt32, Sendable, Hashable, CaseIterable {
  case q40 = 2
  case q41 = 3
  case q50 = 6
  case q51 = 7
  case q80 = 8
  case q4K = 12
  case q5K = 13
  case q6K = 14

  /// Weights of one block.
  public var blockWeights: Int {
    switch self {
    case .q40, .q41, .q50, .q51, .q80: 32
    case .q4K, .q5K, .q6K: 256
    }
  }

  /// Bytes of one block.
  public var blockBytes: Int {
    switch self {
    case .q40: 18
    case .q41: 20
    case .q50: 22
    case .q51: 24
    case .q80: 34
    case .q4K: 144
    case .q5K: 176
    case .q6K: 210
    }
  }
}

extension GGUFBlockType: CustomStringConvertible {
  /// The name in ggml, as `Q4_K`.
  public var description: String {
    switch self {
    case .q40: "Q4_0"
    case .q41: "Q4_1"
    case .q50: "Q5_0"
    case .q51: "Q5_1"
    case .q80: "Q8_0"
    case .q4K: "Q4_K"
    case .q5K: "Q5_K"
    case .q6K: "Q6_K"
    }
  }
}

/// How a checkpoint stores the elements of a tensor.
public enum TensorEncoding: Sendable, Hashable {
  /// One element after another, little endian.
  case plain(DType)
  /// Quantised blocks along the last dimension.
  case block(GGUFBlockType)
  /// Integers in groups along the last dimension, each with a scale.
  case grouped(GroupedFormat)

  /// Weights stored together: 1 unless quantised.
  public var blockWeights: Int {
    switch self {
    case .plain: 1
    case .block(let type): type.blockWeights
    case .grouped(let format): format.groupSize
    }
  }

  /// Bytes of `blockWeights` weights.
  public var blockBytes: Int {
    switch self {
    case .plain(let dtype): dtype.byteCount
    case .block(let type): type.blockBytes
    case .grouped(let format): format.groupBytes
    }
  }
}

extension TensorEncoding: CustomStringConvertible {
  /// The name of the dtype or block type.
  public var description: String {
    switch self {
    case .plain(let dtype): dtype.description
    case .block(let type): type.description
    case .grouped(let format): format.description
    }
  }
}
