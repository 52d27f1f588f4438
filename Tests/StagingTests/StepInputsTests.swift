import IngotCore
import Staging
import TestSupport
import Testing

@Suite struct StepInputsTests {
  let meta: StepMeta

  init() throws { meta = try StepMeta(pastLength: 2, queryLength: 2, cacheLength: 5, inputLength: 3) }

  @Test func theMaskOpensTheCacheAndTheNewTokensUpToTheRow() throws {
    let mask = try StepInputs.mask(meta, .f32)
    let no: Float = -1e9
    #expect(mask.shape == [1, 1, 3, 8])
    #expect(
      mask.array(of: Float.self) == [
        0, 0, no, no, no, 0, no, no,
        0, 0, no, no, no, 0, 0, no,
        // Padding.
        no, no, no, no, no, no, no, no,
      ])
    // -65504 as f16.
    let halves: [UInt16] = try StepInputs.mask(meta, .f16).array()
    #expect(halves == mask.array(of: Float.self).map { $0 == 0 ? 0 : 0xFBFF })
  }

  @Test func positionsAndIdsArePadded() throws {
    #expect(try StepInputs.positions(meta).array(of: Int64.self) == [2, 3, 3])
    #expect(try StepInputs.ids([7, 9], padding: 4, meta).array(of: Int64.self) == [7, 9, 4])
    let full = try StepMeta(pastLength: 0, queryLength: 3, cacheLength: 3, inputLength: 3)
    #expect(try StepInputs.positions(full).array(of: Int64.self) == [0, 1, 2])
    let mask: [Float] = try StepInputs.mask(full, .f32).array()
    #expect(mask.enumerated().allSatisfy { ($1 == 0) == ($0 % 6 >= 3 && $0 % 6 - 3 <= $0 / 6) })
  }

  @Test func paddingIsATokenTheModelHas() {
    #expect(StageText.plain(eos: [2], padding: 5).padding(vocabularySize: 6) == 5)
    #expect(StageText.plain(eos: [9, 2], padding: 6).padding(vocabularySize: 6) == 2)
    #expect(StageText.plain(padding: 6).padding(vocabularySize: 6) == 0)
  }

  @Test func metaIsReadBackAndEditsAreNamed() throws {
    let folder = try Folder()
    let path = folder / "meta.json"
    func write(_ text: String) throws {
      let batch = FileBatch()
      try batch.add(text, path)
      try batch.commit()
    }
    try write(meta.json.description)
    #expect(try StepMeta(path: path) == meta)
    #expect(
      meta.json.object?.members.map(\.key) == [
        "past_len", "q_len", "next_past_len", "max_cache_len", "max_input_len",
      ])
    func edited(_ key: String, _ value: String?) throws -> String {
      var object = try #require(meta.json.object)
      object[key] = try value.map { try JSONParser.parse($0) }
      return JSONValue.object(object).description
    }
    for (key, value, word) in [
      ("past_len", "-1", "at least 0"), ("past_len", "4", "max_cache_len"),
      ("past_len", "1", "next_past_len"),
      ("past_len", "9223372036854775807", "too large"), ("past_len", "2.0", "integer"),
      ("q_len", "\"2\"", "integer"), ("q_len", "0", "at least 1"), ("q_len", "4", "max_input_len"),
      ("q_len", nil, "missing"), ("next_past_len", "9", "make 4"), ("max_cache_len", "3", "max_cache_len"),
      ("max_cache_len", "1e300", "integer"), ("max_input_len", "true", "integer"),
      ("max_input_len", "null", "integer"),
    ] as [(String, String?, String)] {
      try write(try edited(key, value))
      do {
        _ = try StepMeta(path: path)
        Issue.record("\(key) \(value ?? "-") was taken")
      } catch {
        let text = "\(error)"
        #expect(text.contains("meta.json") && text.contains(word), "\(text)")
      }
    }
    for text in ["", "[]", "{", "{\"past_len\":", "nonsense"] {
      try write(text)
      expectError(.format, "meta.json") { _ = try StepMeta(path: path) }
    }
  }
}
