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

  /// What was written, and by how much it differs from the engine.
  func summary(_ written: ExportPlan.Written, _ verification: VerificationReport?) -> String {
    let kept = written.kept.isEmpty ? "" : ", \(written.kept.count) kept from before"
    var text = "\(folder): \(written.files.count) files written\(kept), \(grouped(byteCount)) bytes\n"
    if var verification {
      // Layer by layer 'ingot verify' shows it.
      (verification.layers, verification.notes) = ([], [])
      text += verification.text
    }
    return text
  }

  /// The same, and the plan.
  func json(
    _ written: ExportPlan.Written, _ verification: VerificationReport?, _ tolerance: Tolerance
  ) -> JSONValue {
    var object = json.object ?? JSONObject()
    object["written"] = .array(written.files.map { .string($0) })
    object["kept"] = .array(written.kept.map { .string($0) })
    object["verification"] = verification?.json(tolerance) ?? .null
    return .object(object)
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
