internal import Checkpoints
public import IngotCore
internal import Quantization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension ExportPlan {
  /// Folders within the export's that models lie in, each after the one it lies in.
  public var folders: [String] {
    var folders: Set<String> = []
    for model in models {
      let parts = model.path.split(separator: "/").dropLast()
      for count in 1..<parts.count + 1 { folders.insert(parts.prefix(count).joined(separator: "/")) }
    }
    return folders.sorted()
  }

  /// What the models were made with, for `config.json`.
  public var manifest: JSONValue {
    var object = JSONObject()
    object["preset"] = .string(options.preset.rawValue)
    object["split"] = .string(options.split.rawValue)
    object["cache"] = .string(options.cache.rawValue)
    object["names"] = .string(options.names.rawValue)
    object["opset"] = .int(options.chosenOpset)
    object["dtype"] = .string(options.dtype.rawValue)
    object["compute_dtype"] = .string((options.dtype == .f16 ? DType.f16 : .f32).rawValue)
    object["kv_dtype"] = object["compute_dtype"]
    object["kv_layout"] = .string(options.kvLayout.rawValue)
    object["operators"] = .string((options.operators ?? .standard).rawValue)
    if let scheme = options.quantization {
      object["quantization"] = .object(
        JSONObject([
          .init("bits", .int(scheme.bits)), .init("group_size", scheme.groupSize.map { .int($0) } ?? .null),
          .init("symmetric", .bool(scheme.isSymmetric)),
        ]))
    }
    if options.split == .blocks {
      object["blocks"] = .int(layersPerModel.count)
      object["layers_per_block"] = .array(layersPerModel.map { .int($0) })
    }
    if options.split == .packs { object["layers_per_pack"] = .array(layersPerModel.map { .int($0) }) }
    switch options.cache {
    case .growing: break
    case .buffer:
      object["seq_len"] = .int(options.sequenceLength)
      object["max_cache_len"] = .int(options.cacheLength)
    case .segments:
      object["share_length"] = .int(options.shareLength)
      object["unshare_length"] = .int(options.unshareLength)
      object["seq_length"] = .int(options.totalLength)
      object["max_pos_len"] = .int(options.rotaryRows)
    }
    return .object(object)
  }

  /// Layers of each model that has some, those of one folder only.
  private var layersPerModel: [Int] {
    let folder = models.first?.path.split(separator: "/").dropLast()
    return models.filter { $0.path.split(separator: "/").dropLast() == folder }
      .compactMap { $0.part?.segment.layers.count }.filter { $0 > 0 }
  }

  /// Removes models and data of an older export that this one does not have.
  /// - Throws: `.argument` when the folder has models that no export of ours put there.
  public func removeStaleModels(in folder: String) throws(IngotError) {
    let known = Set(ExportJournal(folder: folder, recipe: "").entries.map(\.path))
    let kept = Set(files.map(\.path))
    for path in known.subtracting(kept) where !path.split(separator: "/").contains("..") {
      unlink("\(folder)/\(path)")
    }
    for place in [""] + folders.map({ $0 + "/" }) {
      for name in try FileSystem.names(in: "\(folder)/\(place)", includingHidden: true)
      where name.hasSuffix(".onnx") {
        guard kept.contains(place + name) || known.contains(place + name) else {
          throw IngotError(
            .argument, "the folder has a model that this export would not replace",
            at: .init(file: "\(folder)/\(place)\(name)"), hint: "choose an empty folder")
        }
      }
    }
  }
}
