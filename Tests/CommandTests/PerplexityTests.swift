import Foundation
import IngotCore
import TestSupport
import Testing

@Suite struct PerplexityTests {
  /// A tiny model that has a tokenizer.
  static let model = Fixture.gguf("llama-q8_0")
  static let text = String(repeating: "the cat sat on the mat and the dog lay by the door. ", count: 40)

  @Test func aSavedBaseIsReadBack() throws {
    let folder = try Folder()
    let file = try folder.write(Self.text, to: "text")
    let saved = try JSONParser.parse(
      try Ingot.output(
        "perplexity", Self.model, "-f", file, "-c", "16", "--chunks", "3", "--json", "-t", "1",
        "--kl-divergence-base", folder / "base"))
    #expect(saved["windows"]?.int == 3 && saved["tokens"]?.int == 21)
    let read = try JSONParser.parse(
      try Ingot.output(
        "perplexity", Self.model, "--json", "-t", "1", "--kl-divergence-base", folder / "base",
        "--kl-divergence"))
    let (own, again) = (
      try #require(saved["ppl"]?["value"]?.double), try #require(read["ppl"]?["value"]?.double)
    )
    #expect(own == again && own > 1)
    // 16 bits for a log-probability.
    #expect(try #require(read["kl"]?["max"]?.double) < 1e-4 && read["same_top_p"]?["value"]?.double == 1)
    let plain = try Ingot.output(
      "perplexity", Self.model, "-t", "1", "--kl-divergence-base", folder / "base", "--kl-divergence")
    #expect(plain.contains("Mean PPL(Q)") && plain.contains("21 tokens in 3 windows of 16"))
  }

  @Test func theBuiltInTextIsMeasuredByDefault() throws {
    let output = try Ingot.output("perplexity", Self.model, "-c", "32", "--chunks", "2", "-t", "1")
    #expect(output.hasPrefix("PPL = ") && output.hasSuffix("(30 tokens in 2 windows of 32)\n"))
  }

  @Test func wrongUseIsOneClearError() throws {
    let folder = try Folder()
    let short = try folder.write("short", to: "short")
    #expect(try Ingot.failure("perplexity", Self.model, "--kl-divergence").contains("--kl-divergence-base"))
    #expect(try Ingot.failure("perplexity", Self.model, "-f", short, "-c", "64").contains("tokens"))
    #expect(try Ingot.failure("perplexity", Self.model, "-f", short, "--chunks", "0").contains("--chunks"))
    #expect(
      try Ingot.failure("perplexity", Self.model, "--kl-divergence", "--kl-divergence-base", short).contains(
        "not a file with log-probabilities"))
    #expect(try Ingot.failure("perplexity", Self.model, "-f", folder / "none").contains("none"))
    // Nothing is left of a base that was not finished.
    _ = try Ingot.failure(
      "perplexity", Self.model, "-f", short, "-c", "64", "--kl-divergence-base", folder / "base")
    #expect(try folder.names == ["short"])
  }
}
