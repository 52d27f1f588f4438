import Foundation
import IngotCore
import TestSupport
import Testing

/// `ingot stage` and `ingot pipeline` on exports that ONNX Runtime runs.
@Suite(.enabled(if: StagedExport.hasRuntime, "ONNX Runtime is not installed")) struct StageTests {
  static let prompt = "5,17,100,3,42,77,9"

  static func json(_ path: String) throws -> JSONValue { try JSONParser.parse(path: path) }

  @Test(arguments: ["llama-gqa", "llama-mqa-3-layers", "qwen3-tied", "mistral-sliding"], ["1", "2"])
  func thePipelineDrawsWhatTheEngineDraws(name: String, blocks: String) throws {
    let folder = try Folder()
    let model = try StagedExport.make(name, folder / "m", "--blocks", blocks)
    let arguments = ["--ids", Self.prompt, "-n", "24", "--temp", "0", "--ignore-eos", "--output", "ids"]
    let staged = try Ingot.run(["pipeline", "--onnx-dir", model, "--run-root", folder / "r"] + arguments)
    let engine = try Ingot.run(["run", Fixture.model(name)] + arguments)
    #expect(staged.status == 0 && staged.output == engine.output, "\(staged.errors)")
    // Two chunks of the prompt, then one token a step.
    #expect(try Folder.names(folder / "r").filter { $0.hasPrefix("step_") }.count == 25)
    #expect(try NPY.read(path: folder / "r/kv/past_key_block0.npy").dtype == .f16)
    #expect(try Self.json(folder / "r/summary.json")["generated_ids"]?.array?.count == 24)
  }

  @Test func stagesByHandAreThePipeline() throws {
    let folder = try Folder()
    let model = try StagedExport.make("llama-gqa", folder / "m", "--blocks", "2")
    let draw = ["--seed", "7", "--temperature", "1.3", "--top-k", "40"]
    let options = ["--ids", "5,17,100", "--kv", "memory", "--ignore-eos", "-n", "3"]
    _ = try Ingot.run(["pipeline", "--onnx-dir", model, "--run-root", folder / "r"] + options + draw)
    var (ids, past) = ("5,17,100", 0)
    for index in 0..<3 {
      let step = folder / "by-hand/step_000\(index)"
      _ = try Ingot.output(
        "stage", "embed", "--onnx-dir", model, "--ids", ids, "--past-len", "\(past)", "--output-dir", step)
      for block in ["0", "1"] {
        _ = try Ingot.output(
          "stage", "block", "--index", block, "--onnx-dir", model, "--input-dir", step, "--kv-dir",
          folder / "kv")
      }
      past += ids.split(separator: ",").count
      let outcome = try Ingot.run(["stage", "output", "--onnx-dir", model, "--input-dir", step] + draw)
      ids = String(outcome.output.prefix { $0 != "\n" })
      for name in try Folder.names(step) {
        let files = [step, folder / "r/step_000\(index)"].map { URL(fileURLWithPath: $0 + "/" + name) }
        #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]), "\(name) of step \(index)")
      }
    }
  }

  @Test func aRunThatIsKilledGoesOn() throws {
    let folder = try Folder()
    let model = try StagedExport.make("llama-gqa", folder / "m", "--blocks", "2")
    let arguments = ["--ids", Self.prompt, "-n", "12", "--seed", "3", "--ignore-eos", "--onnx-dir", model]
    _ = try Ingot.run(["pipeline", "--run-root", folder / "whole"] + arguments)
    let process = Process()
    process.executableURL = Ingot.executable
    process.arguments = ["pipeline", "--run-root", folder / "cut"] + arguments
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    while process.isRunning, !FileManager.default.fileExists(atPath: folder / "cut/step_0004/meta.json") {
      usleep(500)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let resumed = try Ingot.run(["pipeline", "--run-root", folder / "cut", "--resume"] + arguments)
    #expect(resumed.status == 0, "\(resumed.errors)")
    for name in ["summary.json", "step_0012/logits.npy", "kv/past_value_block1.npy"] {
      let files = ["whole", "cut"].map { URL(fileURLWithPath: folder / "\($0)/\(name)") }
      #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]), "\(name)")
    }
    let refused = try Ingot.run(["pipeline", "--run-root", folder / "cut"] + arguments)
    #expect(refused.status == 1 && refused.errors.contains("--resume"))
  }

  @Test func optionsThatContradictTheModelAreErrors() throws {
    let folder = try Folder()
    let model = try StagedExport.make("llama-gqa", folder / "m", "--blocks", "2")
    func refuse(_ word: String, _ options: String...) throws {
      let outcome = try Ingot.run(["pipeline", "--onnx-dir", model, "--run-root", folder / "r"] + options)
      #expect(outcome.status == 1 && outcome.errors.contains(word), "\(outcome.errors)")
    }
    try refuse("--max-cache-len is 1024", "--ids", "1", "--max-cache-len", "1024")
    try refuse("--max-input-len is 1", "--ids", "1", "--max-input-len", "1")
    try refuse("7 tokens; the model takes 5", "--ids", Self.prompt, "--no-chunk")
    try refuse("96 rows", "--ids", Self.prompt, "--steps", "100")
    try refuse("no tokenizer", "--prompt", "hi")
    try refuse("give one of", "--ids", "1", "--prompt", "hi")
    try refuse("--clean or --resume", "--ids", "1", "--clean", "--resume")
    #expect(try folder.names == ["m"])
  }
}

/// Staged exports of tiny checkpoints.
enum StagedExport {
  /// Whether ONNX Runtime is there to run them.
  static let hasRuntime: Bool = {
    guard let folder = try? Folder(), let model = try? make("llama-gqa", folder / "m") else { return false }
    let outcome = try? Ingot.run(
      "pipeline", "--onnx-dir", model, "--ids", "1", "--run-root", folder / "r", "-n", "1")
    return outcome?.errors.contains("ONNX Runtime was not found") == false
  }()

  /// A staged export; what its own check says is for others.
  static func make(_ name: String, _ path: String, _ options: String...) throws -> String {
    _ = try Ingot.run(
      [
        "export", Fixture.model(name), "-o", path, "--preset", "staged", "--seq-len", "5", "--max-cache-len",
        "96",
      ]
        + options)
    return path
  }
}
