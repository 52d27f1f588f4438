import Foundation
import IngotCore
import TestSupport
import Testing

@Suite("ingot compile and ingot info of .ingot files") struct CompileCommandTests {
  private let model = Fixture.model("llama-gqa")

  @Test("A compiled model answers as its source does, by every verb") func sameAnswers() throws {
    let folder = try Folder()
    let file = folder / "m.ingot"
    let text = try Ingot.output("compile", model, "-o", file, "--max-context", "128", "--no-gate")
    #expect(text.contains("seq128  static") && text.contains("device mem size: "))
    let ids = try Fixture.ids(model)
    let options = ["--ids", ids, "--temp", "0", "-n", "8", "--output", "ids", "-c", "128"]
    #expect(try Ingot.run(["run", file] + options).output == Ingot.run(["run", model] + options).output)
    for source in [model, file] {
      _ = try Ingot.output(
        "logits", source, "--ids", ids, "-o", source == file ? folder / "b.npy" : folder / "a.npy")
      _ = try Ingot.output(
        "dump", source, "--ids", ids, "-o", source == file ? folder / "b.npz" : folder / "a.npz")
    }
    for name in ["npy", "npz"] {
      let files = try ["a", "b"].map { try Data(contentsOf: URL(fileURLWithPath: folder / "\($0).\(name)")) }
      #expect(files[0] == files[1], "\(name)")
    }
  }

  @Test(
    "Lengths that do not go together are refused, and nothing is written",
    arguments: [
      ["--stages", "16+16"], ["--stages", "16"], ["--stages", "a+b+c"], ["--stages", "0+0+0"],
      ["--stages", "8+8+8,8+8+8"], ["--stages", "8+8+8", "--share-length", "8"],
      ["--stages", "8+8+8", "--max-pos-len", "16"], ["--max-context", "1"], ["--max-context", "99999999999"],
      ["--share-length", "64", "--max-context", "64"], ["--prefill-chunk", "0"],
      ["--quant", "int4", "--group-size", "48"], ["--group-size", "64"], ["--quant", "f16", "--asymmetric"],
      ["--override", "nothing=int8"], ["--override", "lm_head"], ["--no-gate", "--max-kl", "1"],
      ["--unshare-length", "8", "--decode-length", "9223372036854775807"],
    ])
  func refused(options: [String]) throws {
    let folder = try Folder()
    let file = folder / "m.ingot"
    let outcome = try Ingot.run(["compile", model, "-o", file, "--no-gate"] + options)
    let works = options == ["--stages", "16+16"]
    #expect(outcome.status == (works ? 0 : 1), "\(options): \(outcome.errors)")
    #expect(works || outcome.errors.hasPrefix("error: "), "\(options): \(outcome.errors)")
    #expect(try folder.names.filter { !$0.hasPrefix("in") }.isEmpty == !works)
  }

