import Foundation
import Ingot
import IngotCore
import TestSupport
import Testing

/// The configuration of a checkpoint as transformers writes it.
@Suite struct ConfigJSONTests {
  @Test(arguments: ModelFixture.gguf)
  func configurationsOfGGUFAreReadBackTheSame(_ fixture: ModelFixture) throws {
    let checkpoint = try openCheckpoint(fixture.checkpoint)
    let written = try JSONParser.parse(try configJSON(of: checkpoint).indented)
    var config = try DecoderConfig(json: written, file: "config.json")
    #expect(config.architectures.count == 1 && config.torchDType != nil)
    (config.architectures, config.torchDType) = ([], nil)
    var expected = checkpoint.config
    if case .factors = expected.rope.scaling {
      let length = expected.maxPositions
      let (got, want) = try (
        RotaryFrequencies(config, plannedLength: length), RotaryFrequencies(expected, plannedLength: length)
      )
      #expect(got.attentionFactor == want.attentionFactor)
      // A quotient of a quotient against the inverse of a product: some units in the last place.
      for (a, b) in zip(got.inverseFrequencies, want.inverseFrequencies) { #expect(abs(a - b) <= 4e-7 * b) }
      #expect(got.inverseFrequencies.count == want.inverseFrequencies.count)
      expected.rope = config.rope
    }
    #expect(config == expected)
  }

  /// What the readers make of any configuration survives being written and read.
  @Test(arguments: ModelFixture.safetensors)
  func everyConfigurationIsReadBackTheSame(_ fixture: ModelFixture) throws {
    let expected = try DecoderConfig(directory: fixture.checkpoint)
    let written = try JSONParser.parse(expected.huggingFaceJSON.description)
    #expect(try DecoderConfig(json: written, file: "config.json") == expected)
  }

  @Test func foldersKeepTheirOwn() throws {
    let fixture = try #require(ModelFixture.safetensors.first)
    let own = try JSONParser.parse(path: fixture.checkpoint + "/config.json")
    #expect(try configJSON(of: openCheckpoint(fixture.checkpoint)) == own)
  }

  @Test func tokenizerFilesAreCopiedOrMade() throws {
    let own = try Folder()
    let folder = own.path
    for name in ["from/additional_chat_templates", "copied", "made"] {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    let fixture = try #require(ModelFixture.safetensors.first)
    for name in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        atPath: "\(fixture.checkpoint)/\(name)", toPath: "\(folder)/from/\(name)")
    }
    let files = [
      "additional_chat_templates/rag.jinja", "chat_template.jinja", "tokenizer.json", "unrelated.txt",
    ]
    for name in files { try Data(name.utf8).write(to: URL(fileURLWithPath: "\(folder)/from/\(name)")) }
    let source = try openCheckpoint(folder + "/from")
    let copied = try writeTokenizerFiles(of: source, to: folder + "/copied")
    #expect(copied.sorted() == files.dropLast())
    for name in copied {
      #expect(FileManager.default.contents(atPath: "\(folder)/copied/\(name)") == Data(name.utf8))
    }

    let checkpoint = try openCheckpoint(try #require(ModelFixture.gguf.first).checkpoint)
    let made = try writeTokenizerFiles(of: checkpoint, to: folder + "/made")
    #expect(
      made == [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
      ])
    let (original, written) = (try openTokenizer(of: checkpoint), try Tokenizer(directory: folder + "/made"))
    #expect(try written.encode("héllo <|im_end|> 12") == original.encode("héllo <|im_end|> 12"))
    #expect(written.eosIDs == original.eosIDs && written.bosID == original.bosID)
    #expect(written.chatTemplate == original.chatTemplate)
    #expect { try writeTokenizerFiles(of: checkpoint, to: folder + "/none") } throws: {
      ($0 as? IngotError)?.kind == .io
    }
  }
}
