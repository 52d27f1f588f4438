import IngotCore

/// How the weights of a checkpoint were quantised, by its `quantization_config`.
///
/// The layout of each layer follows from the shapes of its tensors; what is said here must agree with them.
/// Source: AutoAWQ 0.2.9, GPTQModel 7.7.0, compressed-tensors 0.20.0.
enum PackedScheme: Sendable {
  case awq(AWQScheme)
  case gptq(GPTQScheme)
  case compressed(CompressedScheme)

  /// What a configuration says; nil for weights that are what they are.
  /// - Parameters:
  ///   - outer: the whole configuration.
  ///   - reader: the part that describes the decoder.
  /// - Throws: `.unsupported` for a method or a variant that is not read; `.config`.
  static func of(_ outer: ConfigReader, _ reader: ConfigReader) throws(IngotError) -> PackedScheme? {
    for key in ["quantization_config", "compression_config"] {
      if let scheme = try outer.nested(key).or(reader.nested(key)) {
        return try PackedScheme(
          scheme, defaultMethod: key == "compression_config" ? "compressed-tensors" : nil)
      }
    }
    return nil
  }

  /// What the files of a folder say: `config.json`, or what older tools wrote beside it.
  /// - Throws: as above.
  static func of(directory: String, config: JSONValue, file: String) throws(IngotError) -> PackedScheme? {
    let outer = try ConfigReader(config, file: file)
    if let scheme = try of(outer, try outer.nested("text_config") ?? outer) { return scheme }
    for (name, method) in [("quantize_config.json", "gptq"), ("quant_config.json", "awq")] {
      let path = FileSystem.join(directory, name)
      guard FileSystem.exists(path) else { continue }
      let reader = try ConfigReader(try JSONParser.parse(path: path), file: path)
      return try PackedScheme(reader, defaultMethod: method)
    }
    return nil
  }

  private init(_ reader: ConfigReader, defaultMethod: String?) throws(IngotError) {
    let method = try reader.string("quant_method") ?? defaultMethod ?? "an unnamed method"
    switch method.lowercased() {
    case "awq": self = .awq(try AWQScheme(reader))
    case "gptq": self = .gptq(try GPTQScheme(reader))
    case "compressed-tensors", "compressed_tensors": self = .compressed(try CompressedScheme(reader))
    default: throw reader.unread("quant_method", "weights quantised by \(method) are not read")
    }
  }
}

extension ConfigReader {
  /// An error about a way to quantise that is not read, with what is.
  func unread(_ key: String, _ what: String) -> IngotError {
    error(
      key, what, kind: .unsupported,
      hint:
        "Ingot reads AWQ (gemm, gemv), GPTQ and compressed-tensors (pack-quantized, int-quantized) of 4 or 8 "
        + "bits, and GGUF; or use the model's unquantised weights")
  }

  /// Bits of a code.
  func bits(_ keys: String...) throws(IngotError) -> Int {
    for key in keys {
      guard let bits = try integer(key, in: 1...64) else { continue }
      guard bits == 4 || bits == 8 else { throw unread(key, "weights of \(bits) bits are not read") }
      return bits
    }
    throw error(keys[0], "missing")
  }

  /// Inputs that share a scale; nil for all of a row, which is written as −1.
  func groupSize(_ keys: String...) throws(IngotError) -> Int? {
    for key in keys {
      guard let size = try integer(key, in: -1...1 << 20) else { continue }
      return size > 0 ? size : nil
    }
    return nil
  }
}

/// What a configuration of AWQ says.
struct AWQScheme: Sendable {
  /// Whether codes lie along the inputs of a row (`gemv`), else along the outputs in AWQ's own order (`gemm`).
  let isGEMV: Bool
  let groupSize: Int?

  init(_ reader: ConfigReader) throws(IngotError) {
    let bits = try reader.bits("bits", "w_bit")
    guard bits == 4 else { throw reader.unread("bits", "weights of AWQ with \(bits) bits are not read") }
    let key = reader["version"] == nil ? "format" : "version"
    switch try reader.string(key)?.lowercased() ?? "gemm" {
    case "gemm": isGEMV = false
    case "gemv": isGEMV = true
    case let version: throw reader.unread(key, "AWQ's layout \"\(version)\" is not read")
    }
    groupSize = try reader.groupSize("group_size", "q_group_size")
  }
}

/// What a configuration of GPTQ says.
struct GPTQScheme: Sendable {
  /// Whether zero points are stored as they are (`gptq_v2`), else one too small.
  let isV2: Bool
  let isSymmetric: Bool
  let groupSize: Int?
  /// Whether layers may differ from what is said for all.
  let isPerLayer: Bool

  init(_ reader: ConfigReader) throws(IngotError) {
    _ = try reader.bits("bits")
    let key = reader["checkpoint_format"] == nil ? "format" : "checkpoint_format"
    switch try reader.string(key)?.lowercased() ?? "gptq" {
    case "gptq": isV2 = false
    case "gptq_v2": isV2 = true
    case let format: throw reader.unread(key, "GPTQ's layout \"\(format)\" is not read")
    }
    if try reader.bool("is_marlin_format") == true {
      throw reader.unread("is_marlin_format", "GPTQ's layout \"marlin\" is not read")
    }
    isSymmetric = try reader.bool("sym") ?? true
    groupSize = try reader.groupSize("group_size")
    isPerLayer = reader["dynamic"] != nil
  }
}

/// What a configuration of compressed-tensors says.
struct CompressedScheme: Sendable {
  /// Bits and inputs per scale (nil: all, or all of the tensor) of the groups of layers.
  let variants: [(bits: Int, groupSize: Int?)]

  /// Formats of integers; `dense` is not packed at all.
  private static let formats: Set<String> = ["pack-quantized", "int-quantized", "naive-quantized", "dense"]

  init(_ reader: ConfigReader) throws(IngotError) {
    var variants: [(bits: Int, groupSize: Int?)] = []
    let outer = try reader.string("format") ?? "dense"
    guard Self.formats.contains(outer) || outer == "mixed-precision" else {
      throw reader.unread("format", "weights in the format \"\(outer)\" are not read")
    }
    if let sparse = try reader.nested("sparsity_config"), let format = try sparse.string("format"),
      format != "dense"
    {
      throw sparse.unread("format", "sparse weights (\(format)) are not read")
    }
    if let transform = try reader.nested("transform_config"),
      try transform.nested("config_groups")?.object.members.isEmpty == false
    {
      throw reader.unread("transform_config", "models that rotate activations as they run are not read")
    }
    for member in try reader.nested("config_groups")?.object.members ?? [] {
      let group = try ConfigReader(
        member.value, file: reader.file, prefix: "\(reader.prefix)config_groups.\(member.key).")
      if let format = try group.string("format"), !Self.formats.contains(format) {
        throw group.unread("format", "weights in the format \"\(format)\" are not read")
      }
      guard let weights = try group.nested("weights") else { continue }
      let type = try weights.string("type") ?? "int"
      guard type == "int" else { throw weights.unread("type", "weights of type \(type) are not read") }
      let strategy = try weights.string("strategy")
      guard [nil, "tensor", "channel", "group"].contains(strategy) else {
        throw weights.unread("strategy", "scales per \(strategy ?? "") are not read")
      }
      variants.append((try weights.bits("num_bits"), try weights.groupSize("group_size")))
    }
    self.variants = variants
  }
}
