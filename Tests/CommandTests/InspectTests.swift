import IngotCore
import TestSupport
import Testing

@Suite struct InspectTests {
  @Test func aModelVerifiesAgainstItself() throws {
    let model = Fixture.model("llama-gqa")
    let folder = try Folder()
    let outcome = try Ingot.run(
      "verify", model, model, "--tolerance", "0", "--lengths", "1,9", "--steps", "3", "--json", "--html",
      folder / "a.html", "--svg", folder / "a.svg")
    #expect(outcome.status == 0 && outcome.errors == "")
    let json = try JSONParser.parse(outcome.output)
    #expect(json["passed"] == .bool(true) && json["overall"]?["max_abs_err"]?.double == 0)
    #expect(json["cases"]?.array?.count == 3)
    #expect(try folder.names == ["a.html", "a.svg"])
  }

  @Test func anotherModelFails() throws {
    let outcome = try Ingot.run(
      "verify", Fixture.model("mistral-full"), Fixture.model("mistral-sliding"), "--tolerance", "1e-4")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("overall") && outcome.errors.contains("allowed"))
    // Without bounds it is only told.
    #expect(
      try Ingot.run("verify", Fixture.model("mistral-full"), Fixture.model("mistral-sliding")).status == 0)
  }

  @Test func integersAreComparedWithTheSameIntegers() throws {
    let model = Fixture.gguf("llama-q4_0")
    let outcome = try Ingot.run("verify", model, model, "--quant", "int4", "--symmetric", "--no-layers")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test func impossibleRequestsAreErrors() throws {
    let model = Fixture.model("llama-gqa")
    #expect(try Ingot.failure("verify", model, model, "--lengths", "0").contains("length"))
    #expect(try Ingot.failure("verify", model, model, "--ids", "1,99999").contains("vocabulary"))
    #expect(try Ingot.failure("verify", model, model, "--steps", "-1").contains("--steps"))
    #expect(try Ingot.failure("verify", model, model, "--tolerance", "-1").contains("tolerance"))
    #expect(try Ingot.failure("verify", model, model, "--group-size", "32").contains("--quant"))
    #expect(try Ingot.failure("verify", model, Fixture.model("nowhere")).contains("nowhere"))
    #expect(try Ingot.failure("dump", model, "-o", "/dev/null").contains("--prompt"))
    #expect(try Ingot.failure("compare", model).contains("B"))
  }

  @Test func dumpsCompare() throws {
    let folder = try Folder()
    for (name, model) in [("a.npz", "mistral-full"), ("b.npz", "mistral-sliding")] {
      let outcome = try Ingot.run("dump", Fixture.model(model), "--ids", "1,2,3", "-o", folder / name)
      #expect(outcome.status == 0 && outcome.output == "" && outcome.errors == "")
    }
    #expect(try Ingot.output("compare", "--list", folder / "a.npz").contains("hidden_states.0"))
    let json = try JSONParser.parse(
      try Ingot.output("compare", folder / "a.npz", folder / "b.npz", "--json", "--html", folder / "c.html"))
    #expect(json["tensors"]?.array?.isEmpty == false && json["only_in_a"] == .array([]))
    let beyond = try Ingot.run("compare", folder / "a.npz", folder / "b.npz", "--tolerance", "1e-6")
    #expect(beyond.status == 1 && beyond.errors.contains("beyond the tolerance"))
  }
}
