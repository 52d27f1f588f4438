import Checkpoints
import IngotCore
import Testing

/// What a GGUF file may not be; every message names file, and key or tensor.
@Suite struct GGUFErrorTests {
  func open(_ builder: GGUFBuilder) throws -> GGUFFile {
    try GGUFFile(mapped(builder.file, name: "m.gguf"))
  }

  func fails(
    _ text: String, _ kind: IngotError.Kind = .format, sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout GGUFBuilder) -> Void
  ) {
    var builder = GGUFBuilder.model()
    change(&builder)
    expectFailure(kind, text, "m.gguf", sourceLocation: sourceLocation) { try open(builder) }
  }

  static let zeros = [UInt8](repeating: 0, count: 64)

  @Test func goodFileOpens() throws {
    var builder = GGUFBuilder.model()
    builder.tensors = [.init(), .init(name: "u", dims: [2, 3], offset: 32)]
    builder.data = Self.zeros
    #expect(try open(builder).tensors.map(\.shape) == [[4], [3, 2]])
    builder.version = 2
    #expect(try open(builder).tensors.count == 2)
  }

  @Test func magicAndVersionAreChecked() {
    fails("does not begin with \"GGUF\"") { $0.magic = Array("GGML".utf8) }
    fails("version 1 is not supported", .unsupported) { $0.version = 1 }
    fails("version 4 is not supported", .unsupported) { $0.version = 4 }
    fails("the file is big-endian", .unsupported) { $0.version = 3 << 24 }
    expectFailure(.format, "does not begin") { try GGUFFile(mapped([])) }
    expectFailure(.format, "reach beyond the file") { try GGUFFile(mapped(Array("GGUF".utf8))) }
  }

  @Test(arguments: [UInt64.max, 1 << 63, 1000]) func countsMustFit(count: UInt64) {
    fails("a count of \(count) tensors does not fit") { $0.tensorCount = count }
    fails("a count of \(count) metadata pairs does not fit") { $0.pairCount = count }
  }

  @Test func keysAreChecked() {
    fails("not valid UTF-8") { builder in
      builder.pairs[0][8] = 0xFF
    }
    fails("lists a key twice") { $0.pair("llama.block_count", 1) }
    fails("unknown metadata type 13") { $0.pair("k", type: 13) { $0.add(0 as UInt64) } }
    fails("a boolean of value 2") { $0.pair("k", type: 7) { $0.add(2 as UInt8) } }
    fails("does not fit") { $0.pair("k", type: 8) { $0.add(UInt64.max) } }
    fails("not valid UTF-8") {
      $0.pair("k", type: 8) {
        $0.add(1 as UInt64)
        $0.add(0xFF as UInt8)
      }
    }
  }

  @Test func arraysAreChecked() {
    func array(_ builder: inout GGUFBuilder, _ type: UInt32, _ count: UInt64, _ rest: [UInt8] = []) {
      builder.pair("k", type: 9) {
        $0.add(type)
        $0.add(count)
        $0.bytes += rest
      }
    }
    fails("elements of k does not fit") { array(&$0, 4, .max) }
    fails("elements of k does not fit") { array(&$0, 10, 1 << 61) }
    fails("elements of k does not fit") { array(&$0, 8, 1 << 60) }
    fails("unknown metadata type 99") { array(&$0, 99, 1) }
    fails("reaches beyond the file") { array(&$0, 8, 1, bytes(UInt64.max)) }
    // Each level holds one array.
    let nested = (0..<6).flatMap { _ in bytes(9 as UInt32) + bytes(1 as UInt64) }
    fails("nested deeper than 4") { array(&$0, 9, 1, nested) }
  }

  @Test func badStringsInArraysFailWhenRead() throws {
    var builder = GGUFBuilder.model()
    builder.pair("tokenizer.ggml.model", "gpt2")
    builder.pair("tokenizer.ggml.tokens", type: 9) {
      $0.add(8 as UInt32)
      $0.add(2 as UInt64)
      $0.add(string: "ok")
      $0.add(1 as UInt64)
      $0.add(0xC3 as UInt8)
    }
    let metadata = try open(builder).metadata
    expectFailure(.format, "string 1 is not valid UTF-8", "tokenizer.ggml.tokens") {
      try GGUFVocabulary(metadata)
    }
  }

  @Test(arguments: [0, 3, 33, 131_072] as [UInt32]) func alignmentIsChecked(alignment: UInt32) {
    fails("an alignment of \(alignment) is no power of two") { $0.pair("general.alignment", alignment) }
  }

  @Test func dimensionsAreChecked() {
    fails("5 dimensions") { $0.tensors = [.init(dims: [1, 1, 1, 1, 1])] }
    fails("impossible shape") { $0.tensors = [.init(dims: [1 << 32, 1 << 32])] }
    fails("a dimension of 18446744073709551615") { $0.tensors = [.init(dims: [.max])] }
    fails("rows of 33 weights are no whole number of Q4_0 blocks") {
      $0.tensors = [.init(dims: [33, 2], type: 2)]
      $0.data = Self.zeros
    }
    fails("tensor \"t\"") { $0.tensors = [.init(dims: [33, 2], type: 2)] }
  }

  @Test func typesNotReadAreNamed() {
    fails("tensor type Q2_K (10) is not supported", .unsupported) { $0.tensors = [.init(type: 10)] }
    fails("tensor type MXFP4 (39) is not supported", .unsupported) { $0.tensors = [.init(type: 39)] }
    fails("tensor type 999 is not supported", .unsupported) { $0.tensors = [.init(type: 999)] }
    fails("supported: F32, F16, BF16, Q4_0", .unsupported) { $0.tensors = [.init(type: 10)] }
    fails("tensor \"t\"", .unsupported) { $0.tensors = [.init(type: 10)] }
  }

  @Test func offsetsMustFit() {
    fails("its offset 4 is no multiple of the alignment 32") { $0.tensors = [.init(offset: 4)] }
    fails("its 16 bytes at 0 reach beyond the file's 0 bytes of data") { $0.tensors = [.init()] }
    fails("reach beyond") {
      $0.tensors = [.init(offset: 64)]
      $0.data = Self.zeros
    }
    fails("reach beyond") { $0.tensors = [.init(offset: 1 << 63)] }
    fails("reach beyond") { $0.tensors = [.init(offset: .max - 31)] }
  }

  @Test func overlapsFail() {
    fails("overlaps another") {
      $0.tensors = [.init(), .init(name: "u")]
      $0.data = Self.zeros
    }
  }

  @Test func namesMustDiffer() {
    fails("two tensors have this name") {
      $0.tensors = [.init(), .init(offset: 32)]
      $0.data = Self.zeros
    }
  }

  func model(_ change: (inout GGUFBuilder) -> Void) throws -> any Checkpoint {
    var builder = GGUFBuilder.model()
    change(&builder)
    return try openCheckpoint(gguf: mapped(builder.file, name: "m.gguf"))
  }

  func fails(
    model kind: IngotError.Kind, _ key: String, _ text: String,
    sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout GGUFBuilder) -> Void
  ) {
    expectFailure(kind, key, text, "m.gguf", sourceLocation: sourceLocation) { try model(change) }
  }

  @Test func configurationKeysAreChecked() throws {
    #expect(try model { _ in }.config.headDim == 4)
    for key in 0..<7 where key != 6 { fails(model: .config, "key ", "missing") { $0.pairs.remove(at: key) } }
    fails(model: .config, "llama.vocab_size", "missing") { $0.pairs.remove(at: 6) }
    fails(model: .config, "llama.attention.head_count_kv", "cannot share") {
      $0.pair("llama.attention.head_count_kv", 3)
    }
    fails(model: .config, "llama.attention.head_count_kv", "0 is not between") {
      $0.pair("llama.attention.head_count_kv", 0)
    }
    fails(model: .config, "llama.attention.key_length", "even head size, not 3") {
      $0.pair("llama.attention.key_length", 3)
      $0.pair("llama.attention.value_length", 3)
    }
    fails(model: .config, "llama.rope.freq_base", "nan is not between") {
      $0.pair("llama.rope.freq_base", type: 6) { $0.add(Float.nan.bitPattern) }
    }
    fails(model: .config, "llama.attention.layer_norm_rms_epsilon", "expected number, found string") {
      $0.pair("llama.attention.layer_norm_rms_epsilon", "x")
    }
    fails(model: .unsupported, "llama.rope.scaling.type", "\"odd\"") {
      $0.pair("llama.rope.scaling.type", "odd")
    }
    fails(model: .unsupported, "llama.expert_count", "mixtures") { $0.pair("llama.expert_count", 8) }
  }

  @Test func otherArchitecturesAreNamed() {
    expectFailure(.unsupported, "architecture \"bert\"", "supported: llama, qwen2, qwen3") {
      var builder = GGUFBuilder()
      builder.pair("general.architecture", "bert")
      return try openCheckpoint(gguf: mapped(builder.file))
    }
  }

  @Test func headCountsPerLayerMustAgree() throws {
    func perLayer(_ builder: inout GGUFBuilder, _ counts: [UInt32]) {
      builder.pair("llama.attention.head_count_kv", type: 9) {
        $0.add(4 as UInt32)
        $0.add(UInt64(counts.count))
        for count in counts { $0.add(count) }
      }
    }
    #expect(try model { perLayer(&$0, [2, 2]) }.config.kvHeadCount == 2)
    fails(model: .unsupported, "llama.attention.head_count_kv", "different sizes") { perLayer(&$0, [2, 1]) }
    fails(model: .config, "llama.attention.head_count_kv", "an empty list") { perLayer(&$0, []) }
  }

  @Test func ropeKeysBecomeScaling() throws {
    func scaling(_ type: String, _ floats: [String: Float]) throws -> RopeScaling {
      try model {
        $0.pair("llama.rope.scaling.type", type)
        $0.pair("llama.rope.scaling.original_context_length", 16)
        for (key, value) in floats {
          $0.pair("llama.rope.scaling.\(key)", type: 6) { $0.add(value.bitPattern) }
        }
      }.config.ropeScaling
    }
    #expect(try scaling("none", ["factor": 2]) == .none)
    #expect(try scaling("linear", ["factor": 2]) == .linear(factor: 2))
    var yarn = RopeScaling.YaRN(factor: 4, originalMaxPositions: 16)
    #expect(try scaling("yarn", ["factor": 4]) == .yarn(yarn))
    (yarn.attentionFactor, yarn.betaFast, yarn.betaSlow) = (1.5, 16, 2)
    let keys: [String: Float] = [
      "factor": 4, "yarn_attn_factor": 1.5, "yarn_beta_fast": 16, "yarn_beta_slow": 2,
    ]
    #expect(try scaling("yarn", keys) == .yarn(yarn))
    fails(model: .config, "llama.rope.scaling.factor", "impossible factor 0") {
      $0.pair("llama.rope.scaling.type", "yarn")
    }
  }

  @Test func partlyTurningHeadsKeepTheirCount() throws {
    for (width, turning) in [(80, 2), (80, 58), (4, 2), (96, 94), (100, 58), (49 * 2, 29 * 2)]
      as [(UInt32, UInt32)]
    {
      let config = try model {
        $0.pair("llama.attention.key_length", width)
        $0.pair("llama.attention.value_length", width)
        $0.pair("llama.rope.dimension_count", turning)
      }.config
      let frequencies = try RotaryFrequencies(config, plannedLength: 1)
      #expect(frequencies.inverseFrequencies.count == Int(turning) / 2)
    }
  }

  @Test func ropeFactorsBecomeScaling() throws {
    func factors(_ values: [Float]) throws -> any Checkpoint {
      try model {
        $0.tensors = [.init(name: "rope_freqs.weight", dims: [UInt64(values.count)])]
        $0.data = values.flatMap { bytes($0.bitPattern) }
      }
    }
    #expect(try factors([1, 8]).config.ropeScaling == .factors([1, 8]))
    expectFailure(.config, "3 rope factors for 2 frequencies", "m.gguf") { try factors([1, 1, 1]) }
    expectFailure(.config, "rope_freqs.weight") { try factors([1, 0]) }
    expectFailure(.config, "rope_freqs.weight") { try factors([1, .nan]) }
  }
}
