import Foundation
import IngotCore
import TestSupport
import Testing

/// A tiny checkpoint with a tokenizer of ASCII letters that knows the tokens of ChatML, and a text to share.
struct TalkingModel {
  let folder: Folder
  let path: String
  let document: String
  static let text = "Ingots are cast from molten metal, and then rolled or drawn. Gold ones weigh 12.4 kg."

  /// - Parameter vocabulary: rows of embedding and head, at least the fixture's; those that are added are 0, so
  ///   that no likely token is among them.
  init(vocabulary rows: Int = 137) throws {
    folder = try Folder()
    path = folder / "model"
    try FileManager.default.copyItem(atPath: Fixture.model("llama-gqa"), toPath: path)
    var vocabulary = JSONObject()
    for byte in UInt8(33)...126 { vocabulary[String(UnicodeScalar(byte))] = .int(Int(byte) - 33) }
    (vocabulary["\u{120}"], vocabulary["\u{10A}"]) = (.int(94), .int(95))
    // No text is encoded as these, and every token the model may draw has a text of its own.
    for id in 98..<137 { vocabulary["<\(id)>"] = .int(id) }
    let special = ["<|im_start|>", "<|im_end|>"].enumerated().map { index, text in
      """
      {"id": \(96 + index), "content": "\(text)", "special": true, "single_word": false, "lstrip": false,
       "rstrip": false, "normalized": false}
      """
    }
    let tokenizer = """
      {"version": "1.0", "added_tokens": [\(special.joined(separator: ","))], "normalizer": null,
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
       "decoder": {"type": "ByteLevel"}, "post_processor": null,
       "model": {"type": "BPE", "vocab": \(JSONValue.object(vocabulary)), "merges": []}}
      """
    _ = try folder.write(tokenizer, to: "model/tokenizer.json")
    document = try folder.write(Self.text, to: "document.txt")
    if rows > 137 { try enlarge(to: rows) }
  }

  private func enlarge(to rows: Int) throws {
    let weights = URL(fileURLWithPath: path + "/model.safetensors")
    let bytes = try Data(contentsOf: weights)
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    var header = try #require(
      try JSONParser.parse(String(decoding: bytes[8..<8 + length], as: UTF8.self)).object)
    var data = Data()
    for member in header.members {
      guard var tensor = member.value.object, let range = tensor["data_offsets"]?.array?.compactMap(\.int),
        let shape = tensor["shape"]?.array?.compactMap(\.int)
      else { continue }
      let start = data.count
      data += bytes[8 + length + range[0]..<8 + length + range[1]]
      if ["model.embed_tokens.weight", "lm_head.weight"].contains(member.key) {
        data += Data(count: (rows - shape[0]) * shape[1] * 4)
        tensor["shape"] = .array([.int(rows), .int(shape[1])])
      }
      tensor["data_offsets"] = .array([.int(start), .int(data.count)])
      header[member.key] = .object(tensor)
    }
    var text = JSONValue.object(header).description
    text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    let count = (0..<8).map { UInt8(truncatingIfNeeded: text.utf8.count >> (8 * $0)) }
    try (Data(count) + Data(text.utf8) + data).write(to: weights)
    let config = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
    _ = try folder.write(
      config.replacingOccurrences(of: "\"vocab_size\": 137", with: "\"vocab_size\": \(rows)"),
      to: "model/config.json")
  }
}
