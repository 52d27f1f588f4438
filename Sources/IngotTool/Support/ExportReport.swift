import Ingot

/// What `ingot export` tells.
struct ExportReport {
  private let folder: String
  private let files: [ExportPlan.File]

  init(_ export: ModelExport, folder: String) { (self.folder, files) = (folder, export.plan.files) }

  private var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

  /// Files with sizes, and the ports of models.
  var text: String {
    var text = ""
    let width = (files.map(\.path.count).max() ?? 0) + 2
    for file in files {
      text += file.path + String(repeating: " ", count: width - file.path.count)
      text += "\(grouped(file.byteCount)) bytes\n"
      for port in file.inputs { text += "  in   \(port)\n" }
      for port in file.outputs { text += "  out  \(port)\n" }
    }
    return text + "total \(grouped(byteCount)) bytes, beside configuration and tokenizer files\n"
  }

  /// One line.
  func summary(_ written: ExportPlan.Written) -> String {
    let kept = written.kept.isEmpty ? "" : ", \(written.kept.count) kept from before"
    return "\(folder): \(written.files.count) files written\(kept), \(grouped(byteCount)) bytes\n"
  }

  /// The same as `text`; keys are here to stay.
  var json: JSONValue {
    func ports(_ ports: [ExportPlan.Port]) -> JSONValue {
      .array(
        ports.map { port in
          .object(
            JSONObject([
              .init("name", .string(port.name)), .init("dtype", .string(port.dtype.rawValue)),
              .init("shape", .array(port.dims.map { dim in Int(dim).map { .int($0) } ?? .string(dim) })),
            ]))
        })
    }
    var object = JSONObject()
    object["folder"] = .string(folder)
    object["bytes"] = .int(byteCount)
    object["files"] = .array(
      files.map { file in
        var entry = JSONObject([.init("path", .string(file.path)), .init("bytes", .int(file.byteCount))])
        if !file.outputs.isEmpty {
          (entry["inputs"], entry["outputs"]) = (ports(file.inputs), ports(file.outputs))
        }
        return .object(entry)
      })
    return .object(object)
  }
}
