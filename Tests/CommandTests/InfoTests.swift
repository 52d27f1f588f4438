import IngotCore
import TestSupport
import Testing

@Suite struct InfoTests {
  @Test func sizesAddUp() throws {
    for model in [Fixture.model("llama-gqa"), Fixture.model("llama-tied"), Fixture.gguf("qwen2-q5_k_m")] {
      let document = try JSONParser.parse(try Ingot.output("info", model, "--json", "--tensors", "-c", "100"))
      let memory = try #require(document["memory"])
      let parts = ["weights", "kv", "workspace", "instructions"].compactMap { memory[$0]?.int }
      #expect(parts.count == 4 && parts.allSatisfy { $0 > 0 })
      #expect(memory["total"]?.int == parts.reduce(0, +))
      let tensors = try #require(document["tensor_list"]?.array)
      #expect(document["tensors"]?.int == tensors.count)
      let counts = tensors.map { ($0["shape"]?.array ?? []).reduce(1) { $0 * ($1.int ?? 0) } }
      #expect(document["parameters"]?.int == counts.reduce(0, +))
      #expect(document["context"]?.int == 100 && document["kv_type"]?.string == "f16")
    }
  }

  @Test func theCacheGrowsWithContextAndType() throws {
    func cache(_ arguments: String...) throws -> Int {
      let text = try Ingot.run(["info", Fixture.model("llama-gqa"), "--json"] + arguments).output
      return try #require(JSONParser.parse(text)["memory"]?["kv"]?.int)
    }
    let small = try cache("-c", "64")
    #expect(try cache("-c", "640") == 10 * small)
    #expect(try cache("-c", "64", "--kv-type", "f32") == 2 * small)
    let bytes = try cache("-c", "64", "--kv-type", "i8")
    #expect(bytes < small && bytes > small / 2)
    #expect(try cache("-c", "64", "--kv-type", "q8_0") == bytes)
  }

  @Test func theTextSaysWhatItIs() throws {
    let text = try Ingot.output("info", Fixture.gguf("llama-q8_0"), "--tensors")
    for word in [
      "llama", "Q8_0", "parameters", "weights", "cache", "workspace", "total", "model.norm.weight",
    ] {
      #expect(text.contains(word), "\(word) in \(text)")
    }
    _ = try Ingot.failure("info", Fixture.model("llama-gqa"), "-c", "-1")
  }

  @Test func graphsArePrintedPlainAndFused() throws {
    let plain = try Ingot.output("graph", Fixture.model("llama-gqa"))
    let fused = try Ingot.output("graph", Fixture.model("llama-gqa"), "--fused")
    #expect(plain.hasPrefix("graph(input_ids: i64[tokens]") && plain.hasSuffix("}\n"))
    #expect(fused.split(separator: "\n").count < plain.split(separator: "\n").count)
  }
}
