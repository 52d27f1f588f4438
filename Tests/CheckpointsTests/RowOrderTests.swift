import Checkpoints
import IngotCore
import Testing

/// The same tiny llama in both formats. Fixtures: Scripts/make_checkpoint_fixtures.py.
@Suite struct RowOrderTests {
  @Test func ggufEqualsHuggingFace() throws {
    let gguf = try openCheckpoint(fixture("pair/model.gguf"))
    let hf = try openCheckpoint(fixture("pair/hf"))
    #expect(Set(gguf.tensorNames) == Set(hf.tensorNames))
    for name in hf.tensorNames {
      let (a, b) = (try gguf.required(name), try hf.required(name))
      #expect(a.shape == b.shape)
      #expect(try a.floats() == b.floats(), "\(name)")
    }
    #expect(gguf.config == hf.config)
    #expect(gguf.config.tiesEmbeddings)
  }

  @Test func reorderedRowsKeepTheirBlocks() throws {
    let checkpoint = try openCheckpoint(fixture("pair/model.gguf"))
    let tensor = try checkpoint.required("model.layers.0.self_attn.q_proj.weight")
    #expect(tensor.rowOrder == .interleavedRope(headDim: 12))
    // Each stored row is taken once.
    let stored = (0..<tensor.rowCount).map { tensor.rowOrder.storedRow($0) }
    #expect(stored.sorted() == Array(0..<36))
    #expect(stored.prefix(12) == [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11])
    for row in 0..<tensor.rowCount {
      let start = tensor.rowOrder.storedRow(row) * tensor.rowByteCount
      let bytes = Array(try #require(tensor.storedBytes)[start..<start + tensor.rowByteCount])
      #expect(try tensor.withRow(row) { Array($0) } == bytes)
    }
  }

  @Test func elementsOfAReorderedBiasAreRows() throws {
    let bias = try openCheckpoint(fixture("pair/model.gguf")).required("model.layers.0.self_attn.k_proj.bias")
    #expect(bias.rowCount == 12)
    #expect(bias.columnCount == 1)
    #expect(bias.storedName == "blk.0.attn_k.bias")
  }

  @Test func vocabularyReadsAsPlainValues() throws {
    let metadata = try #require(try openCheckpoint(fixture("pair/model.gguf")).metadata)
    let vocabulary = try GGUFVocabulary(metadata)
    #expect(vocabulary.model == "gpt2")
    #expect(vocabulary.tokens == ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "é"])
    #expect(vocabulary.merges == ["t 0", "t 1"])
    #expect(vocabulary.types == Array(repeating: 1, count: 9))
    #expect(vocabulary.scores == nil)
    #expect(vocabulary.specialIDs == ["bos": 1, "eos": 2])
  }

  @Test func shardsAppearInOrder() throws {
    let hf = try openCheckpoint(fixture("pair/hf"))
    let files = hf.tensorNames.map { hf.tensor(named: $0)?.file.path ?? "" }
    #expect(files == files.sorted())
    #expect(hf.tensor(named: "model.layers.0.nothing") == nil)
    expectFailure(.format, "lm_head.weight") { try hf.required("lm_head.weight") }
  }
}
