import Checkpoints
import IngotCore
import TestSupport
import Testing

/// Broken files either open or throw an `IngotError`; they never trap. Seeded, so that a failure repeats.
@Suite struct FuzzTests {
  /// Values that length and offset fields break on.
  static let extremes: [UInt64] = [
    0, 1, 7, 31, 255, 65_535, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max, .max - 31, UInt64(Int64.max),
  ]

  /// Changes a few bytes, sets a field to an extreme, cuts the end, or inserts bytes.
  static func mutate(_ original: [UInt8], _ random: inout SplitMix64, head: Int) -> [UInt8] {
    var bytes = original
    let limit = min(head, bytes.count)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let at = Int.random(in: 0..<max(1, min(limit, bytes.count)), using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0..<4 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 4 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
      case 5:
        let value = extremes.randomElement(using: &random) ?? 0
        let width = Bool.random(using: &random) ? 8 : 4
        for index in 0..<width where at + index < bytes.count {
          bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
      case 6: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
      default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: min(at, bytes.count))
      }
    }
    return bytes
  }

  /// Replaces a number in a JSON text, or mutates bytes.
  static func mutate(json: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    guard Bool.random(using: &random) else { return mutate(json, &random, head: .max) }
    let digits = json.indices.filter { (0x30...0x39).contains(json[$0]) }
    guard let start = digits.randomElement(using: &random) else { return json }
    let texts = [
      "-1", "0", "1e999", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "null",
      "\"x\"", "[]", "{}", "NaN", "-Infinity", "0.5", "3", "1e-320", "true", "4294967296", "[1, 2]",
    ]
    let end = json[start...].firstIndex { !(0x30...0x39).contains($0) } ?? json.endIndex
    let text = texts.randomElement(using: &random) ?? "0"
    return Array(json[..<start]) + Array(text.utf8) + Array(json[end...])
  }

  /// Uses everything a checkpoint offers.
  func use(_ checkpoint: any Checkpoint) throws {
    for name in checkpoint.tensorNames {
      let tensor = try checkpoint.required(name)
      _ = try tensor.floats()
      if tensor.rowCount > 0 { try tensor.withRow(tensor.rowCount - 1) { _ = $0.count } }
    }
    try use(checkpoint.config)
    if let metadata = checkpoint.metadata { _ = try GGUFVocabulary(metadata) }
  }

  func use(_ config: DecoderConfig) throws {
    for length in [0, 1, 5000, .max] { _ = try RotaryFrequencies(config, plannedLength: length) }
    _ = config.rope(layer: config.layerCount - 1)
    _ = config.slidingWindow(layer: 0)
  }

  /// Runs `body` on many mutants; counts those that open.
  func survive(_ count: Int, seed: UInt64, _ body: (inout SplitMix64) throws -> Void) throws -> Int {
    var random = SplitMix64(seed)
    var opened = 0
    for _ in 0..<count {
      do {
        try body(&random)
        opened += 1
      } catch is IngotError {}
    }
    return opened
  }

  @Test(arguments: ["pair/model.gguf", "gguf/types.gguf"]) func brokenGGUF(name: String) throws {
    let original = try contents(fixture(name))
    let opened = try survive(4000, seed: 11) { random in
      let file = try mapped(Self.mutate(original, &random, head: 3000))
      for tensor in try GGUFFile(file).tensors { _ = try tensor.floats() }
      try use(openCheckpoint(gguf: file))
    }
    // Some mutants must survive, or the test looks at nothing but the magic.
    #expect(opened > (name.hasPrefix("pair") ? 100 : -1))
  }

  @Test func brokenSafetensors() throws {
    let original = try contents(fixture("pair/hf/model-00001-of-00002.safetensors"))
    let headerEnd = 8 + Int(original[0]) + Int(original[1]) << 8
    let opened = try survive(4000, seed: 12) { random in
      let bytes =
        Bool.random(using: &random)
        ? Self.mutate(original, &random, head: headerEnd)
        : Array(original[..<8]) + Self.mutate(json: Array(original[8..<headerEnd]), &random)
          + Array(original[headerEnd...])
      for tensor in try SafetensorsFile(mapped(bytes)).tensors { _ = try tensor.floats() }
    }
    #expect(opened > 20)
  }

  /// Packed weights: headers, configurations, orders and zero points that are no longer what they were.
  @Test(arguments: [
    "awq-gemm", "awq-gemv", "gptq-8-act-order", "gptq-asymmetric", "ct-pack-plain-zeros", "ct-pack-g-idx",
    "ct-bytes-asymmetric", "ct-pack-8-asymmetric",
  ]) func brokenPackedFolders(name: String) throws {
    let config = try contents(fixture("packed/matrices/\(name)/config.json"))
    let model = try contents(fixture("packed/matrices/\(name)/model.safetensors"))
    let headerEnd = 8 + Int(model[0]) + Int(model[1]) << 8
    let folder = try Folder()
    let opened = try survive(500, seed: 15) { random in
      var (text, bytes) = (config, model)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: text = Self.mutate(json: config, &random)
      case 1: bytes = Self.mutate(model, &random, head: headerEnd)
      case 2:
        bytes =
          Array(model[..<8]) + Self.mutate(json: Array(model[8..<headerEnd]), &random)
          + Array(model[headerEnd...])
      default:
        for _ in 0..<3 {
          bytes[Int.random(in: headerEnd..<bytes.count, using: &random)] = UInt8.random(
            in: 0...255, using: &random)
        }
      }
      try folder.write(text, to: "config.json")
      try folder.write(bytes, to: "model.safetensors")
      try use(openCheckpoint(folder.path))
    }
    #expect(opened > 50)
  }

  @Test func brokenConfigs() throws {
    let cases = ConfigTests.cases
    let texts = cases.map { Array(jsonText($0.json["config"] ?? .null).utf8) }
    let opened = try survive(6000, seed: 13) { random in
      let bytes = Self.mutate(json: texts.randomElement(using: &random) ?? [], &random)
      let json: Result<JSONValue, IngotError> = bytes.withUnsafeBytes { buffer in
        do throws(IngotError) { return .success(try JSONParser.parse(buffer)) } catch {
          return .failure(error)
        }
      }
      try use(DecoderConfig(json: json.get(), file: "config.json"))
    }
    #expect(opened > 300)
  }

  @Test func brokenFolders() throws {
    let names = [
      "config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ]
    let originals = try names.map { try contents(fixture("pair/hf/\($0)")) }
    let folder = try Folder()
    for (name, bytes) in zip(names, originals) { try folder.write(bytes, to: name) }
    let opened = try survive(1000, seed: 14) { random in
      let at = Int.random(in: 0..<names.count, using: &random)
      let mutant =
        at < 2 ? Self.mutate(json: originals[at], &random) : Self.mutate(originals[at], &random, head: 900)
      try folder.write(mutant, to: names[at])
      defer { _ = try? folder.write(originals[at], to: names[at]) }
      try use(openCheckpoint(folder.path))
    }
    #expect(opened > 50)
  }
}

/// JSON text of a value; enough for configurations.
func jsonText(_ value: JSONValue) -> String {
  switch value {
  case .null: "null"
  case .bool(let value): "\(value)"
  case .int(let value): "\(value)"
  case .double(let value): "\(value)"
  case .string(let value): "\"\(value)\""
  case .array(let elements): "[\(elements.map(jsonText).joined(separator: ", "))]"
  case .object(let object):
    "{\(object.members.map { "\"\($0.key)\": \(jsonText($0.value))" }.joined(separator: ", "))}"
  }
}
