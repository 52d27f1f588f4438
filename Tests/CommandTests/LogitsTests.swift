import IngotCore
import TestSupport
import Testing

@Suite struct LogitsTests {
  /// Largest difference between two tensors of one shape.
  static func distance(_ path: String, _ golden: String) throws -> Float {
    let (ours, theirs) = (try NPY.read(path: path), try NPY.read(path: golden))
    #expect(ours.dtype == .f32 && ours.shape == theirs.shape)
    return zip(ours.array(of: Float.self), theirs.array(of: Float.self)).reduce(0) {
      max($0, abs($1.0 - $1.1))
    }
  }

  @Test(arguments: ["llama-gqa", "llama-mha-odd", "qwen2-sliding", "mistral-sliding"], [nil, "1", "7"])
  func allPositionsAreTransformers(name: String, chunk: String?) throws {
    let folder = try Folder()
    var arguments = ["logits", Fixture.model(name), "--ids", try Fixture.ids(Fixture.model(name))]
    arguments += ["--kv-type", "f32", "-t", "2", "-o", folder / "out.npy"]
    if let chunk { arguments += ["--chunk", chunk] }
    let outcome = try Ingot.run(arguments)
    #expect(outcome.status == 0 && outcome.errors == "" && outcome.output == "")
    // The bound of the project's goal; float32 against float32.
    #expect(try Self.distance(folder / "out.npy", Fixture.model(name) + "/logits.npy") <= 1e-4)
  }

  @Test func chunksDoNotChangeABit() throws {
    let folder = try Folder()
    let model = Fixture.gguf("llama-q4_0")
    var files: [[UInt32]] = []
    for chunk in ["1", "5", "1000"] {
      _ = try Ingot.output("logits", model, "--ids", "1,2,3,4,5,6,7", "--chunk", chunk, "-o", folder / chunk)
      files.append(try NPY.read(path: folder / chunk).array(of: Float.self).map(\.bitPattern))
    }
    #expect(files[0] == files[1] && files[1] == files[2])
  }

  @Test func aFailureLeavesNoFile() throws {
    let folder = try Folder()
    let model = Fixture.model("llama-gqa")
    for ids in ["", "1,137", "-1", "99999999999"] {
      _ = try Ingot.failure("logits", model, "--ids", ids, "-o", folder / "out.npy")
    }
    _ = try Ingot.failure("logits", model, "--ids", "1", "--chunk", "0", "-o", folder / "out.npy")
    _ = try Ingot.failure("logits", model, "--ids", "1", "-t", "0", "-o", folder / "out.npy")
    _ = try Ingot.failure("logits", model, "--ids", "1", "-o", folder / "no/such/folder.npy")
    #expect(try folder.names.isEmpty)
  }
}
