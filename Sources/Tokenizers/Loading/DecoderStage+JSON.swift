import IngotCore

extension DecoderStage {
  /// Reads the `decoder` of a tokenizer.json.
  /// - Throws: `.unsupported` for a type that is not executed, `.tokenizer` for broken members.
  static func stages(_ node: JSONNode) throws(IngotError) -> [DecoderStage] {
    switch try node.type() {
    case "ByteLevel": return [.byteLevel]
    case "ByteFallback": return [.byteFallback(.wholeRun)]
    case "Fuse": return [.fuse]
    case "Strip":
      let content = Array(try node.required("content").string().utf8)
      return [
        .strip(content: content, start: try node.count("start") ?? 0, stop: try node.count("stop") ?? 0)
      ]
    case "Replace":
      return [
        .replace(try node.pattern("pattern"), with: Array(try node.required("content").string().utf8))
      ]
    case "Metaspace":
      let replacement = Array((try node.string("replacement") ?? "\u{2581}").utf8)
      let legacy: PreTokenizer.PrependScheme =
        try node.bool("add_prefix_space", default: true) ? .always : .never
      let scheme = try node.choice("prepend_scheme", PreTokenizer.PrependScheme.self) ?? legacy
      return [.metaspace(replacement: replacement, keepsFirst: scheme == .never)]
    case "BPEDecoder": return [.wordSuffix(Array((try node.string("suffix") ?? "</w>").utf8))]
    case "Sequence":
      var stages: [DecoderStage] = []
      for part in try node.required("decoders").elements() { stages += try DecoderStage.stages(part) }
      return stages
    case let type: throw node.unsupported("the decoder \(type) is not executed")
    }
  }
}
