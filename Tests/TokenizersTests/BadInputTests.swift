import IngotCore
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct BadInputTests {
  /// A small tokenizer.json with some members replaced.
  static func document(
    model: String = #"{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}"#, _ members: String = ""
  ) -> String {
    "{\"model\":\(model)\(members.isEmpty ? "" : ",")\(members)}"
  }

  static func kind(_ text: String) -> IngotError.Kind? {
    do throws(IngotError) {
      _ = try Tokenizer(json: JSONParser.parse(text))
      return nil
    } catch { return error.kind }
  }

  @Test func theSmallTokenizerWorks() throws {
    let tokenizer = try Tokenizer(json: JSONParser.parse(Self.document()))
    #expect(try tokenizer.encode("abba") == [2, 1, 0])
    #expect(try tokenizer.encode("xa") == [0])
    #expect(try tokenizer.decode([2, 1]) == "ab b")
  }

  @Test(arguments: [
    #"{"type":"BPE","merges":[]}"#, #"{"type":"BPE","vocab":[],"merges":[]}"#,
    #"{"type":"BPE","vocab":{"a":0}}"#,
    #"{"type":"BPE","vocab":{"a":"0"},"merges":[]}"#, #"{"type":"BPE","vocab":{"a":-1},"merges":[]}"#,
    #"{"type":"BPE","vocab":{"a":1.5},"merges":[]}"#, #"{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}"#,
    #"{"type":"BPE","vocab":{"a":1152921504606846976},"merges":[]}"#,
    #"{"type":"BPE","vocab":{"a":99999999999999999999},"merges":[]}"#,
    #"{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}"#,
    #"{"type":"BPE","vocab":{"a":0},"merges":["a x"]}"#,
    #"{"type":"BPE","vocab":{"a":0},"merges":["aa"]}"#, #"{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}"#,
    #"{"type":"BPE","vocab":{"a":0},"merges":[["a",1]]}"#, #"{"type":"BPE","vocab":{"a":0},"merges":[7]}"#,
    #"{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"?"}"#,
    #"{"type":"BPE","vocab":{"a":0},"merges":[],"fuse_unk":"yes"}"#,
    #"{"type":"BPE","vocab":{},"merges":["a a"]}"#,
    #"{"type":"Unigram","vocab":[["a"]]}"#, #"{"type":"Unigram","vocab":[["a",0.5]],"unk_id":1}"#,
    #"{"type":"Unigram","vocab":{}}"#, #"{"type":"Unigram","vocab":[["a","b"]]}"#, #"{"type":7}"#, "[]",
    "null", "3",
  ])
  func brokenModelsAreErrors(model: String) {
    #expect(Self.kind(Self.document(model: model)) == .tokenizer)
  }

  @Test(arguments: [
    #""normalizer":{"type":"Magic"}"#, #""pre_tokenizer":{"type":"UnicodeScripts"}"#,
    #""decoder":{"type":"CTC"}"#,
    #""post_processor":{"type":"Magic"}"#, #""pre_tokenizer":{"type":"Split","pattern":{"Glob":"a"}}"#,
    #""pre_tokenizer":{"type":"Split","pattern":{"String":"a"},"behavior":"Sideways"}"#,
    #""pre_tokenizer":{"type":"Metaspace","prepend_scheme":"sometimes"}"#,
    #""pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a)\\1"}}"#,
    #""post_processor":{"type":"TemplateProcessing","single":[],"special_tokens":{}}"#,
  ])
  func unknownPartsAreUnsupported(member: String) {
    #expect(Self.kind(Self.document(member)) == .unsupported)
    #expect(Self.kind(Self.document(model: #"{"type":"WordPiece","vocab":{}}"#)) == .unsupported)
  }

  @Test(arguments: [
    #""normalizer":{}"#, #""normalizer":{"type":"Prepend"}"#, #""normalizer":[]"#, #""added_tokens":[{}]"#,
    #""added_tokens":[{"id":9}]"#, #""added_tokens":[{"content":"x"}]"#,
    #""added_tokens":[{"id":-1,"content":"x"}]"#,
    #""added_tokens":[{"id":1,"content":"x"}]"#, #""added_tokens":{}"#, #""decoder":{"type":"Replace"}"#,
    #""added_tokens":[{"id":1152921504606846976,"content":"x"}]"#, #""decoder":{"type":"Strip"}"#,
    #""added_tokens":[{"id":3,"content":"x","special":1}]"#, #""pre_tokenizer":{"type":"Sequence"}"#,
    #""pre_tokenizer":{"type":"Split","pattern":{"Regex":"("}}"#,
    #""decoder":{"type":"Strip","content":"a","start":-1}"#,
    #""post_processor":{"type":"BertProcessing","sep":["a",77],"cls":["a",0]}"#,
    #""post_processor":{"type":"BertProcessing","sep":["a"],"cls":["a",0]}"#,
    #""post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"s"}},{"Sequence":{}}]}"#,
  ])
  func brokenPartsAreErrors(member: String) {
    #expect(Self.kind(Self.document(member)) == .tokenizer)
  }

  @Test func errorsNameTheKey() {
    #expect {
      try Tokenizer(
        json: JSONParser.parse(Self.document(#""decoder":{"type":"Sequence","decoders":[{"type":"X"}]}"#)))
    } throws: { ($0 as? IngotError)?.place.key == "decoder.decoders[0]" }
  }

  @Test func deepNestingIsAnError() {
    let open = String(repeating: #"{"type":"Sequence","normalizers":["#, count: 2000)
    #expect(Self.kind(Self.document("\"normalizer\":" + open)) == .format)
    let close = String(repeating: "]}", count: 250)
    let deep = String(repeating: #"{"type":"Sequence","normalizers":["#, count: 250) + close
    #expect(Self.kind(Self.document("\"normalizer\":" + deep)) == nil)
  }

  @Test func idsWithoutTokenAreErrors() throws {
    let tokenizer = try Tokenizer(
      json: JSONParser.parse(Self.document(#""added_tokens":[{"id":9,"content":"<x>"}]"#)))
    #expect(tokenizer.vocabularySize == 10)
    #expect(try tokenizer.decode([9]) == "<x>")
    for id in [-1, 3, 10, .max, .min] {
      #expect { try tokenizer.decode([id]) } throws: { ($0 as? IngotError)?.kind == .tokenizer }
      #expect(tokenizer.token(of: id) == nil && tokenizer.bytes(of: id) == nil && !tokenizer.isSpecial(id))
    }
  }

  /// Files with bytes changed, cut out or doubled either load or are errors; what loads, runs.
  @Test(arguments: ["llama2", "gpt2", "unigram", "odd-patterns", "word-suffix"])
  func mutatedFilesNeverTrap(name: String) throws {
    // Without most of the vocabulary, whose bytes would take nearly all the changes.
    let whole = try Fixtures.json("\(name).tokenizer.json")
    guard case .object(var root) = whole, case .object(var model)? = root["model"] else { return }
    if case .object(let vocabulary)? = model["vocab"] {
      let kept = Array(vocabulary.members.prefix(300))
      let tokens = Set(kept.map(\.key))
      model["vocab"] = .object(JSONObject(kept))
      let merges = (model["merges"]?.array ?? []).filter { merge in
        let pair =
          merge.array?.compactMap(\.string) ?? merge.string?.split(separator: " ").map(String.init) ?? []
        return pair.allSatisfy(tokens.contains) && tokens.contains(pair.joined())
      }
      model["merges"] = .array(Array(merges.prefix(8)))
    }
    root["model"] = .object(model)
    let original = Array(Self.write(.object(root)).utf8)
    var generator = SplitMix64(77)
    var loaded = 0
    for _ in 0..<150 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        let end = min(position + Int.random(in: 1...20, using: &generator), bytes.count)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[position] = UInt8.random(in: 0x20...0x7E, using: &generator)
        case 1: bytes.removeSubrange(position..<end)
        case 2: bytes.insert(contentsOf: bytes[position..<end], at: position)
        default: bytes[position] ^= 1 << UInt8.random(in: 0...6, using: &generator)
        }
      }
      do throws(IngotError) {
        let document: Result<JSONValue, IngotError> = bytes.withUnsafeBytes { buffer in
          do throws(IngotError) { return .success(try JSONParser.parse(buffer)) } catch {
            return .failure(error)
          }
        }
        let tokenizer = try Tokenizer(json: document.get())
        loaded += 1
        let ids = try tokenizer.encode("Hello <s> WORD\u{301} 123 \u{1F600}\n", addSpecial: true)
        _ = try tokenizer.decode(ids, skipSpecial: true)
      } catch { continue }
    }
    #expect(loaded > 2)
  }

  @Test func mutatedSentencePieceModelsNeverTrap() throws {
    for name in Fixtures.sentencePiece {
      let original = try Fixtures.bytes("\(name).model")
      var generator = SplitMix64(78)
      for _ in 0..<100 {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          let position = Int.random(in: 0..<bytes.count, using: &generator)
          if Bool.random(using: &generator) {
            bytes[position] = UInt8.random(in: 0...255, using: &generator)
          } else {
            bytes.removeSubrange(position..<min(position + 9, bytes.count))
          }
        }
        bytes.withUnsafeBytes { buffer in
          do throws(IngotError) {
            let tokenizer = try Tokenizer(SentencePieceModel(buffer).parts(TokenizerConfig()))
            _ = try tokenizer.decode(tokenizer.encode("Hello <s> \u{FB01} 123 \u{1F600}\n"))
          } catch {}
        }
      }
    }
  }

  /// JSON text of a value, for the changes above.
  static func write(_ value: JSONValue) -> String {
    func quoted(_ text: String) -> String {
      var result = "\""
      for scalar in text.unicodeScalars {
        if scalar == "\"" || scalar == "\\" || scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
      return result + "\""
    }
    switch value {
    case .null: return "null"
    case .bool(let bool): return "\(bool)"
    case .int(let int): return "\(int)"
    case .double(let double): return "\(double)"
    case .string(let string): return quoted(string)
    case .array(let elements): return "[" + elements.map(write).joined(separator: ",") + "]"
    case .object(let object):
      return "{" + object.members.map { quoted($0.key) + ":" + write($0.value) }.joined(separator: ",") + "}"
    }
  }
}
