import Foundation
import IngotCore
import TestSupport
import Testing

@Suite("ingot compile --awq") struct AWQCommandTests {
  // Its widths are multiples of 32, as integers need them, and it has a tokenizer.
  private let model = Fixture.gguf("qwen2-q5_k_m")
  private let folder: Folder
  private let text: String

  init() throws {
    folder = try Folder()
    text = try folder.write(
      String(repeating: "the cat sat on the mat and the dog lay by the door. ", count: 60), to: "text")
  }

  private func arguments(_ name: String) -> [String] {
    // Its integers would be kept if they were not named.
    [
      "compile", model, "-o", folder / name, "--max-context", "64", "--no-gate", "--quant", "int4:64:asym",
      "--override", "*=int4:64:asym",
    ]
  }
  private var awq: [String] { ["--awq", "--awq-text", text] }

  private func compile(_ name: String, _ more: [String] = []) throws {
    let outcome = try Ingot.run(arguments(name) + more)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  /// All but the header, which has a random salt.
  private func body(_ name: String) throws -> [UInt8] { Array(try contents(folder / name).dropFirst(4096)) }

  private func divergence(_ name: String) throws -> Double {
    let report = try JSONParser.parse(
      Ingot.output(
        "perplexity", folder / name, "--json", "-t", "1", "--kl-divergence-base", folder / "base",
        "--kl-divergence"))
    return try #require(report["kl"]?["mean"]?.double)
  }

  @Test("Scales and clips change the weights, and for the better on their text") func changes() throws {
    try compile("plain.ingot")
    try compile("awq.ingot", awq)
    let compared = try Ingot.run(["info", folder / "plain.ingot", folder / "awq.ingot", "--weights"])
    #expect(compared.status == 1 && compared.output.hasPrefix("different weights\n"))
    _ = try Ingot.output(
      "perplexity", model, "-f", text, "-c", "32", "-t", "1", "--kl-divergence-base", folder / "base")
    #expect(try divergence("awq.ingot") < 0.9 * divergence("plain.ingot"))
    // The journal goes when the file is there.
    #expect(try folder.names == ["awq.ingot", "base", "plain.ingot", "text"])
  }

  @Test("A search cut short goes on from its journal and makes the same file") func resumes() throws {
    try compile("whole.ingot", awq)
    // The search ends, the file does not fit.
    let full = try Ingot.run(arguments("cut.ingot") + awq, shell: "ulimit -f 64; trap '' XFSZ")
    #expect(full.status == 1 && full.errors.contains("cut.ingot"), "\(full.errors)")
    let journal = folder / "cut.ingot.awq"
    let whole = try contents(journal)
    #expect(try folder.names == ["cut.ingot.awq", "text", "whole.ingot"])
    // The last layer was only begun.
    try Data(whole.dropLast(9)).write(to: URL(fileURLWithPath: journal))
    try compile("cut.ingot", awq)
    #expect(try body("cut.ingot") == body("whole.ingot"))
    #expect(try folder.names == ["cut.ingot", "text", "whole.ingot"])
  }

  @Test("A journal of other settings is not used") func otherSettings() throws {
    let full = try Ingot.run(arguments("m.ingot") + awq, shell: "ulimit -f 64; trap '' XFSZ")
    #expect(full.status == 1, "\(full.errors)")
    let other = ["--override", "*.o_proj.weight=f32"]
    try compile("m.ingot", awq + other)
    try compile("fresh.ingot", awq + other)
    #expect(try body("m.ingot") == body("fresh.ingot"))
  }

  @Test("What cannot be searched is refused") func refused() throws {
    #expect(try Ingot.failure("compile", model, "-o", folder / "m", "--awq").contains("--quant int4"))
    #expect(
      try Ingot.failure("compile", model, "-o", folder / "m", "--quant", "int4", "--awq-text", text).contains(
        "--awq-text is for --awq"))
    let empty = try folder.write("", to: "empty")
    let outcome = try Ingot.run(arguments("m") + ["--awq", "--awq-text", empty])
    #expect(outcome.status == 1 && outcome.errors.contains("has no tokens"), "\(outcome.errors)")
  }
}
