import Artifact
import IngotCore
import Testing

/// What is wrong with an index of weights is said of the entry it is in.
@Suite struct WeightIndexTests {
  /// Two parts of 16 rows, 64 inputs, int8 in groups of 32: 2,176 bytes; and a tensor of 8 floats.
  static let sound = """
    {"matrices": [{"parts": [{"name": "a", "rows": 16}, {"name": "b", "rows": 16}], "inputs": 64, "format": "i8",
                   "group": 32, "offset": 0, "bytes": 2176, "order": 2176}],
     "tensors": [{"name": "c", "encoding": "f32", "shape": [2, 4], "offset": 2432, "bytes": 32}]}
    """

  static func read(_ text: String) throws -> WeightIndex {
    try WeightIndex(JSONParser.parse(text), byteCount: 2464, path: "m.ingot")
  }

  @Test func whatIsRightIsRead() throws {
    let index = try Self.read(Self.sound)
    #expect(index.matrices[0].outputs == 32 && index.matrices[0].order == 2176)
    #expect(index.tensors[0].shape == [2, 4])
    // And written as it was read.
    #expect(try WeightIndex(index.json, byteCount: 2464, path: "").matrices == index.matrices)
  }

  @Test(
    "What contradicts itself is named",
    arguments: [
      ("\"matrices\"", "\"others\"", "weights.json", "no list \"matrices\""),
      ("\"inputs\": 64", "\"inputs\": 65", "matrices[0]", "65 inputs of i8 in groups of 32"),
      ("\"inputs\": 64", "\"inputs\": -1", "matrices[0]", "\"inputs\" is -1"),
      ("\"inputs\": 64", "\"inputs\": \"many\"", "matrices[0]", "no integer \"inputs\""),
      ("\"i8\"", "\"i9\"", "matrices[0]", "\"i9\" is not known"),
      ("\"bytes\": 2176", "\"bytes\": 2175", "matrices[0]", "take 2176 bytes, not 2175"),
      ("\"rows\": 16}]", "\"rows\": 0}]", "matrices[0].parts[1]", "\"rows\" is 0"),
      ("\"offset\": 0", "\"offset\": 32", "matrices[0]", "no multiple of 64"),
      (
        "\"offset\": 0", "\"offset\": 640", "matrices[0]", "2176 bytes at byte 640, and the weights have 2464"
      ),
      ("\"order\": 2176", "\"order\": 2432", "matrices[0]", "order of its inputs"),
      ("\"order\": 2176", "\"order\": 2112", "weights.json", "share bytes"),
      ("\"f32\"", "\"f33\"", "tensors[0]", "\"f33\" is not known"),
      ("[2, 4]", "[2, 5]", "tensors[0]", "take 40 bytes, not 32"),
      ("[2, 4]", "[2, -4]", "tensors[0]", "-4 is no extent"),
      ("\"offset\": 2432", "\"offset\": 0", "weights.json", "share bytes"),
    ])
  func whatIsWrongIsSaid(old: String, new: String, key: String, what: String) throws {
    let text = Self.sound.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    #expect(text.count == 2, "\(old)")
    let error = #expect(throws: IngotError.self) { try Self.read(text.joined(separator: new)) }
    #expect(error?.kind == .format && error?.hint?.contains("compile") == true)
    #expect(error?.place.file == "m.ingot" && error?.place.key == key, "\(String(describing: error))")
    #expect(error?.what.contains(what) == true, "\(String(describing: error))")
  }
}
