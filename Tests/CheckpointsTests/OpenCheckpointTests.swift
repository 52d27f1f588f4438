import Checkpoints
import IngotCore
import TestSupport
import Testing

/// Finding a model at a path, and what its folder may lack.
@Suite struct OpenCheckpointTests {
  static let config = #"{"model_type": "llama", \#(ConfigTests.sizes)}"#

  /// A file of one-byte tensors.
  func shard(_ names: String...) -> [UInt8] {
    let entries = names.enumerated().map { index, name in
      #""\#(name)": {"dtype": "U8", "shape": [1], "data_offsets": [\#(index), \#(index + 1)]}"#
    }
    return safetensors("{\(entries.joined(separator: ", "))}", data: names.count)
  }

  func index(_ map: [String: String]) -> String {
    let entries = map.map { #""\#($0.key)": "\#($0.value)""# }
    return #"{"weight_map": {\#(entries.joined(separator: ", "))}}"#
  }

  func folder(_ files: [String: [UInt8]], config: String? = config) throws -> Folder {
    let folder = try Folder()
    for (name, bytes) in files { try folder.write(bytes, to: name) }
    if let config { try folder.write(config, to: "config.json") }
    return folder
  }

  @Test func missingPathFails() {
    expectFailure(.io, "no such file or folder", "/nowhere/model") { try openCheckpoint("/nowhere/model") }
  }

  @Test func otherFilesFail() throws {
    let folder = try folder(["x.bin": [1, 2, 3], "model.safetensors": shard("a")])
    expectFailure(.unsupported, "not a checkpoint", "x.bin") { try openCheckpoint(folder.path + "/x.bin") }
    expectFailure(.unsupported, "name the folder") { try openCheckpoint(folder.path + "/model.safetensors") }
    expectFailure(.io, "neither a regular file nor a folder") { try openCheckpoint("/dev/null") }
  }

  @Test func emptyFolderFails() throws {
    let folder = try folder([:])
    expectFailure(.io, "neither .safetensors nor .gguf", folder.path) { try openCheckpoint(folder.path) }
  }

  @Test func folderWithoutConfigFails() throws {
    let folder = try folder(["model.safetensors": shard("a")], config: nil)
    expectFailure(.io, "no config.json", folder.path) { try openCheckpoint(folder.path) }
  }

  @Test func anySingleFileOpens() throws {
    let folder = try folder(["weights.safetensors": shard("a", "b")])
    #expect(try openCheckpoint(folder.path + "/").tensorNames == ["a", "b"])
  }

  @Test func severalFilesNeedAnIndex() throws {
    let folder = try folder(["x.safetensors": shard("a"), "y.safetensors": shard("b")])
    expectFailure(.format, "2 .safetensors files and no model.safetensors.index.json") {
      try openCheckpoint(folder.path)
    }
  }

  @Test func ggufOpensByFileFolderAndContent() throws {
    let bytes = GGUFBuilder.model().file
    let folder = try folder(["m.gguf": bytes, "renamed.bin": bytes], config: nil)
    for path in [folder.path, folder.path + "/m.gguf", folder.path + "/renamed.bin"] {
      #expect(try openCheckpoint(path).config.vocabSize == 10)
    }
    try folder.write(bytes, to: "n.gguf")
    expectFailure(.argument, "holds 2 models: m.gguf, n.gguf") { try openCheckpoint(folder.path) }
  }

  @Test func missingShardsAreNamed() throws {
    let folder = try folder(["1.safetensors": shard("a")])
    let map = ["a": "1.safetensors", "b": "2.safetensors", "c": "3.safetensors"]
    try folder.write(index(map), to: "model.safetensors.index.json")
    expectFailure(.io, "2 of 3 shards are missing: 2.safetensors, 3.safetensors") {
      try openCheckpoint(folder.path)
    }
  }

  @Test func shardsMustHoldWhatTheIndexSays() throws {
    let folder = try folder(["1.safetensors": shard("a"), "2.safetensors": shard("c")])
    try folder.write(index(["a": "1.safetensors", "b": "2.safetensors"]), to: "model.safetensors.index.json")
    expectFailure(.format, "2.safetensors, which lacks it", "tensor \"b\"") {
      try openCheckpoint(folder.path)
    }
  }

  @Test(arguments: ["../x.safetensors", "/etc/passwd", "a/b.safetensors", "..", ".", "", "a\\u0000b"])
  func indexStaysInItsFolder(_ name: String) throws {
    let folder = try folder(["x.safetensors": shard("a")])
    try folder.write(index(["a": name]), to: "model.safetensors.index.json")
    expectFailure(.format, "not a file name in its own folder", "tensor \"a\"", "index.json") {
      try openCheckpoint(folder.path)
    }
  }

  @Test func brokenIndexesFail() throws {
    let folder = try folder(["x.safetensors": shard("a")])
    for (text, what) in [
      ("{", "broken JSON"), ("{}", "no object weight_map"), (#"{"weight_map": {}}"#, "lists no tensors"),
      (#"{"weight_map": {"a": 1}}"#, "must name a file"),
      (#"{"weight_map": {"a": "x.safetensors", "a": "x.safetensors"}}"#, "twice"),
    ] {
      try folder.write(text, to: "model.safetensors.index.json")
      expectFailure(.format, what, "model.safetensors.index.json") { try openCheckpoint(folder.path) }
    }
  }

  @Test func brokenConfigNamesItsFile() throws {
    let folder = try folder(["model.safetensors": shard("a")], config: "{")
    expectFailure(.format, "broken JSON", "config.json") { try openCheckpoint(folder.path) }
    try folder.write(Self.config, to: "config.json")
    try folder.write(#"{"eos_token_id": "x"}"#, to: "generation_config.json")
    expectFailure(.config, "eos_token_id", "generation_config.json") { try openCheckpoint(folder.path) }
  }

  static let tyings: [(flag: Bool, embedding: Bool, head: Bool, equal: Bool, tied: Bool)] = [
    (true, true, true, true, true), (true, true, true, false, false), (false, true, true, true, false),
    (false, true, false, false, true), (true, true, false, false, true), (true, false, true, false, true),
    (false, false, true, false, false),
  ]

  @Test(arguments: tyings) func tyingFollowsFlagAndTensors(
    _ flag: Bool, _ embedding: Bool, _ head: Bool, _ equal: Bool, _ tied: Bool
  ) throws {
    var entries: [String] = [], data: [UInt8] = []
    for (name, value) in [
      ("model.embed_tokens.weight", embedding ? 5 : nil), ("lm_head.weight", head ? (equal ? 5 : 6) : nil),
    ] as [(String, UInt8?)] {
      guard let value else { continue }
      let offsets = "[\(data.count), \(data.count + 1)]"
      entries.append(#""\#(name)": {"dtype": "U8", "shape": [1, 1], "data_offsets": \#(offsets)}"#)
      data.append(value)
    }
    let bytes = safetensors("{\(entries.joined(separator: ", "))}") + data
    let config = Self.config.dropLast() + #", "tie_word_embeddings": \#(flag)}"#
    let folder = try folder(["model.safetensors": bytes], config: String(config))
    let checkpoint = try openCheckpoint(folder.path)
    #expect(checkpoint.config.tiesEmbeddings == tied)
    if tied {
      // The embedding is there under its name, even when the file has only the head.
      #expect(try checkpoint.required("model.embed_tokens.weight").floats() == [embedding ? 5 : 6])
    }
  }

  @Test func splitGGUFOpensWhole() throws {
    var first = GGUFBuilder.model()
    first.pair("split.count", type: 2) { $0.add(2 as UInt16) }
    first.tensors = [.init(name: "token_embd.weight", dims: [8, 10])]
    first.data = [UInt8](repeating: 0, count: 320)
    var second = GGUFBuilder()
    second.pair("split.no", type: 2) { $0.add(1 as UInt16) }
    second.tensors = [.init(name: "blk.0.attn_q.weight", dims: [8, 8])]
    second.data = [UInt8](repeating: 0, count: 256)
    let folder = try folder(["m-00001-of-00002.gguf": first.file], config: nil)
    expectFailure(.io, "1 of 2 parts are missing", "m-00002-of-00002.gguf") {
      try openCheckpoint(folder.path)
    }
    try folder.write(second.file, to: "m-00002-of-00002.gguf")
    let checkpoint = try openCheckpoint(folder.path)
    #expect(
      checkpoint.tensorNames == ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight"])
    // The heads to reorder by are known from the first part.
    let q = try checkpoint.required("model.layers.0.self_attn.q_proj.weight")
    #expect(q.rowOrder == .interleavedRope(headDim: 4))
    try folder.write(first.file, to: "odd.gguf")
    expectFailure(.format, "one of 2 parts", "odd.gguf") { try openCheckpoint(folder.path + "/odd.gguf") }
  }

  @Test func laterPartsPointToTheFirst() throws {
    var part = GGUFBuilder.model()
    part.pair("split.count", type: 2) { $0.add(2 as UInt16) }
    part.pair("split.no", type: 2) { $0.add(1 as UInt16) }
    let folder = try folder(["m-00002-of-00002.gguf": part.file], config: nil)
    expectFailure(.argument, "part 2 of 2", "name m-00001-of-00002.gguf") {
      try openCheckpoint(folder.path + "/m-00002-of-00002.gguf")
    }
  }
}