  @Test("Other lengths keep the weights, and info says so") func weights() throws {
    // Its widths are multiples of 32, as integers need them.
    let model = Fixture.gguf("llama-q4_k_m")
    let folder = try Folder()
    let (a, b, c) = (folder / "a.ingot", folder / "b.ingot", folder / "c.ingot")
    _ = try Ingot.output(
      "compile", model, "-o", a, "--max-context", "64", "--no-gate", "--quant", "int8",
      "--override", "*=int8")
    _ = try Ingot.output("compile", a, "-o", b, "--stages", "16+8+8,8+4+4")
    _ = try Ingot.output(
      "compile", model, "-o", c, "--max-context", "64", "--no-gate", "--quant", "int4",
      "--override", "*=int4")
    #expect(try Ingot.output("info", a, b, "--weights").hasPrefix("same weights\n"))
    let outcome = try Ingot.run(["info", a, c, "--weights"])
    #expect(outcome.status == 1 && outcome.output.hasPrefix("different weights\n"))
    let artifact = try #require(try JSONParser.parse(Ingot.output("info", b, "--json"))["artifact"])
    #expect(artifact["stage_sets"]?.array?.count == 2)
    #expect(artifact["quantization"]?.string == "int8:32:sym *=int8:32:sym")
    _ = try Ingot.output("info", b, "--check")
    #expect(
      try Ingot.failure("compile", a, "-o", folder / "d.ingot", "--quant", "int4").contains(
        "stay as they are"))
    #expect(try Ingot.failure("run", b, "--ids", "1,2", "-c", "64").contains("at most 32"))
  }

  @Test("A damaged byte of the weights is found by --check") func check() throws {
    let folder = try Folder()
    let file = folder / "m.ingot"
    _ = try Ingot.output("compile", model, "-o", file, "--max-context", "64", "--no-gate")
    var data = try Data(contentsOf: URL(fileURLWithPath: file))
    data[4096 + 100] ^= 1
    try data.write(to: URL(fileURLWithPath: file))
    #expect(try Ingot.failure("info", file, "--check").contains("weights"))
  }

  @Test("The gate measures the file, and leaves nothing of one that is too far from its source") func gate()
    throws
  {
    let model = try TalkingModel()
    let folder = try Folder()
    let file = folder / "m.ingot"
    let text = try Ingot.output("compile", model.path, "-o", file, "--max-context", "64", "--quant", "bf16")
    #expect(text.contains("quality ") && text.contains("mean KL"))
    let quality = try JSONParser.parse(Ingot.output("info", file, "--json"))["artifact"]?["quality"]
    let divergence = try #require(quality?["kl"]?["mean"]?.double)
    #expect(divergence > 0)
    _ = try Ingot.output(
      "compile", model.path, "-o", folder / "n.ingot", "--max-context", "64", "--quant", "bf16", "--max-kl",
      "\(divergence * 1.01)")
    let error = try Ingot.failure(
      "compile", model.path, "-o", folder / "o.ingot", "--max-context", "64", "--quant", "bf16", "--max-kl",
      "\(divergence * 0.99)")
    #expect(error.contains("KL divergence"))
    #expect(try folder.names == ["m.ingot", "n.ingot"])
    // Lengths alone change no weight: the figures stay.
    _ = try Ingot.output("compile", file, "-o", folder / "p.ingot", "--max-context", "32")
    let kept = try JSONParser.parse(Ingot.output("info", folder / "p.ingot", "--json"))["artifact"]?[
      "quality"]
    #expect(kept == quality)
  }

  @Test("A file that is encrypted and signed is measured too, and its figures are sealed with it")
  func gateOfEncrypted() throws {
    let model = try TalkingModel()
    let folder = try Folder()
    let (key, signer, file) = (folder / "key", folder / "sign", folder / "m.ingot")
    _ = try Ingot.output("keygen", "-o", key)
    _ = try Ingot.output("keygen", "--signing", "-o", signer)
    let arguments = ["compile", model.path, "-o", file, "--max-context", "64", "--quant", "bf16"]
    let text = try Ingot.run(arguments + ["--encrypt-with", key, "--sign-with", signer])
    #expect(text.status == 0 && text.output.contains("mean KL"), "\(text.errors)")
    let keys = ["--key", key, "--verify-key", signer + ".pub"]
    let info = try Ingot.run(["info", file, "--json", "--check"] + keys)
    #expect(info.status == 0, "\(info.errors)")
    let artifact = try #require(try JSONParser.parse(info.output)["artifact"])
    #expect(artifact["encrypted"]?.bool == true && artifact["signed"]?.bool == true)
    let divergence = try #require(artifact["quality"]?["kl"]?["mean"]?.double)
    // What is measured does not depend on the encryption.
    let plain = folder / "n.ingot"
    _ = try Ingot.output("compile", model.path, "-o", plain, "--max-context", "64", "--quant", "bf16")
    let same = try JSONParser.parse(Ingot.output("info", plain, "--json"))["artifact"]
    #expect(divergence > 0 && same?["quality"] == artifact["quality"])
    #expect(try Ingot.failure("info", file).contains("no key was given"))
    let failed = try Ingot.run(
      ["compile", model.path, "-o", folder / "o.ingot", "--max-context", "64", "--quant", "bf16"]
        + ["--encrypt-with", key, "--max-kl", "\(divergence * 0.99)"])
    #expect(failed.status == 1 && failed.errors.contains("KL divergence"))
    #expect(try Folder.names(folder.path).sorted() == ["key", "m.ingot", "n.ingot", "sign", "sign.pub"])
  }

  @Test("A key from the environment or a passphrase encrypts as ingot encrypt does") func otherKeys() throws {
    let folder = try Folder()
    let (key, file) = (folder / "key", folder / "m.ingot")
    _ = try Ingot.output("keygen", "-o", key)
    let text = try String(contentsOfFile: key, encoding: .utf8)
    let arguments = ["compile", model, "--max-context", "64", "--no-gate", "-o"]
    // That a key lies about does not mean that it is to be used.
    #expect(try Ingot.run(arguments + [file], environment: ["INGOT_KEY": text]).status == 0)
    #expect(try !Ingot.output("info", file).contains("encrypted"))
    #expect(try Ingot.run(arguments + [file, "--encrypt"], environment: ["INGOT_KEY": text]).status == 0)
    #expect(try Ingot.output("info", file, "--key", key).contains("encrypted with AES-256-GCM"))
    let right = ["INGOT_PASSPHRASE": "correct horse"]
    for options in [["--encrypt"], ["--passphrase"]] {
      let outcome = try Ingot.run(arguments + [file] + options, environment: right)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try Ingot.run(["info", file], environment: right).status == 0)
      let wrong = try Ingot.run(["info", file], environment: ["INGOT_PASSPHRASE": "battery staple"])
      #expect(wrong.status == 1 && wrong.errors.contains("hint: type it again"), "\(wrong.errors)")
    }
    for options in [["--encrypt"], ["--passphrase", "--encrypt-with", key]] {
      let outcome = try Ingot.run(arguments + [folder / "n.ingot"] + options)
      #expect(outcome.status == 1 && outcome.errors.hasPrefix("error: argument"), "\(outcome.errors)")
    }
    _ = try Ingot.output("keygen", "-o", folder / "other")
    _ = try Ingot.run(arguments + [file, "--encrypt-with", key])
    let wrong = try Ingot.failure("info", file, "--key", folder / "other")
    #expect(wrong.contains("the key given is") && wrong.contains("hint: "), "\(wrong)")
    #expect(try Folder.names(folder.path).sorted() == ["key", "m.ingot", "other"])
  }

  @Test("A file says whether scales were searched for its weights, also when it is compiled again")
  func searchedScales() throws {
    let model = try TalkingModel()
    let folder = try Folder()
    let (plain, searched, again) = (folder / "a.ingot", folder / "b.ingot", folder / "c.ingot")
    let options = ["--max-context", "64", "--no-gate", "--quant", "int4", "--group-size", "64"]
    _ = try Ingot.run(["compile", model.path, "-o", plain] + options)
    let text = folder / "text"
    try String(repeating: TalkingModel.text + " ", count: 12).write(
      toFile: text, atomically: true, encoding: .utf8)
    let outcome = try Ingot.run(
      ["compile", model.path, "-o", searched, "--awq", "--awq-text", text] + options)
    #expect(outcome.status == 0, "\(outcome.errors)")
    _ = try Ingot.output("compile", searched, "-o", again, "--max-context", "32")
    let found = try [plain, searched, again].map {
      try JSONParser.parse(Ingot.output("info", $0, "--json"))["artifact"]?["awq"]?.string
    }
    #expect(found == [nil, "int4:64:sym", "int4:64:sym"])
    #expect(try Ingot.output("info", again).contains("searched for int4:64:sym (AWQ)"))
    #expect(try Ingot.output("info", plain).contains("none searched"))
  }

  @Test("What fits is told before anything is loaded") func fit() throws {
    let fits = try JSONParser.parse(Ingot.output("info", model, "--fit", "1GiB", "-c", "64", "--json"))
    #expect(fits["fits"]?.bool == true && fits["longest_context"]?.int ?? 0 >= 64)
    let total = try #require(fits["total"]?.int)
    let exact = try JSONParser.parse(Ingot.output("info", model, "--fit", "\(total)", "-c", "64", "--json"))
    #expect(exact["fits"]?.bool == true && exact["longest_context"]?.int == 64)
    let outcome = try Ingot.run(["info", model, "--fit", "\(total - 1)", "-c", "64", "--json"])
    #expect(outcome.status == 1)
    #expect(try JSONParser.parse(outcome.output)["longest_context"]?.int ?? 0 < 64)
    #expect(try Ingot.run(["info", model, "--fit", "some"]).status == 1)
  }

  @Test("A compilation that the disk cuts short leaves what was there") func fullDisk() throws {
    let folder = try Folder()
    let file = folder / "m.ingot"
    try "before".write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try Ingot.run(
      ["compile", model, "-o", file, "--max-context", "64", "--no-gate"], shell: "ulimit -f 8; trap '' XFSZ")
    #expect(outcome.status == 1 && outcome.errors.hasPrefix("error: io"), "\(outcome.errors)")
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "before")
    #expect(try folder.names == ["m.ingot"])
  }
}
