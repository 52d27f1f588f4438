import Ingot

/// What `ingot info` and `ingot compile` show of an `.ingot` file.
struct ArtifactSummary {
  let file: ArtifactFile
  let manifest: ArtifactManifest

  init(_ artifact: ArtifactCheckpoint) {
    (file, manifest) = (artifact.artifact, artifact.manifest)
  }

  /// Opens a file that was just written.
  init(_ path: String, _ key: ArtifactKey?) throws(IngotError) {
    if let key {
      file = try ArtifactFile(path: path, keys: FixedKey(key))
    } else {
      file = try ArtifactFile(path: path)
    }
    manifest = try ArtifactManifest(file.manifest, path: path)
  }

  /// Segments with their sizes and digests.
  var segmentText: String {
    file.segments.map { "  \($0.name)  \(bytes($0.byteCount))  sha256 \($0.sha256)\n" }.joined()
  }

  /// Stages with their lengths, ports and memory.
  var stageText: String { (manifest.stages?.array ?? []).map(text).joined() }

  private func text(_ set: JSONValue) -> String {
    let form = set["dynamic"]?.bool == true ? "dynamic" : "static"
    var text = "\(set["name"]?.string ?? "")  \(form), paged cache\n"
    for stage in set["stages"]?.array ?? [] {
      let (tokens, context) = (stage["tokens"]?.int ?? 0, stage["context"]?.int ?? 0)
      text += "  \(stage["name"]?.string ?? "")  \(tokens) tokens, context \(context)\n"
      for (title, key) in [("in ", "inputs"), ("out", "outputs")] {
        for port in stage[key]?.array ?? [] { text += "    \(title) \(line(port))\n" }
      }
      // One line for all layers: they are alike.
      if let cache = stage["cache"]?.array, let first = cache.first {
        text += "    kv  \(cache.count) × \(line(first))\n"
      }
    }
    func number(_ key: String) -> Int { set["memory"]?[key]?.int ?? 0 }
    text +=
      "  device mem size: \(number("total")) (weight: \(number("weight")), instruct: \(number("instruct")), runtime: \(number("runtime")))\n"
    text += "  host mem size: \(hostBytes)\n"
    return text
  }

  private func line(_ port: JSONValue) -> String {
    let shape = (port["shape"]?.array ?? []).map { $0.int.map { "\($0)" } ?? $0.string ?? "" }
    return
      "\(port["name"]?.string ?? "")  [\(shape.joined(separator: ", "))]  \(port["dtype"]?.string ?? "")"
  }

  /// Bytes of everything but the weights: configuration, tokenizer, index.
  private var hostBytes: Int {
    file.segments.reduce(0) { $0 + ($1.name == ArtifactCheckpoint.SegmentName.weights ? 0 : $1.byteCount) }
  }

  /// All of it as lines.
  var text: String {
    var text = "\nformat            \(file.formatVersion)"
    text += file.isEncrypted ? ", encrypted with AES-256-GCM" : ""
    text += file.header.signature == nil ? "\n" : ", signed\n"
    text += "quantisation      \(manifest.quantization)\n"
    text += "scales            \(manifest.awq.map { "searched for \($0) (AWQ)" } ?? "none searched")\n"
    text += "rotary tables     \(manifest.maxPositions) rows\n"
    if let quality = manifest.quality { text += qualityLine(quality) }
    return text + "\nsegments\n" + segmentText + "\n" + stageText
  }

  /// All of it as members.
  var json: JSONObject {
    var object = manifest.json
    object["format_version"] = .int(file.formatVersion)
    object["encrypted"] = .bool(file.isEncrypted)
    object["signed"] = .bool(file.header.signature != nil)
    object["segments"] = file.manifest["segments"]
    return object
  }
}

/// What the gate measured, in a line.
func qualityLine(_ quality: JSONValue) -> String {
  func value(_ path: String...) -> String {
    var json: JSONValue? = quality
    for key in path { json = json?[key] }
    guard let number = json?.double ?? json?["value"]?.double else { return "?" }
    return fixed(number, 5)
  }
  return
    "quality           ppl \(value("ppl")) (source \(value("ppl_base"))), mean KL \(value("kl", "mean")), 99% \(value("kl", "p99")), same top token \(value("same_top_p"))\n"
}

/// A number with a fixed number of digits after the point.
private func fixed(_ value: Double, _ digits: Int) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let rounded = (value * scale).rounded() / scale
  return "\(rounded)"
}
